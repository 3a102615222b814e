"""A slip as a row of a table: how the tokens lie around the failure, what could stand there, what to write.

Patterns go by kinds of tokens:

    "FOR WORD !EQUAL|COLON"      at the beginning of the piece: `for`, any word, and `=` or `:`, which fails
    "... {name:WORD} DOT !DOT"   anywhere; the text of the word may then be used in the help, as `$name`
    "!return {value} END"        a word that is not a keyword, in small letters; any tokens, or none
    "@WORD !WORD LSQB"           the complaint is about the first word, not about the one that fails
    "-PROJECT ... !COMMA"        no `->` stands before the failure

What follows the last token of a pattern does not matter.
In the help stand for the text

    $found    the token that fails       $previous $next   the tokens beside it
    $before   all before it              $rest $after      all from it on, and all behind it
    $inside   the content of the bracket that it opens or stands in, and $called what stands before the latter
    $name     what the pattern calls so
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from string import Template

from blurc.language.repair.characters import no_part
from blurc.language.repair.piece import Mistake, Piece, describe, wanted
from blurc.language.tokens import DECLARATIONS, PARTNER, PHASES, ROLES, SIGNS, WORDS, Lexeme

Texts = dict[str, str]
Help = Callable[[Piece, Texts], str | None]  # None: it is not this slip after all

# A piece is matched as text, `FOR:for NAME:i !EQUAL NUMBER END `, in which words alone have a colon.
CLASSES = {
    "ANY": r"(?!END)[^\s!]+",
    "WORD": r"[A-Z]+:\w+",
    "ROLE": rf"(?:{'|'.join(sorted(ROLES))}):\w+",
    "PHASE": rf"(?:{'|'.join(sorted(PHASES))}):\w+",
    "DECLARATION": rf"(?:{'|'.join(sorted(DECLARATIONS))}):\w+",
    "ATTRIBUTE": r"(?:[A-Z]+:(?:forward|backward|fixed)|[A-Z]+:\w+ (?:EQUAL|LPAR))",
}
TOKENS = r"(?:\S+ )*?"


@dataclass(frozen=True)
class Slip:
    start: str  # the kinds of piece; "" for any
    pattern: str
    help: str | Help | None
    needs: str = ""  # kinds that could stand there; those with a `-` could not
    bracket: str | None = None  # the bracket that it stands in; "" for none
    text: str = ""  # a regular expression for the token that fails; its names may be used in the help
    expected: str = ""  # what could stand there, in better words than the grammar's
    repair: str = ""  # what the token was meant to be
    whole: bool = False  # the rest of the piece belongs to the slip


def mistake(slip: Slip, piece: Piece) -> Mistake | None:
    """What to say of a piece of text; None where it is not this slip."""
    if piece.start not in (slip.start or piece.start).split() or not _could_stand(slip.needs, piece.expected):
        return None
    if slip.bracket is not None and slip.bracket != _bracket(piece):
        return None
    named = re.fullmatch(slip.text, piece.found.text) if slip.text else None
    places = match(slip.pattern, piece)
    if places is None or (slip.text and not named):
        return None
    texts = _texts(piece) | {name: piece.text(*place) for name, place in places.items()}
    texts |= named.groupdict() if named else {}
    help = Template(slip.help).substitute(texts) if isinstance(slip.help, str) else slip.help
    if callable(help) and not (help := help(piece, texts)):
        return None
    at = piece.lexemes[places["at"][0]] if "at" in places else piece.found
    return replace(said(piece, at, slip.expected, help, slip.repair), whole=slip.whole)


def _could_stand(needs: str, expected: frozenset[str]) -> bool:
    return all((kind.lstrip("-") in expected) != kind.startswith("-") for kind in needs.split())


def _bracket(piece: Piece) -> str:
    opening = piece.open_bracket()
    return "" if opening is None else piece.lexemes[opening].text


def _texts(piece: Piece) -> Texts:
    index = piece.index
    around = piece.open_bracket()
    opening = index if piece.found.kind in PARTNER else around
    return {
        "found": piece.found.text,
        "before": piece.text(0, index),
        "previous": piece.lexemes[index - 1].text,
        "next": piece.text(index + 1, index + 2),
        "rest": piece.text(index),
        "after": piece.text(index + 1),
        "inside": "" if opening is None else piece.inside(opening),
        "called": piece.text(around - 1, around) if around else "",
    }


def said(piece: Piece, at: Lexeme, expected: str = "", help: str | None = None, repair: str = "") -> Mistake:
    message = f"found {describe(at, piece.start)}, expected {expected or (f'`{repair}`' if repair else wanted(piece))}"
    better = None
    if repair:
        kind = next((kind for kind, sign in SIGNS.items() if sign == repair), repair.upper())
        better = (piece.lexemes.index(at), replace(at, kind=kind, text=repair))
    mistake = Mistake(message, at.span(piece.source), help, better)
    if at.kind == "OTHER_ARROW" and not at.text.isascii():
        return replace(mistake, message=no_part(at), code="E102")
    return mistake


def match(pattern: str, piece: Piece) -> dict[str, tuple[int, int]] | None:
    """The tokens `[start, stop)` that each name of the pattern stands for, `at` for `@`; None where it does not fit."""
    text = _text(piece)
    found = _compiled(pattern).match(text)
    if found is None:
        return None
    spans = {name: found.span(name) for name in found.groupdict()}
    return {name: (text.count(" ", 0, start), text.count(" ", 0, stop)) for name, (start, stop) in spans.items()}


def _text(piece: Piece) -> str:
    tokens = [f"{lexeme.kind}:{lexeme.text}" if lexeme.kind in WORDS else lexeme.kind for lexeme in piece.lexemes]
    tokens.append("END")
    tokens[piece.index] = "!" + tokens[piece.index]
    return " ".join(tokens) + " "


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile("".join(_element(element) for element in pattern.split()))


def _element(element: str) -> str:
    match element[0], element[1:].rstrip("}").split(":"):
        case ".", _:
            return TOKENS
        case "{", [name]:
            return f"(?P<{name}>{TOKENS})"
        case "{", [name, kinds]:
            return f"(?P<{name}>{_token(kinds)} )"
        case "@", [kinds]:
            return f"(?P<at>{_token(kinds)} )"
        case "!", [kinds]:
            return f"!{_token(kinds)} "
        case "-", [kinds]:
            return rf"(?![^!]*(?<!\S){_token(kinds)} )"
        case _:
            return f"{_token(element)} "


def _token(kinds: str) -> str:
    each = (
        CLASSES.get(kind) or (rf"{kind}(?::\w+)?" if kind.isupper() else f"[A-Z]+:{kind}") for kind in kinds.split("|")
    )
    return f"(?:{'|'.join(each)})"
