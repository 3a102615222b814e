"""The reader of records: every kind of hint, what is wrong told by path, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import numpy as np
import pytest

from blurc import genome as genomes
from blurc.diagnostics import MOST, BlurError, Report, Source
from blurc.meta.experiment import schema
from blurc.storage import limits, records
from blurc.storage.records import reader as reader_module


@dataclass(frozen=True)
class Circle:
    radius: limits.Positive = 1.0


@dataclass(frozen=True)
class Square:
    side: float = 1.0


@dataclass(frozen=True)
class Point:
    x: int
    y: int = 0


@dataclass(frozen=True)
class Label:
    text: str = field(metadata=records.SHORT)
    bold: bool = False


@dataclass(frozen=True)
class Drawing:
    at: Point = field(metadata=records.INLINE)
    shape: Circle | Square = Circle()
    label: Label | None = None
    corners: tuple[Point, ...] = ()
    pair: tuple[int, str] = (0, "a")
    unit: Literal["mm", "cm"] = "mm"
    sizes: Mapping[str, int | float | str] = field(default_factory=dict[str, "int | float | str"])
    anything: Any = None
    count: Annotated[int, limits.Limit.whole(1, 9)] | None = None
    cache: int = field(default=7, compare=False, metadata=records.NO_KEY)


def read(tree: Any) -> tuple[Drawing, list[str]]:
    """The record, and what is wrong with it."""
    report = Report()
    record = records.Reader("a drawing", records.Front(report)).read(Drawing, tree)
    return record, [f"{d.code} {d.message}" for d in report.diagnostics]


FULL = Drawing(
    Point(1, 2),
    Square(3.0),
    Label("big", bold=True),
    (Point(1), Point(2, 3)),
    (4, "b"),
    "cm",
    {"a": 1, "b": 0.5, "c": "d"},
    count=9,
)


@pytest.mark.parametrize("record", [FULL, Drawing(Point(1))], ids=["full", "least"])
def test_a_record_comes_back_from_its_tree(record: Drawing) -> None:
    assert read(records.plain(record)) == (record, [])


def test_a_tree_is_what_json_holds() -> None:
    assert records.plain(FULL) == {
        "x": 1,
        "y": 2,
        "shape": {"name": "square", "side": 3.0},
        "label": {"text": "big", "bold": True},
        "corners": [{"x": 1, "y": 0}, {"x": 2, "y": 3}],
        "pair": [4, "b"],
        "unit": "cm",
        "sizes": {"a": 1, "b": 0.5, "c": "d"},
        "count": 9,
    }


def test_short_forms_stand_for_records() -> None:
    found, problems = read({"x": 1, "shape": "square", "label": "big"})
    assert (found.shape, found.label, problems) == (Square(), Label("big"), [])


@pytest.mark.parametrize("value", [np.int64(3), np.float32(3), 3], ids=lambda v: type(v).__name__)
def test_numbers_of_numpy_are_numbers(value: Any) -> None:
    found, problems = read({"x": 1, "shape": {"name": "square", "side": value}})
    assert (found.shape, problems) == (Square(3.0), [])
    assert type(found.shape.side) is float  # type: ignore[union-attr]


WRONG: dict[str, tuple[Any, str]] = {
    "no mapping": ([1], "E605 a drawing is a mapping `key: value`, found `[1]`"),
    "a key missing": ({}, "E606 a drawing lacks `x`"),
    "a key too many": ({"x": 1, "z": 1}, "E607 a drawing has no key `z`"),
    "a text": ({"x": "1"}, "E605 `x` is a whole number, found `'1'`"),
    "a truth": ({"x": True}, "E605 `x` is a whole number, found `True`"),
    "a fraction": ({"x": 1.5}, "E605 `x` is a whole number, found `1.5`"),
    "no such word": ({"x": 1, "unit": "m"}, "E605 `unit` is mm or cm, found `'m'`"),
    "no such variant": ({"x": 1, "shape": "star"}, "E612 `shape.name` must be circle or square, found `'star'`"),
    "below": ({"x": 1, "shape": {"radius": 0}}, "E612 `shape.radius` must be above 0, found `0`"),
    "not finite": ({"x": 1, "shape": {"radius": np.inf}}, "E605 `shape.radius` is a number, found `inf`"),
    "no float": ({"x": 1, "shape": {"radius": 10**400}}, "E605 `shape.radius` is a number"),
    "beyond": ({"x": 1, "count": 10}, "E612 `count` must be from 1 to 9, found `10`"),
    "no list": ({"x": 1, "corners": {}}, "E605 `corners` is a list, found `{}`"),
    "in a list": ({"x": 1, "corners": [{"x": 1}, {"x": []}]}, "E605 `corners.1.x` is a whole number"),
    "too long": ({"x": 1, "pair": [1, "a", 2]}, "E605 `pair` is a list of 2, found"),
    "in a mapping": ({"x": 1, "sizes": {"a": None}}, "E605 `sizes.a` is a number or a text, found `None`"),
}


@pytest.mark.parametrize("case", WRONG)
def test_each_mistake_is_told_once_with_its_path(case: str) -> None:
    tree, expected = WRONG[case]
    _, (problem,) = read(tree)
    assert problem.startswith(expected)


def test_nothing_follows_from_what_is_wrong() -> None:
    reader = records.Reader("a drawing", records.Front(Report()))
    reader.read(Drawing, {"y": 1, "corners": [{"x": 1}, {"x": ""}], "shape": 3})
    wrong = [("x",), ("corners",), ("corners", "1"), ("corners", "1", "x"), ("shape",)]
    assert all(map(reader.is_wrong, wrong))
    assert not any(map(reader.is_wrong, [("y",), ("corners", "0"), ("corners", "1", "y"), ("unit",)]))


@pytest.mark.parametrize("parse", [genomes.parse, schema.parse], ids=["genome", "experiment"])
def test_of_many_unknown_keys_few_are_compared_with_the_known_ones(
    parse: Callable[[Source], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []
    monkeypatch.setattr(reader_module, "did_you_mean", lambda name, known: compared.append(name))
    text = "name: a\n" + "".join(f"key{i}: 1\n" for i in range(5_000))
    with pytest.raises(BlurError) as caught:
        parse(Source("a.yaml", text))
    assert len(caught.value.diagnostics) == MOST
    assert len(compared) <= MOST + 1
