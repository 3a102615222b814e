"""The files that an experiment names, under names that mean the same from anywhere: a path from the root, or a name of
the library."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from blurc import genome, spec
from blurc.diagnostics import BlurError, counted, suggest
from blurc.language import resolve_import, specs_path
from blurc.meta.experiment.experiment import Experiment, MethodChoice, Network, Setting
from blurc.storage import is_inside, records
from blurc.tasks import Named, TaskChoice, named


@dataclass(frozen=True)
class Files:
    """folder: where to look first for what stands at a path of the experiment. typed: whether the user typed it
    himself. A file that another file points at may be anybody's, and is not quoted outside the folder."""

    reader: records.Reader
    folder: Callable[[records.Path], Path]
    typed: Callable[[records.Path], bool]

    def resolved(self, e: Experiment) -> Experiment:
        ev, networks = e.evaluation, ("evaluation", "networks")
        evaluation = replace(
            ev,
            networks=tuple(self._network(n, (*networks, str(i))) for i, n in enumerate(ev.networks)),
            tasks=self._tasks(ev.tasks, ("evaluation", "tasks")),
        )
        return replace(
            e,
            network=self._network(e.network, ()),
            start=e.start and self._found(e.start, ("start",), "E601", ".yaml"),
            method=self._method(e.method),
            tasks=self._tasks(e.tasks, ("tasks",)),
            validation=self._tasks(e.validation, ("validation",)),
            by_task={name: self._setting(one, ("by_task", name)) for name, one in e.by_task.items()},
            evaluation=evaluation,
        )

    def _setting(self, setting: Setting, path: records.Path) -> Setting:
        network = setting.network and self._network(setting.network, (*path, "network"))
        return replace(setting, network=network)

    def _network(self, network: Network, path: records.Path) -> Network:
        return replace(network, spec=self._found(network.spec, (*path, "spec"), "E103", ".blur"))

    def _method(self, method: MethodChoice) -> MethodChoice:
        """With the own objective that lies beside the experiment."""
        path = ("method", "objective")
        found = None if self.reader.is_wrong(path) else self._python(method.objective, path)
        return replace(method, objective=str(found)) if found else method

    def _python(self, text: str, path: records.Path) -> Named | None:
        """A name in a file of Python beside the experiment, which is not run."""
        if not (found := named(text)):
            return None
        file = self.folder(path) / found.path
        if not os.path.isfile(file):
            self.reader.refuse(path, "E814", f"cannot read `{found.path}`: there is no such file")
            return None
        return found._replace(path=str(file.resolve()))

    def _tasks(self, tasks: tuple[TaskChoice, ...], path: records.Path) -> tuple[TaskChoice, ...]:
        return tuple(self._task(task, (*path, str(i), "data")) for i, task in enumerate(tasks))

    def _task(self, task: TaskChoice, path: records.Path) -> TaskChoice:
        """With its own file of data, if that lies beside the experiment, and the name of that file."""
        if self.reader.is_wrong(path):
            return task
        if own := self._python(task.data, path):
            return replace(task, data=str(own), name=task.name or own.name)
        if not task.data.lower().endswith(".npz"):
            return task
        found = self.folder(path) / task.data
        name = task.name or found.stem
        return replace(task, data=str(found.resolve()), name=name) if os.path.isfile(found) else task

    def _found(self, name: str, path: records.Path, code: str, ending: str) -> str:
        if self.reader.is_wrong(path):
            return name
        folder = self.folder(path)
        found = resolve_import(name, folder / "-")
        if found is None:
            places = "it is looked up beside this file, then in the library"
            help = suggest(name, _names(folder, ending), places)
            self.reader.refuse(path, code, f"cannot read `{name}`: there is no such file", help)
        elif not self.typed(path) and not is_inside(found, folder, specs_path()):
            self._check_unquoted(found, path, _spec_mistakes if ending == ".blur" else _genome_mistakes)
        return str(found.resolve()) if found and found == folder / name else name

    def _check_unquoted(self, found: Path, path: records.Path, mistakes: Callable[[Path], tuple[int, str]]) -> None:
        count, how = mistakes(found)
        if count:
            said = f"`{found}` has {counted(count, 'mistake')}"
            self.reader.refuse(path, "E605", f"{said}, not shown here: it is outside the experiment's folder", how)


def _spec_mistakes(file: Path) -> tuple[int, str]:
    """How many there are, and how to see them."""
    return sum(d.severity == "error" for d in spec.check(file)), f"`blurc check {file}` shows what is wrong"


def _genome_mistakes(file: Path) -> tuple[int, str]:
    try:
        genome.read(file)
    except BlurError as error:
        return len(error.diagnostics), f"in Python, `blurc.genome.read({str(file)!r})` shows what is wrong"
    return 0, ""


def _names(folder: Path, ending: str) -> Iterator[str]:
    yield from (p.name for p in sorted(folder.glob(f"*{ending}")))
    library = specs_path()
    yield from (p.relative_to(library).as_posix() for p in sorted(library.rglob(f"*{ending}")))
