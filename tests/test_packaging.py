"""The wheel, as it is installed by those who have no clone."""

from __future__ import annotations

import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    (path,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("wheel")), versions=["standard"])
    return zipfile.ZipFile(path)


def test_the_wheel_says_that_the_package_is_typed(wheel: zipfile.ZipFile) -> None:
    assert "blurc/py.typed" in wheel.namelist()


def test_the_wheel_has_the_grammar_and_the_whole_library(wheel: zipfile.ZipFile) -> None:
    library = {f"blurc/{p.relative_to(ROOT)}" for p in (ROOT / "specs").rglob("*") if p.is_file()}
    assert len(library) > 40
    assert library | {"blurc/grammar/blur.lark"} <= set(wheel.namelist())


def test_the_wheel_has_what_init_writes(wheel: zipfile.ZipFile) -> None:
    starter = {f"blurc/{p.relative_to(ROOT)}" for p in (ROOT / "starter").iterdir()}
    assert len(starter) == 4
    assert starter <= set(wheel.namelist())


def test_the_wheel_names_its_authors_and_the_pythons_it_is_tested_on(wheel: zipfile.ZipFile) -> None:
    (name,) = (n for n in wheel.namelist() if n.endswith("/METADATA"))
    metadata = message_from_bytes(wheel.read(name))
    pythons = {c.rpartition(" ")[2] for c in metadata.get_all("Classifier", []) if ":: Python :: 3." in c}
    workflow = (ROOT / ".github/workflows/ci.yml").read_text()
    assert metadata["Author"] == "blurc authors"
    assert pythons
    assert {python for python in pythons if f'"{python}"' not in workflow} == set()
