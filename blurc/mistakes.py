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

from blurc import functions
from blurc.diagnostics import Source, Span, did_you_mean
from blurc.outline import DECLARATIONS, OPENER, PARTNER, PHASES, ROLES, WORDS, Lexeme

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
    word = f"{piece.first.text} " if piece.start != "file" and piece.index == 2 else ""
    value = "..." if piece.open_bracket() is None else piece.text(piece.index + 1, piece.index + 2)
    return piece.unexpected("`=`", help=f"write `{word}{name} = {value}`", repair="=")


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
    return piece.unexpected(help=_unquoted(name))


def _unquoted(name: str) -> str:
    if name == "softmax":
        return f"{APPLIED}write `linear`"
    bare = f"write `{name}`" if name.isidentifier() else "write a number or a name"
    return f"only file names stand in quotes: {bare}"


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
    if "LSQB" in piece.kinds(0, piece.index):
        return None
    options = (
        piece.lexemes[2:3] and piece.lexemes[2].kind == "LBRACE" and piece.found.kind in ("EQUAL", "RBRACE")
    )
    if not options and ("LSQB" not in piece.expected or "NUMBER" in piece.expected):
        return None
    end = 2 if options else piece.index
    size = piece.found.text if piece.found.kind == "NUMBER" else "64"
    size = piece.inside(piece.index) if piece.found.kind == "LPAR" else size
    help = f"give the population its shape: `{piece.text(0, end)}[{size}]`"
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


# ---------------------------------------------------------------- as it is written elsewhere

APPLIED = "the rule applies `softmax` itself, in `feedback` and `readout`: "
KEYWORDS = {
    "return": "readout", "output": "readout", "predict": "readout", "parameter": "learn", "function": "fn",
    "activation": "fn", "var": "state", "variable": "state", "neuron": "state", "weight": "synapse",
    "channel": "synapse",
}  # fmt: skip
AXES = ("axis", "dim", "keepdims", "keepdim")


def _keyword(piece: Piece) -> Mistake | None:
    """`return act`"""
    word = KEYWORDS.get(piece.first.text)
    if piece.start != "genome_item" or piece.index != 0 or word is None or len(piece.lexemes) < 2:
        return None
    return piece.unexpected(help=f"write `{word} {piece.text(1)}`", repair=word)


def _role(piece: Piece) -> Mistake | None:
    """`layer h[16]`"""
    if piece.start != "network_item" or piece.index != 1 or piece.first.kind != "NAME":
        return None
    if piece.found.kind not in WORDS or piece.kinds(2, 3) != ["LSQB"]:
        return None
    message = f"found `{piece.first.text}`, expected `input`, `hidden` or `output`"
    return piece.mistake(message, at=piece.first, help=f"write `hidden {piece.text(1)}`")


def _uses(piece: Piece) -> Mistake | None:
    """`network n using g`, `network n: g`, `network n g`."""
    if piece.first.kind != "NETWORK" or "USES" not in piece.expected:
        return None
    if set(piece.kinds(piece.index + 1, piece.index + 2)) & WORDS:
        name = piece.lexemes[piece.index + 1].text
        return piece.unexpected(help=f"write `uses {name}`", repair="uses")
    return piece.unexpected(help=f"write `uses {piece.found.text}`") if piece.found.kind in WORDS else None


def _axes(piece: Piece) -> Mistake | None:
    """`pixels[8 x 8]`, `pixels[8x8]` or `pixels[8 8]`."""
    opening = piece.open_bracket()
    if opening is None or piece.first.kind not in ROLES | DECLARATIONS or piece.found.kind in OPENER:
        return None
    if piece.lexemes[opening].kind != "LSQB" or piece.lexemes[opening - 1].kind not in WORDS | {"RBRACE"}:
        return None
    sizes = re.split(r"\s*,\s*|\s+x\s+|\s+|(?<=[0-9])x(?=[0-9])", piece.inside(opening))
    if len(sizes) < 2 or not all(re.fullmatch(r"\w+", size) for size in sizes):
        return None
    name = piece.text(1 if piece.first.kind in ROLES else opening - 1, opening)
    return piece.unexpected("`,`", help=f"write `{name}[{', '.join(sizes)}]`")


