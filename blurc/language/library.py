"""Loads a spec with everything it imports, from its folder or the packaged library."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from blurc.diagnostics import Report, Source, Span, TooMany, counted, did_you_mean
from blurc.language import syntax
from blurc.language.packaged import resolve_import, specs_path
from blurc.language.parse import Left, parse
from blurc.storage import is_inside, read_file, why

TEXT_NAME = "<text>"
SUFFIX = ".blur"
LIMIT = 2**20  # bytes of a file
MOST_FILES = 100
ARTIFACT = "`blurc train` and `blurc.load` run an artifact; a spec is a .blur file"
ARCHIVE = b"PK\x03\x04"  # the first bytes of a zip file


def load(path_or_text: str | Path, report: Report) -> tuple[syntax.File, ...]:
    """A spec and all its imports: each file once, before the files it imports.

    A string that contains a line break or a brace is taken as the text of a spec. Unreadable files are left out.
    """
    return tuple(file for file, _ in load_with_folders(path_or_text, report))


def load_with_folders(
    path_or_text: str | Path, report: Report, quoted: bool = True, unsaved: Mapping[Path, str] | None = None
) -> tuple[tuple[syntax.File, Path], ...]:
    """Like `load`, with the folder that each file's imports are relative to: for a text, the working folder.

    quoted: whether to quote the file that is asked for and those in its folder; the library always is.
    unsaved: by resolved path, texts that stand for what is on disk.
    """
    loader = Loader(report, quoted, unsaved or {})
    if isinstance(path_or_text, str) and ("\n" in path_or_text or "{" in path_or_text):
        loader.enter(Source(TEXT_NAME, path_or_text), None, None)
    else:
        name = str(path_or_text)
        loader.read(name, resolve_import(name, None), None)
    loader.follow_imports()
    return tuple((file, loader.folders[file.span.source]) for file in loader.files.values())


@dataclass(frozen=True)
class _Open:
    """A file whose imports are being followed."""

    source: Source
    path: Path | None  # None: a text
    imports: list[syntax.Import]  # still to do

    @property
    def identity(self) -> Path | None:
        return self.path.resolve() if self.path else None


Asked: TypeAlias = "tuple[syntax.Import, _Open] | None"  # by which import of which file; None: by the caller


class Loader:
    def __init__(self, report: Report, quoted: bool, unsaved: Mapping[Path, str]) -> None:
        self.files: dict[Path | None, syntax.File] = {}
        self.folders: dict[Source, Path] = {}
        self._report = report
        self._left = Left()
        self._open: list[_Open] = []  # each imports the next
        self._quoted = quoted
        self._unsaved = unsaved

    def enter(self, source: Source, path: Path | None, asked: Asked) -> None:
        file = parse(source, self._report, self._left) if source.quoted else self._parse_unquoted(source, asked)
        opened = _Open(source, path, list(file.imports))
        self.files[opened.identity] = file
        self.folders[source] = path.parent if path else Path()
        self._open.append(opened)

    def _parse_unquoted(self, source: Source, asked: Asked) -> syntax.File:
        """What is wrong with the text is in it, and so is not said."""
        found, file = Report(), None
        with contextlib.suppress(TooMany):
            file = parse(source, found, self._left)
        if file is None or found.errors:
            count = len(found.errors)
            message = f"`{source.name}` is not grammatical: it has {counted(count, 'mistake')}"
            help = f"`blurc check {source.name}` shows what is wrong"
            self._report.error("E101", message, asked and asked[0].span, help=help)
            return syntax.File((), (), (), damaged=True, span=Span(source, 0, 0))
        return file

    def follow_imports(self) -> None:
        while self._open:
            top = self._open[-1]
            if top.imports:
                self._import(top.imports.pop(0), top)
            else:
                self._open.pop()

    def _import(self, node: syntax.Import, by: _Open) -> None:
        path = resolve_import(node.path, by.path)
        identity = path.resolve() if path else None
        chain = [opened.identity for opened in self._open]
        if identity and identity in chain:
            names = [opened.source.name for opened in self._open[chain.index(identity) :]]
            cycle = " -> ".join([*names, names[0]])
            self._report.error("E104", f"found an import cycle: {cycle}", node.span, help="remove one of the imports")
        elif identity and identity in self.files:
            return
        elif len(self.files) == MOST_FILES:
            message = f"a spec has at most {MOST_FILES} files: `{self._name(node, by)}` is not read"
            self._report.error("E103", message, node.span, help="join some of them, or import only what is needed")
            self._open.clear()
        else:
            self.read(self._name(node, by), path, (node, by))

    def _name(self, node: syntax.Import, by: _Open) -> str:
        """The path of an imported file as the user would write it, relative to how the importing file was named."""
        if by.path and os.path.isfile(by.path.parent / node.path):
            return os.path.normpath(os.path.join(os.path.dirname(by.source.name), node.path))
        return node.path

    def read(self, name: str, path: Path | None, asked: Asked) -> None:
        span = asked[0].span if asked else None
        folder = self.folders[asked[1].source] if asked else Path()
        path = path or folder / name
        text = self._unsaved.get(path.resolve()) if self._unsaved else None
        if text is None:
            text = _read(name, path, folder, self._report, span)
        if text is not None:
            self.enter(Source(name, text, self._may_quote(path)), path, asked)

    def _may_quote(self, path: Path) -> bool:
        """A file from elsewhere may be anybody's, wherever the one that imports it comes from."""
        if is_inside(path, specs_path()):
            return True
        root = next(iter(self.folders.values()), None)
        return self._quoted and (root is None or is_inside(path, root))


