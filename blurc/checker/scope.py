"""Functions of one's own, as compile-time numbers and parameters see them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from blurc.language import syntax


@dataclass(frozen=True)
class FunctionScope:
    """`called`: those that can be called here. `held`: the names of others, which parameters and slots may hold.
    `around`: of the functions of a genome, those of files."""

    called: Mapping[str, syntax.Function] = field(default_factory=dict[str, syntax.Function])
    held: Collection[str] = ()
    around: FunctionScope | None = None

    @staticmethod
    def of_genome(tree: syntax.Genome) -> FunctionScope:
        own = _by_name(item for item in tree.items if isinstance(item, syntax.Function))
        return FunctionScope(own, around=FunctionScope(_by_name(tree.around)))

    @property
    def outside(self) -> FunctionScope:
        """The same for the network: the functions of the genome read what only the genome knows."""
        return FunctionScope(self.around.called if self.around else {}, self.called)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    @property
    def names(self) -> list[str]:
        return [*self.called, *self.held, *(self.around.names if self.around else ())]

    def find(self, name: str) -> tuple[syntax.Function, FunctionScope] | None:
        """The function that a call means, and those that it may call itself."""
        if name in self.called:
            return self.called[name], self
        return self.around.find(name) if self.around else None


def _by_name(trees: Iterable[syntax.Function]) -> dict[str, syntax.Function]:
    return {tree.name: tree for tree in trees}