def _option(piece: Piece, text: str, before: str) -> str | None:
    """What to write for an option of a population that stands in other brackets, in none, or without its name."""
    if text == "softmax":
        return f"{APPLIED}write `{before}{{ phi = linear }}`"
    named = f"phi = {text}" if text in functions.UNARY else text
    return f"write `{before}{{ {named} }}`" if re.match(r"\w+ ?=", named) else None


def _options_elsewhere(piece: Piece) -> Mistake | None:
    """`hidden h[4] relu`, `hidden h[4] (phi = relu)`."""
    declared = piece.first.kind in ROLES and piece.kinds(piece.index - 1, piece.index) == ["RSQB"]
    if piece.start != "network_item" or not declared or piece.open_bracket() is not None:
        return None
    found, before = piece.found.kind, piece.text(0, piece.index)
    after = piece.inside(piece.index) if found in ("LSQB", "LPAR") else piece.text(piece.index)
    if found == "COMMA":
        after = piece.text(piece.index + 1)
    help = _option(piece, after, f"{before} ")
    if help is None and found == "LSQB":
        help = f"write `{before[:-1]}, {after}]`"
    elif help is None and found == "COMMA":
        help = f"declare each population by itself: `{before}` and `{piece.first.text} {after}`"
    return piece.unexpected(help=help) if help else None


def _option_without_name(piece: Piece) -> Mistake | None:
    """`hidden h[4] { relu }`"""
    if piece.start != "network_item" or piece.first.kind not in ROLES or "EQUAL" not in piece.expected:
        return None
    help = _option(piece, piece.lexemes[piece.index - 1].text, "")
    return piece.unexpected(help=help) if help else None


def _single_quotes(piece: Piece) -> Mistake | None:
    closing = next(
        (i for i in range(piece.index + 1, len(piece.lexemes)) if piece.lexemes[i].kind == "PRIME"), None
    )
    if piece.found.kind != "PRIME" or "NAME" not in piece.expected or closing is None:
        return None
    text = piece.source.text[piece.found.stop : piece.lexemes[closing].start]
    if "STRING" in piece.expected:
        return piece.unexpected(help=f'write `"{text}"`')
    return piece.unexpected(help=_unquoted(text))


def _attributes_elsewhere(piece: Piece) -> Mistake | None:
    """`a -> b (label = skip)`, `a -> b { label = skip }`, `a -> b label = skip` or `a -> b, fixed`."""
    opening, at = piece.open_bracket(), piece.index
    if piece.start != "network_item" or "PROJECT" not in piece.kinds(0, at) or "LSQB" in piece.kinds(0, at):
        return None
    if (
        opening is not None
        and piece.kinds(opening, opening + 1) == ["LBRACE"]
        and piece.found.kind == "EQUAL"
    ):
        at, attributes = opening, piece.inside(opening)
    elif opening is not None or at < 3:
        return None
    elif piece.found.kind == "LPAR":
        attributes = piece.inside(at)
    else:
        attributes = piece.text(at + (piece.found.kind == "COMMA"))
        if not re.match(r"(forward|backward|fixed)\b|\w+ ?[=(]", attributes):
            return None
    return piece.unexpected(help=f"write `{piece.text(0, at)} [{attributes}]`")


def _several_ends(piece: Piece) -> Mistake | None:
    """`a, b -> c`"""
    kinds = piece.kinds()
    if piece.start != "network_item" or piece.found.kind != "COMMA" or kinds.count("PROJECT") != 1:
        return None
    if piece.first.kind in ROLES or piece.open_bracket() is not None:
        return None
    middle, end = kinds.index("PROJECT"), kinds.index("LSQB") if "LSQB" in kinds else len(kinds)
    attributes = f" {piece.text(end)}" if end < len(kinds) else ""
    sources, targets = (side.split(",") for side in (piece.text(0, middle), piece.text(middle + 1, end)))
    pairs = [f"`{a.strip()} -> {b.strip()}{attributes}`" for a in sources for b in targets]
    return piece.unexpected(help=f"write each projection by itself: {' and '.join(pairs)}")


