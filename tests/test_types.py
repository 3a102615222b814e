"""What a type checker sees of blurc from outside."""

from __future__ import annotations

import importlib.util
import inspect
import json
import re
import subprocess
import sys
import typing
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import blurc
from blurc import genome, meta, tasks

ROOT = Path(__file__).parent.parent
SCRIPTS = [ROOT / "tests/typed_user.py", ROOT / "examples/digits.py"]
FACES = (blurc, genome, tasks, meta)
MEANT = {
    "Readout",  # an array, or a dict of arrays where a network has several outputs
    # The state of an environment is any pytree.
    *(f"Environment.{name}" for name in ("reset.return", "step.state", "step.return")),
    *(f"Variation.{name}" for name in ("begin.return", "move.states", "move.return")),
    "GenomeFile.found",  # whatever YAML has words for, and the caller knows what it wrote
}


def missing(*modules: str) -> list[str]:
    return [name for name in modules if importlib.util.find_spec(name) is None]


@pytest.mark.skipif(bool(missing("pyright", "hatchling")), reason="needs pyright and hatchling")
def test_a_users_script_is_strictly_typed_against_the_wheel(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(tmp_path)]
    subprocess.run([*build, str(ROOT)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    for script in SCRIPTS:
        (tmp_path / script.name).write_text(script.read_text())
    settings = {"include": [script.name for script in SCRIPTS], "extraPaths": ["site"], "typeCheckingMode": "strict"}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "-p", str(tmp_path), "--outputjson", "--pythonpath", sys.executable]
    found = json.loads(subprocess.run(command, capture_output=True, text=True).stdout)
    assert [f"{d['file']}:{d['range']['start']['line'] + 1}: {d['message']}" for d in found["generalDiagnostics"]] == []
    assert found["summary"]["filesAnalyzed"] == len(SCRIPTS)


def test_nothing_public_is_of_any_type() -> None:
    assert {name for face in FACES for name in untyped(face)} == MEANT


def untyped(face: ModuleType) -> Iterator[str]:
    """Public functions, methods and attributes whose annotation is `Any` in some part; aliases by their own name."""
    own = [n for n, v in vars(face).items() if getattr(v, "__module__", "") == face.__name__ and n[0] != "_"]
    for name in getattr(face, "__all__", own):
        value = getattr(face, name)
        if callable(value):
            for where, owner, annotation in annotations(value):
                plain = re.sub(r"(NDArray|floating|integer)\[Any\]", "", annotation)
                aliases = {w for w in re.findall(r"\w+", plain) if is_untyped(owner, w)}
                yield from aliases or ([f"{name}.{where}"] if re.search(r"\bAny\b", plain) else [])


def annotations(value: object) -> Iterator[tuple[str, object, str]]:
    """Where, what it is written in, and the annotation as it is written."""
    for part in value.__mro__ if inspect.isclass(value) else [value]:
        if not getattr(part, "__module__", "").startswith("blurc."):
            continue
        members = {"": part, **{n: m for n, m in vars(part).items() if inspect.isclass(part)}}
        for name, member in members.items():
            if not name.startswith("_"):
                function = getattr(member, "fget", getattr(member, "func", member))
                for where, annotation in getattr(function, "__annotations__", {}).items():
                    if not where.startswith("_"):
                        yield f"{name}.{where}".strip("."), part, str(annotation)


def is_untyped(owner: object, word: str) -> bool:
    value = vars(sys.modules[str(getattr(owner, "__module__", ""))]).get(word)
    return word != "Any" and typing.Any in typing.get_args(value) and not inspect.isclass(value)
