"""Diagnostics: sources, spans, messages and how they are rendered.

Every stage reports problems as `Diagnostic` values, which are collected and raised together as one `BlurError`. Nothing
here knows about the language. The codes and their titles are in `codes.py`.
"""

from __future__ import annotations

import difflib
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

Severity = Literal["error", "warning", "note"]  # a note answers what somebody asked

MOST = 100  # errors of a report, and warnings: a file with more of them is another kind of file, or was generated
MOST_COMPARED = 100_000  # pairs of characters when a near name is looked for: 10 ms
MOST_SHOWN = 160  # characters of a line


@dataclass(frozen=True, eq=False)
class Source:
    """A text that diagnostics can point into.

    name: what the user calls it, usually a path.
    quoted: whether its lines may be shown. A file that another file points at may be anybody's.
    """

    name: str
    text: str
    quoted: bool = True

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        return (0, *(i + 1 for i, c in enumerate(self.text) if c == "\n"))

    def position(self, offset: int) -> tuple[int, int]:
        """The line and column of a character offset, both counted from 1."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        if number > len(self.line_starts):
            return ""
        start = self.line_starts[number - 1]
        stop = self.text.find("\n", start)
        return self.text[start : None if stop < 0 else stop].rstrip("\r")


@dataclass(frozen=True, slots=True)
class Span:
    """The characters `[start, stop)` of a source."""

    source: Source
    start: int
    stop: int

    @property
    def line(self) -> int:
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        return self.source.position(self.start)[1]

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.stop]

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"

    def line_from(self, other: Span) -> str:
        """The line in words, and its file as seen from another one: "line 3 of rules/blur.blur"."""
        return f"line {self.line}{'' if self.source is other.source else f' of {self.source.name}'}"

    def contains(self, other: Span) -> bool:
        return self.source is other.source and self.start <= other.start and other.stop <= self.stop

    def to(self, other: Span) -> Span:
        """From the start of this span to the end of the other."""
        return Span(self.source, self.start, max(self.stop, other.stop))


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem: a stable code, where it is, what was expected and found, and how to fix it."""

    code: str
    message: str
    span: Span | None = None
    notes: tuple[str, ...] = ()
    help: str | None = None
    severity: Severity = "error"

    def render(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterable[str]:
        where = f"{self.span}: " if self.span else ""
        yield f"{where}{self.severity}[{self.code}]: {self.message}"
        if self.span and self.span.source.quoted:
            yield from _excerpt(self.span)
        for note in self.notes:
            yield f"   note: {note}"
        if self.help:
            yield f"   help: {self.help}"

    def to_json(self) -> dict[str, object]:
        at = self.span
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "file": at.source.name if at else None,
            "line": at.line if at else None,
            "column": at.column if at else None,
            "notes": list(self.notes),
            "help": self.help,
        }


def _excerpt(span: Span) -> Iterable[str]:
    line, column = span.source.position(span.start)
    text, column = _window(span.source.line(line), column)
    # The padding keeps tabs, so that the caret lines up in any terminal.
    pad = "".join("\t" if c == "\t" else " " for c in text[: column - 1])
    width = max(1, min(span.stop - span.start, len(text) - column + 1))
    yield f"{line:>5} | {text}"
    yield f"      | {pad}{'^' * width}"


