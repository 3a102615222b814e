"""How much two rules have in common, whatever their names are.

Every equation is brought into a normal form: named values are written out, sums and products have no order, all numbers
are alike, learned ones too, whatever the signs, and so are all slots, whatever their functions. Then the parts that two
rules share are counted, as the kernel of Weisfeiler and Lehman counts those of graphs (Shervashidze et al., JMLR 12,
2011): first every state is just a state, then it is what its equations say, then what they say with such states in
them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2s
from typing import NamedTuple, TypeAlias

from blurc.language import functions
from blurc.language import syntax as s

Parts: TypeAlias = "Counter[str]"

ROUNDS = 3
NUMBER = "number"
KINDS: Mapping[type[s.Node], str] = {s.State: "state", s.Synapse: "channel", s.Signal: "signal", s.Fn: "slot",
                                     s.Function: "function"}  # fmt: skip


class NormalForm(NamedTuple):
    """equations: whole, with nothing but their form. parts: of equations, in every round."""

    equations: Parts
    parts: Parts


def likeness(one: NormalForm, other: NormalForm) -> float:
    """The share of the parts of two rules that both have, from 0 to 1."""
    return (one.parts & other.parts).total() / max(1, (one.parts | other.parts).total())


def normal_form(rule: s.Genome) -> NormalForm:
    """`rule`: with all that it inherits."""
    labels = {str(vars(item)["name"]): KINDS[type(item)] for item in (*rule.items, *rule.around) if type(item) in KINDS}
    found, equations = Counter[str](), Counter[str]()
    for number in range(ROUNDS):
        said: dict[str, list[str]] = {}
        for phase in _phases(rule.items):
            terms = Terms(labels)
            for statement in phase.statements:
                value, inside = terms.of(statement.value)
                if isinstance(statement, s.Let):
                    terms.lets[statement.name] = value, inside
                    continue
                equation = f"{phase.kind} {labels.get(statement.name)} {value}"
                said.setdefault(statement.name, []).append(_short(phase.kind, value))
                found += Counter(f"{number} {part}" for part in (equation, *inside.elements()))
                equations[equation] += not number
        labels |= {name: _short(labels.get(name, ""), *sorted(values)) for name, values in said.items()}
    return NormalForm(+equations, found)


def _phases(items: Iterable[s.Node]) -> Iterator[s.Phase]:
    for item in items:
        if isinstance(item, s.Phase):
            yield item
        elif isinstance(item, s.Repeat):
            yield from _phases(item.phases)


def _short(*texts: str) -> str:
    return blake2s(" ".join(texts).encode(), digest_size=8).hexdigest()


@dataclass
class Terms:
    """The normal form of the expressions of a phase. labels: what states, channels and functions are called."""

    labels: Mapping[str, str]
    lets: dict[str, tuple[str, Parts]] = field(default_factory=dict[str, tuple[str, Parts]])

    def of(self, node: s.Node) -> tuple[str, Parts]:
        """A short text that equal terms share, and the parts of the term."""
        match node:
            case s.Number():
                return NUMBER, Counter()
            case s.Name(name):
                return self.lets.get(name) or (self._label(name), Counter())
            case s.Attribute(owner, name):
                label = self._label(name)
                return label if label == NUMBER else f"{owner}.{label}", Counter()
            case s.Binary("+" | "-"):
                return self._joined("sum", _addends(node), ordered=False)
            case s.Binary("*" | "/"):
                return self._joined("product", _factors(node), ordered=False)
            case s.Negate(operand):
                return self.of(operand)
            case s.Binary(operator, left, right):
                return self._joined(operator, (left, right))
            case s.Call(function, args, prime, owner, kind):
                called = self.labels.get(function, function)
                return self._joined(f"{owner} {called}{chr(39) * prime}{'[]' if kind else ''}", args)
            case s.Index(base, items):
                return self._joined(f"index {', '.join(item.span.text for item in items)}", (base,))
            case _:
                return self._joined(type(node).__name__, s.children(node))

    def _label(self, name: str) -> str:
        return self.labels.get(name) or (name if name in ("input", "target", *functions.PROJECTION_NUMBERS) else NUMBER)

    def _joined(self, head: str, nodes: Iterable[s.Node], ordered: bool = True) -> tuple[str, Parts]:
        found = [self.of(node) for node in nodes]
        texts = [text for text, _ in found]
        if set(texts) == {NUMBER}:
            return NUMBER, Counter()
        if head == "product" and NUMBER in texts:
            texts = [NUMBER, *(text for text in texts if text != NUMBER)]
        whole = _short(head, *(texts if ordered else sorted(texts)))
        inside = sum((inside for _, inside in found), Counter[str]())
        inside[whole] += 1
        return whole, inside


def _addends(node: s.Expr) -> Iterator[s.Expr]:
    match node:
        case s.Binary("+" | "-", left, right):
            yield from (*_addends(left), *_addends(right))
        case s.Negate(operand):
            yield from _addends(operand)
        case _:
            yield node


def _factors(node: s.Expr) -> Iterator[s.Expr]:
    """To divide is to multiply by a power."""
    match node:
        case s.Binary("*", left, right):
            yield from (*_factors(left), *_factors(right))
        case s.Binary("/", left, right):
            yield from _factors(left)
            yield s.Binary("^", right, s.Number(-1, span=node.span), span=node.span)
        case s.Negate(operand):
            yield from _factors(operand)
        case _:
            yield node
