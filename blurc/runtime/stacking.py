"""Stacks: the variables of equal layers are one array inside programs, and separate arrays outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from blurc.plan import Stack
from blurc.runtime.kernels.stacks import stack, unstack

Named: TypeAlias = dict[str, dict[str, Any]]  # {projection or population: {variable: array}}


@dataclass(frozen=True)
class Stacks:
    stacks: tuple[Stack, ...]

    def first(self, name: str) -> str:
        """The first member of a stack; any other name unchanged."""
        return next((s.members[0] for s in self.stacks if s.name == name), name)

    def packed(self, kinds: tuple[str, ...], values: Mapping[str, Mapping[str, Any]]) -> Named:
        """Replaces the arrays of the members of every stack of these kinds by one array under the stack's name."""
        found = {of: dict(named) for of, named in values.items()}
        for s in self._of(*kinds):
            found.setdefault(s.name, {})[s.variable] = stack([found[of].pop(s.variable) for of in s.members])
        return found

    def unpacked(self, kinds: tuple[str, ...], values: Mapping[str, Mapping[str, Any]]) -> Named:
        names = {s.name for s in self.stacks}
        found = {of: dict(named) for of, named in values.items() if of not in names}
        for s in self._of(*kinds):
            for of, value in zip(s.members, unstack(values[s.name][s.variable]), strict=True):
                found[of][s.variable] = value
        return found

    def packed_genome(self, genome: Mapping[str, Any]) -> dict[str, Any]:
        """Adds stacks of meta-parameters to the single ones."""
        found = dict(genome)
        for s in self._of("meta"):
            values = found[s.variable]
            found[s.variable] = {**values, s.name: stack([values[of] for of in s.members])}
        return found

    def _of(self, *kinds: str) -> tuple[Stack, ...]:
        return tuple(s for s in self.stacks if s.kind in kinds)
