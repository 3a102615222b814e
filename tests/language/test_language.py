"""The manual, LANGUAGE.md, says what is so: every example is compiled, and every wrong one gives its code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from blurc.diagnostics import Diagnostic, Report, Source
from blurc.language import functions
from blurc.language.parse import parse
from blurc.language.unparse import unparse
from blurc.plan import plan_of
from blurc.spec import check, select_model

ROOT = Path(__file__).parents[2]
MANUAL = (ROOT / "grammar" / "LANGUAGE.md").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Example:
    """A fenced block: ```blur [wrong CODE] [context]."""

    line: int
    code: str | None
    context: str
    text: str

    @property
    def name(self) -> str:
        return f"line {self.line} {self.context} {self.code or ''}".strip()


def examples() -> list[Example]:
    found: list[Example] = []
    for block in re.finditer(r"^```blur(?: wrong (\w+))?(?: (\w+))?\n(.*?)^```$", MANUAL, re.M | re.S):
        line = MANUAL.count("\n", 0, block.start()) + 1
        found.append(Example(line, block[1], block[2] or "file", block[3]))
    return found


ALL = examples()
# Files that examples read: ```csv wiring.csv
FILES: dict[str, str] = dict(re.findall(r"^```\w+ (\w+\.\w+)\n(.*?)^```$", MANUAL, re.M | re.S))
(SETTING,) = (e.text for e in ALL if e.context == "setting")
RIGHT = [e for e in ALL if e.code is None]
WRONG = [e for e in ALL if e.code is not None]


def whole(e: Example) -> str:
    """The file that an example stands for."""
    match e.context:
        case "file" | "setting":
            return e.text
        case "genome":
            return f"genome g {{\n{e.text}{'' if 'readout' in e.text else 'readout 0'}\n}}"
        case "network":
            return f"network n {{\n{'' if 'input ' in e.text else setting_wiring()}{e.text}\n}}"
        case "phase":
            return SETTING.replace("  readout act", f"{e.text}  readout act", 1)
        case other:
            raise AssertionError(f"{e.name}: no such context as {other}")


def setting_wiring() -> str:
    body = SETTING[SETTING.index("network wiring") :]
    return body[body.index("{") + 1 : body.rindex("}")].replace("[size]", "[4]")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("manual")
    for name, text in FILES.items():
        (found / name).write_text(text)
    return found


@pytest.fixture(autouse=True)
def beside_the_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def errors(found: list[Diagnostic]) -> list[str]:
    return [d.render() for d in found if d.severity == "error"]


@pytest.mark.parametrize("e", RIGHT, ids=lambda e: e.name)
def test_an_example_has_no_errors(e: Example) -> None:
    assert errors(check(whole(e))) == []


@pytest.mark.parametrize("e", [e for e in RIGHT if e.context == "file"], ids=lambda e: e.name)
def test_a_complete_example_has_no_warnings_either(e: Example) -> None:
    assert check(whole(e)) == []


@pytest.mark.parametrize("e", [e for e in RIGHT if e.context in ("file", "setting", "phase")], ids=lambda e: e.name)
def test_an_example_with_a_network_has_a_plan(e: Example) -> None:
    plan = plan_of(select_model(whole(e)))
    assert plan.step.ops


@pytest.mark.parametrize("e", RIGHT, ids=lambda e: e.name)
def test_an_example_means_the_same_when_it_is_printed(e: Example) -> None:
    tree = parse(Source("example", whole(e)), Report())
    assert parse(Source("printed", unparse(tree)), Report()) == tree


@pytest.mark.parametrize("e", WRONG, ids=lambda e: e.name)
def test_a_wrong_example_gives_its_code_alone(e: Example) -> None:
    assert [d.code for d in check(whole(e)) if d.severity == "error"] == [e.code]


def test_every_fence_is_understood() -> None:
    assert len(re.findall(r"^```blur", MANUAL, re.M)) == len(ALL)


def test_every_function_is_in_the_manual() -> None:
    table = MANUAL[MANUAL.index("## Functions") : MANUAL.index("## Separability")]
    words = set(re.findall(r"\w+", table))
    assert {*functions.ELEMENTWISE, *functions.POPULATION, *functions.PROJECTION, *functions.STATISTICS} <= words


def test_every_keyword_is_in_the_manual() -> None:
    grammar = (ROOT / "grammar" / "blur.lark").read_text(encoding="utf-8")
    keywords = re.findall(r'^[A-Z]+: "(\w+)"$', grammar, re.M)
    assert [word for word in keywords if f"`{word}" not in MANUAL and f"{word} " not in MANUAL] == []
