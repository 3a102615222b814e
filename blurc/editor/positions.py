"""Places as the protocol counts them: lines from 0, and in a line units of UTF-16."""

from __future__ import annotations

from pathlib import Path

from lsprotocol import types as lsp
from pygls import uris

from blurc.diagnostics import Source, Span


def offset(source: Source, at: lsp.Position) -> int:
    if at.line >= len(source.line_starts):
        return len(source.text)
    line, units = source.line(at.line + 1), 0
    for i, character in enumerate(line):
        if units >= at.character:
            return source.line_starts[at.line] + i
        units += _units(character)
    return source.line_starts[at.line] + len(line)


def position(source: Source, offset: int) -> lsp.Position:
    line, column = source.position(offset)
    before = source.text[source.line_starts[line - 1] :][: column - 1]
    return lsp.Position(line - 1, sum(map(_units, before)))


def _units(character: str) -> int:
    return 2 if ord(character) > 0xFFFF else 1


def range_of(span: Span) -> lsp.Range:
    return lsp.Range(position(span.source, span.start), position(span.source, span.stop))


def path(uri: str) -> Path:
    return Path(uris.to_fs_path(uri) or uri).resolve()


def uri(path: Path) -> str:
    return uris.from_fs_path(str(path)) or path.as_uri()


def location(path: Path, span: Span) -> lsp.Location:
    return lsp.Location(uri(path), range_of(span))
