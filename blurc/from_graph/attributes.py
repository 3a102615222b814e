"""Reads node and edge attributes of any type: Python's, NumPy's, or the text of GraphML."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any, cast

from blurc.diagnostics import Report

ROLES = ("input", "hidden", "output")
# Attributes of projections other than topologies.
OTHERS = ("forward", "backward", "fixed", "label", "delay")


@dataclass
class Attributes:
    """Reads the attributes of nodes and edges. Mistakes are reported once per attribute, with a count."""

    report: Report
    wrong: dict[str, list[tuple[str, object, str]]] = field(default_factory=dict[str, list[tuple[str, object, str]]])

    def role(self, where: str, data: Mapping[str, Any]) -> str:
        role = data.get("role", "hidden")
        return (
            role
            if isinstance(role, str) and role in ROLES
            else self._refused("role", where, role, _words(ROLES), "hidden")
        )

    def flags(self, where: str, data: Mapping[str, Any]) -> tuple[bool, bool, bool]:
        """forward, feedback, plastic"""
        forward, feedback = self._flag("forward", where, data), self._flag("feedback", where, data)
        return forward, feedback, self._flag("plastic", where, data)

    def _flag(self, key: str, where: str, data: Mapping[str, Any]) -> bool:
        value = data.get(key, True)
        if _is_flag(value):
            return bool(value)
        return self._refused(key, where, value, "True or False", True)

    def bias(self, where: str, data: Mapping[str, Any], *, shared: bool) -> str:
        words = ("on", "off", "shared") if shared else ("on", "off")
        value = data.get("bias", True)
        word = ("on" if value else "off") if _is_flag(value) else value
        known = "True, False" + (' or "shared"' if shared else "")
        return word if isinstance(word, str) and word in words else self._refused("bias", where, value, known, "on")

    def delay(self, where: str, data: Mapping[str, Any]) -> int | None:
        value = data.get("delay")
        if value is None or (_is_whole(value) and int(value) >= 0):
            return None if value is None else int(value)
        return self._refused("delay", where, value, "an integer number of steps", 0)

    def slots(self, where: str, data: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        value = data.get("slots", {})
        pairs: list[tuple[str, str]] = [("", "")]
        if isinstance(value, str):
            pairs = [(slot, function) for slot, _, function in (part.partition("=") for part in value.split())]
        elif isinstance(value, Mapping):
            value = cast("Mapping[str, str]", value)
            pairs = list(value.items())
        if any(slot == "bias" for slot, _ in pairs):
            expected = "functions of the genome; `bias` is a separate attribute: bias=False"
            return self._refused("slots", where, value, expected, ())
        if all(_is_name(slot) and _is_name(function) for slot, function in pairs):
            return tuple(pairs)
        return self._refused("slots", where, value, 'a dict such as {"phi": "linear"}', ())

    def shape(self, where: str, data: Mapping[str, Any]) -> tuple[int, ...]:
        value = data.get("shape", 1)
        if isinstance(value, str):
            parts: list[Any] = value.split("x") if value else []
            sizes = [int(p) if p.isdecimal() else None for p in parts]
        else:
            parts = [value] if _is_whole(value) else _listed(value)
            sizes = [int(p) if _is_whole(p) else None for p in parts]
        if sizes and all(s is not None and s > 0 for s in sizes):
            return tuple(s for s in sizes if s is not None)
        return self._refused("shape", where, value, "sizes such as (8, 8)", (1,))

    def text(self, key: str, where: str, data: Mapping[str, Any]) -> str | None:
        value = data.get(key)
        if value is None or (isinstance(value, str) and value and "\n" not in value):
            return value
        return self._refused(key, where, value, "a string", None)

    def topology(self, where: str, data: Mapping[str, Any]) -> str | None:
        text = self.text("topology", where, data)
        if text is None or _is_topology(text):
            return text
        return self._refused("topology", where, text, 'a single topology such as "conv(3, 3)"', None)

    def pairs(self, where: str, data: Mapping[str, Any]) -> list[tuple[int, int]] | None:
        value = data.get("pairs")
        if value is None:
            return None
        try:
            if isinstance(value, str):
                return [(int(a), int(b)) for a, b in (pair.split(",") for pair in value.split())]
            found: list[tuple[Any, Any]] = [(a, b) for a, b in _listed(value)]
        except (TypeError, ValueError):
            found = [(None, None)]
        if all(_is_whole(a) and _is_whole(b) for a, b in found):
            return [(int(a), int(b)) for a, b in found]
        return self._refused("pairs", where, value, "pairs of integers", None)

    def _refused(self, key: str, where: str, value: object, expected: str, instead: Any) -> Any:
        self.wrong.setdefault(key, []).append((where, value, expected))
        return instead

    def tell(self) -> None:
        for key, found in self.wrong.items():
            where, value, expected = found[0]
            self.report.error(
                "E914",
                f"{where}: `{key}` is {_shown(value)}, expected {expected}",
                None,
                notes=[f"there are {len(found) - 1:,} more like it"] if found[1:] else [],
                help=f"change it, or remove the attribute `{key}`",
            )


def _is_whole(value: object) -> bool:
    return not isinstance(value, bool) and isinstance(value, Integral)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool) or type(value).__name__ == "bool"  # also NumPy's


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


def _listed(value: object) -> list[Any]:
    try:
        return list(value)  # pyright: ignore
    except TypeError:  # a zero-dimensional array is an Iterable too
        return [None]


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def _words(words: Sequence[str]) -> str:
    quoted = [f'"{w}"' for w in words]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}"
