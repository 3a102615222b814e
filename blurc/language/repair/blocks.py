"""The parts of an outline: blocks and the items in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from blurc.diagnostics import did_you_mean
from blurc.language.tokens import PHASES, Lexeme

TopKind = Literal["genome", "network", "block"]
BlockKind = Literal["file", "genome", "repeat", "phase", "network", "block", "for"]
TOP_KINDS: tuple[TopKind, ...] = ("genome", "network", "block")
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
    """The kind of top-level block that a word means, even if misspelt."""
    near = did_you_mean(lexeme.text.lower(), TOP_KINDS)
    return next((kind for kind in TOP_KINDS if kind == near), None)


def opens(kind: BlockKind, word: Lexeme) -> bool:
    """Whether a header that begins with this word is one of such a block."""
    return word.kind in PHASES if kind == "phase" else word.kind == kind.upper()


def brace(kind: str, at: int) -> Lexeme:
    """A brace that is missing from the text."""
    return Lexeme(kind, "", at, at)
