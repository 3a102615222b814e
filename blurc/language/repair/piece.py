"""A piece of text that does not parse, and how to describe what was found and expected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from blurc.diagnostics import Source, Span
from blurc.language.tokens import OPENER, OPERATORS, PARTNER, SIGNS, WORDS, Lexeme

Start = Literal["file", "genome_item", "repeat_item", "statement", "network_item"]

WHOLE: dict[Start, str] = {
    "file": "`import`, `genome`, `network`, `block` or `fn`",
    "genome_item": "`state`, `signal`, `synapse`, `learn`, `const`, `fn`, a phase, `repeat` or `readout`",
    "repeat_item": "a phase (`forward { ... }`)",
    "statement": "a statement (`let z = ...` or `act <- ...`)",
    "network_item": "`input`, `hidden`, `output`, `for`, a projection (`a -> b`) or a block (`r = residual(x = a)`)",
}
NOUN: dict[Start, str] = {
    "file": "line", "genome_item": "declaration", "repeat_item": "line", "statement": "statement",
    "network_item": "line",
}  # fmt: skip


@dataclass(frozen=True)
class Failure:
    """The index of the first unexpected token (one past the last: too few), and the kinds expected there."""

    index: int
    expected: frozenset[str]


@dataclass(frozen=True)
class Mistake:
    message: str
    span: Span
    help: str | None = None
    repair: tuple[int, Lexeme] | None = None  # one token was meant to be another
    code: str = "E101"
    whole: bool = False  # the rest of the piece belongs to the mistake


@dataclass(frozen=True)
class Piece:
    """A piece of text and its failure. `found` has kind END if there are no tokens left."""

    source: Source
    start: Start
    lexemes: Sequence[Lexeme]
    index: int
    expected: frozenset[str]

    @property
    def found(self) -> Lexeme:
        if self.index < len(self.lexemes):
            return self.lexemes[self.index]
        end = self.lexemes[-1].stop
        return Lexeme("END", "", end, end)

    def text(self, low: int, high: int | None = None) -> str:
        """The text of some of the tokens, on one line."""
        some = self.lexemes[low:high]
        return " ".join(self.source.text[some[0].start : some[-1].stop].split()) if some else ""

    def open_bracket(self) -> int | None:
        """Where the innermost bracket around the failing token opens."""
        depth = 0
        for at in range(min(self.index, len(self.lexemes)) - 1, -1, -1):
            depth += (self.lexemes[at].kind in OPENER) - (self.lexemes[at].kind in PARTNER)
            if depth < 0:
                return at
        return None

    def closing(self, opening: int) -> int:
        """Where a bracket closes; the end if it does not."""
        depth = 0
        for at in range(opening, len(self.lexemes)):
            depth += (self.lexemes[at].kind in PARTNER) - (self.lexemes[at].kind in OPENER)
            if depth == 0:
                return at
        return len(self.lexemes)

    def inside(self, opening: int) -> str:
        return self.text(opening + 1, self.closing(opening))


def describe(lexeme: Lexeme, start: Start) -> str:
    text = lexeme.text
    if not text:
        return f"the end of the {NOUN[start]}"
    return f"`{text}`" if len(text) <= 30 else f"`{text[:27]}...`"


def wanted(piece: Piece) -> str:
    """What was expected, in the words of the language."""
    if piece.index == 0:
        return WHOLE[piece.start]
    *more, last = _wanted(piece)
    return f"{', '.join(more)} or {last}" if more else last


def _wanted(piece: Piece) -> Iterator[str]:
    expected = piece.expected
    operators = expected & OPERATORS
    words = expected & {"NUMBER", "NAME", "STRING"}
    keywords = sorted(expected & (WORDS | {"LET"}) - {"OF"})  # possible after a phase's name, rarely meant
    signs = expected & SIGNS.keys() - {"LPAR", "LSQB", "CARET"}
    if "PROJECT" in expected:
        signs -= {"EQUAL"}  # of `r = residual(...)`: rarer by far than a projection
    if expected & {"PROJECT", "LSQB", "$END"} and not operators:
        signs -= {"LBRACE"}  # the index of `h{i}`: possible, hardly ever meant
    if words:
        kind = next(kind for kind in ("NUMBER", "NAME", "STRING") if kind in words)
        yield {"NUMBER": "a value", "NAME": "a name", "STRING": "a file name in double quotes"}[kind]
    else:
        yield from (f"`{kind.lower()}`" for kind in keywords)
    yield from (f"`{SIGNS[kind]}`" for kind in SIGNS if kind in signs)
    if not (words or keywords or signs):
        alone = ["LPAR"] if "$END" in expected else ["LPAR", "LSQB"]
        yield from (["an operator"] if operators else [f"`{SIGNS[kind]}`" for kind in alone if kind in expected][:1])
    if "$END" in expected:
        yield f"the end of the {NOUN[piece.start]}"
