"""What to say of a piece of text that does not parse: what was found, what could stand there, what to
write.

`explain` asks the finders in turn, from the most particular slip to any unexpected text. A finder answers
None where the slip is not its own. Some mistakes come with a repair: one token that was meant to be
another.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from blurc.diagnostics import Source, Span, did_you_mean
from blurc.outline import DECLARATIONS, PHASES, ROLES, WORDS, Lexeme

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


def explain(source: Source, start: Start, lexemes: Sequence[Lexeme], failure: Failure) -> Mistake:
    piece = Piece(source, start, lexemes, failure.index, failure.expected)
    return next(mistake for finder in FINDERS if (mistake := finder(piece)))


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


# ---------------------------------------------------------------- no tokens of the language

LOOKALIKES = {
    "−": "-",
    "–": "-",
    "×": "*",
    "·": "*",
    "÷": "/",
    "“": '"',
    "”": '"',
    "’": "'",
}


def unknown_character(source: Source, lexeme: Lexeme) -> Mistake:
    """One character, or several in a row."""
    text, name = lexeme.text, unicodedata.name(lexeme.text[0], f"character U+{ord(lexeme.text[0]):04X}")
    shown = f"`{_short(text)}`" if text.isprintable() else name.lower()
    message = f"found {shown}, which is not part of the language"
    return Mistake(message, lexeme.span(source), _instead(text, name), code="E102")


def _instead(text: str, name: str) -> str | None:
    if text in LOOKALIKES:
        return f"write `{LOOKALIKES[text]}`"
    if name.startswith("GREEK SMALL LETTER ") and len(text) == 1:
        return f"names are written in Latin letters: `{name.split()[-1].lower()}`"
    if set(text) <= set("<>!&|?"):
        return "the language has no comparisons and no conditions; `sign`, `min`, `max` and `clip` may serve"
    return None


def _unknown(piece: Piece) -> Mistake | None:
    return unknown_character(piece.source, piece.found) if piece.found.kind == "UNKNOWN" else None


def _open_string(piece: Piece) -> Mistake | None:
    if piece.found.kind != "OPEN_STRING":
        return None
    return piece.mistake('found a `"` that is not closed on its line', help='write the closing `"`')


def _malformed_number(piece: Piece) -> Mistake | None:
    text, help = piece.found.text, None
    if piece.found.kind != "MALFORMED_NUMBER":
        return None
    if re.fullmatch(r"[0-9.]+([eE][+-]?[0-9]+)?", text):
        help = "the largest number is about 1.8e308"
    elif glued := re.fullmatch(r"([0-9.]+)([A-Za-z_]\w*)", text):
        help = f"write `{glued[1]} * {glued[2]}`"
    return piece.mistake(f"found `{_short(text)}`, expected a number", help=help)


def _short(text: str) -> str:
    return text if len(text) <= 30 else f"{text[:27]}..."


# ---------------------------------------------------------------- signs


def _other_arrow(piece: Piece) -> Mistake | None:
    """`:=`, `=>`, or an arrow that is one character."""
    if piece.found.kind != "OTHER_ARROW":
        return None
    kinds = ("ASSIGN", "PROJECT", "EQUAL")
    sign = next((SIGNS[kind] for kind in kinds if kind in piece.expected), None)
    if sign is None:
        return piece.unexpected()
    help = f"write `{piece.text(0, piece.index)} {sign} {piece.text(piece.index + 1) or '...'}`"
    if piece.found.text.isascii():
        return piece.unexpected(f"`{sign}`", help=help, repair=sign)
    mistake = piece.mistake(
        f"found `{piece.found.text}`, which is not part of the language", help=help, repair=sign
    )
    return replace(mistake, code="E102")


def _double_star(piece: Piece) -> Mistake | None:
    if piece.found.kind != "DOUBLE_STAR":
        return None
    return piece.unexpected("`^`", help="a power is written `x ^ 2`", repair="^")


def _change(piece: Piece) -> Mistake | None:
    found = piece.found
    if found.kind != "CHANGE":
        return None
    left, right = piece.text(0, piece.index), piece.text(piece.index + 1)
    return piece.unexpected(help=f"write `{left} <- {left} {found.text[0]} {right}`")


def _equal_for_arrow(piece: Piece) -> Mistake | None:
    kind = piece.found.kind
    if piece.start != "statement" or "ASSIGN" not in piece.expected:
        return None
    if kind not in ("EQUAL", "DOUBLE_EQUAL", "PROJECT"):
        return None
    right = f"{piece.text(0, piece.index)} <- {piece.text(piece.index + 1)}"
    named = (
        f", or `let {piece.first.text} = ...` for a new name" if piece.index == 1 and kind == "EQUAL" else ""
    )
    # Who writes `a -> b` may mean either way.
    repair = "<-" if kind != "PROJECT" else None
    return piece.unexpected("`<-`", help=f"write `{right}`{named}", repair=repair)


def _arrow_for_equal(piece: Piece) -> Mistake | None:
    if piece.found.kind not in ("ASSIGN", "DOUBLE_EQUAL", "COLON") or "EQUAL" not in piece.expected:
        return None
    if "PROJECT" in piece.expected:
        return _arrow_for_instance(piece)
    name = piece.lexemes[piece.index - 1].text
    word = piece.first.text if piece.start != "file" else ""
    return piece.unexpected("`=`", help=f"write `{word} {name} = ...`".replace("` ", "`"), repair="=")


def _arrow_for_instance(piece: Piece) -> Mistake | None:
    """`r <- residual(x = a)`."""
    if [lexeme.kind for lexeme in piece.lexemes[piece.index + 2 : piece.index + 3]] != ["LPAR"]:
        return None
    help = f"write `{piece.text(0, piece.index)} = {piece.text(piece.index + 1)}`"
    return piece.unexpected("`=`", help=help, repair="=")


def _comparison(piece: Piece) -> Mistake | None:
    if piece.found.kind != "DOUBLE_EQUAL":
        return None
    return piece.unexpected(help="the language has no comparisons")


def _assign_for_project(piece: Piece) -> Mistake | None:
    if piece.found.kind not in ("ASSIGN", "EQUAL") or "PROJECT" not in piece.expected:
        return None
    if piece.found.kind == "EQUAL":
        return piece.unexpected(help="the name of a block in use has no dot")
    return piece.unexpected("`->`", help="a projection is written `a -> b`, from `a` to `b`")


def _equal_for_project(piece: Piece) -> Mistake | None:
    """`a = b`, which is no block in use yet."""
    kinds = [lexeme.kind for lexeme in piece.lexemes[: piece.index]]
    if piece.start != "network_item" or "LPAR" not in piece.expected or kinds.count("EQUAL") != 1:
        return None
    if kinds[-2] != "EQUAL" or piece.first.kind in ROLES or "PROJECT" in kinds:
        return None
    left, right = piece.text(0, piece.index - 2), piece.lexemes[piece.index - 1].text
    help = f"a projection is written `{left} -> {right}`, a block in use `{left} = {right}(x = ...)`"
    return piece.unexpected(help=help)


def _unnamed_argument(piece: Piece) -> Mistake | None:
    """`residual(h)`"""
    kinds = [lexeme.kind for lexeme in piece.lexemes[: piece.index]]
    if (
        piece.start != "network_item"
        or "EQUAL" not in piece.expected
        or kinds[-2:-1] not in (["LPAR"], ["COMMA"])
    ):
        return None
    if "EQUAL" not in kinds or "PROJECT" in kinds:
        return None
    return piece.unexpected(help=f"say what it is for: `x = {piece.lexemes[piece.index - 1].text}`")


def _colon_for_range(piece: Piece) -> Mistake | None:
    if piece.found.kind != "COLON" or "RANGE" not in piece.expected:
        return None
    return piece.unexpected("`..`", help="a range is written `1..n`, both ends included", repair="..")


def _chain(piece: Piece) -> Mistake | None:
    if piece.start != "network_item" or piece.found.kind != "PROJECT" or piece.index < 3:
        return None
    return piece.unexpected(help="write each projection by itself: `a -> b` and `b -> c`")


# ---------------------------------------------------------------- words


def _misspelt(piece: Piece) -> Mistake | None:
    """A word where only keywords may stand, or in front of something that only follows a keyword."""
    at, keywords = piece.found, piece.expected & (WORDS | {"LET"})
    if piece.index == 1 and piece.found.kind in WORDS and piece.start in STARTERS:
        at, keywords = piece.first, STARTERS[piece.start]
    if at.kind != "NAME" or "NAME" in keywords:
        return None
    near = did_you_mean(at.text.lower(), [kind.lower() for kind in keywords])
    if near is None:
        return None
    message = f"found `{at.text}`, expected `{near}`"
    return piece.mistake(message, at=at, help=f"did you mean `{near}`?", repair=near)


def _condition(piece: Piece) -> Mistake | None:
    if piece.start != "statement" or piece.found.text not in ("if", "else") or "NAME" in piece.expected:
        return None
    help = "the language has no conditions; `sign`, `min`, `max` and `clip` may serve"
    return replace(piece.unexpected(help=help), whole=True)


def _string(piece: Piece) -> Mistake | None:
    if piece.found.kind != "STRING" or "NAME" not in piece.expected:
        return None
    name = piece.found.text.strip('"')
    bare = f"write `{name}`" if name.isidentifier() else "write a number or a name"
    return piece.unexpected(help=f"only file names stand in quotes: {bare}")


def _label_without_sign(piece: Piece) -> Mistake | None:
    if piece.text(piece.index - 1, piece.index) != "label" or "EQUAL" not in piece.expected:
        return None
    if piece.found.kind not in WORDS:
        return None
    return piece.unexpected(help=f"write `label = {piece.found.text}`")


def _misplaced_mark(piece: Piece) -> Mistake | None:
    """`persistent seen`, on a line of its own or after `state`."""
    if piece.index < 1 or piece.lexemes[piece.index - 1].kind != "PERSISTENT" or piece.found.kind != "NAME":
        return None
    return piece.unexpected(help=f"write `state {piece.found.text} persistent`")


def _missing_comma(piece: Piece) -> Mistake | None:
    listing = piece.start == "genome_item" and piece.first.kind in DECLARATIONS
    if not listing or "COMMA" not in piece.expected or piece.found.kind != "NAME":
        return None
    return piece.unexpected(help=f"write `{piece.text(0, piece.index)}, {piece.found.text}`")


def _no_genome_name(piece: Piece) -> Mistake | None:
    if piece.found.kind != "LPAR" or piece.lexemes[piece.index - 1].kind != "USES":
        return None
    return piece.unexpected(help="name the genome: `uses GENOME(...)`")


def _block_uses(piece: Piece) -> Mistake | None:
    if piece.first.kind != "BLOCK" or piece.found.kind != "USES":
        return None
    return piece.unexpected(help="a block has no rule of its own: leave `uses` to the network")


def _no_count(piece: Piece) -> Mistake | None:
    """`repeat { ... }`"""
    if piece.first.kind != "REPEAT" or piece.index != 1 or piece.found.kind != "LBRACE":
        return None
    return piece.unexpected(help="say how often: `repeat 20 { ... }`")


def _repeat_in_phase(piece: Piece) -> Mistake | None:
    if piece.start != "statement" or piece.first.kind != "REPEAT" or piece.index != 1:
        return None
    if piece.found.kind not in WORDS | {"NUMBER"}:
        return None
    help = "`repeat` stands in the genome and holds whole phases: `repeat 20 { forward { ... } }`"
    return replace(piece.unexpected(help=help), whole=True)


def _no_let(piece: Piece) -> Mistake | None:
    if piece.start != "statement" or piece.index != 1 or piece.found.kind not in WORDS:
        return None
    return piece.unexpected(help=f"a value gets a name by `let {piece.found.text} = ...`")


def _missing_shape(piece: Piece) -> Mistake | None:
    if piece.start != "network_item" or piece.first.kind not in ROLES or piece.index < 2:
        return None
    options = (
        piece.lexemes[2:3] and piece.lexemes[2].kind == "LBRACE" and piece.found.kind in ("EQUAL", "RBRACE")
    )
    if not options and ("LSQB" not in piece.expected or "NUMBER" in piece.expected):
        return None
    end = 2 if options else piece.index
    help = f"give the population its shape: `{piece.text(0, end)}[64]`"
    at = piece.lexemes[2] if options else piece.found
    found = f"`{at.text}`" if at.text else f"the end of the {NOUN[piece.start]}"
    return piece.mistake(f"found {found}, expected `[`", at=at, help=help)


def _assign_to_other(piece: Piece) -> Mistake | None:
    if piece.start != "statement" or piece.found.kind != "DOT" or piece.index != 1:
        return None
    own = piece.text(2, 3)
    return piece.unexpected("`<-`", help=f"equations assign only to what is their own: `{own} <- ...`")


def _state_start(piece: Piece) -> Mistake | None:
    if piece.found.kind not in ("EQUAL", "TILDE") or piece.first.kind not in ("STATE", "SIGNAL"):
        return None
    if piece.first.kind == "SIGNAL":
        return piece.unexpected(help="signals are fed at every step: leave the value out")
    return piece.unexpected(help="states start at 0: leave the value out, or assign it in the first phase")


def _no_default(piece: Piece) -> Mistake | None:
    if piece.start != "file" or piece.found.kind not in ("COMMA", "RPAR") or "EQUAL" not in piece.expected:
        return None
    name = piece.lexemes[piece.index - 1].text
    return piece.unexpected(help=f"a parameter has a default: `{name} = 1`")


def _no_quotes(piece: Piece) -> Mistake | None:
    if piece.first.kind != "IMPORT" or piece.index != 1 or piece.found.kind in ("END", "OPEN_STRING"):
        return None
    path = piece.text(1).split()[0].strip("'")
    return piece.unexpected(help=f'write `import "{path}"`')


def _misplaced(piece: Piece) -> Mistake | None:
    """Something that is good, but not here."""
    if piece.index != 0:
        return None
    kinds = {lexeme.kind for lexeme in piece.lexemes}
    first = piece.first.kind
    if piece.start in ("genome_item", "phase") and (kinds & {"ASSIGN", "LET"}):
        return piece.unexpected(help="statements stand in a phase: `forward { act <- ... }`")
    if piece.start == "file" and first in PHASES | DECLARATIONS | {"REPEAT"}:
        return piece.unexpected(help="this belongs in a genome: `genome NAME { ... }`")
    if piece.start == "file" and (first in ROLES | {"FOR"} or "PROJECT" in kinds):
        return piece.unexpected(help="this belongs in a network: `network NAME { ... }`, or in a block")
    return None


def _unexpected(piece: Piece) -> Mistake:
    return piece.unexpected()


FINDERS: tuple[Finder, ...] = (
    _unknown,
    _open_string,
    _no_quotes,
    _malformed_number,
    _other_arrow,
    _double_star,
    _change,
    _equal_for_arrow,
    _arrow_for_equal,
    _comparison,
    _assign_for_project,
    _equal_for_project,
    _unnamed_argument,
    _colon_for_range,
    _chain,
    _misspelt,
    _condition,
    _string,
    _label_without_sign,
    _misplaced_mark,
    _missing_comma,
    _no_genome_name,
    _block_uses,
    _no_count,
    _repeat_in_phase,
    _no_let,
    _assign_to_other,
    _state_start,
    _missing_shape,
    _no_default,
    _misplaced,
    _unexpected,
)
