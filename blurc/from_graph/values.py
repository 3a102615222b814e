"""Values as other tools write them: whole numbers as doubles or as text, switches as 0 and 1, texts in the quotes of
DOT, no value as NaN or as an empty text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

SWITCHES = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", re.ASCII)


def given(data: Mapping[str, Any], key: str) -> Any:
    """An attribute without quotes around it, or None if it has no value."""
    value = data.get(key)
    if isinstance(value, str):
        text = value.strip()
        quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
        return (text[1:-1] if quoted else text) or None
    return None if isinstance(value, Real) and value != value else value


def whole(value: object) -> int | None:
    """The whole number that a value is, or None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, str):
        value = float(value) if NUMBER.fullmatch(value) else None
    return int(float(value)) if isinstance(value, Real) and float(value).is_integer() else None


def switch(value: object) -> bool | None:
    """True or False, or None if it is neither."""
    if isinstance(value, bool) or type(value).__name__ == "bool":  # also NumPy's
        return bool(value)
    if isinstance(value, str) and value.lower() in SWITCHES:
        return SWITCHES[value.lower()]
    return {0: False, 1: True}.get(number) if (number := whole(value)) is not None else None


def sizes(value: object) -> tuple[int, ...] | None:
    """The sizes of a population: `8`, `(8, 8)`, `"8x8"`. None if the value is something else, such as DOT's `box`."""
    if isinstance(value, str):
        value = re.split(r"[x×,\s]+", value.strip("()[] "))
    found = [number] if (number := whole(value)) is not None else [whole(n) for n in listed(value)]
    positive = [n for n in found if n is not None and n > 0]
    return tuple(positive) if found and len(positive) == len(found) else None


def is_drawing(shape: object) -> bool:
    """Whether a shape that is not `sizes` says how to draw the node: `box`, `^`. A mistyped size looks different."""
    return isinstance(shape, str) and not re.match(r"[\d([+-]", shape)


def listed(value: object) -> list[Any]:
    try:
        return list(value)  # pyright: ignore
    except TypeError:  # a zero-dimensional array is an Iterable too
        return [None]
