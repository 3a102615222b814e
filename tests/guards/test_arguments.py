"""Everything public, called with wrong values at every argument: the answer is a diagnostic, or names the argument."""

from __future__ import annotations

import copy
import io
import json
import math
import pickle
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

import jax
import networkx as nx
import numpy as np
import pytest

import blurc
from blurc import genome, meta, tasks
from blurc.guards import typed

# A genome read with a strange hash says so: that is not what is tested here.
pytestmark = pytest.mark.filterwarnings("ignore::blurc.diagnostics.BlurWarning")

SPEC = "networks/xor.blur"
ZOO: dict[str, Any] = {
    "None": None,
    "3": 3,
    "-1": -1,
    "1.5": 1.5,
    "nan": math.nan,
    "10**30": 10**30,
    "True": True,
    "empty": "",
    "root": "/",
    "NUL": "a\0b",
    "surrogate": "\ud800",
    "bytes": b"x",
    "[]": [],
    "['a']": ["a"],
    "{}": {},
    "{3: 4}": {3: 4},
    "object": object(),
    "class": int,
    "file": io.BytesIO(b"PK"),
    "wrong shape": np.zeros((2, 3, 5)),
    "texts": np.array(["a", "b"]),
    "objects": np.array([None, {}], dtype=object),
    "complex": np.ones(2, complex),
}


class World:
    """One of everything, small."""

    def __init__(self, folder: Path):
        self.net = blurc.compile(SPEC, hidden=2)
        self.key = jax.random.key(0)
        self.genome = self.net.init_genome(self.key)
        self.file = genome.describe(self.net, self.genome)
        self.folder = folder
        self.net.save(folder / "a.blurx", self.genome)
        genome.write(folder / "g.yaml", self.file)
        self.loaded = blurc.load(folder / "a.blurx")
        self.data = tasks.load("xor")
        self.task = tasks.task(tasks.TaskChoice("xor"))
        (folder / "e.yaml").write_text(f"name: e\nspec: {SPEC}\nrule: blur\ntasks: [xor]\nmethod: {{steps: 1}}\n")
        self.experiment = meta.read(folder / "e.yaml")
        self.graph = nx.DiGraph([(0, 1), (1, 2)])

    @property
    def state(self) -> blurc.State:
        """A new one each time: it may be donated."""
        return self.net.init(self.key, self.genome)

    def calls(self) -> Iterator[tuple[Callable[..., Any], dict[str, Any]]]:
        """Functions with arguments that fit."""
        path, folder = self.folder / "a.blurx", self.folder
        yield blurc.check, {"spec": SPEC}
        yield blurc.compile, {"spec": SPEC, "network": "xor", "genome": "backprop", "check_finite": False}
        yield blurc.load, {"path": path, "check_finite": False}
        graph = {"network": "n", "inputs": [0], "outputs": [2], "orient": "both", "delay": 1, "check_finite": False}
        yield blurc.from_networkx, {"graph": self.graph, "genome": "backprop", **graph}
        for net in (self.net, self.loaded):
            yield from self.of_net(net)
        yield self.net.save, {"path": folder / "b.blurx", "genome": None, "platforms": ()}
        yield genome.read, {"path": folder / "g.yaml"}
        yield genome.parse, {"source": None}
        yield genome.write, {"path": folder / "h.yaml", "genome": self.file}
        yield genome.dump, {"genome": self.file}
        yield genome.rounded, {"genome": self.file, "dtype": "float64"}
        yield genome.named, {"values": self.genome}
        yield genome.check_rule, {"genome": self.file, "model": self.net.model, "sources": self.net.sources}
        yield genome.compare_rule, {"genome": self.file, "rule": "backprop", "hash": ""}
        yield genome.specs, {"path": "g.yaml", "genome": self.file}
        yield genome.describe, {"net": self.net, "values": self.genome, "name": "", "found": {}}
        load = {"name_or_path": "xor", "data_dir": folder, "download": False, "time": False, "inputs": 2}
        yield tasks.load, load
        yield tasks.batches, {"dataset": self.data, "batch": 2, "steps": 2, "seed": 0}
        yield tasks.stream, {"dataset": self.data, "batch": 2, "chunk": 2, "seed": 0, "first": 0}
        yield tasks.task, {"choice": tasks.TaskChoice("xor"), "data_dir": folder, "tasks": {}}
        yield self.task.episode, {"key": self.key, "steps": 2, "batch": 2, "query": 2, "test": False}
        yield meta.read, {"path": folder / "e.yaml", "overrides": {}}
        yield meta.dump, {"experiment": self.experiment}
        run = {"experiment": None, "folder": folder / "run", "resume": False, "data_dir": None, "watch": None}
        yield meta.run, {**run, "tasks": {}, "processes": None}
        yield meta.finish, {"folder": folder / "none", "data_dir": None, "watch": print, "tasks": {}}
        yield meta.replay, {"folder": folder / "none", "number": 0, "data_dir": None, "tasks": {}}

    def of_net(self, net: Any) -> Iterator[tuple[Callable[..., Any], dict[str, Any]]]:
        common = {"genome": self.genome, "state": self.state}
        x, y = np.zeros((2, 3, 2), np.float32), np.zeros((2, 3, 2), np.float32)
        one = {"x": x[0], "signals": None, "key": None}
        yield net.init_genome, {"key": self.key}
        yield net.init, {"key": self.key, "genome": self.genome, "batch": 3}
        yield net.step, {**common, **one, "y": y[0]}
        yield net.predict, {**common, **one}
        switches = {"signals": None, "key": None, "reset": None, "donate": False, "recompute": False}
        yield net.train, {**common, "xs": x, "ys": y, **switches}
        if net is self.net:
            yield net.trace, {**common, **one, "y": y[0]}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("world"))


