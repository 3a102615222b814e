"""Our attributes of nodes and edges."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from blurc.diagnostics import Report
from blurc.from_graph.values import given, listed, sizes, switch, whole

ROLES = ("input", "hidden", "output")
# Attributes of projections other than topologies.
OTHERS = ("forward", "backward", "fixed", "label", "same", "kind", "delay")

NUMBERS = r"[\[\]0-9.eE+, -]+"
VALUES = re.compile(rf"\s*[A-Za-z_]\w*\s*={NUMBERS}(,\s*[A-Za-z_]\w*\s*={NUMBERS})*", re.ASCII)

APART = {"bias": "bias=False", "kind": 'kind="inhibitory"'}  # options of a population that are not slots
COUNTED_IN_STEPS = "divide it by the duration of a step and round it, as delays are counted in steps"
BIAS_HAS_A_PLACE = (
    'write True; the value has its place in the state, `state.synapses["unit->POPULATION"]`, and `net.neurons[NODE]` '
    "says which"
)


class Wrong(NamedTuple):
    where: str
    value: object
    expected: str
    help: str


@dataclass
class Attributes:
    """Reads the attributes of nodes and edges. Mistakes are reported once per attribute, with a count."""

    report: Report
    wrong: dict[str, list[Wrong]] = field(default_factory=dict[str, list[Wrong]])

    def role(self, where: str, data: Mapping[str, Any], help: str = "", *, matters: bool = True) -> str:
        """`matters`: whether the role of another tool, such as "sensory", is a mistake rather than "hidden"."""
        role = given(data, "role")
        word = role.lower() if isinstance(role, str) else role
        if isinstance(word, str) and word in ROLES:
            return word
        return (
            "hidden"
            if role is None or not matters
            else self._refused("role", where, data, _words(ROLES), "hidden", help)
        )

    def flags(self, where: str, data: Mapping[str, Any]) -> tuple[bool, bool, bool]:
        """forward, feedback, plastic"""
        forward, feedback = self._flag("forward", where, data), self._flag("feedback", where, data)
        return forward, feedback, self._flag("plastic", where, data)

    def ids(self, where: str, data: Mapping[str, Any]) -> bool:
        return self._flag("ids", where, data, False)

    def _flag(self, key: str, where: str, data: Mapping[str, Any], default: bool = True) -> bool:
        value = given(data, key)
        found = default if value is None else switch(value)
        return self._refused(key, where, data, "True or False", default) if found is None else found

    def bias(self, where: str, data: Mapping[str, Any], *, shared: bool) -> str:
        value = given(data, "bias")
        if shared and isinstance(value, str) and value.lower() == "shared":
            return "shared"
        found = True if value is None else switch(value)
        if found is None:
            known = "True, False" + (' or "shared"' if shared else "")
            help = BIAS_HAS_A_PLACE if isinstance(value, float) else ""
            return self._refused("bias", where, data, known, "on", help)
        return "on" if found else "off"

    def delay(self, where: str, data: Mapping[str, Any]) -> int | None:
        value = given(data, "delay")
        found = whole(value)
        if value is None or (found is not None and found >= 0):
            return found
        help = COUNTED_IN_STEPS if isinstance(value, float) and value > 0 else ""
        return self._refused("delay", where, data, "a whole number of steps", 0, help)

    def kind(self, where: str, data: Mapping[str, Any]) -> list[str]:
        """`kind = dendrite`, if it is given."""
        value = given(data, "kind")
        if value is None or _is_name(value):
            return [] if value is None else [f"kind = {value}"]
        return self._refused("kind", where, data, 'a name such as "dendrite"', [])

    def same(self, where: str, data: Mapping[str, Any]) -> str | None:
        """The label of the edge whose synapses this one has."""
        value = given(data, "same")
        if value is None or (isinstance(value, str) and value and "->" not in value):
            return value
        return self._refused("same", where, data, "the label of another edge", None)

    def values(self, where: str, data: Mapping[str, Any]) -> list[str]:
        """`tau = 20.0, site = [0.0, 1.0]`, as `net.graph` has it."""
        value = given(data, "values")
        if value is None or (isinstance(value, str) and VALUES.fullmatch(value)):
            return [] if value is None else [value]
        return self._refused("values", where, data, 'a text such as "tau = 20, site = [0, 1]"', [])

    def slots(self, where: str, data: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        value: object = {} if (found := given(data, "slots")) is None else found
        pairs: list[tuple[str, str]] = [("", "")]
        if isinstance(value, str):
            pairs = [(slot, function) for slot, _, function in (part.partition("=") for part in value.split())]
        elif isinstance(value, Mapping):
            value = cast("Mapping[str, str]", value)
            pairs = list(value.items())
        if apart := next((slot for slot, _ in pairs if slot in APART), None):
            expected = f"functions of the genome; `{apart}` is a separate attribute: {APART[apart]}"
            return self._refused("slots", where, data, expected, ())
        if all(_is_name(slot) and _is_name(function) for slot, function in pairs):
            return tuple(pairs)
        return self._refused("slots", where, data, 'a dict such as {"phi": "linear"}', ())

    def shape(self, where: str, data: Mapping[str, Any]) -> tuple[int, ...]:
        if (value := given(data, "shape")) is None:
            return (1,)  # reported as missing
        found = sizes(value)
        return self._refused("shape", where, data, "sizes such as (8, 8)", (1,)) if found is None else found

    def topology(self, where: str, data: Mapping[str, Any]) -> str | None:
        value = given(data, "topology")
        if value is None or (isinstance(value, str) and _is_topology(value)):
            return value
        return self._refused("topology", where, data, 'a single topology such as "conv(3, 3)"', None)

    def pairs(self, where: str, data: Mapping[str, Any]) -> list[tuple[int, int]] | None:
        value = given(data, "pairs")
        if value is None:
            return None
        rows = [pair.split(",") for pair in value.split()] if isinstance(value, str) else listed(value)
        found = [pair for row in rows if (pair := _pair(row))]
        return found if len(found) == len(rows) else self._refused("pairs", where, data, "pairs of integers", None)

    def _refused(
        self, key: str, where: str, data: Mapping[str, Any], expected: str, instead: Any, help: str = ""
    ) -> Any:
        self.wrong.setdefault(key, []).append(Wrong(where, data[key], expected, help or "change it"))
        return instead

    def tell(self) -> None:
        for key, found in self.wrong.items():
            first = found[0]
            self.report.error(
                "E914",
                f"{first.where}: `{key}` is {_shown(first.value)}, expected {first.expected}",
                None,
                notes=[f"there are {len(found) - 1:,} more like it"] if found[1:] else [],
                help=f"{first.help}, or remove the attribute `{key}`",
            )


def _pair(row: object) -> tuple[int, int] | None:
    ends = [] if isinstance(row, str) else [whole(end) for end in listed(row)]
    return (ends[0], ends[1]) if len(ends) == 2 and ends[0] is not None and ends[1] is not None else None


def _is_name(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value) is not None and value != "let"


def _is_topology(text: str) -> bool:
    """Whether a text is a name, possibly followed by one pair of parentheses. The checker checks what is inside."""
    name, rest = re.fullmatch(r"\s*(\w*)\s*(.*?)\s*", text, re.ASCII | re.DOTALL).groups()  # pyright: ignore
    if not _is_name(name) or name in OTHERS:
        return False
    rest = re.sub(r'"[^"\n]*"', "", rest)
    return not rest or (rest[0] == "(" and not re.search(r'["#{}]', rest) and _closes_at_the_end(rest))


def _closes_at_the_end(text: str) -> bool:
    """Whether the bracket at the start of a text is closed by its last character."""
    open_: list[str] = []
    for i, c in enumerate(text):
        if c in "([":
            open_.append(")" if c == "(" else "]")
        elif c in ")]" and c != open_.pop():
            return False
        if not open_:
            return i == len(text) - 1
    return False


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def _words(words: Sequence[str]) -> str:
    quoted = [f'"{w}"' for w in words]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}"
