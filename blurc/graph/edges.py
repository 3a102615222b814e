"""Edge files: the pairs of neurons that `edges("wiring.csv")` connects.

.csv              two integers per line, presynaptic and postsynaptic neuron; a header line is allowed
.edgelist, .txt   the same, separated by blanks; `#` starts a comment
.graphml          directed; every node gives its `population` and its `index` within it

Neurons are counted from 0, in row-major order of their population.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import PurePath

from blurc.diagnostics import did_you_mean, suggest
from blurc.model import Edges, Form, Population

SUFFIXES = (".csv", ".edgelist", ".txt", ".graphml")
SHOWN = 40  # characters of a line


class WrongFile(Exception):
    """What is wrong with an edge file, as the parts of a diagnostic."""

    def __init__(self, code: str, message: str, help: str, note: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.help = code, message, help
        self.notes = (note,) if note else ()

    def unquoted(self, file: EdgeFile) -> WrongFile:
        """The same without what is in the file, which may be anybody's."""
        if file.problem:
            return self
        help = "a file outside the spec's folder is not quoted: copy it there to see what is wrong"
        return WrongFile(self.code, f"`{file.name}` does not list edges that fit here", help)


@dataclass(frozen=True, eq=False)
class EdgeFile:
    """The text of an edge file, and its name as the user would write it. If it could not be read, `problem` says why
    and `near` is the file that was probably meant."""

    name: str
    text: str
    problem: str = ""
    near: str | None = None
    quoted: bool = True  # whether diagnostics may say what is in it

    @property
    def suffix(self) -> str:
        return PurePath(self.name).suffix.lower()

    @cached_property
    def lines(self) -> _Pairs:
        return _of_lines(self)

    @cached_property
    def graph(self) -> tuple[tuple[_End, _End], ...]:
        return _of_graphml(self)


@dataclass(frozen=True)
class _Pairs:
    """Presynaptic and postsynaptic neurons, and where each pair was found: line numbers, or words."""

    pre: list[int]
    post: list[int]
    at: list[int] | list[str]


@dataclass(frozen=True)
class _End:
    """A node of a GraphML file."""

    node: str
    population: str
    index: int


