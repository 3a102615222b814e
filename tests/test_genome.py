"""Genome files: what is written comes back bit by bit; what is wrong with a file is said with its line."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from blurc.diagnostics import BlurError, Source
from blurc.genome import GenomeFile, dump, parse, read, write
from blurc.storage import yaml_write

MINE = GenomeFile(
    name="mine",
    rule="blur",
    values={
        "eta": np.float32(1e-5),
        "nu": np.array([[0.5, -1.25], [0.0, 2.0]], np.float32),
        "gate": {"a->b": np.float32(0.1), "a->b#2": np.float32(-0.0)},
    },
    parameters={"k": 2, "rate": 0.5, "phi": "tanh"},
    spec="networks/digits.blur",
    hash="rule1:5a0c",
    found={"steps": 1000, "best": (1, 2.5e-7)},
)

TEXT = """\
name: mine
rule: blur
parameters: {k: 2, rate: 0.5, phi: tanh}
spec: networks/digits.blur
hash: rule1:5a0c
dtype: float32
values:
  eta: 1.0e-05
  nu:
  - [0.5, -1.25]
  - [0.0, 2.0]
  gate:
    a->b: 0.1
    a->b#2: -0.0
found:
  steps: 1000
  best:
  - 1
  - 2.5e-07
"""


def problems(text: str) -> list[str]:
    """The diagnostics for a text as "code line:column"."""
    with pytest.raises(BlurError) as caught:
        parse(Source("g.yaml", text))
    return [f"{d.code} {d.span.line}:{d.span.column}" if d.span else d.code for d in caught.value.diagnostics]


def problems_if_any(text: str) -> list[str]:
    try:
        parse(Source("g.yaml", text))
    except BlurError as error:
        return [d.code for d in error.diagnostics]
    return []


def with_values(values: str) -> str:
    return f"name: a\nrule: b\nvalues: {{{values}}}"


# ------------------------------------------------------------- out and back


def test_a_genome_is_written_row_by_row():
    assert dump(MINE) == TEXT


def test_a_genome_file_comes_back_as_it_was():
    back = parse(Source("g.yaml", TEXT))
    assert (back.name, back.rule, back.spec, back.hash) == ("mine", "blur", "networks/digits.blur", "rule1:5a0c")
    assert back.parameters == {"k": 2, "rate": 0.5, "phi": "tanh"}
    assert back.found == {"steps": 1000, "best": [1, 2.5e-7]}
    assert dump(back) == TEXT


def test_a_meta_parameter_per_projection_comes_back_as_a_dict():
    assert parse(Source("g.yaml", TEXT)).values["gate"] == {"a->b": np.float32(0.1), "a->b#2": 0}


@pytest.mark.parametrize("shape", [(0,), (2, 0), (2, 3, 0), (2, 3, 1, 1, 2, 1, 2)])
def test_values_of_every_shape_of_a_synapse_come_back(shape: tuple[int, ...]):
    """None, where a projection has no synapses; a matrix for each of a convolution with three axes."""
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    back = parse(Source("g.yaml", dump(GenomeFile("a", "b", {"m": {"x->y": array}}))))
    np.testing.assert_array_equal(back.values["m"]["x->y"], array, strict=True)


@pytest.mark.parametrize("width", [32, 64])
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_every_finite_float_comes_back_bit_by_bit(width: int, data: st.DataObject):
    numbers = st.floats(width=width, allow_nan=False, allow_infinity=False)
    array = data.draw(arrays(f"float{width}", array_shapes(min_dims=0, max_dims=2, max_side=4), elements=numbers))
    back = parse(Source("g.yaml", dump(GenomeFile("a", "b", {"m": array})))).values["m"]
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.tobytes() == array.tobytes()


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_yaml_reads_every_number_as_a_float(x: float):
    assert yaml.safe_load(yaml_write.float_text(np.float64(x))) == x
    assert isinstance(yaml.safe_load(yaml_write.float_text(np.float64(x))), float)


def test_names_that_yaml_takes_for_something_else_stay_names():
    odd = GenomeFile("1.5", "on", {"no": np.float32(1), "null": {"1": np.float32(2)}})
    back = parse(Source("g.yaml", dump(odd)))
    assert (back.name, back.rule) == ("1.5", "on")
    assert list(back.values) == ["no", "null"]
    assert list(back.values["null"]) == ["1"]


def test_numbers_of_numpy_are_plain_numbers_in_found():
    text = dump(GenomeFile("a", "b", {}, found={"loss": np.float32(0.5), "curve": np.arange(2), "key": (1, None)}))
    assert yaml.safe_load(text)["found"] == {"loss": 0.5, "curve": [0, 1], "key": [1, None]}


def test_a_value_used_twice_in_found_is_written_twice():
    same = [1, 2]
    text = dump(GenomeFile("a", "b", {}, found={"x": same, "y": same}))
    assert parse(Source("g.yaml", text)).found == {"x": same, "y": same}


def test_the_smallest_file_has_a_name_a_rule_and_values():
    small = parse(Source("g.yaml", with_values("eta: 1e-3, n: 2")))
    assert (small.dtype, small.parameters, small.found) == ("float32", {}, {})
    assert small.values == {"eta": np.float32(1e-3), "n": 2}


def test_float64_is_said_in_the_file():
    text = dump(GenomeFile("a", "b", {"m": np.float64(0.1)}))
    assert "dtype: float64" in text
    assert parse(Source("g.yaml", text)).values["m"] == np.float64(0.1)


# -------------------------------------------------------------- what is wrong

WRONG = {
    "": ["E602 1:1"],
    "[": ["E602 1:2"],
    "a: 'b": ["E602 1:6"],
    "a: \x01": ["E602 1:4"],
    "name: a\n--- b": ["E602 2:1"],
    "name: &x a\nrule: *x\nvalues: {}": ["E603 2:7"],
    "name: a\nrule: b\nname: c\nvalues: {}": ["E604 3:1"],
    "name: a\nrule: b\nvalues: {}\nfound: {a: {b: 1, c: 2, b: 3}}": ["E604 4:25"],
    "[name, rule, values]": ["E605 1:1"],
    "just text": ["E605 1:1"],
    "name: 1\nrule: [b]\nvalues: {}": ["E605 1:7", "E605 2:7"],
    "name: a\nrule: b\nvalues: 3": ["E605 3:9"],
    "name: a\nrule: b\nvalues: {[1]: 2}": ["E605 3:10"],
    "name: a\nrule: b\nvalues: {}\ndtype: bfloat16": ["E605 4:8"],
    "name: a\nrule: b\nvalues: {}\nparameters: {k: [1]}": ["E605 4:17"],
    "name: a\nrule: b\nvalues: {}\nfound: 3": ["E605 4:8"],
    "rule: b\nvalues: {}": ["E606 1:1"],
    "{}": ["E606 1:1"],
    "name: a\nrule: b\nvalues: {}\nfuond: {}": ["E607 4:1"],
    with_values("m: [[1, 2], [3]]"): ["E608 3:22"],
    with_values("m: [1, [2]]"): ["E608 3:17"],
    with_values("m: [[[[[[[[1]]]]]]]]"): ["E608 3:20"],
    with_values("m: [[], [1]]"): ["E608 3:18"],
    with_values("m: [1, two]"): ["E608 3:17"],
    with_values("m: '1'"): ["E608 3:13"],
    with_values("m: 0x10"): ["E608 3:13"],
    with_values("m: true"): ["E608 3:13"],
    with_values("m: {a->b: {c: 1}}"): ["E608 3:20"],
    with_values("m: .nan, n: -.inf, o: nan"): ["E609 3:13", "E609 3:22", "E609 3:32"],
    with_values("m: 1e39"): ["E609 3:13"],
    "name: a\nrule: b\nvalues: {}\nfound: {on: 2024-13-45}": ["E602 4:8"],
    "name: a\nrule: b\nvalues: {}\nfound: !!python/object/apply:os.getcwd []": ["E605 4:8"],
    "name: a\nrule: b\nvalues: {}\nfound: {x: !!python/object/apply:os.getcwd []}": ["E602 4:12"],
}


@pytest.mark.parametrize(("text", "expected"), WRONG.items())
def test_what_is_wrong_is_said_with_its_place(text: str, expected: list[str]):
    assert problems(text) == expected


def test_all_mistakes_of_a_file_come_at_once():
    assert problems("name: 1\nvalues: {a: x, b: .nan}\nvlues: 2") == [
        "E606 1:1",
        "E605 1:7",
        "E608 2:13",
        "E609 2:19",
        "E607 3:1",
    ]


def test_a_misspelt_key_is_mended():
    with pytest.raises(BlurError, match="did you mean `found`"):
        parse(Source("g.yaml", "name: a\nrule: b\nvalues: {}\nfuond: {}"))


def test_a_small_file_cannot_blow_up():
    lines = [f"{b}: &{b} [*{a}, *{a}]" for a, b in itertools.pairwise("abcdefghi")]
    bomb = "\n".join(["a: &a [x, x]", *lines])
    assert problems(bomb) == ["E603 2:8"]


def test_large_whole_numbers_keep_all_their_digits():
    text = "name: mine\nrule: blur\nvalues: {eta: 1}\nparameters: {k: 9007199254740993, m: -1_000, n: 1e3}\n"
    found = parse(Source("mine.yaml", text)).parameters
    assert found == {"k": 2**53 + 1, "m": -1000, "n": 1000}


def test_deep_nesting_is_refused():
    assert problems("[" * 5000) == ["E602 1:51"]
    least = "name: mine\nrule: blur\nvalues: {eta: 1}\n"
    assert problems(f"{least}found: {{by: {'[' * 250}{']' * 250}}}") == ["E602 4:61"]


@given(st.text(max_size=60) | st.text(alphabet="name: rule\nvalues{}[]-&*!#'\"1.e", max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_is_a_genome_or_a_diagnostic(text: str):
    assert all(code.startswith("E60") for code in problems_if_any(text))


@given(st.integers(0, len(TEXT) - 1), st.text(max_size=3), st.integers(0, 3))
@settings(max_examples=200, deadline=None)
def test_a_damaged_file_is_a_genome_or_a_diagnostic(at: int, inserted: str, cut: int):
    assert all(code.startswith("E60") for code in problems_if_any(TEXT[:at] + inserted + TEXT[at + cut :]))


def test_a_genome_that_is_not_finite_is_not_written():
    with pytest.raises(BlurError, match=r"E609.*`m of a->b` of `a` is not finite"):
        dump(GenomeFile("a", "b", {"m": {"a->b": np.array([1.0, np.nan])}}))


def test_what_yaml_has_no_words_for_is_not_written():
    with pytest.raises(BlurError, match="E610"):
        dump(GenomeFile("a", "b", {}, found={"how": object()}))


# ---------------------------------------------------------------------- files


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("mine.blur", "genome g { readout a }", "is a spec: a genome file holds the values of its rule"),
        ("e.yaml", "name: e\nspec: s.blur\ntasks: [xor]\nmethod: cma\n", "is an experiment, which finds a genome"),
    ],
)
def test_another_file_than_a_genome_is_told_in_one_message(tmp_path: Path, name: str, text: str, told: str):
    (tmp_path / name).write_text(text)
    with pytest.raises(BlurError) as caught:
        read(tmp_path / name)
    (found,) = caught.value.diagnostics
    assert (found.code, told in found.message) == ("E605", True)


def test_a_whole_text_is_not_repeated_in_a_message():
    with pytest.raises(BlurError) as caught:
        parse(Source("notes.txt", "a long story " * 100))
    assert "found a text" in caught.value.diagnostics[0].message


def test_a_written_file_is_read_back(tmp_path: Path):
    write(tmp_path / "g.yaml", MINE)
    assert dump(read(tmp_path / "g.yaml")) == TEXT


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "g.yaml"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(BlurError, match=r"E611.*no space left"):
        write(path, MINE)
    assert [p.name for p in tmp_path.iterdir()] == ["g.yaml"]
    assert path.read_text() == "old"


@pytest.mark.parametrize("path", ["no/such/folder/g.yaml", ".", "a\0b"])
def test_a_file_that_cannot_be_written_is_a_diagnostic(tmp_path: Path, path: str):
    with pytest.raises(BlurError, match="E611"):
        write(tmp_path / path, MINE)


@pytest.mark.parametrize("path", ["none.yaml", ".", "a\0b"])
def test_a_file_that_cannot_be_read_is_a_diagnostic(tmp_path: Path, path: str):
    with pytest.raises(BlurError, match="E601"):
        read(tmp_path / path)


def test_a_file_that_is_not_utf8_is_a_diagnostic(tmp_path: Path):
    (tmp_path / "g.yaml").write_bytes(b"name: \xff\xfe")
    with pytest.raises(BlurError, match=r"E601.*not UTF-8"):
        read(tmp_path / "g.yaml")


def test_a_link_is_written_through(tmp_path: Path):
    (tmp_path / "real.yaml").write_text("old")
    (tmp_path / "link.yaml").symlink_to(tmp_path / "real.yaml")
    write(tmp_path / "link.yaml", MINE)
    assert (tmp_path / "link.yaml").is_symlink()
    assert (tmp_path / "real.yaml").read_text() == TEXT
