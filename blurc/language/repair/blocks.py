"""The parts of an outline: blocks and the items in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from blurc.diagnostics import did_you_mean
from blurc.language.tokens import PHASES, Lexeme

TopKind = Literal["genome", "network", "block"]
BlockKind = Literal["file", "genome", "repeat", "phase", "network", "block", "for"]
TOP_KINDS: tuple[TopKind, ...] = ("genome", "network", "block")
CALLED: Mapping[TopKind, str] = {"genome": "rule|learner|plasticity", "network": "net|graph|architecture"}  # elsewhere
WIRING: tuple[BlockKind, ...] = ("network", "block", "for")  # blocks that hold populations and projections


@dataclass(slots=True)
class Item:
    lexemes: list[Lexeme]
    reported: bool = False  # bracket errors in it have been reported


@dataclass(slots=True)
class Block:
    kind: BlockKind
    header: list[Lexeme]  # up to the opening brace
    opening: Lexeme
    closing: Lexeme
    reported: bool = False  # of its header
    lenient: bool = False  # an error about its braces has been reported
    parts: list[Item | Block] = field(default_factory=list["Item | Block"])

    @property
    def title(self) -> str:
        words = self.header[:1] if self.kind == "phase" else self.header[:2]
        return f"`{' '.join(lexeme.text for lexeme in words)}`"


def top_kind(lexeme: Lexeme) -> TopKind | None:
    """The kind of top-level block that a word means, even if misspelt or if it is what others call it."""
    word = lexeme.text.lower()
    near = did_you_mean(word, TOP_KINDS)
    return next((kind for kind in TOP_KINDS if kind == near or word in CALLED.get(kind, "").split("|")), None)


def opens(kind: BlockKind, word: Lexeme) -> bool:
    """Whether a header that begins with this word is one of such a block."""
    return word.kind in PHASES if kind == "phase" else word.kind == kind.upper()


def brace(kind: str, at: int) -> Lexeme:
    """A brace that is missing from the text."""
    return Lexeme(kind, "", at, at)
