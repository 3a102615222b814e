"""What stands below each other.

- the words after the keywords of a block, up to the next blank line: declarations, phases, populations
- the arrows of assignments in adjacent lines, and the options of populations
- the arrows and the attributes of projections, where adjacent lines have at least two with attributes
- comments behind code in adjacent lines
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from blurc.language.format.lines import Line, Snippet

BEFORE_COMMENT = 2  # blanks


def align(lines: Sequence[Line]) -> str:
    for run in _heads(lines):
        _line_up(run, "head")
    for stop in ("arrow", "options"):
        for run in _adjacent(lines, lambda line, stop=stop: _has(line, stop)):
            _line_up(run, stop)
    for run in _adjacent(lines, lambda line: _has(line, "arrow between")):
        if sum(_has(line, "attributes") for line in run) > 1:
            _line_up(run, "arrow between")
            _line_up([line for line in run if _has(line, "attributes")], "attributes")
    for run in _adjacent(lines, lambda line: bool(line.parts and line.comment)):
        width = max(len(line.code()) for line in run) + BEFORE_COMMENT
        for line in run:
            line.parts.append(Snippet("", " " * (width - len(line.code()) - _blanks(line))))
    return "".join(f"{_text(line)}\n" for line in lines)


def _text(line: Line) -> str:
    code = " " * line.indent + "".join(part.text for part in line.parts)
    return f"{code}{line.comment}".rstrip()


def _blanks(line: Line) -> int:
    """At the end of its code."""
    whole = " " * line.indent + "".join(part.text for part in line.parts)
    return len(whole) - len(line.code())


def _has(line: Line, stop: str) -> bool:
    return any(part.stop == stop for part in line.parts)


def _heads(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Of every block, those up to a blank line. Other lines may stand between them."""
    runs: dict[int, list[Line]] = {}
    for line in lines:
        if line.is_blank:
            yield runs.pop(line.block, [])
        elif _has(line, "head"):
            runs.setdefault(line.block, []).append(line)
    yield from runs.values()


def _adjacent(lines: Sequence[Line], belongs: Callable[[Line], bool]) -> Iterator[list[Line]]:
    for (found, _), run in groupby(lines, lambda line: (belongs(line), line.block if line.parts else -1)):
        if found:
            yield list(run)


def _line_up(run: Sequence[Line], stop: str) -> None:
    places = [next(i for i, part in enumerate(line.parts) if part.stop == stop) for line in run]
    widths = [sum(len(part.text) for part in line.parts[:i]) for line, i in zip(run, places, strict=True)]
    for line, i, width in zip(run, places, widths, strict=True):
        line.parts[i - 1].text += " " * (max(widths) - width)
