"""Parses `--task mnist:crop=20,resize=10`, for every command that takes tasks.

After the data and a colon come fields of `TaskChoice` and `Augment`; fields added there work here. A flag needs no
value (`digits:permute_labels`); classes are written `0-4` or `1+3+5`, other lists `reward+done`. `weight`, how often a
task is drawn among others, makes no sense here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, make_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin

import click

from blurc import tasks
from blurc.diagnostics import BlurError, Report, Source, Span, in_order
from blurc.storage import limits, records
from blurc.tasks import GYMNAX, Augment, TaskChoice

CODE = "E721"
WITHOUT = ("data", "weight", "augment", "hash", "parameters")
OF_OWN = ("name", "observe", "act")  # besides augmentation; all else is a parameter of what the user's file has
CLASSES = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?")

METAVAR = "DATA[:k=v,..]"
HELP = (
    "A data set, omniglot, a 2-D function such as moons, FILE.npz, or a task of your own, FILE.py:NAME. With "
    "preprocessing: mnist:crop=20,resize=10 "
    "or digits:classes=0-4,permute_inputs. For a network with more outputs than classes: moons:outputs=5. With the "
    "arguments of a class of your own: FILE.py:NAME:length=3."
)
tasks_option = click.option(
    "--task",
    "tasks",
    multiple=True,
    metavar=METAVAR,
    help=f"{HELP} Or an environment such as maze, or recorded activity, FILE.npz:record=h. May be repeated.",
)
task_option = click.option("--task", required=True, metavar=METAVAR, help=HELP)
data_dir_option = click.option(
    "--data-dir", type=click.Path(path_type=Path), help="The folder with the files of image data sets."
)


def choices(texts: tuple[str, ...]) -> tuple[TaskChoice, ...]:
    """Parses several tasks. Raises `BlurError` (E721) with all errors in them."""
    reports = [Report() for _ in texts]
    found = tuple(_Text(report, Source("--task", text)).choice() for text, report in zip(texts, reports, strict=True))
    if wrong := [d for report in reports for d in in_order(report.errors)]:
        raise BlurError(wrong)
    return found


def parse(text: str) -> TaskChoice:
    """Parses one task, named after its text unless it sets a name. Raises `BlurError` (E721)."""
    return choices((text,))[0]


OWN, AUGMENT = (
    {name: key for name, key in records.keys(cls).items() if name not in WITHOUT} for cls in (TaskChoice, Augment)
)
FLAGS = {None: True, "yes": True, "true": True, "no": False, "false": False}
EXAMPLES: Mapping[Any, str] = {int: "=10", float: "=0.5", str: "=mine", tuple: "=0-4, or classes=1+3+5"}


def fields(data: str) -> Mapping[str, records.Key]:
    """What may follow the colon: those of a family of tasks are its parameters."""
    if tasks.named(data):
        return {name: OWN[name] for name in OF_OWN} | AUGMENT
    family = tasks.WITH_PARAMETERS.get(data)
    return OWN | AUGMENT | (dict(records.keys(family)) if family else {})


@dataclass
class _Text(records.Front):
    """Leaves are the texts after `=`; None if there is no `=`."""

    source: Source
    _spans: dict[str, tuple[Span, Span]] = field(default_factory=dict[str, tuple[Span, Span]])  # name, whole

    def choice(self) -> TaskChoice:
        text = self.source.text
        data, rest = _parted(text)
        if not data:
            whole = Span(self.source, 0, len(text))
            self._wrong("a task starts with its data", whole, "write `mnist`, or `mnist:crop=20`")
        tree = self._tree(rest, len(data) + 1) if rest else {}
        known = fields(data)
        mine = {name: _value(tree.pop(name)) for name in [*tree] if name not in known} if tasks.named(data) else {}
        form = make_dataclass("Written", [(k.name, k.hint, field(default=k.fallback)) for k in known.values()])
        values = vars(records.Reader("a task", self).read(form, tree))
        augment = Augment(**{name: values[name] for name in AUGMENT})
        own: dict[str, Any] = {name: values[name] for name in OWN if name in known}
        own |= {"data": data, "name": own["name"] or text, "augment": augment, "where": Span(self.source, 0, len(text))}
        own["parameters"] = mine | {name: values[name] for name in tree if name in known and name not in OWN | AUGMENT}
        return TaskChoice(**own)

    def _tree(self, rest: str, start: int) -> dict[str, Any]:
        tree: dict[str, Any] = {}
        for part in rest.split(","):
            name, equals, written = part.partition("=")
            whole = Span(self.source, start, start + len(part))
            start += len(part) + 1
            if name in tree:
                self._wrong(f"`{name}` is set twice", whole, "set it once")
            self._spans[name] = Span(self.source, whole.start, whole.start + len(name)), whole
            tree[name] = written if equals else None
            if name in OWN and get_origin(records.bare(OWN[name].hint)) is tuple:
                tree[name] = (written.split("+") if written and _are_words(name) else _labels(written)) or tree[name]
        return tree

    def _wrong(self, message: str, span: Span, help: str | None) -> None:
        self.report.error(CODE, message, span, help=help)

    def tell(self, problem: records.Problem) -> None:
        name, whole = self._spans[problem.path[0]]
        self._wrong(problem.message, name if problem.at_key else whole, problem.help)

    def read(self, kind: Any, leaf: Any) -> Any:
        if kind is bool:
            return FLAGS.get(leaf)
        if kind is int and isinstance(leaf, str):
            return int(leaf) if re.fullmatch(r"-?\d{1,18}", leaf, re.ASCII) else None
        if kind is float:
            try:
                leaf = float(leaf or "")
            except ValueError:
                return None
            return leaf if math.isfinite(leaf) else None
        return None if leaf in (None, "") else leaf

    def shown(self, path: records.Path, value: Any) -> str:
        return "nothing" if value is None else f"`{value}`"

    def help(self, path: records.Path, kind: Any, value: Any) -> str | None:
        return f"write {example(path[0], self.source.text.partition(':')[0])}"


def _value(written: str | None) -> bool | int | float | str:
    """Of a parameter, whose type only the user's file knows."""
    if written in FLAGS:
        return FLAGS[written]
    for kind in (int, float):
        try:
            return kind(written or "")
        except ValueError:
            pass
    return written or ""


