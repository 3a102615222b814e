"""Edge files with a line for each edge."""

from __future__ import annotations

import re
from dataclasses import dataclass

from blurc.graph.edge_text import EdgeText, Listed, WrongFile, more, short

NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", re.ASCII)


def of_lines(file: EdgeText) -> Listed:
    pairs, wrong = Listed([], [], []), list[_Wrong]()
    at: list[int] = []
    comma = file.suffix == ".csv"
    first = True
    for number, line in enumerate(_lines(file), 1):
        fields = _fields(line, comma)
        if not fields:
            continue
        pre, post = map(whole, fields) if len(fields) == 2 else (None, None)
        if pre is not None and post is not None:
            pairs.pre.append(pre)
            pairs.post.append(post)
            at.append(number)
        elif not (first and _is_header(fields)):
            wrong.append(_Wrong(number, line.strip(), fields))
        first = False
    if wrong:
        raise _malformed(file, wrong)
    if not at:
        raise WrongFile("E415", f"`{file.name}` lists no edges", _expected(file))
    return Listed(pairs.pre, pairs.post, at)


def _lines(file: EdgeText) -> list[str]:
    return re.split(r"\r\n?|\n", file.text)


def _fields(line: str, comma: bool) -> list[str]:
    """Without the quotes that spreadsheets write."""
    if comma:
        return [field.strip().strip("\"'") for field in line.split(",")] if line.strip() else []
    return [field.strip("\"'") for field in line.partition("#")[0].split()]


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


def _malformed(file: EdgeText, wrong: list[_Wrong]) -> WrongFile:
    first = wrong[0]
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
    return WrongFile("E415", message, help, more(len(wrong) - 1))


def _expected(file: EdgeText) -> str:
    pair = "`0, 12`" if file.suffix == ".csv" else "`0 12`"
    return f"write one line per edge, the presynaptic neuron and then the postsynaptic one: {pair}"


def refuse_matrix(file: EdgeText, n_pre: int, n_post: int) -> None:
    """Raises `WrongFile` if the lines are a matrix between the two populations. With two columns they are pairs."""
    comma = file.suffix == ".csv"
    rows = [fields for line in _lines(file) if (fields := _fields(line, comma))]
    columns = len(rows[0]) if rows else 0
    turned = (len(rows), columns) != (n_pre, n_post)
    if columns < 3 or sorted((len(rows), columns)) != sorted((n_pre, n_post)):
        return
    if all(len(row) == columns and all(map(NUMBER.fullmatch, row)) for row in rows):
        delimiter, turn = ', delimiter=","' if comma else "", ".T" if turned else ""
        read = f'numpy.loadtxt("{file.name}"{delimiter}){turn}'
        raise WrongFile(
            "E415",
            f"`{file.name}` is a matrix of {len(rows):,} times {columns:,} numbers, expected pairs of neurons",
            pairs_of(read),
            "edges have no values in a spec; weights go into the state, see docs/GRAPHS.md",
        )


def pairs_of(matrix: str) -> str:
    """How to write the edges of a matrix with NumPy."""
    return f'list its entries other than 0: `numpy.savetxt("edges.csv", numpy.argwhere({matrix}), "%d", ",")`'
