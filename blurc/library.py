"""Files: the packaged grammar and specs, and a spec with everything that it imports.

A wheel carries `grammar` and `specs` inside the package; in a source checkout they stand beside it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from blurc import syntax
from blurc.diagnostics import Report, Source, Span, did_you_mean

TEXT_NAME = "<text>"


def grammar_path() -> Path:
    return _packaged("grammar") / "blur.lark"


def specs_path() -> Path:
    return _packaged("specs")


def _packaged(folder: str) -> Path:
    package = Path(__file__).parent
    inside = package / folder
    return inside if inside.is_dir() else package.parent / folder


def resolve_import(path: str, importing: Path | None) -> Path | None:
    """The file that `import "path"` means: beside the importing file (of a text: the working folder), or a spec of
    the library."""
    folder = importing.parent if importing else Path()
    return next((p for p in (folder / path, specs_path() / path) if os.path.isfile(p)), None)


def load(path_or_text: str | Path, report: Report) -> tuple[syntax.File, ...]:
    """A spec and all that it imports, each file once, the spec itself first.

    A string with a line break or a brace in it is the spec's text. Whatever cannot be read is reported and left out.
    """
    return _Loader(report).load(path_or_text)


class _Loader:
    def __init__(self, report: Report) -> None:
        self._report = report
        self._files: dict[Path | None, syntax.File] = {}  # None: the root, where it is a text
        self._open: list[
            tuple[Path | None, Source, list[syntax.Import]]
        ] = []  # from the root down, imports to do

    def load(self, path_or_text: str | Path) -> tuple[syntax.File, ...]:
        if isinstance(path_or_text, str) and ("\n" in path_or_text or "{" in path_or_text):
            self._enter(None, Source(TEXT_NAME, path_or_text))
        else:
            self._read(str(path_or_text), None, resolve_import(str(path_or_text), None), None)
        while self._open:
            path, source, imports = self._open[-1]
            if imports:
                self._import(imports.pop(0), path, source)
            else:
                self._open.pop()
        return tuple(self._files.values())

    def _enter(self, path: Path | None, source: Source) -> None:
        from blurc.parse import parse  # parse reads the grammar from here

        self._files[path] = parse(source, self._report)
        self._open.append((path, source, list(self._files[path].imports)))

    def _import(self, node: syntax.Import, importing: Path | None, source: Source) -> None:
        found = resolve_import(node.path, importing)
        beside = found is not None and importing is not None and specs_path() / node.path != found
        name = (
            os.path.normpath(os.path.join(os.path.dirname(source.name), node.path)) if beside else node.path
        )
        path = found.resolve() if found else None
        chain = [entry[0] for entry in self._open]
        if path and path in chain:
            names = [entry[1].name for entry in self._open[chain.index(path) :]]
            cycle = " -> ".join([*names, names[0]])
            self._report.error(
                "E104", f"found an import cycle: {cycle}", node.span, help="take one import out"
            )
        elif path is None or path not in self._files:
            self._read(name, node, found, importing)

    def _read(
        self, name: str, node: syntax.Import | None, found: Path | None, importing: Path | None
    ) -> None:
        span = node.span if node else None
        written = node.path if node else name
        if found is None:
            self._not_found(written, span, importing)
            return
        try:
            text = found.read_bytes().decode("utf-8-sig")
        except OSError as error:
            reason = error.strerror or "unknown reason"
            self._report.error("E103", f"cannot read `{name}`: {reason.lower()}", span)
        except UnicodeDecodeError as error:
            message = f"`{name}` is not UTF-8 text: byte {error.start} is 0x{error.object[error.start]:02x}"
            self._report.error("E105", message, span, help="save the file as UTF-8")
        else:
            self._enter(found.resolve(), Source(name, text))

    def _not_found(self, path: str, span: Span | None, importing: Path | None) -> None:
        folder = importing.parent if importing else Path()
        near = did_you_mean(path, _specs_near(path, folder))
        places = [f"looked in `{_shown(folder)}` and in the spec library"]
        what = "a folder" if os.path.isdir(folder / path) else "no such file"
        help = f"did you mean `{near}`?" if near else "`blurc specs` lists the spec library"
        self._report.error("E103", f"cannot read `{path}`: {what}", span, notes=places, help=help)


def _shown(folder: Path) -> str:
    return "." if folder == Path() else os.path.relpath(folder)


def _specs_near(path: str, folder: Path) -> Iterable[str]:
    """What could have been meant: the specs of the same folder, and those of the library."""
    start = os.path.dirname(path)
    try:
        yield from (os.path.join(start, p.name) for p in sorted((folder / start).glob("*.blur")))
    except (OSError, ValueError):
        pass  # no such folder, or no path at all
    yield from (p.relative_to(specs_path()).as_posix() for p in sorted(specs_path().rglob("*.blur")))
