"""Experiment files: what a run of meta-learning depends on, as YAML that a person writes.

    name: digits-fast                  # required, as are spec and tasks; all else has a default
    spec: networks/mnist.blur          # found beside this file, else in the library
    network: mnist                     # where the spec has several
    rule: blur_saturated               # another genome than the network uses
    parameters: {k: 4, side: 10}
    start: genomes/x.yaml              # a genome file, found as the spec is; without: fresh random genomes
    tasks:                             # plain names of data, or mappings
    - {data: mnist, crop: 20, resize: 10, classes: [0, 1, 2, 3, 4], augment: {permute_labels: true}}
    inner: {steps: 10, batch: 128, query: 128, judge_every: 5}
    method: {name: gradient, steps: 5000, rate: 5.0e-4}    # or cma, or pes
    curriculum: {add: 5, every: 1000, until: 50}
    replicas: 4
    seed: 0
    evaluation: {steps: [10, 20], seeds: 5, networks: [{spec: networks/mnist.blur}], tasks: [digits]}
    write: runs/digits-fast            # as seen from the working folder

The keys are the fields of the dataclasses in `experiment.py` and `tasks/choice.py`, which say what each means.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass, replace
from pathlib import Path
from typing import Any, cast

import yaml

from blurc.diagnostics import BlurError, Diagnostic, Report, Source, did_you_mean
from blurc.language import resolve_import, specs_path
from blurc.meta.experiment import yaml_shape
from blurc.meta.experiment.experiment import Curriculum, Experiment, Gradient, Network, Pes
from blurc.meta.experiment.yaml_override import Override
from blurc.meta.experiment.yaml_read import Reader
from blurc.storage import Document, compose, read_source
from blurc.tasks import TaskChoice

PINNED = ("write", "hash", "start")  # of a run folder: where it is, and what it keeps copies of
NO_OVERRIDES: Mapping[str, str] = {}


def read(path: str | os.PathLike[str], overrides: Mapping[str, str] = NO_OVERRIDES) -> Experiment:
    """Reads an experiment file; `overrides` are values by dotted path. Raises `BlurError` with all that is wrong."""
    return parse(read_source(path), overrides)


def parse(source: Source, overrides: Mapping[str, str] = NO_OVERRIDES) -> Experiment:
    """The experiment in a text. Other files are looked up beside it: in the folder of the source's name."""
    report = Report()
    document = compose(source, report)
    _check_no_genome(document)
    override = Override(document.root, Experiment, report)
    override.set_all(overrides)
    reader = Reader(document, report, override.sources)
    experiment = reader.read(Experiment, document.root)
    _check(experiment, reader)
    experiment = _Files(Path(source.name), reader).resolved(experiment)
    report.check()
    return experiment


def _check_no_genome(document: Document) -> None:
    """Raises `BlurError` (E605)."""
    root = document.root
    keys = [key.value for key, _ in root.value] if isinstance(root, yaml.MappingNode) else []
    if "values" in keys and "tasks" not in keys:
        file = document.source.name
        message = f"`{file}` is a genome file: `blurc eval {file} --network SPEC --task DATA` measures it"
        raise BlurError(Diagnostic("E605", message, help=f"an experiment may begin there: `start: {file}`"))


# ----------------------------------------------------------------- writing


def dump(experiment: Experiment) -> str:
    """The text of an experiment file with every value in it but empty ones. It reads back equal."""
    return yaml.dump(
        _plain(experiment),
        Dumper=_Dumper,
        sort_keys=False,
        default_flow_style=None,
        allow_unicode=True,
        width=110,
    )


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: Any, text: str) -> yaml.Node:
    """PyYAML folds single quoted texts at the line breaks of Unicode, and loses these."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"')


_Dumper.add_representer(str, _text)


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return dict(_pairs(value))
    if isinstance(value, Mapping):
        return dict(value)
    return [_plain(part) for part in value] if isinstance(value, tuple) else value


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    for name, key in yaml_shape.own_keys(type(value)).items():
        part = getattr(value, name)
        if (type(value), name) in yaml_shape.INLINE:
            yield from _pairs(part)
        elif yaml_shape.variants(key.hint):
            yield name, {yaml_shape.TAG: type(part).__name__.lower(), **_plain(part)}
        elif part != key.fallback or part not in (None, "", (), {}):
            yield name, _plain(part)


def changes(there: str, now: Experiment) -> list[str]:
    """What an experiment says otherwise than the text that `dump` made of another: `method.steps: 10 there, 300 now`.
    Without what a run folder writes down for itself alone."""
    before, after = (dict(_flat(yaml.safe_load(text))) for text in (there, dump(now)))
    return [
        f"{path}: {_said(before, path)} there, {_said(after, path)} now"
        for path in {**after, **before}
        if path not in PINNED and before.get(path) != after.get(path)
    ]


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The values of a YAML tree by their dotted paths; a list of plain values is one of them."""
    if isinstance(value, dict):
        parts = cast("dict[Any, Any]", value).items()
    elif isinstance(value, list) and any(isinstance(v, dict) for v in cast("list[Any]", value)):
        parts = enumerate(cast("list[Any]", value))
    else:
        yield path, value
        return
    for name, part in parts:
        yield from _flat(part, f"{path}.{name}" if path else str(name))


def _said(values: Mapping[str, Any], path: str) -> str:
    return str(values[path]) if path in values else "nothing"


# ------------------------------------------------- what must fit together


