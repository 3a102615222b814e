"""The one-way street of DESIGN section 6: who may import whom, and what stays out of a fast `blurc check`."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "blurc"

# From the waist to both ends. A module imports only from its own layer and those before it.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("diagnostics", "codes"),
    ("functions",),
    ("syntax", "topology"),
    ("model",),
    ("plan",),
)

FRONT = (
    "syntax",
    "outline",
    "mistakes",
    "recover",
    "parse",
    "unparse",
    "library",
    "checker",
    "graph",
    "passes",
    "compiler",
    "show",
    "sources",
    "validate",
    "select",
    "from_graph",
)
BACK = ("kernels", "lower", "initial", "passed", "boundary", "program", "artifact")
LIBRARY_OWNERS = {"lark": {"parse"}, "networkx": {"graph"}}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def name(path: Path) -> str:
    """The first part of the module's name below the package."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path, *, lazy: bool) -> set[str]:
    """The dotted modules that a file imports; with `lazy`, also inside functions. Typing-only ones do not count."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            match child:
                case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                    continue
                case ast.FunctionDef() if not lazy:
                    continue
                case ast.Import(names=names):
                    found.update(n.name for n in names)
                case ast.ImportFrom(module=module, names=names) if module:
                    found.add(module)
                    found.update(f"{module}.{n.name}" for n in names)
                case _:
                    pass
            visit(child)

    visit(ast.parse(path.read_text()))
    return found


def outside(path: Path, *, lazy: bool) -> set[str]:
    return {i.split(".")[0] for i in imports(path, lazy=lazy)}


def inside(path: Path, *, lazy: bool) -> set[str]:
    return {i.split(".")[1] for i in imports(path, lazy=lazy) if i.startswith("blurc.")}


@pytest.mark.parametrize("library", sorted(LIBRARY_OWNERS))
def test_a_library_has_one_owner(library: str) -> None:
    users = {name(p) for p in modules() if library in outside(p, lazy=True)}
    assert users == LIBRARY_OWNERS[library]


def test_the_front_half_never_imports_jax() -> None:
    assert [p for p in modules() if name(p) in FRONT and "jax" in outside(p, lazy=True)] == []


def test_the_front_half_never_imports_the_back() -> None:
    assert [p for p in modules() if name(p) in FRONT and inside(p, lazy=True) & set(BACK)] == []


def test_the_back_half_imports_no_front_stage_when_loaded() -> None:
    front = set(FRONT) - {"syntax"}
    assert [p for p in modules() if name(p) in BACK and inside(p, lazy=False) & front] == []


@pytest.mark.parametrize("layer", range(len(LAYERS)))
def test_the_types_between_stages_import_one_way(layer: int) -> None:
    before = {m for names in LAYERS[: layer + 1] for m in names}
    for module in LAYERS[layer]:
        assert inside(PACKAGE / f"{module}.py", lazy=True) <= before, module


def test_the_reference_knows_nothing_of_plans_and_passes() -> None:
    allowed = {"model", "graph", "functions", "topology", "sites", "reference"}
    assert [p for p in modules() if name(p) == "reference" and not inside(p, lazy=True) <= allowed] == []


def test_checking_imports_no_jax() -> None:
    script = "import sys, blurc.compiler as c; c.check('networks/digits.blur'); print('jax' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.split()[0] == "False"
