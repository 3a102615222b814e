"""A piece of text that does not parse, and the words for what stands and could stand in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from blurc.diagnostics import Source, Span
from blurc.language.repair.outline import OPENER, PARTNER, ROLES, WORDS, Lexeme

Start = Literal["file", "genome_item", "phase", "statement", "network_item"]


@dataclass(frozen=True)
class Failure:
    """The first token that cannot stand where it stands (one past the last: too few), and what could."""

    index: int
    expected: frozenset[str]


@dataclass(frozen=True)
class Mistake:
    message: str
    span: Span
    help: str | None = None
    repair: tuple[int, Lexeme] | None = None
    code: str = "E101"
    whole: bool = False  # the rest of the piece belongs to the mistake


@dataclass(frozen=True)
class Piece:
    """A piece of text and its failure. `found` is of kind END where there is no token left."""

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

    @property
    def first(self) -> Lexeme:
        return self.lexemes[0]

    def text(self, low: int, high: int | None = None) -> str:
        """The text of some of the tokens, on one line."""
        some = self.lexemes[low:high]
        return " ".join(self.source.text[some[0].start : some[-1].stop].split()) if some else ""

    def kinds(self, low: int = 0, high: int | None = None) -> list[str]:
        return [lexeme.kind for lexeme in self.lexemes[low:high]]

    def open_bracket(self) -> int | None:
        """Where the innermost bracket opens that the token at fault stands in."""
        depth = 0
        for at in range(min(self.index, len(self.lexemes)) - 1, -1, -1):
            depth += (self.lexemes[at].kind in OPENER) - (self.lexemes[at].kind in PARTNER)
            if depth < 0:
                return at
        return None

    def closing(self, opening: int) -> int:
        """Where a bracket is closed; the end where it is not."""
        depth = 0
        for at in range(opening, len(self.lexemes)):
            depth += (self.lexemes[at].kind in PARTNER) - (self.lexemes[at].kind in OPENER)
            if depth == 0:
                return at
        return len(self.lexemes)

    def inside(self, opening: int) -> str:
        return self.text(opening + 1, self.closing(opening))

    def mistake(
        self, message: str, *, at: Lexeme | None = None, help: str | None = None, repair: str | None = None
    ) -> Mistake:
        """`repair`: what the token at fault was meant to be."""
        at = at or self.found
        better = None
        if repair:
            kind = next((kind for kind, text in SIGNS.items() if text == repair), repair.upper())
            better = (self.lexemes.index(at), Lexeme(kind, repair, at.start, at.stop, at.first))
        return Mistake(message, at.span(self.source), help, better)

    def unexpected(self, expected: str | None = None, **more: str | None) -> Mistake:
        message = f"found {describe(self)}, expected {expected or wanted(self)}"
        return self.mistake(message, help=more.get("help"), repair=more.get("repair"))


Finder: TypeAlias = Callable[[Piece], Mistake | None]


# ---------------------------------------------------------------- words for tokens

SIGNS = {
    "ASSIGN": "<-", "EQUAL": "=", "PROJECT": "->", "RANGE": "..", "TILDE": "~", "LBRACE": "{",
    "COLON": ":", "COMMA": ",", "RPAR": ")", "RSQB": "]", "RBRACE": "}", "LPAR": "(", "CARET": "^",
}  # fmt: skip
LISTED = tuple(kind for kind in SIGNS if kind not in ("LPAR", "CARET"))
OPERATORS = frozenset({"PLUS", "MINUS", "PRODUCT_SIGN", "CARET"})
WHOLE: dict[Start, str] = {
    "file": "`import`, `genome`, `network` or `block`",
    "genome_item": "`state`, `signal`, `synapse`, `learn`, `const`, `fn`, a phase, `repeat` or `readout`",
    "phase": "a phase (`forward { ... }`)",
    "statement": "a statement (`let z = ...` or `act <- ...`)",
    "network_item": "`input`, `hidden`, `output`, `for`, a projection (`a -> b`) or a block (`r = residual(x = a)`)",
}
STARTERS: dict[Start, frozenset[str]] = {
    "statement": frozenset({"LET"}),
    "network_item": ROLES | {"FOR"},
}
NOUN: dict[Start, str] = {
    "file": "line", "genome_item": "declaration", "phase": "line", "statement": "statement",
    "network_item": "line",
}  # fmt: skip


def describe(piece: Piece) -> str:
    found = piece.found
    return f"`{found.text}`" if found.text else f"the end of the {NOUN[piece.start]}"


def wanted(piece: Piece) -> str:
    """What could stand there, in the words of the language."""
    expected = piece.expected
    if piece.index == 0:
        return WHOLE[piece.start]
    words = ["a value"] if "NUMBER" in expected else ["a name"] if "NAME" in expected else []
    words += ["a file name in double quotes"] if "STRING" in expected and not words else []
    if not words:
        words += [f"`{kind.lower()}`" for kind in sorted(expected & (WORDS | {"LET"}))]
    if "PROJECT" in expected:
        expected = expected - {"EQUAL"}  # of `r = residual(...)`: rarer by far than a projection
    if expected & {"PROJECT", "LSQB", "$END"} and not expected & OPERATORS:
        expected = expected - {"LBRACE"}  # the index of `h{i}`: possible, hardly ever meant
    words += [f"`{SIGNS[kind]}`" for kind in LISTED if kind in expected]
    if not words:
        words += ["an operator"] if expected & OPERATORS else ["`(`"] if "LPAR" in expected else []
    if "$END" in expected:
        words.append(f"the end of the {NOUN[piece.start]}")
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]
