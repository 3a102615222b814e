"""Scheduling: which phase visits which populations, in which order.

before   forward { .. }                      and   x -> h, h -> y
after    forward of h, then forward of y
"""

from __future__ import annotations

from dataclasses import dataclass

from blurc import graph
from blurc.model import Model, Phase


@dataclass(frozen=True)
class Visit:
    """A phase with the populations that it visits, in order (none for `update`, which runs on all synapses)."""

    phase: Phase
    populations: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.phase.name}: {' '.join(self.populations)}"


@dataclass(frozen=True)
class Schedule:
    """All visits of a step. The readout is taken before visit number `readout`."""

    visits: tuple[Visit, ...]
    readout: int

    @property
    def prediction(self) -> tuple[Visit, ...]:
        """The visits of `predict`: sense and forward, up to the readout."""
        return tuple(v for v in self.visits[: self.readout] if v.phase.kind in ("sense", "forward"))


def schedule(model: Model) -> Schedule:
    network = model.network
    order: dict[str, tuple[str, ...]] = {
        "sense": tuple(p.name for p in network.with_role("input")),
        "forward": graph.forward_order(network),
        "feedback": tuple(p.name for p in network.with_role("output")),
        "backward": graph.backward_order(network),
        "update": (),
    }
    visits = tuple(Visit(phase, order[phase.kind]) for phase in model.genome.phases)
    first_feedback = next((i for i, v in enumerate(visits) if v.phase.kind == "feedback"), len(visits))
    return Schedule(visits, first_feedback)
