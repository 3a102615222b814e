"""The files of an editor: what is open, what each open file is when checked, and who refers to what."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from blurc.diagnostics import Span
from blurc.editor.analysis import Analysis, analyse, path_of
from blurc.editor.fixes import Fix, fix
from blurc.editor.names import Symbol
from blurc.language import library, specs_path
from blurc.storage import is_inside

MOST_FILES = 200  # that are searched for references


class CannotRename(Exception):
    """Says why."""


@dataclass
class Workspace:
    folders: list[Path] = field(default_factory=list[Path])
    open: dict[Path, str] = field(default_factory=dict[Path, str])  # by resolved path
    _known: dict[Path, Analysis] = field(default_factory=dict[Path, Analysis])
    _fixes: dict[tuple[Path, int], Fix | None] = field(default_factory=dict[tuple[Path, int], Fix | None])

    def change(self, path: Path, text: str | None) -> None:
        """A file has this text now, saved or not; None: it is closed."""
        if text is None:
            self.open.pop(path, None)
        else:
            self.open[path] = text
        self._known.clear()  # any file may import it
        self._fixes.clear()

    def analysis(self, path: Path) -> Analysis:
        if path not in self._known:
            self._known[path] = analyse(path, self.open)
        return self._known[path]

    def fix(self, path: Path, which: int) -> Fix | None:
        """What mends one of the mistakes of a file, counted from 0. It is looked for once."""
        if (path, which) not in self._fixes:
            analysis = self.analysis(path)
            found = fix(analysis, analysis.diagnostics[which], lambda text: analyse(path, {**self.open, path: text}))
            self._fixes[path, which] = found
        return self._fixes[path, which]

    def definition(self, path: Path, offset: int) -> tuple[Path, Span] | None:
        analysis = self.analysis(path)
        use = analysis.names.at(analysis.root, offset)
        if use and use.symbol:
            return path_of(use.symbol.span.source), use.symbol.span
        for node in analysis.sources.files[0].imports if analysis.sources.files else ():
            if node.span.start <= offset <= node.span.stop:
                ends = (node.path, str(Path(analysis.root.name).parent / node.path))
                files = (f.span.source for f in analysis.sources.files if f.span.source.name in ends)
                return next(((path_of(source), Span(source, 0, 0)) for source in files), None)
        return None

    def references(self, path: Path, offset: int) -> dict[Path, list[Span]]:
        """Where the name stands that is at a place, with its declaration, in all files of the workspace."""
        analysis = self.analysis(path)
        use = analysis.names.at(analysis.root, offset)
        return self._uses(use.symbol, path) if use and use.symbol else {}

    def _uses(self, symbol: Symbol, asked: Path) -> dict[Path, list[Span]]:
        found: dict[Path, dict[int, Span]] = {}
        wanted = self._key(symbol)
        for path in dict.fromkeys((asked, *self.open, *self._files()[:MOST_FILES])):
            for use in self.analysis(path).names.uses:
                if use.symbol and use.name == symbol.name and self._key(use.symbol) == wanted:
                    found.setdefault(path_of(use.span.source), {})[use.span.start] = use.span
        return {path: [spans[start] for start in sorted(spans)] for path, spans in found.items()}

    def _key(self, symbol: Symbol) -> object:
        """Kinds are declared nowhere: their name says which they are."""
        return symbol.name if symbol.kind == "kind" else (path_of(symbol.span.source), symbol.span.start)

    def _files(self) -> list[Path]:
        """At most one more than are searched."""
        found = (path.resolve() for folder in self.folders for path in sorted(folder.rglob(f"*{library.SUFFIX}")))
        return list(islice(found, MOST_FILES + 1))

    def rename(self, path: Path, offset: int, name: str) -> dict[Path, list[Span]]:
        """The places to change. Raises `CannotRename`."""
        analysis = self.analysis(path)
        use = analysis.names.at(analysis.root, offset)
        if not use or not use.symbol:
            raise CannotRename("nobody declared this name: it is a word of the language")
        if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) or name == "let":
            raise CannotRename(f"`{name}` is not a name: letters, digits and `_`, the first not a digit")
        if len(self._files()) > MOST_FILES:
            raise CannotRename(f"the folders have more than {MOST_FILES} files of blurc, and not all would be searched")
        found = self._uses(use.symbol, path)
        if any(is_inside(file, specs_path()) for file in found if file not in self.open):
            raise CannotRename(f"`{use.name}` is declared in the library of blurc, which stays as it is")
        after = {**self.open, **{file: self._renamed(spans, name) for file, spans in found.items()}}
        if any(analyse(file, after).errors > self.analysis(file).errors for file in found):
            raise CannotRename(f"`{name}` would clash with another name")
        return found

    def _renamed(self, spans: list[Span], name: str) -> str:
        text = spans[0].source.text
        for span in reversed(spans):
            text = text[: span.start] + name + text[span.stop :]
        return text
