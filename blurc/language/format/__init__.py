"""One layout for `.blur` text. Line breaks are the author's, and so are comments and single blank lines; indentation,
blanks, semicolons and columns are not.

pieces.py   the tokens, each with its place in the grammar and the comments before it
spaces.py   the blank between two tokens
lines.py    tokens -> lines
columns.py  what stands below each other in adjacent lines
"""

from __future__ import annotations

from collections.abc import Iterable

from blurc.diagnostics import Report, Source
from blurc.language.format.columns import align
from blurc.language.format.lines import lines
from blurc.language.format.pieces import pieces
from blurc.language.parse import read, tokens_of


def formatted(source: Source, report: Report) -> str | None:
    """The text in the canonical layout.

    Args:
        source: the text of a `.blur` file.
        report: receives what is wrong with the text.

    Returns:
        The new text, which has the same syntax tree; None if the text does not parse.

    Raises:
        AssertionError: the layout would change the meaning, which is a bug. The text is left alone.
    """
    before = len(report.errors)
    found = read(source, report)
    if found.grammar is None or len(report.errors) > before:
        return None
    text = align(lines(pieces(source.text, found.grammar)))
    if _spelt(tokens_of(text)) != _spelt(found.tokens):  # not an assert: it protects files under -O too
        raise AssertionError(f"the layout of {source.name} would change its meaning; please report this")
    return text


def _spelt(tokens: Iterable[str]) -> list[str]:
    """Without those that may stand between items or not."""
    return [str(token) for token in tokens if token not in (";", ",")]
