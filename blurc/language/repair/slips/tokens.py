"""What is no token of the language: foreign characters, open strings, malformed numbers."""

from __future__ import annotations

import re
import unicodedata

from blurc.diagnostics import Source
from blurc.language.repair.outline import Lexeme
from blurc.language.repair.slips.piece import Mistake, Piece

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


def unknown(piece: Piece) -> Mistake | None:
    return unknown_character(piece.source, piece.found) if piece.found.kind == "UNKNOWN" else None


def open_string(piece: Piece) -> Mistake | None:
    if piece.found.kind != "OPEN_STRING":
        return None
    return piece.mistake('found a `"` that is not closed on its line', help='write the closing `"`')


def malformed_number(piece: Piece) -> Mistake | None:
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
