"""What a Python file says: its tokens, which are the same in every version of Python, as its syntax tree is not."""

from __future__ import annotations

import io
import token
import tokenize
from collections.abc import Iterator
from tokenize import COMMENT, DEDENT, ENDMARKER, INDENT, NEWLINE, NL, TokenInfo

LAYOUT = {NEWLINE: "\n", INDENT: "\t", DEDENT: "\r"}  # whatever the file has there
SILENT = (COMMENT, NL, ENDMARKER)
# Python 3.12 and later take an f-string apart.
STARTS, ENDS = (
    {getattr(token, name) for name in names if hasattr(token, name)}
    for names in (("FSTRING_START", "TSTRING_START"), ("FSTRING_END", "TSTRING_END"))
)


def meant(text: str) -> Iterator[str]:
    """The tokens without comments and layout."""
    text = text.replace("\r\n", "\n")
    lines = io.StringIO(text).readlines()
    open_strings: list[TokenInfo] = []
    for one in tokenize.generate_tokens(io.StringIO(text).readline):
        if one.type in STARTS:
            open_strings.append(one)
        elif one.type in ENDS:
            start = open_strings.pop()
            if not open_strings:
                yield _between(lines, start.start, one.end)
        elif not open_strings and one.type not in SILENT:
            yield LAYOUT.get(one.type, one.string)


def _between(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    """The text between two places, which are rows, from 1, and columns, from 0."""
    rows = lines[start[0] - 1 : end[0]]
    rows[-1] = rows[-1][: end[1]]
    rows[0] = rows[0][start[1] :]
    return "".join(rows)
