"""Rows of many numbers in YAML, `[0.5, -1.25, ..]`, which are read as a whole: a node for each number of a large genome
takes a hundred times as long, and a hundred times the memory."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import yaml
from yaml.resolver import Resolver

SHORTEST = 64  # characters of a row: for less it is not worth it
MOST_NUMBERS = 2**20  # in rows
ROW = re.compile(rf"\[([-+.\deE, ]{{{SHORTEST},}})\]", re.ASCII)


class Numbers(NamedTuple):
    """text: what is between the brackets. values: [n], as float64."""

    text: str
    values: npt.NDArray[Any]


class Row(yaml.SequenceNode):
    def __init__(self, node: yaml.SequenceNode, numbers: Numbers) -> None:
        self.tag, self.flow_style = node.tag, node.flow_style
        self.start_mark, self.end_mark = node.start_mark, node.end_mark
        self.numbers = numbers

    @cached_property
    def value(self) -> list[yaml.Node]:
        """The nodes that it has as any other list, for what is wrong with one of its numbers."""
        return [self._node(found) for found in re.finditer(r"[^ ,]+", self.numbers.text)]

    def _node(self, found: re.Match[str]) -> yaml.Node:
        tag = Resolver().resolve(yaml.ScalarNode, found[0], (True, False))
        return yaml.ScalarNode(tag, found[0], self._mark(found.start()), self._mark(found.end()))

    def _mark(self, offset: int) -> yaml.Mark:
        after, start = offset + 1, self.start_mark
        return yaml.Mark(start.name, start.index + after, start.line, start.column + after, None, 0)


def without_rows(text: str) -> tuple[str, dict[int, Numbers]]:
    """The text with blanks in the place of such numbers, which keeps all positions; and the numbers, by the position of
    the bracket before them."""
    found: dict[int, Numbers] = {}
    left = MOST_NUMBERS

    def cut(row: re.Match[str]) -> str:
        nonlocal left
        left -= row[1].count(",") + 1
        try:
            values = np.array(row[1].split(",") if left >= 0 else [""], float)
        except ValueError:  # such as "1, , 2"
            return row[0]
        found[row.start()] = Numbers(row[1], values)
        return f"[{' ' * len(row[1])}]"

    return ROW.sub(cut, text), found