def answer(call: Callable[[], Any]) -> Exception | None:
    try:
        call()
    except Exception as error:
        return error
    return None


def is_ours(error: Exception | None, *starts: str) -> bool:
    """A diagnostic, or an error that begins with the name of the argument. A call may also accept the value."""
    if error is None or isinstance(error, blurc.BlurError):
        return True
    return type(error) in (TypeError, ValueError) and str(error).startswith(starts)


@pytest.mark.parametrize("wrong", ZOO.values(), ids=ZOO)
def test_a_wrong_argument_is_answered_by_name(
    world: World, wrong: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for function, right in world.calls():
        for name in right:
            needless = ("`source`", "`experiment`")  # this argument is wrong already
            error = answer(lambda f=function, args={**right, name: wrong}: f(**args))
            assert is_ours(error, f"`{name}", *needless), f"{function} {name}: {error!r}"


def test_every_argument_of_the_surface_is_among_the_calls(world: World) -> None:
    for function, right in world.calls():
        known = {p.name for p in signature(function).parameters.values() if p.kind is not Parameter.VAR_KEYWORD}
        assert set(right) == known, function


FIELDS = [
    (tasks.TaskChoice("xor"), "choice", tasks.task),
    (tasks.Augment(), "choice.augment", lambda a: tasks.task(tasks.TaskChoice("xor", augment=a))),
    (genome.GenomeFile("a", "b", {}), "genome", genome.dump),
]


@pytest.mark.parametrize(("record", "called", "function"), FIELDS, ids=lambda v: type(v).__name__)
@pytest.mark.parametrize("wrong", ZOO.values(), ids=ZOO)
def test_a_wrong_field_is_answered_by_name(record: Any, called: str, function: Any, wrong: Any) -> None:
    for name in vars(record):
        changed = copy.copy(record)
        object.__setattr__(changed, name, wrong)
        error = answer(lambda value=changed: function(value))
        assert is_ours(error, f"`{called}.{name}"), f"{name}: {error!r}"


@pytest.mark.parametrize("wrong", ZOO.values(), ids=ZOO)
def test_an_experiment_made_in_python_is_checked_like_a_file(world: World, wrong: Any) -> None:
    for name in vars(world.experiment):
        changed = copy.copy(world.experiment)
        object.__setattr__(changed, name, wrong)
        error = answer(lambda value=changed: meta.dump(value))
        assert is_ours(error, f"`experiment.{name}"), f"{name}: {error!r}"


# ------------------------------------------------------------ the decorator


@typed
def many(a: int, b: Mapping[str, Sequence[float]] | None = None, *, c: tuple[int, str] = (1, "a")) -> int:
    return a


@pytest.mark.parametrize(
    ("args", "kwargs", "said"),
    [
        ((1.5,), {}, "`a` must be a whole number, found `1.5`"),
        ((True,), {}, "`a` must be a whole number, found `True`"),
        ((1, 2), {}, "`b` must be a mapping or None, found `2`"),
        ((1, {"x": 3}), {}, "`b['x']` must be a list, found `3`"),
        ((1, {"x": [1.0, "y"]}), {}, "`b['x'][1]` must be a number, found `'y'`"),
        ((1,), {"c": (1, 2)}, "`c[1]` must be a text, found `2`"),
        ((1,), {"c": "x" * 100}, "`c` must be a list, found a value of the type `str`"),
    ],
)
def test_a_message_names_the_argument_and_the_part(args: Any, kwargs: Any, said: str) -> None:
    with pytest.raises(TypeError) as error:
        many(*args, **kwargs)
    assert str(error.value) == said


def test_what_is_given_by_name_is_said_where_too_much_is_given_by_position(world: World) -> None:
    net, start = world.net, (world.genome, world.state)
    with pytest.raises(TypeError) as error:
        net.train(*start, 1.0, 1.0, 1.0)  # pyright: ignore[reportCallIssue]
    assert str(error.value) == (
        "`train` takes 4 arguments by position (genome, state, xs, ys), found 5; give the others by name: `signals=`, "
        "`key=`, `reset=`, `donate=`, `recompute=`"
    )
    with pytest.raises(TypeError, match="found 4; give the others by name: `c=`"):
        many(1, None, (1, "a"), 4)  # pyright: ignore[reportCallIssue]


def test_what_fits_goes_through() -> None:
    some: Any = np.int64(3), {"x": [1, np.float32(2)]}
    assert many(*some, c=(1, "b")) == 3
    with pytest.raises(TypeError, match="missing 1 required"):
        many()  # pyright: ignore[reportCallIssue]


# ------------------------------------------------- copies, pickles, donations


@pytest.mark.parametrize("kept", ["net", "loaded", "state", "genome", "file", "task", "experiment", "data"])
@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_what_is_public_can_be_copied_and_pickled(world: World, kept: str, way: Any) -> None:
    world.net.predict(world.genome, world.state, np.zeros((1, 2)))  # compiled: not to be pickled
    assert world.net.graph
    again = way(getattr(world, kept))
    assert type(again) is type(getattr(world, kept))
    x = np.ones((1, 2), np.float32)
    if kept in ("net", "loaded"):
        expected = world.net.predict(world.genome, world.state, x)
        assert np.array_equal(again.predict(world.genome, world.state, x), expected)


def test_a_state_that_was_donated_is_named(world: World) -> None:
    state = world.net.init(world.key, world.genome)
    xs = np.zeros((2, 3, 2), np.float32)
    world.net.train(world.genome, state, xs, xs, donate=True)
    for net in (world.net, world.loaded):
        for call in (lambda n=net: n.predict(world.genome, state, xs[0]), lambda n=net: n.step({}, state, xs[0])):
            with pytest.raises(blurc.BlurError) as error:
                call()
            assert error.value.diagnostics[0].code in ("E902", "E904")
    with pytest.raises(blurc.BlurError, match="donate=True"):
        world.net.train(world.genome, state, xs, xs)


def places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inside = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, part in inside:
        yield (*path, key)
        yield from places(part, (*path, key))


def test_a_manifest_without_a_key_is_refused(world: World, tmp_path: Path) -> None:
    with zipfile.ZipFile(world.folder / "a.blurx") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(members["manifest.json"])
    for path in places(manifest):
        tree = copy.deepcopy(manifest)
        inner = tree
        for key in path[:-1]:
            inner = inner[key]
        del inner[path[-1]]
        with zipfile.ZipFile(tmp_path / "b.blurx", "w") as archive:
            for name, data in (members | {"manifest.json": json.dumps(tree)}).items():
                archive.writestr(name, data)
        error = answer(lambda: blurc.load(tmp_path / "b.blurx"))
        found = error.diagnostics[0].code if isinstance(error, blurc.BlurError) else error
        path = path[:2]
        needless = path[0] in ("parameters", "sources", "platforms")
        needless |= path == ("signature", "projections")
        assert found in ("E705", "E706", "E707", "E708", "E709", "E710", None if needless else ""), path
