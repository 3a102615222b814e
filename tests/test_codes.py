"""The catalogue of codes is what the sources use and what docs/CODES.md shows. Each code of the language has an example
that gives it and a repair that is clean."""

from __future__ import annotations

import pickle
import re
import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from blurc.codes import CODES, SECTIONS
from blurc.diagnostics import BlurError, BlurWarning, Diagnostic, TooMany
from blurc.spec import RIGHT, WRONG, examples

ROOT = Path(__file__).parents[1]
LANGUAGE = {code for code in CODES if code < "E5" or code.startswith("W5")}


def test_the_catalogue_is_what_the_sources_use() -> None:
    sources = [p for p in (ROOT / "blurc").rglob("*.py") if p.name != "codes.py"]
    used = {code for p in sources for code in re.findall(r'"([EW]\d{3})"', p.read_text(encoding="utf-8"))}
    assert used == set(CODES)


def test_every_code_has_its_section() -> None:
    assert {code[:2] for code in CODES} == set(SECTIONS)


def test_the_page_of_codes_is_up_to_date() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "make_codes.py"))
    page = (ROOT / "docs" / "CODES.md").read_text(encoding="utf-8")
    assert page == made["page"](), "write it anew: python docs/make_codes.py"


def test_every_code_of_the_language_has_an_example() -> None:
    assert set(examples()) == LANGUAGE


@pytest.mark.parametrize("code", sorted(LANGUAGE))
def test_an_example_gives_its_code_alone_and_its_repair_is_clean(code: str) -> None:
    example = examples()[code]
    assert [d.code for d in example.diagnose(WRONG)] == [code]
    assert [d.render() for d in example.diagnose(RIGHT)] == []


def test_errors_and_warnings_go_from_process_to_process() -> None:
    for one in (error := Diagnostic("E901", "wrong"), replace(error, severity="warning")):
        for raised in (BlurError([one, one]), TooMany([one]), BlurWarning(one)):
            again = pickle.loads(pickle.dumps(raised))
            assert str(again) == str(raised)
