"""The parser's tables, `blur.tables.json`: what the grammar gives, and never used for another grammar or lark."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import lark
import pytest

from blurc.language import specs_path, tables
from blurc.language.packaged import grammar_path

GRAMMAR = grammar_path().read_text(encoding="utf-8")
STORED = tables.tables_path().read_text(encoding="utf-8")
HOW = "write them anew: python -m blurc.language.tables"


def test_the_tables_are_those_of_the_grammar() -> None:
    assert json.loads(STORED)["grammar"] == GRAMMAR, HOW
    if json.loads(STORED)["lark"] == lark.__version__:
        assert tables.written() == STORED, HOW


@pytest.mark.skipif(json.loads(STORED)["lark"] != lark.__version__, reason="they are of another version of lark")
def test_a_parser_from_the_tables_gives_the_same_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    built = tables.built(GRAMMAR)
    monkeypatch.setattr(tables, "built", lambda _: pytest.fail("the tables were not used"))
    ready = tables.blur_parser.__wrapped__()
    for path in specs_path().rglob("*.blur"):
        text = path.read_text(encoding="utf-8")
        assert ready.parse(text, start="file") == built.parse(text, start="file")


def parser_beside(folder: Path, monkeypatch: pytest.MonkeyPatch, grammar: str, stored: str | None) -> Any:
    """The parser where these are the grammar and the tables."""
    (folder / "blur.lark").write_text(grammar, encoding="utf-8")
    if stored is not None:
        (folder / "blur.tables.json").write_text(stored, encoding="utf-8")
    monkeypatch.setattr(tables, "grammar_path", lambda: folder / "blur.lark")
    return tables.blur_parser.__wrapped__()


@pytest.mark.parametrize(
    "stored",
    [None, "", "{", STORED.replace(f'"lark":"{lark.__version__}"', '"lark":"0.1"')],
    ids=["missing", "empty", "damaged", "of another lark"],
)
def test_without_tables_the_parser_is_built_from_the_grammar(
    stored: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parser = parser_beside(tmp_path, monkeypatch, GRAMMAR, stored)
    assert parser.parse("genome g { state a  readout a }", start="file").children[0].data == "genome"


def test_an_edited_grammar_does_not_meet_old_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parser = parser_beside(tmp_path, monkeypatch, GRAMMAR.replace('"genome"', '"rule"'), STORED)
    assert parser.parse("rule g { state a  readout a }", start="file").children[0].data == "genome"
