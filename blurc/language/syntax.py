"""The syntax tree: what a `.blur` file says, before any checks.

Every node is frozen and keeps its span. Equality ignores spans, so two trees are equal if they say the same thing.
`unparse` prints a tree as text that parses to an equal tree.

Some classes share their names with what they become in the model (`State`, `Population`, `Projection`, `Network`).
Other files import this module as a whole, so that a node of the tree is always `syntax.State`, or `s.State` for short.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, cast

from blurc.diagnostics import Span

PhaseKind = Literal["sense", "forward", "feedback", "backward", "update"]
Role = Literal["input", "hidden", "output"]
Operator = Literal["+", "-", "*", "/", "@", "^", "<", "<=", ">", ">="]


@dataclass(frozen=True, kw_only=True)
class Node:
    span: Span = field(compare=False, repr=False)


def children(node: Node) -> Iterator[Node]:
    for value in vars(node).values():
        for part in cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,):
            if isinstance(part, Node):
                yield part


# ---------------------------------------------------------------- expressions


@dataclass(frozen=True)
class Number(Node):
    value: float | int  # int if written without a decimal point or exponent


@dataclass(frozen=True)
class Name(Node):
    name: str


@dataclass(frozen=True)
class Attribute(Node):
    """`pre.act`, `post.err`. `owner` is kept as written; the checker allows only pre and post."""

    owner: str
    name: str


@dataclass(frozen=True)
class Call(Node):
    """`phi(z)`, `phi'(z)` (prime), `incoming(E)`, `post.incoming(E)` (owner "post"), `incoming[dendrite](E)` (kind)."""

    function: str
    args: tuple[Expr, ...]
    prime: bool = False
    owner: str | None = None
    kind: str = ""


@dataclass(frozen=True)
class Negate(Node):
    operand: Expr


@dataclass(frozen=True)
class Binary(Node):
    operator: Operator
    left: Expr
    right: Expr
    terms: int = 0  # of a long sum or product, or of the second half of one: how many it has (`chains.py`)
    half: bool = False  # such a second half, written without parentheses


@dataclass(frozen=True)
class Slice(Node):
    low: Expr | None
    high: Expr | None  # excluded, as in Python


@dataclass(frozen=True)
class Index(Node):
    """`x[0]`, `x[1:]`, `m[0, :]`."""

    base: Expr
    items: tuple[Expr | Slice, ...]


@dataclass(frozen=True)
class Vector(Node):
    """`[e1, e2]`; a matrix is a vector of vectors."""

    items: tuple[Expr, ...]


Expr: TypeAlias = Number | Name | Attribute | Call | Negate | Binary | Index | Vector

# ---------------------------------------------------------------- genomes


@dataclass(frozen=True)
class Param(Node):
    name: str
    default: Expr


@dataclass(frozen=True)
class Distribution(Node):
    """`~ normal(1)`, `~ zeros` (no arguments)."""

    name: str
    args: tuple[Expr, ...]


@dataclass(frozen=True)
class State(Node):
    name: str
    dims: tuple[Expr, ...]
    persistent: bool = False


@dataclass(frozen=True)
class Signal(Node):
    name: str
    dims: tuple[Expr, ...]
    per: str | None = None  # as written


@dataclass(frozen=True)
class Synapse(Node):
    name: str
    dims: tuple[Expr, ...]
    init: Distribution | Expr | None  # None: missing, which the checker refuses
    per: str | None = None  # as written


@dataclass(frozen=True)
class Learn(Node):
    name: str
    dims: tuple[Expr, ...]
    init: Distribution | Expr | None
    per: str | None = None  # as written


@dataclass(frozen=True)
class Const(Node):
    name: str
    dims: tuple[Expr, ...]
    value: Expr
    per: str | None = None  # as written


@dataclass(frozen=True)
class Fn(Node):
    name: str
    function: str


@dataclass(frozen=True)
class Argument(Node):
    """One in the head of a function."""

    name: str


@dataclass(frozen=True)
class Function(Node):
    """`fn low(x, y) = x + (y - x) / 2`; `slope` replaces its derivative."""

    name: str
    arguments: tuple[Argument, ...]
    value: Expr
    slope: Expr | None = None
    name_span: Span = field(compare=False, repr=False, kw_only=True)


@dataclass(frozen=True)
class Let(Node):
    name: str
    value: Expr


@dataclass(frozen=True)
class Assign(Node):
    """`a[1:] <- e`. `items` is empty for the whole variable."""

    name: str
    items: tuple[Expr | Slice, ...]
    value: Expr
    name_span: Span = field(compare=False, repr=False, kw_only=True)


Statement: TypeAlias = Let | Assign


@dataclass(frozen=True)
class Phase(Node):
    """`of`: the kind of populations, or in `update` of projections, that it is for; "" for those without their own."""

    kind: PhaseKind
    statements: tuple[Statement, ...]
    of: str = ""
    name: str | None = None


@dataclass(frozen=True)
class Again(Node):
    """The name of a phase, on its own: that phase runs again."""

    name: str


@dataclass(frozen=True)
class Repeat(Node):
    """`repeat 20 { forward { ... } backward { ... } }`"""

    count: Expr
    phases: tuple[Phase | Again, ...]


@dataclass(frozen=True)
class Readout(Node):
    value: Expr


Declaration: TypeAlias = State | Signal | Synapse | Learn | Const | Fn | Function
GenomeItem: TypeAlias = Declaration | Phase | Again | Repeat | Readout


@dataclass(frozen=True)
class Extends(Node):
    genome: str


@dataclass(frozen=True)
class Genome(Node):
    name: str
    params: tuple[Param, ...]
    items: tuple[GenomeItem, ...]
    extends: Extends | None = None
    name_span: Span = field(compare=False, repr=False, kw_only=True)
    damaged: bool = field(default=False, compare=False)  # parts were left out because of syntax errors
    around: tuple[Function, ...] = field(default=(), compare=False, repr=False)  # functions of files that it may call
    lacks_imports: bool = field(default=False, compare=False)  # there may be more of them

    @property
    def functions(self) -> list[str]:
        """The names of those that it may call."""
        return [f.name for f in (*self.items, *self.around) if isinstance(f, Function)]


# ---------------------------------------------------------------- networks and blocks


@dataclass(frozen=True)
class IndexedName(Node):
    """`h`, `h{i}`, `h{i}{j}`, and a population of a block instance: `r.y`, `r{i}.y`."""

    base: str
    indices: tuple[Expr, ...] = ()
    port: IndexedName | None = None


@dataclass(frozen=True)
class Option(Node):
    """`name = value` in braces, parentheses or brackets."""

    name: str
    value: Expr


@dataclass(frozen=True)
class Population(Node):
    role: Role
    name: IndexedName
    dims: tuple[Expr, ...]
    options: tuple[Option, ...] = ()
    ids: bool = False  # `input item ids 100`: `dims` is that one number


@dataclass(frozen=True)
class Text(Node):
    """A string, allowed only as an argument of an `Attr`: `edges("wiring.csv")`."""

    value: str


@dataclass(frozen=True)
class Attr(Node):
    """One entry of a projection's brackets: `fixed`, `label = skip{i}`, `conv(3, 3, stride = 2)`."""

    name: str
    value: Expr | IndexedName | None = None  # of `name = value`; an IndexedName here has indices
    args: tuple[Expr | Text, ...] | None = None  # of `name(...)`; None without parentheses
    options: tuple[Option, ...] = ()  # keyword arguments of `name(...)`