def read(name: str, report: Report) -> tuple[Source, Path] | None:
    """One file without its imports, and where it lies; None if it cannot be read."""
    path = resolve_import(name, None) or Path(name)
    text = _read(name, path, Path(), report)
    return None if text is None else (Source(name, text), path)


def _read(name: str, path: Path, folder: Path, report: Report, span: Span | None = None) -> str | None:
    """The text of a file that was asked for there, from a spec in that folder."""
    try:
        return decoded(name, read_file(path, (SUFFIX,), LIMIT), report, span)
    except (FileNotFoundError, IsADirectoryError) as error:
        _not_found(name, folder, why(error), report, span)
    except OSError as error:
        help = ARTIFACT if name.endswith(".blurx") else None
        report.error("E103", f"cannot read `{name}`: {why(error)}", span, help=help)
    return None


def decoded(name: str, data: bytes, report: Report, span: Span | None = None) -> str | None:
    """The text of a spec from its bytes."""
    if data.startswith(ARCHIVE):
        report.error("E105", f"`{name}` is not UTF-8 text: it is a zip archive", span, help=ARTIFACT)
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"byte {error.start} is 0x{error.object[error.start]:02x}"
        report.error("E105", f"`{name}` is not UTF-8 text: {found}", span, help="save the file as UTF-8")
        return None


def _not_found(name: str, folder: Path, what: str, report: Report, span: Span | None) -> None:
    notes = ["imports are searched next to the importing file, then in the spec library"] if span else []
    near = of_stem(name) or did_you_mean(name, _specs_near(name, folder))
    help = f"did you mean `{near}`?" if near else "`blurc specs` lists the spec library"
    report.error("E103", f"cannot read `{name}`: {what}", span, notes=notes, help=help)


def of_stem(name: str) -> str | None:
    """The library spec with exactly this name: `networks/digits.blur` for `digits`."""
    return next((spec for spec in _specs() if name in (Path(spec).stem, Path(spec).name)), None)


def _specs() -> Iterator[str]:
    yield from (p.relative_to(specs_path()).as_posix() for p in sorted(specs_path().rglob("*.blur")))


def _specs_near(path: str, folder: Path) -> Iterable[str]:
    """Candidates for a misspelt path: the specs in the same folder, and those of the library."""
    start = os.path.dirname(path)
    with contextlib.suppress(OSError, ValueError):  # no such folder, or not a path at all
        yield from (os.path.join(start, p.name) for p in (folder / start).glob("*.blur") if p.is_file())
    yield from _specs()
