"""libyaml and PyYAML's own parser, long rows of numbers and short ones: the same values, the same mistakes, the same
places."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from pace import within
from soak.mutants import mutant

from blurc import genome
from blurc.diagnostics import BlurError, Report, Source
from blurc.storage import compose, yaml_nodes, yaml_write

ROOT = Path(__file__).parents[2]
SEEDS = [path.read_text("utf-8") for path in sorted((ROOT / "specs/genomes").glob("*.yaml"))]
HEAD = "name: a\nrule: b\nvalues:\n  w:\n"
LONG = ", ".join(f"{i}.25" for i in range(40))

needs_libyaml = pytest.mark.skipif(not yaml.__with_libyaml__, reason="PyYAML was built without libyaml")


def answer(text: str) -> object:
    try:
        return genome.dump(genome.parse(Source("g.yaml", text)))
    except BlurError as error:
        return str(error)


WRONG = {
    "a bracket too few": HEAD + "  - [1, 2\n",
    "a bracket too many": HEAD + "  - [1, 2]]\n",
    "a colon in a value": "name: a: b\n",
    "a tab": "name: a\n\trule: b\n",
    "an open quote": "name: 'a\n",
    "a wrong escape": 'name: "\\q"\n',
    "two documents": HEAD + "  - [1]\n---\na: 1\n",
    "a control character": "name: a\x01b\n",
    "half a character": "name: \udc80\n",
    "an alias": "name: &a x\nrule: *a\n",
    "a percent sign": "%a: 1\n",
    "an at sign": "name: @a\n",
    "a key twice": "name: a\nname: b\n",
    "a list for a key": "[1, 2]: a\n",
    "a wrong indent": "name: a\n  rule: b\n",
    "nothing": "# nothing\n",
    "a number in a long row": f"{HEAD}  - [{LONG}]\n  - [{LONG[:-2]}x5]\n",
    "a long row among short ones": f"{HEAD}  - [{LONG}]\n  - [1, 2]\n",
    "a long row after a mistake": f"name: 1\nrule: b\nvalues: {{w: [{LONG}]}}\n",
    "a long row in place of a name": f"name: [{LONG}]\nrule: b\nvalues: {{}}\n",
    "a long row in place of values": f"name: a\nrule: b\nvalues: [{LONG}]\n",
    "long rows as keys": f'"[{LONG}]": 1\n"[1{LONG}]": 2\n',
    "infinity in a long row": f"{HEAD}  - [{LONG}, 1e999]\n",
    "a long row of 8 axes": HEAD.replace("\n  w:\n", f" {{w: {'[' * 8}{LONG}{']' * 8}}}\n"),
}


@needs_libyaml
@pytest.mark.parametrize("kind", WRONG)
def test_what_is_wrong_is_the_same_by_either_parser(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = answer(WRONG[kind])
    monkeypatch.setattr(yaml_nodes, "Quick", None)
    assert quick == answer(WRONG[kind])


@needs_libyaml
def test_whatever_libyaml_reads_the_other_parser_reads_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [mutant(SEEDS, random.Random(seed)) for seed in range(150)]
    quick = [answer(text) for text in texts]
    monkeypatch.setattr(yaml_nodes, "Quick", None)
    differ = [text for text, found in zip(texts, quick, strict=True) if answer(text) != found]
    # libyaml lets tabs separate words, as YAML says, and puts what is not there before the blank.
    assert not [text for text in differ if "\t" not in text and ": ," not in text]


@pytest.mark.parametrize("kind", WRONG)
def test_a_mistake_is_the_same_in_long_rows_and_in_short_ones(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    as_rows = answer(WRONG[kind])
    monkeypatch.setattr(yaml_nodes, "without_rows", lambda text: (text, {}))  # pyright: ignore[reportUnknownLambdaType]
    assert as_rows == answer(WRONG[kind])


@pytest.mark.parametrize(
    "text",
    [
        f"a: [{LONG}]",
        f"a: '[{LONG}]'\nb: [{LONG}]",
        f"a: |\n  [{LONG}]\nb: [{LONG}]",
        f"# [{LONG}]\na: [{LONG}]",
        f"a: word [{LONG}]",
        f"a: [{LONG}, ]",
        f"a: [ {LONG} ]\nb: [{LONG}, 010, 1e5, +1, .5, 5., -0]",
        f"a: [{LONG}, , 1]\n",
    ],
)
def test_long_rows_mean_what_they_mean_to_others(text: str) -> None:
    try:
        meant: Any = yaml.safe_load(text)
    except yaml.YAMLError:
        with pytest.raises(BlurError):
            compose(Source("x", text), Report(), rows=True)
        return
    document = compose(Source("x", text), Report(), rows=True)
    assert document.construct(document.root, Report()) == meant


# ------------------------------------------------------------ large files

ROWS = f"  - [{LONG}]\n" * 4000  # 1 MB
LARGE = {
    "syntax": HEAD + ROWS + "found: {{\n",
    "a value": HEAD + ROWS + "  - [1, x]\n",
    "a row too short": HEAD + ROWS + "  - [1, 2]\n",
    "a key": HEAD + ROWS + "fond: 1\n",
    "a key twice": HEAD + ROWS + "rule: b\n",
}


@pytest.mark.parametrize("kind", LARGE)
def test_a_mistake_at_the_end_of_a_large_file_is_told_soon(kind: str) -> None:
    with within(2), pytest.raises(BlurError) as found:
        genome.parse(Source("g.yaml", LARGE[kind]))
    assert [d.span.line for d in found.value.diagnostics if d.span] == [4005 + (kind == "syntax")]


@pytest.mark.parametrize("entry", ["  - 1\n", "  - [1]\n", "  -\n", "  - {a: 1}\n"])
def test_nothing_is_read_after_too_many_values(entry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_nodes, "MOST_NODES", 100)
    with pytest.raises(BlurError, match="there are more than 100 values") as found:
        genome.parse(Source("g.yaml", HEAD + entry * 1000))
    (told,) = found.value.diagnostics
    assert told.span
    assert told.span.line < 110


# ------------------------------------------------- what is written is read


def matrix(*shape: int) -> genome.GenomeFile:
    return genome.GenomeFile("a", "b", {"w": np.full(shape, -1.2345678e-12, np.float32)})


def written(file: genome.GenomeFile) -> str | None:
    """Nothing where it is refused."""
    with contextlib.suppress(BlurError):
        return genome.dump(file)
    return None


@pytest.mark.parametrize(("width", "most"), [(1, 24), (13, 3), (14, 49)])
def test_as_much_is_written_as_is_read(width: int, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (yaml_nodes, yaml_write):
        monkeypatch.setattr(module, "MOST_NODES", 60)
    texts = {rows: text for rows in range(1, 60) if (text := written(matrix(rows, width)))}
    assert max(texts) == most
    for rows in range(1, most + 1):
        (_, array), *_ = genome.named(genome.parse(Source("g.yaml", texts[rows])).values)
        assert array.shape == (rows, width)


REFUSED = {
    "values": matrix(2**20 + 1),
    "values in all": genome.GenomeFile("a", "b", {"v": {"x->y": np.zeros(2**19)}, "w": np.zeros(2**19 + 1)}),
    "rows": matrix(yaml_nodes.MOST_NODES, 1),
    "projections": genome.GenomeFile("a", "b", {"w": {f"x->y#{i}": np.zeros(()) for i in range(10_001)}}),
    "notes": genome.GenomeFile("a", "b", {}, found={"x": [*range(yaml_nodes.MOST_NODES)]}),
    "a long note": genome.GenomeFile("a", "b", {}, found={"x": "y" * (2**24 + 1)}),
    "deep notes": genome.GenomeFile("a", "b", {}, found=yaml.safe_load(f"{{x: {'[' * 60}{']' * 60}}}")),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_could_not_be_read_again_is_not_written(kind: str, tmp_path: Path) -> None:
    with pytest.raises(BlurError, match="E611"):
        genome.write(tmp_path / "g.yaml", REFUSED[kind])
    assert not (tmp_path / "g.yaml").exists()


def test_notes_that_contain_themselves_are_not_written() -> None:
    notes: dict[str, object] = {}
    notes["again"] = notes
    with pytest.raises(BlurError, match="E610"):
        genome.dump(genome.GenomeFile("a", "b", {}, found=notes))
