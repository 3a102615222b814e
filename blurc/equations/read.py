"""Expressions of a rule -> formulas. j is the neuron that a phase visits, i a presynaptic and k a postsynaptic one; in
`update` a synapse leads from i to j."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from blurc.equations import formula as f
from blurc.equations.formula import Formula
from blurc.language import functions
from blurc.language import syntax as s

COMPARISON, SUM, PRODUCT, UNARY, POWER, ATOM = range(6)
LEVELS = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "@": PRODUCT, "^": POWER}
SIGNS = {"*": "", "@": "·", "-": "−", "<=": "≤", ">=": "≥"}
OVER = {"mean": "mean", "sum": "∑", "max": "max"}


@dataclass(frozen=True)
class Place:
    """The indices of the neuron that is visited and of the two ends of a synapse, as far as there are any."""

    own: str = ""
    pre: str = ""
    post: str = ""

    @property
    def synapse(self) -> tuple[str, ...]:
        return (self.pre, self.post)


NEURON, SYNAPSE = Place(own="j"), Place(pre="i", post="j")


@dataclass
class Reader:
    """items: the declarations of a rule by name. lets: the indices of the values that the phase has named."""

    items: Mapping[str, s.Node]
    place: Place = NEURON
    lets: dict[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])

    def statement(self, node: s.Statement) -> Formula:
        own = self.place.synapse if self.place == SYNAPSE else (self.place.own,)
        value = self(node.value)
        if isinstance(node, s.Let):
            self.lets[node.name] = own
            return f.Row((f.Symbol(node.name, own), f.Sign("="), value))
        return f.Row((_selected(f.Symbol(node.name, own), node.items), f.Sign("←"), value))

    def __call__(self, node: s.Expr, least: int = COMPARISON) -> Formula:
        """A formula where at least this level is required."""
        found, level = self._leveled(node)
        return found if level >= least else f.Fenced("(", found, ")")

    def _leveled(self, node: s.Expr) -> tuple[Formula, int]:
        match node:
            case s.Number(value):
                return f.Number(node.span.text.strip("() ") or repr(value)), ATOM
            case s.Name(name):
                return f.Symbol(name, self._indices(name)), ATOM
            case s.Attribute(owner, name):
                return f.Symbol(name, (self.place.pre if owner == "pre" else self.place.post,)), ATOM
            case s.Negate(operand):
                return f.Row((f.Sign("−"), self(operand, UNARY))), UNARY
            case s.Binary("/", left, right):
                return f.Fraction(self(left), self(right)), PRODUCT
            case s.Binary("^", left, right):
                return f.Power(self(left, ATOM), self(right)), POWER
            case s.Binary(operator, left, right):
                level = LEVELS.get(operator, COMPARISON)
                sign = f.Sign(SIGNS.get(operator, operator))
                found = f.Row((self(left, max(level, SUM)), sign, self(right, level + 1)))
                return (found, level) if level else (f.Fenced("[", found, "]"), ATOM)
            case s.Index(base, items):
                return _selected(self(base, ATOM), items), ATOM
            case s.Vector(items):
                return f.Column(tuple(map(self, items))), ATOM
            case s.Call():
                return self._call(node)

    def _indices(self, name: str) -> tuple[str, ...]:
        if name in self.lets:
            return self.lets[name]
        item = self.items.get(name)
        own = (self.place.own,) if self.place.own else ()
        per = item.per if isinstance(item, s.Learn | s.Const) else None
        if isinstance(item, s.State) or name in ("input", "target") or per in ("neuron", "population"):
            return own
        return self.place.synapse if isinstance(item, s.Synapse) or per == "synapse" else ()

    def _call(self, node: s.Call) -> tuple[Formula, int]:
        name, args = node.function, node.args
        if name in (*functions.TOTALS, *functions.RUNNING):
            return self._sum(node), UNARY
        if name in functions.REDUCERS and name.endswith("mean"):
            return f.Fenced("⟨", self(args[0]), "⟩"), ATOM
        if name == "sqrt" and not node.prime:
            return f.Root(self(args[0])), ATOM
        if name == "square" and not node.prime:
            return f.Power(self(args[0], ATOM), f.Number("2")), POWER
        if name == "abs" and not node.prime:
            return f.Fenced("|", self(args[0]), "|"), ATOM
        if name == "where":
            condition, then, otherwise = map(self, args)
            plain = condition.of if isinstance(condition, f.Fenced) and condition.opening == "[" else condition
            return f.Cases(plain, then, otherwise), COMPARISON
        if name == "noise":
            return f.Applied("𝒩", (f.Number("0"), f.Power(self(args[0], ATOM), f.Number("2")))), ATOM
        across = name.partition("_")
        if name in (*functions.WHOLE, *functions.PLACES, *functions.PROJECTION, *functions.REDUCERS):
            of = {"population": "j", "projection": "i,j", "batch": "batch", "place": "places"}[across[0]]
            return f.Applied(OVER[across[2]], (self(args[0]),), below=of), ATOM
        return f.Applied(name, tuple(map(self, args)), node.prime), ATOM

    def _sum(self, node: s.Call) -> Formula:
        """Over i or k; in `update` and inside another sum over i′ or j′."""
        place = self.place
        if node.owner:
            end = "i′" if node.function == "incoming" else f"{place.post}′"
            inner = replace(place, pre=end) if node.function == "incoming" else replace(place, post=end)
            inner = replace(inner, own="")
        elif node.function == "incoming":
            end, inner = "i", Place(pre="i", post=place.own)
        else:
            end, inner = "k", Place(pre=place.own, post="k")
        over = node.kind or ("up to j" if node.function in functions.RUNNING else "")
        of = replace(self, place=inner)(node.args[0], PRODUCT)
        return f.Sum(end, over, of)


def _selected(base: Formula, items: tuple[s.Expr | s.Slice, ...]) -> Formula:
    """A part of a vector or matrix: numbers stand below, other selections in brackets."""
    if not items:
        return base
    texts = [item.span.text for item in items]
    if isinstance(base, f.Symbol) and all(text.isdigit() for text in texts):
        return f.Symbol(base.name, (*base.below, *texts))
    return f.Row((base, f.Fenced("[", f.Symbol(", ".join(texts)), "]")))
