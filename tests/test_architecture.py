"""The house: rooms in the order that docs/ARCHITECTURE.md gives, each entered by its face."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "blurc"
MOST_LOCAL = 10
OWNERS = {"lark": {"language"}, "networkx": {"graph", "from_graph"}}
FIRST_WITH_JAX = "runtime"


@dataclass(frozen=True)
class Import:
    """`from MODULE import NAME`; `name` is empty for `import MODULE`."""

    module: str
    name: str
    line: int
    local: bool


@cache
def order() -> list[set[str]]:
    text = (ROOT / "docs/ARCHITECTURE.md").read_text()
    (block,) = re.findall(r"```order\n(.*?)```", text, re.DOTALL)
    return [set(line.split()) for line in block.splitlines()]


def rank(room: str) -> int:
    return next(i for i, rooms in enumerate(order()) if room in rooms)


@cache
def modules() -> dict[str, Path]:
    paths = sorted(PACKAGE.rglob("*.py"))
    return {".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p for p in paths}


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


@cache
def is_face(module: str) -> bool:
    return modules()[module].name == "__init__.py" and "face(__name__)" in modules()[module].read_text()


@cache
def imports(module: str) -> tuple[Import, ...]:
    def visit(node: ast.AST, local: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from (Import(n.name, "", child.lineno, local) for n in child.names)
            elif isinstance(child, ast.ImportFrom) and child.module:
                yield from (Import(child.module, n.name, child.lineno, local) for n in child.names)
            yield from visit(child, local or isinstance(child, ast.FunctionDef))

    return tuple(visit(ast.parse(modules()[module].read_text()), False))


def inside(module: str) -> Iterator[Import]:
    return (i for i in imports(module) if i.module.split(".")[0] == "blurc")


def target(found: Import) -> str:
    """The room that an import is of, or "" for the package itself."""
    return found.name if found.module == "blurc" and rank_or_none(found.name) is not None else room_of(found.module)


def rank_or_none(room: str) -> int | None:
    return next((i for i, rooms in enumerate(order()) if room in rooms), None)


def test_every_room_is_in_the_list() -> None:
    there = {room_of(m) for m in modules()} - {""}
    assert there == set().union(*order())


def test_no_room_imports_a_later_one() -> None:
    wrong = [
        f"{module}:{i.line}: {room}"
        for module in modules()
        for i in inside(module)
        if (room := target(i)) and module != "blurc" and rank(room_of(module)) < rank(room)
    ]
    assert wrong == []


def test_no_room_is_entered_past_its_face() -> None:
    wrong = [
        f"{module}:{i.line}: {i.module}"
        for module in modules()
        for i in inside(module)
        if (room := room_of(i.module)) and room != room_of(module)
        if i.module != f"blurc.{room}" or (i.name and i.name not in promised(room))
    ]
    assert wrong == []


def test_rooms_of_meta_import_those_above_them_in_its_list() -> None:
    text = modules()["blurc.meta"].read_text()
    (names,) = re.findall(r"imports run down this list:\n\n(.*?)internals\.py", text, re.DOTALL)
    rooms = [line.split("/")[0] for line in names.splitlines()]
    found = {(m.split(".")[2], i.module.split(".")[2], m) for m in modules() if m.count(".") > 2 and ".meta." in m
             for i in inside(m) if i.module.startswith("blurc.meta.")}  # fmt: skip
    assert [m for of, room, m in found if rooms.index(of) < rooms.index(room)] == []


def promised(room: str) -> list[str]:
    face = import_module(f"blurc.{room}")
    return getattr(face, "__all__", dir(face))


def test_faces_keep_their_promises() -> None:
    rooms = [m for m in modules() if is_face(m)]
    assert len(rooms) > 10
    for room in rooms:
        face = import_module(room)
        assert sorted(face.__all__) == dir(face), room
        assert [name for name in face.__all__ if not hasattr(face, name)] == [], room


def test_a_name_of_a_face_is_what_it_says_even_where_a_file_is_called_so() -> None:
    script = "import blurc.language.parse, blurc.language; print(type(blurc.language.parse).__name__)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["function"]


def test_no_files_import_each_other_in_a_circle() -> None:
    graph = {m: {resolved(i) for i in inside(m)} - {m} for m in modules() if not is_face(m)}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def resolved(found: Import) -> str:
    """The file that an import is answered from, through faces."""
    whole = f"{found.module}.{found.name}"
    if found.name and is_face(found.module):
        behind = next((i for i in imports(found.module) if i.name == found.name), None)
        if behind and behind.module != found.module:
            return resolved(behind)
    return whole if whole in modules() else found.module


@pytest.mark.parametrize("library", sorted(OWNERS))
def test_a_library_has_one_owner(library: str) -> None:
    users = {room_of(m) for m in modules() if any(i.module.split(".")[0] == library for i in imports(m))}
    assert users == OWNERS[library]


def test_jax_comes_in_with_the_runtime() -> None:
    early = [m for m in modules() if m != "blurc" and rank(room_of(m)) < rank(FIRST_WITH_JAX)]
    assert [m for m in early if any(i.module.split(".")[0] == "jax" for i in imports(m))] == []


def test_few_imports_hide_in_functions() -> None:
    hidden = [f"{m}:{i.line}" for m in modules() for i in inside(m) if i.local]
    assert len(hidden) <= MOST_LOCAL, hidden


def test_the_reference_knows_nothing_of_plans_and_passes() -> None:
    used = {target(i) for m in modules() if room_of(m) == "reference" for i in inside(m)}
    assert used == {"faces", "graph", "language", "model", "reference"}
