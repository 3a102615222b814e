"""Which operations are alike: those that differ only in the names of populations and projections of one kind."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from blurc.plan.plan import DRAWS, LEAVES, SITES, Block, Op, Plan, Type

TELLING = {"literal", "meta", "modulator", "synapse", "example"}
OF_PROJECTION = {"to_post", "to_pre", "outer", "at_pre", "at_post", *SITES}  # the first attribute names one


@dataclass(frozen=True)
class Read:
    """What a leaf reads of one population or projection: `kind` is the operation's name."""

    kind: str
    of: str
    name: str


def variable(op: Op) -> Read | None:
    """The variable that may become an entry of a stack."""
    match op.name, op.attrs:
        case (("synapse" | "example" | "carried"), (of, name)):
            return Read(op.name, str(of), str(name))
        case "meta", (name, of):
            return Read("meta", str(of), str(name))
        case _:
            return None


@dataclass
class Classes:
    """Assigns equal numbers to what is alike."""

    plan: Plan
    numbers: dict[Hashable, int] = field(default_factory=dict[Hashable, int])

    def __post_init__(self) -> None:
        self._of: dict[str, int] = {}
        for p in self.plan.populations:
            self._of[p.name] = self.number(("population", p.shape, *([p.name] if p.ids else ())))
        for p in self.plan.projections:
            alone = [p.name] if self.plan.population(p.source).ids else ()  # its rows are read where they lie
            kind = (p.pre, p.post, p.topology, p.form, p.unit, *alone)
            self._of[p.name] = self.number(("projection", *kind))

    def number(self, key: Hashable) -> int:
        return self.numbers.setdefault(key, len(self.numbers))

    def of(self, name: str) -> Hashable:
        """The class of a population or projection; a stack is only like itself."""
        return self._of.get(name, name)

    def type(self, t: Type) -> Hashable:
        return (t.dims, t.space.kind, t.space.first, t.space.second, self.of(t.space.of))

    def may_start(self, before: Type, made: Type) -> bool:
        """Whether a value of type `before`, stretched, can take the place of one of type `made`."""
        a, b = before.space, made.space
        same = before.dims == made.dims and a.kind == b.kind and self.of(a.of) == self.of(b.of)
        return same and a.first <= b.first and a.second <= b.second

    def op(self, op: Op) -> int:
        attrs: tuple[Hashable, ...] = op.attrs
        if op.name in OF_PROJECTION:
            attrs = (self.of(str(op.attrs[0])), *op.attrs[1:])
        elif op.name in DRAWS:
            attrs = ()
        elif read := variable(op):
            attrs = (self.of(read.of), read.name)
        return self.number((op.name, attrs, self.type(op.type), len(op.args)))


@dataclass(frozen=True)
class Tokens:
    """A block as a sequence: `order[place]` is an operation other than a leaf, `places` its place (-1 for leaves),
    `tokens` the class of every operation."""

    block: Block
    order: list[int]
    places: list[int]
    tokens: list[int]

    @classmethod
    def of(cls, block: Block, classes: Classes) -> Tokens:
        order = [i for i, op in enumerate(block.ops) if op.name not in LEAVES]
        places = [-1] * len(block.ops)
        for place, i in enumerate(order):
            places[i] = place
        return cls(block, order, places, [classes.op(op) for op in block.ops])

    def sequence(self) -> list[int]:
        """A token for every place. It covers the channels, meta-parameters and numbers read, but not the source of a
        neuron value: that of the first segment comes from outside the chain."""
        known: dict[Hashable, int] = {}

        def read(i: int) -> Hashable:
            return self.tokens[i] if self.block.ops[i].name in TELLING else None

        keys = ((self.tokens[i], *map(read, self.block.ops[i].args)) for i in self.order)
        return [known.setdefault(key, len(known)) for key in keys]