def edges(
    written: str, file: EdgeFile, source: str, target: str, known: Mapping[str, Population], form: Form | None
) -> Edges:
    """The edges from population `source` to `target`, which are keys of `known`. Raises `WrongFile`. `written` is the
    file's name as the attribute has it."""
    _check_suffix(written)
    if file.problem:
        help = f"did you mean `{file.near}`?" if file.near else "give its path relative to the .blur file"
        raise WrongFile("E414", f"cannot read `{file.name}`: {file.problem}", help)
    pairs = _between(file, source, target, known) if file.suffix == ".graphml" else file.lines
    for name, numbers in ((source, pairs.pre), (target, pairs.post)):
        _check_range(file, name, known[name], numbers, pairs.at)
    n_pre = known[source].size
    order = sorted(post * n_pre + pre for pre, post in zip(pairs.pre, pairs.post, strict=True))
    if any(a == b for a, b in pairwise(order)):
        raise _twice(file, pairs)
    return Edges(written, _packed(i % n_pre for i in order), _packed(i // n_pre for i in order), form)


def _packed(numbers: Iterator[int]) -> bytes:
    values = list(numbers)
    return struct.pack(f"<{len(values)}i", *values)


def _check_suffix(name: str) -> None:
    suffix = PurePath(name).suffix
    if suffix.lower() not in SUFFIXES:
        near = did_you_mean(suffix.lower(), SUFFIXES) if suffix else None
        help = f"did you mean `{name.removesuffix(suffix)}{near}`?" if near else f"use one of {', '.join(SUFFIXES)}"
        what = f"`{suffix}` files" if suffix else "a file without a suffix"
        raise WrongFile("E418", f"cannot read edges from {what}", help)


def _check_range(
    file: EdgeFile, name: str, population: Population, numbers: list[int], at: list[int] | list[str]
) -> None:
    size = population.size
    if not numbers or (min(numbers) >= 0 and max(numbers) < size):
        return
    wrong = [i for i, n in enumerate(numbers) if not 0 <= n < size]
    plural = "neuron" if size == 1 else "neurons"
    help = f"neurons are counted from 0 to {size - 1}, in row-major order"
    from_one = min(numbers) == 1 and max(numbers) == size
    raise WrongFile(
        "E416",
        f"{_place(file, at[wrong[0]])}: `{name}` has {size:,} {plural}, found neuron {numbers[wrong[0]]}",
        f"{help}; these seem to be counted from 1" if from_one else help,
        _more(len(wrong) - 1),
    )


def _twice(file: EdgeFile, pairs: _Pairs) -> WrongFile:
    first: dict[tuple[int, int], int | str] = {}
    again = list[tuple[int, int, int | str]]()
    for pre, post, at in zip(pairs.pre, pairs.post, pairs.at, strict=True):
        if (pre, post) in first:
            again.append((pre, post, at))
        first.setdefault((pre, post), at)
    pre, post, at = again[0]
    earlier = first[pre, post]
    note = f"first listed {f'on line {earlier}' if isinstance(earlier, int) else f'as {earlier}'}"
    more = _more(len(again) - 1)
    return WrongFile(
        "E417",
        f"{_place(file, at)}: the edge from {pre} to {post} is listed twice",
        "list each edge once",
        f"{note}; {more}" if more else note,
    )


def _place(file: EdgeFile, at: int | str) -> str:
    return f"{file.name}:{at}" if isinstance(at, int) else f"{file.name}, {at}"


def _more(count: int) -> str | None:
    return f"there {'is' if count == 1 else 'are'} {count:,} more like it" if count else None


# ---------------------------------------------------------------- lines of numbers


def _of_lines(file: EdgeFile) -> _Pairs:
    pairs, wrong = _Pairs([], [], []), list[_Wrong]()
    at: list[int] = []
    comma = file.suffix == ".csv"
    first = True
    for number, line in enumerate(file.text.splitlines(), 1):
        fields = line.split(",") if comma else line.partition("#")[0].split()
        if not (line.strip() if comma else fields):
            continue
        pre, post = map(_whole, fields) if len(fields) == 2 else (None, None)
        if pre is not None and post is not None:
            pairs.pre.append(pre)
            pairs.post.append(post)
            at.append(number)
        elif not (comma and first and _is_header(fields)):
            wrong.append(_Wrong(number, line.strip(), fields))
        first = False
    if wrong:
        raise _malformed(file, wrong)
    if not at:
        raise WrongFile("E415", f"`{file.name}` lists no edges", _expected(file))
    return _Pairs(pairs.pre, pairs.post, at)


def _whole(text: str) -> int | None:
    text = text.strip()
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 19 else None


def _is_header(fields: list[str]) -> bool:
    """Two names, rather than malformed numbers."""
    names = [f.strip().strip("\"'") for f in fields]
    return len(names) == 2 and all(n[:1].isalpha() or n[:1] in ("_", "#") for n in names)


@dataclass(frozen=True)
class _Wrong:
    number: int
    line: str
    fields: list[str]

    @property
    def third(self) -> str:
        return " ".join(field.strip() for field in self.fields[2:])


def _malformed(file: EdgeFile, wrong: list[_Wrong]) -> WrongFile:
    first = wrong[0]
    found, help = f"found `{_short(first.line)}`", _expected(file)
    if first.third:
        found = f"found a third column `{_short(first.third)}`"
        comma = ', delimiter=","' if file.suffix == ".csv" else ""
        help = (
            "keep only the columns of the presynaptic and the postsynaptic neuron; networkx writes just these with "
            f"`write_edgelist(graph, path{comma}, data=False)`"
        )
    message = f"{file.name}:{first.number}: expected two integers, {found}"
    return WrongFile("E415", message, help, _more(len(wrong) - 1))


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _expected(file: EdgeFile) -> str:
    pair = "`0, 12`" if file.suffix == ".csv" else "`0 12`"
    return f"write one line per edge, the presynaptic neuron and then the postsynaptic one: {pair}"


# ---------------------------------------------------------------- GraphML


def _of_graphml(file: EdgeFile) -> tuple[tuple[_End, _End], ...]:
    """All edges of the file, between any populations."""
    from blurc.graph.graphml import NoGraph, read_graphml  # loads networkx, which no other edge file needs

    try:
        nodes, pairs, directed = read_graphml(file.text)
    except NoGraph as error:
        help = "`networkx.write_graphml` writes such files"
        raise WrongFile("E415", f"`{file.name}` is not GraphML: {error}", help) from None
    if not directed:
        help = 'write `edgedefault="directed"`, with every edge from the presynaptic to the postsynaptic neuron'
        raise WrongFile("E420", f"the graph of `{file.name}` is undirected", help)
    ends = {name: _end(file, name, data) for name, data in nodes.items()}
    return tuple((ends[a], ends[b]) for a, b in pairs)


def _end(file: EdgeFile, node: str, data: Mapping[str, object]) -> _End:
    missing = [name for name in ("population", "index") if name not in data]
    if missing:
        raise WrongFile(
            "E419",
            f"{file.name}, node `{node}`: the attribute `{missing[0]}` is missing",
            "give every node its `population` and its `index` within it, counted from 0",
        )
    index = data["index"]
    whole = _whole_index(index)
    if whole is None:
        message = f"{file.name}, node `{node}`: the index must be an integer, found `{index}`"
        raise WrongFile("E419", message, "neurons are counted from 0")
    return _End(node, str(data["population"]), whole)


def _whole_index(index: object) -> int | None:
    if isinstance(index, float):
        return int(index) if index.is_integer() else None  # false for NaN and infinity
    return None if isinstance(index, bool) else _whole(str(index))


def _between(file: EdgeFile, source: str, target: str, known: Mapping[str, Population]) -> _Pairs:
    for end in dict.fromkeys(end for pair in file.graph for end in pair):
        if end.population not in known:
            raise WrongFile(
                "E419",
                f"{file.name}, node `{end.node}`: there is no population `{end.population}`",
                suggest(end.population, known, f"the populations are: {', '.join(known)}"),
            )
    chosen = [(a, b) for a, b in file.graph if (a.population, b.population) == (source, target)]
    if not chosen:
        message = f"`{file.name}` has no edges from `{source}` to `{target}`"
        raise WrongFile("E415", message, "edges go from the presynaptic to the postsynaptic neuron")
    at = [f"edge from `{a.node}` to `{b.node}`" for a, b in chosen]
    return _Pairs([a.index for a, _ in chosen], [b.index for _, b in chosen], at)