def _window(text: str, column: int) -> tuple[str, int]:
    """What is shown of a line, and where the column is in that."""
    if len(text) <= MOST_SHOWN:
        return text, column
    start = max(0, min(column - MOST_SHOWN // 2, len(text) - MOST_SHOWN))
    shown = text[start : start + MOST_SHOWN]
    before, after = "..." if start else "", "..." if start + MOST_SHOWN < len(text) else ""
    return f"{before}{shown}{after}", column - start + len(before)


class BlurError(Exception):
    """Bad input. `str()` renders all diagnostics; `.diagnostics` has them as data."""

    def __init__(self, diagnostics: Diagnostic | Sequence[Diagnostic]):
        found = (diagnostics,) if isinstance(diagnostics, Diagnostic) else tuple(diagnostics)
        self.diagnostics: tuple[Diagnostic, ...] = found
        super().__init__(found)

    def __str__(self) -> str:
        return "\n".join(d.render() for d in self.diagnostics)

    def __reduce__(self) -> tuple[type[BlurError], tuple[tuple[Diagnostic, ...]]]:
        return BlurError, (self.diagnostics,)


def noted(error: BlurError, note: str) -> BlurError:
    """The same mistakes, with a note more."""
    return BlurError([replace(d, notes=(*d.notes, note)) for d in error.diagnostics])


class TooMany(BlurError):
    """Ends a stage whose report has enough errors: to find them all could take for ever."""

    def __init__(self, errors: Iterable[Diagnostic]):
        *found, last = in_order(errors)
        super().__init__([*found, replace(last, notes=(*last.notes, f"there are more: these are the first {MOST}"))])


class BlurWarning(UserWarning):
    """What is not wrong but doubtful, found where nobody collects diagnostics: given to Python's `warnings`."""

    def __init__(self, diagnostic: Diagnostic):
        self.diagnostic = diagnostic
        super().__init__(diagnostic)

    def __str__(self) -> str:
        return self.diagnostic.render()


@dataclass(slots=True)
class Report:
    """Collects diagnostics while a stage runs. At its end, `check` raises if there were errors."""

    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])
    _mistakes: set[object] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._mistakes = {_mistake(d) for d in self.diagnostics}

    def error(
        self, code: str, message: str, span: Span | None, *, notes: Iterable[str] = (), help: str | None = None
    ) -> None:
        self.add(Diagnostic(code, message, span, tuple(notes), help))

    def warn(
        self, code: str, message: str, span: Span | None, *, notes: Iterable[str] = (), help: str | None = None
    ) -> None:
        self.add(Diagnostic(code, message, span, tuple(notes), help, "warning"))

    def add(self, diagnostic: Diagnostic) -> None:
        """Adds a diagnostic, unless its code was already reported at the same place, as happens in loops. Of warnings
        the first `MOST` count; raises `TooMany` for more errors than that."""
        mistake = _mistake(diagnostic)
        if mistake in self._mistakes:
            return
        self._mistakes.add(mistake)
        if sum(d.severity == diagnostic.severity for d in self.diagnostics) < MOST:
            self.diagnostics.append(diagnostic)
        elif diagnostic.severity == "error":
            raise TooMany(self.errors)

    def has(self, code: str, span: Span) -> bool:
        """Whether an error there would be a repetition."""
        return (code, span) in self._mistakes

    @property
    def errors(self) -> list[Diagnostic]:
        return [d for d in self.diagnostics if d.severity == "error"]

    @property
    def warnings(self) -> list[Diagnostic]:
        return [d for d in self.diagnostics if d.severity == "warning"]

    def check(self) -> None:
        if self.errors:
            raise BlurError(in_order(self.errors))


def _mistake(diagnostic: Diagnostic) -> object:
    """A code met again at the same place, in a loop or with other parameters, is the same mistake."""
    return diagnostic if diagnostic.span is None else (diagnostic.code, diagnostic.span)


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Sorted by file (in order of first mention) and position."""
    found = list(diagnostics)
    files = {name: i for i, name in enumerate(dict.fromkeys(d.span.source.name for d in found if d.span))}
    return sorted(found, key=lambda d: (files[d.span.source.name], d.span.start) if d.span else (-1, 0))


def did_you_mean(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The closest known name, or None if nothing is close. cutoff: the least likeness, of 1 for equal names."""
    names = set(known)
    if len(name) * sum(map(len, names)) > MOST_COMPARED:
        return None
    near = difflib.get_close_matches(name, sorted(names), n=1, cutoff=cutoff)
    return near[0] if near else None


def counted(number: int, one: str, several: str = "") -> str:
    """`1 step`, `2,000 steps`."""
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"


def suggest(name: str, known: Iterable[str], otherwise: str) -> str:
    """The help for an unknown name: the closest known one, or what to do if nothing is close."""
    near = did_you_mean(name, known)
    return f"did you mean `{near}`?" if near else otherwise