def _check(e: Experiment, reader: Reader) -> None:
    _check_method(e, reader)
    if e.inner.judge_every > e.inner.steps:
        message = f"`inner.judge_every` is {e.inner.judge_every}, and an episode has {e.inner.steps} steps"
        _contradiction(reader, message, ("inner.judge_every", "inner.steps"), "0 judges it at its end alone")
    if e.curriculum and e.curriculum.until < e.inner.steps:
        _contradiction(reader, _too_short(e.curriculum, e.inner.steps), ("curriculum.until", "inner.steps"))
    for tasks, path in ((e.tasks, "tasks"), (e.evaluation.tasks, "evaluation.tasks")):
        _check_names(tasks, path, reader)


def _too_short(curriculum: Curriculum, steps: int) -> str:
    return f"the curriculum lengthens episodes until {curriculum.until} steps, and they have {steps} at first"


def _check_method(e: Experiment, reader: Reader) -> None:
    if e.replicas > 1 and not isinstance(e.method, Gradient):
        message = (
            f"{type(e.method).__name__.lower()} searches from one genome, and `replicas` is {e.replicas}"
        )
        help = "leave `replicas` out: `method.population` says how many genomes are tried at once"
        _contradiction(reader, message, ("replicas", "method"), help)
    if e.replicas > 1 and not e.jitter:
        message = f"`jitter` is 0: of {e.replicas} replicas, copies of the best would stay copies"
        _contradiction(reader, message, ("jitter",), "leave it out, or write a little noise, `jitter: 0.01`")
    match e.method:
        case Gradient(objective="accuracy"):
            help = "write `objective: cross_entropy`, or take `name: cma` or `name: pes`, which need values alone"
            _contradiction(reader, "accuracy has no gradient", ("method.objective",), help)
        case Pes(truncation=truncation) if truncation > e.inner.steps:
            message = f"`method.truncation` is {truncation}, and an episode has {e.inner.steps} steps"
            _contradiction(reader, message, ("method.truncation", "inner.steps"))
        case Pes() if e.inner.judge_every:
            message = "pes judges after every `method.truncation` steps, and `inner.judge_every` is given too"
            _contradiction(reader, message, ("inner.judge_every",), "leave `judge_every` out")
        case Pes() if e.curriculum:
            message = "pes has no curriculum: it goes on within an episode, however long that is"
            _contradiction(reader, message, ("curriculum",), "leave `curriculum` out, and give `inner.steps`")
        case _:
            pass


def _check_names(tasks: tuple[TaskChoice, ...], path: str, reader: Reader) -> None:
    names = [task.name or task.data for task in tasks]
    for i, name in enumerate(names):
        if name and name in names[:i]:
            first = names.index(name)
            message = f"two tasks are called `{name}`: {path}.{first} and {path}.{i}"
            _contradiction(reader, message, (f"{path}.{i}",), "give one of them another `name`")


def _contradiction(reader: Reader, message: str, paths: tuple[str, ...], help: str | None = None) -> None:
    """paths: the values that it is about, the one to point at first. Nothing follows from wrong ones."""
    if not any(map(reader.is_wrong, paths)):
        node = next((reader.nodes[p] for p in paths if p in reader.nodes), reader.document.root)
        reader.error("E613", message, node, paths[0], help)


# ------------------------------------------------------------- other files


class _Files:
    """Names of files that mean the same from anywhere: a path from the root, or a name of the library."""

    def __init__(self, beside: Path, reader: Reader) -> None:
        self._beside = beside
        self._reader = reader

    def resolved(self, e: Experiment) -> Experiment:
        at = "evaluation"
        networks = tuple(self._network(n, f"{at}.networks.{i}.") for i, n in enumerate(e.evaluation.networks))
        tasks = tuple(self._task(t, f"{at}.tasks.{i}") for i, t in enumerate(e.evaluation.tasks))
        return replace(
            e,
            network=self._network(e.network, ""),
            start=e.start and self._found(e.start, "start", "E601", ".yaml"),
            tasks=tuple(self._task(t, f"tasks.{i}") for i, t in enumerate(e.tasks)),
            evaluation=replace(e.evaluation, networks=networks, tasks=tasks),
        )

    def _network(self, network: Network, prefix: str) -> Network:
        return replace(network, spec=self._found(network.spec, f"{prefix}spec", "E103", ".blur"))

    def _task(self, task: Any, path: str) -> Any:
        """With its own file of data, if that lies beside the experiment, and the name of that file."""
        if not isinstance(task, TaskChoice):
            return task
        task = replace(task, where=self._reader.span(self._reader.nodes[path]))
        if not task.data.lower().endswith(".npz"):
            return task
        found = self._folder(f"{path}.data") / task.data
        name = task.name or found.stem
        return replace(task, data=str(found.resolve()), name=name) if found.is_file() else task

    def _folder(self, path: str) -> Path:
        """Where to look for what stands at `path`: settings are seen from the working folder."""
        elsewhere = self._reader.nodes.get(path) in self._reader.elsewhere
        return Path() if elsewhere else self._beside.parent

    def _found(self, name: str, path: str, code: str, ending: str) -> str:
        node = self._reader.nodes.get(path)
        if node is None or self._reader.is_wrong(path):
            return name
        folder = self._folder(path)
        found = resolve_import(name, folder / "-")
        if found is None:
            near = did_you_mean(name, _names(folder, ending))
            help = (
                f"did you mean `{near}`?" if near else "it is looked up beside this file, then in the library"
            )
            self._reader.error(code, f"cannot read `{name}`: there is no such file", node, path, help)
        return str(found.resolve()) if found and found == folder / name else name


def _names(folder: Path, ending: str) -> Iterator[str]:
    yield from (p.name for p in sorted(folder.glob(f"*{ending}")))
    library = specs_path()
    yield from (p.relative_to(library).as_posix() for p in sorted(library.rglob(f"*{ending}")))