@dataclass(frozen=True)
class Projection(Node):
    """`a -> b`, or a chain `a -> b -> c`: the same attributes for each pair of neighbours."""

    ends: tuple[IndexedName, ...]
    attrs: tuple[Attr, ...] = ()


@dataclass(frozen=True)
class Binding(Node):
    """`x = h{i}`, `width = 32`. `as_population` reads the value as a population."""

    name: str
    value: Expr | IndexedName  # an IndexedName here has braces


@dataclass(frozen=True)
class Instance(Node):
    """`r{i} = residual(x = h{i}, width = 32)`: a block instance."""

    name: IndexedName
    block: str
    args: tuple[Binding, ...]


@dataclass(frozen=True)
class For(Node):
    variable: str
    low: Expr
    high: Expr  # included
    items: tuple[NetworkItem, ...]


NetworkItem: TypeAlias = Population | Projection | Instance | For


@dataclass(frozen=True)
class Uses(Node):
    genome: str
    args: tuple[Option, ...] = ()


@dataclass(frozen=True)
class Network(Node):
    name: str
    params: tuple[Param, ...]
    uses: Uses | None
    items: tuple[NetworkItem, ...]
    name_span: Span = field(compare=False, repr=False, kw_only=True)
    damaged: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Block(Node):
    name: str
    params: tuple[Param, ...]
    items: tuple[NetworkItem, ...]
    name_span: Span = field(compare=False, repr=False, kw_only=True)
    damaged: bool = field(default=False, compare=False)


def as_population(value: Expr | IndexedName) -> IndexedName | None:
    """A binding's value read as a population: `h`, `h{i}`, `r.y` or `r{i}.y`."""
    match value:
        case IndexedName():
            return value
        case Name(name):
            return IndexedName(name, span=value.span)
        case Attribute(owner, name):
            return IndexedName(owner, (), IndexedName(name, span=value.span), span=value.span)
        case _:
            return None


# ---------------------------------------------------------------- files


@dataclass(frozen=True)
class Import(Node):
    path: str


@dataclass(frozen=True)
class File(Node):
    imports: tuple[Import, ...]
    genomes: tuple[Genome, ...]
    networks: tuple[Network, ...]
    blocks: tuple[Block, ...] = ()
    functions: tuple[Function, ...] = ()
    damaged: bool = field(default=False, compare=False)  # what was left out may be an import
