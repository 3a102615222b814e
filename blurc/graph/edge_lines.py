"""Edge files with a line for each edge.

Most lines of a large file are two plain numbers, which NumPy reads a hundred times as fast as Python. So a text is read
in blocks, and line by line only where a block has something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from blurc.graph.edge_text import EdgeText, Listed, WrongFile, more, short

if TYPE_CHECKING:
    import numpy.typing as npt

BLOCK = 2**20  # characters
MOST_ODD = 500_000  # lines that are read one by one
MOST_PLAIN = 10**18  # a number that surely fits into 64 bits
LONGEST = 2**16  # characters of a line
NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", re.ASCII)
NO_DIGITS = {ord(digit): None for digit in "0123456789"}


def of_lines(file: EdgeText) -> Listed:
    found = _Found(file)
    for number, block in _blocks(file.text):
        found.add(number, block)
    return found.listed()


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    """Whole lines, with the number of the first."""
    text = re.sub(r"\r\n?", "\n", text)
    start, number = 0, 1
    while start < len(text):
        stop = text.find("\n", start + BLOCK) + 1 or len(text)
        yield number, text[start:stop]
        number += text.count("\n", start, stop)
        start = stop


def _plain(block: str, comma: bool) -> npt.NDArray[Any] | None:
    """The pairs of a block, [lines, 2], if each of its lines is two plain numbers."""
    import numpy as np

    separator = "," if comma else "\t" if "\t" in block else " "
    block = (block.replace(", ", ",") if comma else block).removesuffix("\n") + "\n"
    lines = block.count("\n")
    between = (f"{separator}\n", f"\n{separator}")
    if block.translate(NO_DIGITS) != between[0] * lines or any(x in f"\n{block}" for x in between):
        return None
    numbers = np.fromstring(block.replace(",", " "), np.int64, sep=" ")
    return numbers.reshape(lines, 2) if numbers.max() < MOST_PLAIN else None


@dataclass
class _Found:
    file: EdgeText
    pairs: list[npt.NDArray[Any]] = field(default_factory=list["npt.NDArray[Any]"])  # [n, 2]
    lines: list[npt.NDArray[Any]] = field(default_factory=list["npt.NDArray[Any]"])  # [n]
    first_wrong: _Wrong | None = None
    wrong: int = 0
    odd: int = 0
    begun: bool = False

    def add(self, number: int, block: str) -> None:
        import numpy as np

        pairs = _plain(block, self.file.suffix == ".csv")
        if pairs is not None:
            self.begun = True
            lines = np.arange(number, number + len(pairs))
        else:
            odd = self._one_by_one(number, block.split("\n"))
            lines, pairs = odd[:, 0], odd[:, 1:]
        self.pairs.append(pairs)
        self.lines.append(lines)

    def _one_by_one(self, number: int, lines: list[str]) -> npt.NDArray[Any]:
        """Numbers of lines, and their pairs, [n, 3]."""
        import numpy as np

        found: list[tuple[int, int, int]] = []
        self.odd += len(lines)
        if self.odd > MOST_ODD:
            raise _malformed(self.file, self.first_wrong, self.wrong) if self.first_wrong else _too_odd(self.file)
        for at, line in enumerate(lines, number):
            fields = _fields(line, self.file.suffix == ".csv")
            if not fields:
                continue
            pre, post = map(whole, fields) if len(fields) == 2 else (None, None)
            if pre is not None and post is not None:
                found.append((at, pre, post))
            elif self.begun or not _is_header(fields):
                self.first_wrong = self.first_wrong or _Wrong(at, line.strip(), fields)
                self.wrong += 1
            self.begun = True
        return np.array(found, np.int64).reshape(-1, 3)

    def listed(self) -> Listed:
        import numpy as np

        if self.first_wrong:
            raise _malformed(self.file, self.first_wrong, self.wrong)
        if not any(map(len, self.lines)):
            raise WrongFile("E415", f"`{self.file.name}` lists no edges", _expected(self.file))
        pairs, lines = np.concatenate(self.pairs), np.concatenate(self.lines)
        return Listed(pairs[:, 0], pairs[:, 1], lambda i: int(lines[i]))


def _fields(line: str, comma: bool) -> list[str]:
    """Without the quotes that spreadsheets write."""
    if comma:
        line = line.strip()[:LONGEST]
        return [field.strip().strip("\"'") for field in line.split(",")] if line else []
    return [field.strip("\"'") for field in line.partition("#")[0].strip()[:LONGEST].split()]


def whole(text: str) -> int | None:
    """A whole number, as an integer or as the double that NumPy and igraph write: `1.000e+00`."""
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdigit() and len(digits) < 19:
        return int(text)
    value = float(text) if NUMBER.fullmatch(text) else None
    return int(value) if value is not None and value.is_integer() and abs(value) < 2**53 else None


def _is_header(fields: list[str]) -> bool:
    """Two names, rather than malformed numbers."""
    return len(fields) == 2 and all(f[:1].isalpha() or f[:1] in ("_", "#") for f in fields)


@dataclass(frozen=True)
class _Wrong:
    number: int
    line: str
    fields: list[str]

    @property
    def third(self) -> str:
        return " ".join(self.fields[2:])


def _malformed(file: EdgeText, first: _Wrong, count: int) -> WrongFile:
    found, help = f", found `{short(first.line)}`", _expected(file)
    if first.third:
        found = f", found a third column `{short(first.third)}`"
        comma = ', delimiter=","' if file.suffix == ".csv" else ""
        help = (
            "keep only the columns of the presynaptic and the postsynaptic neuron; networkx writes just these with "
            f"`write_edgelist(graph, path{comma}, data=False)`; weights go into the state, see docs/GRAPHS.md"
        )
    elif _is_header(first.fields):
        delimiter = 'delimiter=",", ' if file.suffix == ".csv" else ""
        read = f'networkx.read_edgelist("{file.name}", {delimiter}create_using=networkx.DiGraph)'
        help = f"neurons are numbered here; by name they are wired by `blurc.from_networkx({read}, ..)`"
    message = f"{file.place(first.number)}: expected two integers{found}"
    return WrongFile("E415", message, help, more(count - 1))


def _too_odd(file: EdgeText) -> WrongFile:
    message = f"more than {MOST_ODD:,} lines of `{file.name}` are not two plain whole numbers"
    separator = "," if file.suffix == ".csv" else " "
    save = f'numpy.savetxt("{file.name}", pairs, "%d", "{separator}")'
    help = f"in a file so large, write no decimals, quotes, comments or blank lines: `{save}`"
    return WrongFile("E415", message, help)


def _expected(file: EdgeText) -> str:
    pair = "`0, 12`" if file.suffix == ".csv" else "`0 12`"
    return f"write one line per edge, the presynaptic neuron and then the postsynaptic one: {pair}"


def refuse_matrix(file: EdgeText, n_pre: int, n_post: int) -> None:
    """Raises `WrongFile` if the lines are a matrix between the two populations. With two columns they are pairs."""
    comma = file.suffix == ".csv"
    _, block = next(_blocks(file.text), (1, ""))
    rows = [fields for line in block.split("\n") if (fields := _fields(line, comma))]
    columns, height = len(rows[0]) if rows else 0, file.text.count("\n") + (not file.text.endswith("\n"))
    if len(block) == len(file.text):
        height = len(rows)
    turned = (height, columns) != (n_pre, n_post)
    if columns < 3 or sorted((height, columns)) != sorted((n_pre, n_post)):
        return
    if all(len(row) == columns and all(map(NUMBER.fullmatch, row)) for row in rows):
        delimiter, turn = ', delimiter=","' if comma else "", ".T" if turned else ""
        read = f'numpy.loadtxt("{file.name}"{delimiter}){turn}'
        raise WrongFile(
            "E415",
            f"`{file.name}` is a matrix of {height:,} times {columns:,} numbers, expected pairs of neurons",
            pairs_of(read),
            "edges have no values in a spec; weights go into the state, see docs/GRAPHS.md",
        )


def pairs_of(matrix: str) -> str:
    """How to write the edges of a matrix with NumPy."""
    return f'list its entries other than 0: `numpy.savetxt("edges.csv", numpy.argwhere({matrix}), "%d", ",")`'
