"""The pieces of formulas, before any notation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Number:
    text: str


@dataclass(frozen=True)
class Symbol:
    """`below`: its indices."""

    name: str
    below: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sign:
    """An operator between two pieces; "" multiplies."""

    text: str


@dataclass(frozen=True)
class Row:
    parts: tuple[Formula, ...]


@dataclass(frozen=True)
class Fraction:
    above: Formula
    below: Formula


@dataclass(frozen=True)
class Power:
    base: Formula
    exponent: Formula


@dataclass(frozen=True)
class Root:
    of: Formula


@dataclass(frozen=True)
class Sum:
    """`over`: the index, and the kind of projections if it is over one kind only."""

    index: str
    over: str
    of: Formula


@dataclass(frozen=True)
class Fenced:
    opening: str
    of: Formula
    closing: str


@dataclass(frozen=True)
class Applied:
    """A function; `below`: the index of what it is taken over."""

    function: str
    args: tuple[Formula, ...]
    prime: bool = False
    below: str = ""


@dataclass(frozen=True)
class Cases:
    condition: Formula
    then: Formula
    otherwise: Formula


@dataclass(frozen=True)
class Column:
    items: tuple[Formula, ...]


Formula: TypeAlias = Number | Symbol | Sign | Row | Fraction | Power | Root | Sum | Fenced | Applied | Cases | Column
