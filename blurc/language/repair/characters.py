"""Invalid characters, and strings that are not closed."""

from __future__ import annotations

import re
import unicodedata

from blurc.diagnostics import Source
from blurc.language.repair.piece import Mistake, describe
from blurc.language.tokens import Lexeme

LOOKALIKES = {"−": "-", "–": "-", "×": "*", "·": "*", "÷": "/", "“": '"', "”": '"', "’": "'"}
CONDITIONS = (
    "a condition is 1 or 0: `where(a > b, x, y)` chooses, `c1 * c2` is both, `max(c1, c2)` one of them, `1 - c` not"
)


def open_string(source: Source, lexeme: Lexeme) -> Mistake:
    message = 'found a `"` that is not closed on its line'
    return Mistake(message, lexeme.span(source), 'write the closing `"`')


def unknown_character(source: Source, lexeme: Lexeme) -> Mistake:
    """One character, or several in a row."""
    help = _chosen(source, lexeme) or _instead(lexeme.text)
    return Mistake(no_part(lexeme), lexeme.span(source), help, code="E102")


def _chosen(source: Source, lexeme: Lexeme) -> str | None:
    """For `x <- a > b ? c : d` as C writes it."""
    line, column = source.position(lexeme.start)
    before, after = source.line(line)[: column - 1], source.line(line)[column:]
    condition = re.search(r"(?:^|[;{]) *(\w[^;{}?]*?(?:<-|(?<![<>=])=) *)([^;{}?]+?) *$", before)
    values = re.match(r" *([^?:;{}#]+?) *: *([^?:;{}#]+)", after)
    if lexeme.text != "?" or not condition or not values:
        return None
    return f"write `{condition[1]}where({condition[2]}, {values[1]}, {values[2].rstrip()})`"


def no_part(lexeme: Lexeme) -> str:
    shown = describe(lexeme, "file") if lexeme.text.isprintable() else _name(lexeme.text[0]).lower()
    return f"found {shown}, which is not part of the language"


def _name(character: str) -> str:
    return unicodedata.name(character, f"character U+{ord(character):04X}")


def _instead(text: str) -> str | None:
    if text in LOOKALIKES:
        return f"write `{LOOKALIKES[text]}`"
    if len(text) == 1 and _name(text).startswith("GREEK SMALL LETTER "):
        return f"names are written in Latin letters: `{_name(text).split()[-1].lower()}`"
    if text == "%":
        return "the rest of a division is written `x - y * floor(x / y)`"
    return CONDITIONS if set(text) <= set("<>!&|?") else None