def _python_range(piece: Piece) -> Mistake | None:
    """`for i in range(3)`, `for i in 3`."""
    if piece.first.kind != "FOR" or "RANGE" not in piece.expected or piece.found.kind != "LBRACE":
        return None
    text = piece.text(3, piece.index)
    low, high = "1", text
    if text.startswith("range") and piece.lexemes[4].kind == "LPAR":
        *lows, high = piece.inside(4).split(",")
        if len(lows) > 1 or not high.strip():
            return None  # there are no steps
        low, high = (lows or ["0"])[0], high.strip()
        high = str(int(high) - 1) if high.isdigit() else f"{high} - 1"
    return piece.unexpected(help=f"write `{piece.text(0, 3)} {low}..{high}`: both ends are included")


def _for_without_in(piece: Piece) -> Mistake | None:
    """`for i = 1..3`"""
    if (
        piece.first.kind != "FOR"
        or piece.expected != frozenset({"IN"})
        or piece.found.kind not in ("EQUAL", "COLON")
    ):
        return None
    return piece.unexpected(help=f"write `{piece.text(0, piece.index)} in ...`", repair="in")


def _return(piece: Piece) -> Mistake | None:
    """`return act` in a phase."""
    at = piece.index if piece.found.text == "return" else piece.index - 1
    if (
        piece.start != "statement"
        or piece.kinds(at + 1, at + 2) != ["NAME"]
        or piece.text(at, at + 1) != "return"
    ):
        return None
    help = f"what a prediction is stands in the genome, beside the phases: `readout {piece.text(at + 1)}`"
    return replace(piece.unexpected(help=help), whole=True)


def _several_readouts(piece: Piece) -> Mistake | None:
    if piece.first.kind != "READOUT" or piece.found.kind != "COMMA" or piece.open_bracket() is not None:
        return None
    return piece.unexpected(
        help=f"a prediction is one number of a neuron: write `{piece.text(0, piece.index)}`"
    )


def _named_argument(piece: Piece) -> Mistake | None:
    """`mean(z, axis = 0)`, `clip(z, low = 0, high = 1)`."""
    opening = piece.open_bracket()
    if piece.start not in ("statement", "genome_item") or piece.found.kind != "EQUAL" or not opening:
        return None
    if piece.lexemes[opening].kind != "LPAR" or piece.lexemes[opening - 1].kind not in WORDS:
        return None
    function, name = piece.lexemes[opening - 1].text, piece.lexemes[piece.index - 1].text
    if function in ("mean", "sum"):
        help = f"in `update`, write `batch_{function}(..)`; in other phases `population_{function}(..)`, or "
        help += "`incoming(..)` for the sum over synapses"
    elif name in AXES:
        help = f"there is no `{name}`: functions work element by element"
    else:
        call = piece.text(opening - 1, piece.closing(opening) + 1)
        help = "arguments have no names: write `" + re.sub(r"\w+ ?= ?", "", call) + "`"
    return piece.unexpected(help=help)


def _module(piece: Piece) -> Mistake | None:
    """`jax.nn.relu(z)`"""
    rest = piece.kinds(piece.index)
    if (
        piece.found.kind != "DOT"
        or "LPAR" not in rest
        or piece.kinds(piece.index - 2, piece.index - 1) != ["DOT"]
    ):
        return None
    opening = piece.index + rest.index("LPAR")
    if rest[: rest.index("LPAR")] not in (["DOT", "NAME"], ["DOT", "NAME", "DOT", "NAME"]):
        return None
    return piece.unexpected(help=f"write `{piece.text(opening - 1, piece.closing(opening) + 1)}`")


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
    _axes,
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
    _return,
    _no_let,
    _assign_to_other,
    _state_start,
    _options_elsewhere,
    _option_without_name,
    _missing_shape,
    _no_default,
    _keyword,
    _role,
    _uses,
    _single_quotes,
    _attributes_elsewhere,
    _several_ends,
    _python_range,
    _for_without_in,
    _several_readouts,
    _named_argument,
    _module,
    _misplaced,
    _unexpected,
)
