"""Locates where training diverged: the step, the phase, the population or projection, and the line.

The chunk of steps in which it happened is replayed step by step, and that step is then traced. The replay is a
different program from the training scan and may round differently: a value that barely overflowed may do so a step
later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, cast

import jax
import numpy as np

from blurc import model as m
from blurc import plan as plans
from blurc.api import Net
from blurc.diagnostics import Diagnostic, Span, counted
from blurc.runtime import GenomeValues, Program, State
from blurc.tasks import Batches, Shown
from blurc.training import replays, sequences
from blurc.training.sequences import Steps


@dataclass(frozen=True)
class Divergence:
    """The first value that is not finite. `of` is a population, or a projection if `name` is a channel. `phase` is
    None if unknown: an artifact cannot be traced."""

    step: int  # counted from 1, in batches; 0: before the first step
    of: str
    name: str
    phase: str | None = None
    span: Span | None = None
    count: int = 0
    size: int = 0
    largest: float = 0.0  # the largest synapse before the step
    where: str = ""  # its projection
    time: int = 0  # the step of the sequences, counted from 1; 0 if the examples are not sequences

    def diagnostic(self) -> Diagnostic:
        when = "before the first step" if self.step == 0 else f"at step {self.step}"
        if self.time:
            when += f", {counted(self.time, 'step')} into its sequences"
        phase = f" in {self.phase}" if self.phase else ""
        broken = f" ({self.count} of {counted(self.size, 'value')})" if self.size else ""
        what = f"`{self.name}` of `{self.of}`{phase} is not finite{broken}"
        before = f"before that step the largest synapse was {self.largest:.3g}, in `{self.where}`"
        notes = [before] if self.where else []
        if self.span is None:
            notes.append("train from the spec instead of the artifact to see the line")
        return Diagnostic(
            "E905",
            f"training diverged {when}: {what}",
            self.span,
            tuple(notes),
            "lower the rates (`--set`, or a genome), or bound the value: `clip(.., -10, 10)`",
        )


def find(
    net: Program, genome: GenomeValues, state: State, batches: Batches, done: int = 0, key: Any = None
) -> Divergence | None:
    """Replays the batches from `state`, as `learn(net, ..)` runs them; `done` batches came before. None if everything
    is finite."""
    if broken := _broken_synapse(net, state):
        return _at_start(net, *broken)
    steps = sequences.steps(net.signature, batches)
    keys = None if key is None else lambda i: jax.random.fold_in(key, i)
    return _in_steps(net, genome, state, steps, sequences.length(batches), done, keys)


def find_in_recording(
    net: Net, genome: GenomeValues, state: State, shown: Shown, done: int, key: jax.Array
) -> Divergence | None:
    """The same of a recording, as `replayed(net, ..)` runs it."""
    if broken := _broken_synapse(net, state):
        return _at_start(net, *broken)
    steps = replays.steps(net, shown)
    keys = jax.random.split(key, len(steps.xs))
    return _in_steps(net, genome, state, steps, replays.length(shown), done, keys.__getitem__)


def _in_steps(
    net: Program, genome: GenomeValues, state: State, steps: Steps, time: int, done: int,
    keys: Callable[[int], jax.Array] | None,
) -> Divergence | None:  # fmt: skip
    """time: the steps of a sequence; 0 if there are none."""
    for i in range(len(jax.tree.leaves(steps.xs)[0])):
        x, y, signals = jax.tree.map(lambda a, i=i: a[i], (steps.xs, steps.ys, steps.signals))
        now = keys(i) if keys else None
        if steps.reset is not None and steps.reset[i]:
            state = state._replace(neurons=jax.tree.map(np.zeros_like, state.neurons))
        fed: dict[str, Any] = {"signals": signals, "key": now}
        after, out = net.step(genome, state, x, y, **fed)
        if found := of_step(net, genome, state, after, out, x, y, fed):
            number, place = divmod(i, max(1, time))
            return replace(found, step=done + 1 + number, time=place + 1 if time else 0)
        state = after
    return None


def _at_start(net: Program, projection: str, channel: str, value: Any) -> Divergence:
    span = net.model.genome.channel(channel).span if isinstance(net, Net) else None
    return Divergence(0, projection, channel, None, span, *_counted(value))


def of_step(
    net: Program, genome: GenomeValues, state: State, after: State, out: Any, x: Any, y: Any, fed: dict[str, Any]
) -> Divergence | None:
    """What is not finite after one step, which led from `state` to `after` with the readout `out`, as if it were the
    first. fed: its signals and key."""
    synapse, outputs = _broken_synapse(net, after), _broken_output(net, out)
    neurons = _broken_persistent(after)
    if not (synapse or outputs or neurons):
        return None
    largest, where = _largest(state)
    if isinstance(net, Net):
        for phase, of, name, span, value in _traced(net, net.trace(genome, state, x, y, **fed), after):
            return Divergence(1, of, name, phase, span, *_counted(value), largest, where)
    of, name, value = next(found for found in (synapse, neurons, outputs) if found)
    span = net.model.genome.readout.span if isinstance(net, Net) and not (synapse or neurons) else None
    return Divergence(1, of, name, None, span, *_counted(value), largest, where)


def _bad(value: Any) -> bool:
    return not np.isfinite(np.asarray(value)).all()


def _counted(value: Any) -> tuple[int, int]:
    finite = np.isfinite(np.asarray(value))
    return int(finite.size - finite.sum()), int(finite.size)


def _broken_synapse(net: Program, state: State) -> tuple[str, str, Any] | None:
    """In declaration order, which JAX does not keep."""
    declared = {name: state.synapses[name] for name in net.signature.projections}
    return next(_broken_parts(declared), None)


def _broken_persistent(state: State) -> tuple[str, str, Any] | None:
    return next(chain(_broken_parts(state.neurons), _broken_parts(state.statistics)), None)


def _broken_parts(parts: Any) -> Iterator[tuple[str, str, Any]]:
    for of, named in parts.items():
        yield from ((of, name, value) for name, value in named.items() if _bad(value))


def _broken_output(net: Program, out: Any) -> tuple[str, str, Any] | None:
    several = cast("dict[str, Any]", out) if isinstance(out, dict) else {next(iter(net.signature.outputs)): out}
    return next(((of, "readout", value) for of, value in several.items() if _bad(value)), None)


def _largest(state: State) -> tuple[float, str]:
    sizes = [
        (float(np.abs(np.asarray(value)).max(initial=0)), of)
        for of, channels in state.synapses.items()
        for value in channels.values()
    ]
    return max(sizes, default=(0.0, ""))


def _traced(net: Net, trace: Any, after: State) -> Iterator[tuple[str, str, str, Span, Any]]:
    """The values that are not finite (phase, of, name, span, value), in the order in which phases run and visit.

    Synapses are only known at the end of the step: with several `update` phases, the first is named.
    """
    kinds = {p.name: p.kind for p in net.model.network.projections}
    for visit in plans.schedule(net.model).visits:
        if visit.phase.kind == "update":
            parts = [(of, after.synapses[of]) for of in net.signature.projections]
        else:
            parts = [(of, trace.get(visit.phase.name, {}).get(of, {})) for of in visit.populations]
        for of, values in parts:
            update = visit.phase.kind == "update"
            statements = visit.phase.of(kinds[of]) if update else net.model.statements(visit.phase, of)
            for statement in statements:
                if isinstance(statement, m.Assign) and statement.name in values:
                    value = np.asarray(values[statement.name])
                    if _bad(value[_index(statement)]):
                        yield visit.phase.name, of, statement.name, statement.span, value


def _index(statement: m.Assign) -> tuple[Any, ...]:
    """The assigned part: dims come first in memory."""
    return tuple(slice(*item) if isinstance(item, tuple) else item for item in statement.items)
