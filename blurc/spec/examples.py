"""The smallest example of each code that a spec can provoke, with its repair: `grammar/codes.examples`, which says how
it is written."""

from __future__ import annotations

import re
from contextlib import chdir
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from blurc.diagnostics import BlurError, Diagnostic
from blurc.language import examples_path
from blurc.spec.select import select_model
from blurc.spec.validate import check

HEADER = re.compile(r"(setting|file|[EW]\d{3})(?: (?:in )?(\S+))?(?: (\S+))?")
SPEC = "spec.blur"
WRONG, RIGHT = "-", "+"


@dataclass(frozen=True)
class Text:
    """Lines with their marks, and where they belong: a setting, or the name of a file."""

    place: str
    encoding: str = "utf-8"
    lines: list[str] = field(default_factory=list[str])

    def text(self, which: str) -> str:
        """The `WRONG` or the `RIGHT` version."""
        return "\n".join(_unmarked(self.lines, which))


@dataclass(frozen=True)
class Example:
    code: str
    spec: Text
    files: list[Text] = field(default_factory=list[Text])

    def diagnose(self, which: str) -> list[Diagnostic]:
        """What blurc says of the `WRONG` or the `RIGHT` version. Of lines in a setting, warnings do not count: the
        setting has what they do not use."""
        with TemporaryDirectory() as folder, chdir(folder):
            for file in self.files:
                Path(file.place).write_text(file.text(which) + "\n", encoding=file.encoding)
            Path(SPEC).write_text(self._whole(which) + "\n", encoding="utf-8")
            found = _compiled() if self.spec.place == "compiled" else check(Path(SPEC))
        return [d for d in found if d.severity == "error" or not self.setting]

    @property
    def where(self) -> str:
        return f", in a {self.spec.place}" if self.setting else ""

    def lines(self) -> list[str]:
        """The lines of the spec with their marks, then those of the other files under their names."""
        found = [*self.spec.lines]
        for file in self.files:
            encoding = "" if file.encoding == "utf-8" else f", in {file.encoding.title()}"
            found += ["", f"  {file.place}{encoding}:", *file.lines]
        return found

    def shown(self, which: str) -> list[str]:
        """The lines of the `WRONG` or the `RIGHT` version."""
        return _unmarked(self.lines(), which)

    @property
    def setting(self) -> Text | None:
        return _read()[1].get(self.spec.place)

    def _whole(self, which: str) -> str:
        lines = self.spec.text(which)
        return self.setting.text(which).replace("...", lines) if self.setting else lines


def _unmarked(lines: list[str], which: str) -> list[str]:
    return [line[2:] for line in lines if line[:1] in ("", " ", which)]


def _compiled() -> list[Diagnostic]:
    try:
        select_model(Path(SPEC))
    except BlurError as error:
        return list(error.diagnostics)
    return []


def examples() -> dict[str, Example]:
    """By code."""
    return _read()[0]


@cache
def _read() -> tuple[dict[str, Example], dict[str, Text]]:
    found, settings = dict[str, Example](), dict[str, Text]()
    last = Example("", text := Text(""))
    for line in examples_path().read_text(encoding="utf-8").splitlines():
        if header := HEADER.fullmatch(line):
            kind, place, encoding = header[1], header[2] or "", header[3] or "utf-8"
            text = Text(place, encoding)
            if kind == "setting":
                settings[place] = text
            elif kind == "file":
                last.files.append(text)
            else:
                found[kind] = last = Example(kind, text)
        elif line and not line.startswith("#"):
            text.lines.append(line)
    return found, settings
