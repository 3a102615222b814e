"""`--task mnist:crop=20,resize=10`: the text of a task, for every command that takes tasks.

Behind the data and a colon stand the fields of a `TaskChoice` and of its `Augment`, whatever these are: a field that is
added there can be written here. A flag needs no value (`digits:permute_labels`), classes are written `0-4` or `1+3+5`.
`weight` is left out, for it says how often a task is drawn beside others.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

import click

from blurc.diagnostics import BlurError, Report, Source, Span, did_you_mean, in_order
from blurc.tasks import Augment, TaskChoice

CODE = "E721"
WITHOUT = ("data", "weight", "augment")
CLASSES = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?")

METAVAR = "DATA[:k=v,..]"
HELP = (
    "A data set, omniglot, a 2-D function such as moons, or FILE.npz; with preprocessing, mnist:crop=20,resize=10 "
    "or digits:classes=0-4,permute_inputs; for a network with more outputs than classes, moons:outputs=5."
)
tasks_option = click.option(
    "--task", "tasks", multiple=True, metavar=METAVAR, help=f"{HELP} May be given several times."
)
task_option = click.option("--task", required=True, metavar=METAVAR, help=HELP)
data_dir_option = click.option(
    "--data-dir", type=click.Path(path_type=Path), help="Where the files of image sets are."
)


def choices(texts: tuple[str, ...]) -> tuple[TaskChoice, ...]:
    """The tasks that the texts name. Raises `BlurError` (E721) with all that is wrong with them."""
    reports = [Report() for _ in texts]
    found = tuple(
        _Text(Source("--task", text), report).choice() for text, report in zip(texts, reports, strict=True)
    )
    if wrong := [d for report in reports for d in in_order(report.errors)]:
        raise BlurError(wrong)
    return found


def parse(text: str) -> TaskChoice:
    """One of them. Its name is the text, unless it says another. Raises `BlurError` (E721)."""
    return choices((text,))[0]


# ---------------------------------------------------------------- kinds of values


def _flag(text: str | None) -> bool | None:
    return {None: True, "yes": True, "true": True, "no": False, "false": False}.get(text)


def _whole(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"\d{1,9}", text) else None


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _labels(text: str | None) -> tuple[int, ...] | None:
    labels: list[int] = []
    for part in (text or "").split("+"):
        found = CLASSES.fullmatch(part)
        if not found:
            return None
        first, last = int(found[1]), int(found[2] or found[1])
        labels += range(first, last + 1)
    return tuple(labels) or None


@dataclass(frozen=True)
class _Kind:
    expected: str
    example: str
    read: Callable[[str | None], Any]  # None where it is none; a flag may stand without a text


KINDS: Mapping[Any, _Kind] = {
    bool: _Kind("yes or no", "", _flag),
    int: _Kind("a whole number", "=10", _whole),
    float: _Kind("a number", "=0.5", _number),
    str: _Kind("a text", "=mine", lambda text: text or None),
    tuple[int, ...]: _Kind("a list of labels", "=0-4, or classes=1+3+5", _labels),
}


def _kinds(cls: type) -> dict[str, _Kind]:
    hints = get_type_hints(cls)
    own = [f.name for f in fields(cls) if f.name not in WITHOUT and f.metadata.get("key", True)]
    return {name: KINDS[hints[name]] for name in own}


# ---------------------------------------------------------------- one text


@dataclass(frozen=True)
class _Text:
    source: Source
    report: Report

    def choice(self) -> TaskChoice:
        text = self.source.text
        data, _, rest = text.partition(":")
        if not data:
            self._wrong("a task names its data first", 0, len(text), "write `mnist`, or `mnist:crop=20`")
        own, augment = _kinds(TaskChoice), _kinds(Augment)
        values = dict(self._settings(rest, len(data) + 1, {**own, **augment})) if rest else {}
        changed = Augment(**{name: value for name, value in values.items() if name in augment})
        chosen = {name: value for name, value in values.items() if name in own}
        fields: dict[str, Any] = {"data": data, "name": text, "augment": changed, **chosen}
        return TaskChoice(**fields)

    def _settings(self, rest: str, start: int, kinds: Mapping[str, _Kind]) -> Iterator[tuple[str, Any]]:
        seen: set[str] = set()
        for part in rest.split(","):
            if found := self._setting(part, start, kinds):
                if found[0] in seen:
                    self._wrong(f"`{found[0]}` is set twice", start, len(part), "set it once")
                seen.add(found[0])
                yield found
            start += len(part) + 1

    def _setting(self, part: str, start: int, kinds: Mapping[str, _Kind]) -> tuple[str, Any] | None:
        name, equals, written = part.partition("=")
        if name not in kinds:
            near = did_you_mean(name, kinds)
            help = f"did you mean `{near}`?" if near else f"a task has {', '.join(kinds)}"
            self._wrong(f"a task has no `{name}`", start, len(name), help)
            return None
        kind = kinds[name]
        value = kind.read(written if equals else None)
        if value is None:
            found = f"`{written}`" if equals else "nothing"
            self._wrong(
                f"`{name}` is {kind.expected}, found {found}", start, len(part), f"write {name}{kind.example}"
            )
            return None
        return name, value

    def _wrong(self, message: str, start: int, size: int, help: str) -> None:
        span = Span(self.source, start, start + size)
        self.report.error(CODE, message, span, help=help)
