"""How one network is divided over devices: which axis of each projection, by what has to be sent.

Neurons of a population are divided, or every device has all of them; synapses are divided along their presynaptic or
their postsynaptic axis. A weighted sum needs all that it sums over: along a divided axis it is a sum on each device,
and these are added. What that takes is counted in numbers per example, and the least is chosen, by descent from all
neurons divided. So of two layers, the first is divided by its targets and the second by its sources, and what is
between them is never sent (Shoeybi et al., "Megatron-LM", arXiv:1909.08053).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from blurc.model import Form
from blurc.plan.plan import Block, Plan, Projection, loop_of

Unit: TypeAlias = tuple[Projection, ...]  # projections that are divided alike
Axis = Literal["pre", "post", "both", "synapses", ""]  # "both": of one-to-one connections; "": all on every device
AXES: tuple[Axis, ...] = ("post", "pre", "both", "synapses", "")  # of those that send the same, the first is taken
LISTED: frozenset[Form] = frozenset({"segments"})  # sparse forms that read each synapse where it is


@dataclass(frozen=True)
class Split:
    """A network divided by `parts`.

    Attributes:
        neurons: the populations whose neurons are divided.
        axes: along which axis the synapses of each projection are.
        sent: numbers that devices send or receive for each example of a step, estimated.
    """

    parts: int
    neurons: frozenset[str]
    axes: Mapping[str, Axis]
    sent: int

    def __str__(self) -> str:
        """`x->h by post; h->y by pre; unit->y whole; 20 numbers sent for each example`"""
        axes = (f"{name} {f'by {axis}' if axis else 'whole'}" for name, axis in self.axes.items())
        return f"{'; '.join(axes)}; {self.sent:,} numbers sent for each example"


def split(plan: Plan, parts: int) -> Split:
    """The division that sends least, as far as sizes can be divided by `parts`."""
    if parts == 1:
        return Split(1, frozenset(), {p.name: "" for p in plan.projections if p.has_arrays}, 0)
    return Search(plan, parts).found()


def part_of_state(plan: Plan, split: Split, batch: int, data: int) -> float:
    """What comes to each device, of a state whose examples are divided by `data`."""
    whole = mine = 0.0
    synapses = {p.name: math.prod(p.shape) for p in plan.projections}
    neurons = {p.name: p.size for p in plan.populations}
    kept = ((plan.channels, 1), (plan.statistics, 1), (plan.carried, batch), (plan.examples, batch))
    for variables, examples in kept:
        for v in variables:
            size = math.prod(v.dims) * examples * (synapses if v.of in synapses else neurons)[v.of]
            divided = bool(split.axes.get(v.of)) if v.of in synapses else v.of in split.neurons
            whole += size
            mine += size / (split.parts if divided else 1) / (1 if examples == 1 else data)
    return mine / whole if whole else 1.0


@dataclass(frozen=True)
class Search:
    plan: Plan
    parts: int

    def found(self) -> Split:
        divisible = self._divisible()
        neurons, changed = divisible, True
        around = {
            group: [u for u in self._alike if any({p.source, p.target} & group for p in u)] for group in self._groups
        }
        while changed:
            changed = False
            for group, units in around.items():
                other = neurons ^ group
                if group <= divisible and self._sent(other, units) < self._sent(neurons, units):
                    neurons, changed = other, True
        return Split(self.parts, neurons, self._axes(neurons), self._sent(neurons, self._alike))

    def _divisible(self) -> frozenset[str]:
        """A picture is not: its windows overlap. Nor are inputs by ids."""
        return frozenset(
            p.name for p in self.plan.populations if len(p.shape) == 1 and p.size % self.parts == 0 and not p.ids
        )

    @cached_property
    def _groups(self) -> tuple[frozenset[str], ...]:
        """Populations that are divided alike: those whose arrays are stacked, or one by one."""
        found = {p.name: {p.name} for p in self.plan.populations}
        for stack in self.plan.step.stacks:
            ends = [(q.source, q.target) for q in self.plan.projections if q.name in stack.members]
            members = stack.members if not ends else ()
            for column in (members, *zip(*ends, strict=True)):
                joined = set[str]().union(*(found[name] for name in column if name in found))
                found |= dict.fromkeys(joined, joined)
        return tuple(dict.fromkeys(map(frozenset, found.values())))

    # ------------------------------------------------------------- what is sent

    @cached_property
    def _sums(self) -> Counter[tuple[str, str]]:
        """Numbers per neuron in the sums of a step, by projection and direction."""
        return Counter(dict(_sums(self.plan.step)))

    def _sent(self, neurons: frozenset[str], units: Iterable[Unit]) -> int:
        return sum(self._cost(p, neurons, axis) for p, axis in self._chosen(neurons, units))

    def _axes(self, neurons: frozenset[str]) -> dict[str, Axis]:
        chosen: dict[str, Axis] = {p.name: axis for p, axis in self._chosen(neurons, self._alike)}
        return {p.name: chosen[p.name] for p in self.plan.projections if p.has_arrays}

    def _chosen(self, neurons: frozenset[str], units: Iterable[Unit]) -> Iterator[tuple[Projection, Axis]]:
        for members in units:
            options = [self._options(p, neurons) for p in members]
            shared: tuple[Axis, ...] = tuple(axis for axis in AXES if all(axis in of for of in options))
            costs = [sum(self._cost(p, neurons, axis) for p in members) for axis in shared]
            chosen = shared[costs.index(min(costs))]
            for p in members:
                yield p, chosen

    @cached_property
    def _alike(self) -> tuple[Unit, ...]:
        """Projections whose synapses are stacked, or one by one."""
        stacks = [stack.members for stack in self.plan.step.stacks if stack.kind == "synapse"]
        together = {name: members for members in stacks for name in members}
        by_name = {p.name: p for p in self.plan.projections}
        found = dict.fromkeys(together.get(name, (name,)) for name in by_name)
        return tuple(tuple(by_name[name] for name in members) for members in found)

    def _options(self, p: Projection, neurons: frozenset[str]) -> list[Axis]:
        """Along which axes its synapses can be divided; on every device only where there is no other way."""
        pre, post = p.axes
        if not p.has_arrays or math.prod(p.shape) % self.parts:
            return [""]
        if p.unit:
            return ["post" if p.target in neurons else ""]
        if p.form:
            return ["synapses" if p.form in LISTED else ""]
        if p.dense:
            found: list[Axis] = ["post"] if post % self.parts == 0 else []
            return [*found, "pre"] if pre % self.parts == 0 else found or [""]
        one_to_one = p.shape == (p.n_pre,) and {p.source, p.target} <= neurons
        return ["both" if one_to_one else ""]

    def _cost(self, p: Projection, neurons: frozenset[str], axis: Axis) -> int:
        """Collecting all of n numbers, or adding them where each device needs its part, sends n; adding them where each
        needs all sends 2 n."""
        forth, back = self._sums[p.name, "to_post"], self._sums[p.name, "to_pre"]
        before, after = p.source in neurons, p.target in neurons
        match axis:
            case "post":
                collected = forth * (p.n_pre * before + p.n_post * (not after))
                return collected + back * p.n_pre * (1 if before else 2)
            case "pre":
                collected = back * (p.n_post * after + p.n_pre * (not before))
                return collected + forth * p.n_post * (1 if after else 2)
            case "both":
                return 0
            case "synapses":
                sums = forth * p.n_post * (1 if after else 2) + back * p.n_pre * (1 if before else 2)
                return sums + forth * p.n_pre * before + back * p.n_post * after
            case "":
                return 0 if p.unit else forth * p.n_pre * before + back * p.n_post * after


def _sums(block: Block, times: int = 1) -> Iterator[tuple[tuple[str, str], int]]:
    found = Counter[tuple[str, str]]()
    for op in block.ops:
        if op.name == "loop":
            for key, n in _sums(loop_of(op).body, times * loop_of(op).count):
                found[key] += n
        elif op.name in ("to_post", "to_pre") and op.type.space.first:  # not of the unit neuron alone
            found[str(op.attrs[0]), op.name] += times * math.prod(op.type.dims)
    return iter(found.items())
