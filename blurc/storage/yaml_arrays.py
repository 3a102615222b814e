"""Arrays from numbers and rows of numbers in YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import yaml

from blurc.storage import records
from blurc.storage.yaml import number
from blurc.storage.yaml_rows import Row

MOST_AXES = 7  # a matrix for each synapse of a convolution with three axes: [a, b, *kernel, in, out]


@dataclass(frozen=True)
class YamlArrays:
    """Arrays from trees of numbers, or a 0 where something is wrong with them, which is reported (E608, E609)."""

    reader: records.Reader
    dtype: str

    def all(self, path: records.Path, trees: Mapping[str, Any], of: str = "") -> dict[str, Any]:
        """The arrays at `path`, each alone or with others in a mapping. of: whose mapping it is."""
        found: dict[str, Any] = {}
        for name, tree in trees.items():
            at = (*path, name)
            if isinstance(tree, dict) and not of:
                found[name] = self.all(at, cast("dict[str, Any]", tree), name)
            else:
                numbers = self._numbers(tree, f"{of} of {name}" if of else name, at, 0)
                found[name] = np.asarray(0.0 if numbers is None else numbers, self.dtype)
        return found

    def _numbers(self, tree: Any, name: str, path: records.Path, depth: int) -> Any:
        """A float, a row or rows of equal length; None where something is wrong."""
        if not isinstance(tree, list | Row):
            return self._number(tree, name, path)
        if depth == MOST_AXES:
            return self._refuse(f"more than {MOST_AXES} rows in rows", name, path)
        if (row := self._row(tree)) is not None:
            return row
        nodes = tree.value if isinstance(tree, Row) else cast("list[Any]", tree)
        parts = [((*path, str(i)), part) for i, part in enumerate(nodes)]
        rows = [self._numbers(part, name, at, depth + 1) for at, part in parts]
        if any(row is None for row in rows):
            return None
        shapes = [np.shape(row) for row in rows]
        for (at, _), shape in zip(parts, shapes, strict=True):
            if shape != shapes[0]:
                message = f"`{name}` has {_row(shape)} after {_row(shapes[0])}"
                self.reader.refuse(at, "E608", message, "give all rows one length")
                return None
        return np.asarray(rows, self.dtype)

    def _row(self, tree: list[Any] | Row) -> npt.NDArray[Any] | None:
        """Numbers of which none is wrong."""
        numbers = tree.numbers.values if isinstance(tree, Row) else [_number(part) for part in tree]
        with np.errstate(over="ignore"):
            row = np.asarray(numbers, self.dtype)  # where None is NaN
        return row if np.isfinite(row).all() else None

    def _number(self, tree: Any, name: str, path: records.Path) -> float | None:
        x = _number(tree)
        if x is None:
            return self._refuse(self.reader.front.shown(path, tree), name, path)
        with np.errstate(over="ignore"):
            finite = bool(np.isfinite(np.asarray(x, self.dtype)))
        if finite:
            return x
        message = f"`{name}` is not finite as {self.dtype}: `{tree.value}`"
        self.reader.refuse(path, "E609", message, "give a finite number")
        return None

    def _refuse(self, found: str, name: str, path: records.Path) -> None:
        self.reader.refuse(path, "E608", f"`{name}` is a number, a row or rows of numbers, found {found}")


def _row(shape: tuple[int, ...]) -> str:
    return f"a row of {shape[0]}" if shape else "a single number"


def _number(tree: Any) -> float | None:
    return number(tree) if isinstance(tree, yaml.ScalarNode) else None