def _parted(text: str) -> tuple[str, str]:
    """The data and the rest. Data of gymnax and `waves.py:Waves` have a colon of their own."""
    data, _, rest = text.partition(":")
    if data.endswith(".py") or text.startswith(GYMNAX):
        name, _, rest = rest.partition(":")
        data = f"{data}:{name}"
    return data, rest


def example(name: str, data: str = "") -> str:
    """A field of a task as it may be written."""
    hint = fields(data)[name].hint
    if _are_words(name):
        return f"{name}={'+'.join(_words(name) or ('h', 'y'))}"
    if choices := _choices(hint):
        return f"{name}={choices[-1]}"
    kind = records.bare(hint)
    return f"{name}{EXAMPLES.get(get_origin(kind) or kind, '')}"


def _choices(hint: Any) -> tuple[str, ...]:
    return next((part.choices for part in get_args(hint) if isinstance(part, limits.Limit)), ())


def _entries(name: str) -> Any:
    """The hint of the entries of a field, if it is a list."""
    hint = records.bare(OWN[name].hint) if name in OWN else None
    return get_args(hint)[0] if get_origin(hint) is tuple else None


def _are_words(name: str) -> bool:
    return records.bare(_entries(name)) is str


def _words(name: str) -> tuple[str, ...]:
    """What the entries of a field may be that is a list of words; empty if they may be any."""
    return _choices(_entries(name))


def _labels(text: str) -> list[int]:
    """The labels of a text such as `0-4+7`; empty if it is not a list of labels."""
    ranges = [CLASSES.fullmatch(part) for part in text.split("+")]
    found = [range(int(r[1]), int(r[2] or r[1]) + 1) for r in ranges if r]
    return [n for labels in found for n in labels] if len(found) == len(ranges) else []
