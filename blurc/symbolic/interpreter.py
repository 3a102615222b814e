"""A rule that interprets rules: its meta-parameters are tables that say what its searched statements compute.

The compiler turns it into one program, and every candidate of a search is data for that program: a compile less for
each. What is looked up in tables is arithmetic, so the interpreter is as local as the candidates, and runs on whatever
network, topology and device the compiler knows. After separation, a statement of `update` is

    w <- w + sum over t of S[t] * batch_mean(P[t] * Q[t])

with S from what does not differ over the batch, P from the presynaptic and Q from the postsynaptic neuron. Each is a
row of a *file*: LAYERS layers of WIDTH registers, where a register is one operation on two weighted sums of what lies
before it. A statement of a neuron is one row of one file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from blurc.diagnostics import Report, Source
from blurc.language import parse, syntax
from blurc.symbolic.sites import Leaf, Site, group_of, with_statements

LAYERS = 2  # of operations, one on the other
WIDTH = 4  # operations in a layer
TERMS = 6  # of a synapse's change, multiplied out
CONSTANTS = 4  # of an expression
TABLE = "table"  # what the names of all tables begin with

Table = NDArray[np.float32]


def constants(values: Sequence[float]) -> Table:
    """The table of an expression's constants, the last of which is 1."""
    found = np.zeros(CONSTANTS + 1, np.float32)
    found[[*range(len(values)), CONSTANTS]] = [*values, 1.0]
    return found


@dataclass(frozen=True)
class File:
    """The registers of one scope at a site. rows: how many of its weighted sums are read."""

    name: str
    leaves: tuple[Leaf, ...]
    operations: tuple[str, ...]
    rows: int
    constants: str

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The tables, by name."""
        found: dict[str, tuple[int, ...]] = {}
        for layer in range(1, LAYERS + 1):
            for operand in "ab":
                found |= {f"{self.name}_{layer}{operand}_{of}": (WIDTH, n) for of, n in self._before(layer)}
            found |= {f"{self.name}_{layer}_{operation}": (WIDTH,) for operation in self.operations}
        return found | {f"{self.name}_out_{of}": (self.rows, n) for of, n in self._before(LAYERS + 1)}

    def _before(self, layer: int) -> Iterator[tuple[str, int]]:
        """What the registers of a layer may read, and how many numbers that is."""
        if self.leaves:
            yield "x", len(self.leaves)
        yield "k", CONSTANTS + 1
        yield from ((f"r{earlier}", WIDTH) for earlier in range(1, layer))

    def text(self) -> Iterator[str]:
        """`let`s, the last of which names the rows."""
        if self.leaves:
            yield f"let {self.name}_x = [{', '.join(leaf.text for leaf in self.leaves)}]"
        for layer in range(1, LAYERS + 1):
            for operand in "ab":
                yield f"let {self.name}_{layer}{operand} = {self._sum(f'{layer}{operand}', layer)}"
            a, b = f"{self.name}_{layer}a", f"{self.name}_{layer}b"
            chosen = (_applied(o, f"{self.name}_{layer}_{o}", a, b) for o in self.operations)
            yield f"let {self.name}_r{layer} = {' + '.join(chosen)}"
        yield f"let {self.name}_rows = {self._sum('out', LAYERS + 1)}"

    def _sum(self, table: str, layer: int) -> str:
        read = ((of, self.constants if of == "k" else f"{self.name}_{of}") for of, _ in self._before(layer))
        return " + ".join(f"{self.name}_{table}_{of} @ {value}" for of, value in read)


def _applied(operation: str, mask: str, a: str, b: str) -> str:
    """An operation where the mask is 1. Elsewhere its operand is 0, lest it overflow where nobody asked for it."""
    match operation:
        case "mul":
            return f"({mask} * {a}) * {b}"
        case "div":
            return f"({mask} * {a}) / where({b}, {b}, 1)"
        case _:
            return f"{mask} * {operation}({mask} * {a})"


@dataclass(frozen=True)
class Interpreted:
    """A site with its files: `still`, `pre` and `post` in `update`, else `own`."""

    site: Site
    files: Mapping[str, File]
    constants: str

    @property
    def value(self) -> str:
        return f"{self.constants}_value"

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The tables and the constants, by name. The last of the constants is 1."""
        tables = {name: shape for file in self.files.values() for name, shape in file.shapes.items()}
        return {self.constants: (CONSTANTS + 1,), **tables}

    def text(self) -> Iterator[str]:
        for file in self.files.values():
            yield from file.text()
        if "own" in self.files:
            yield f"let {self.value} = {self.files['own'].name}_rows[0]"
            return
        still, pre, post = (f"{self.files[side].name}_rows" for side in ("still", "pre", "post"))
        ones = f"[[{', '.join('1' * TERMS)}]]"
        yield f"let {self.value} = ({ones} @ ({still} * batch_mean({pre} * {post})))[0]"


def interpreted(site: Site, number: int, operations: Sequence[str]) -> Interpreted:
    constants = f"{TABLE}{number}_k"
    groups: dict[str, list[Leaf]] = {"still": [], "pre": [], "post": []} if site.phase.kind == "update" else {"own": []}
    for leaf in site.leaves:
        groups[str(group_of(leaf.meaning)) if "pre" in groups else "own"].append(leaf)
    rows = TERMS if "pre" in groups else 1
    files = {
        side: File(f"{TABLE}{number}_{side}", tuple(leaves), tuple(operations), rows, constants)
        for side, leaves in groups.items()
    }
    return Interpreted(site, files, constants)


def rule(tree: syntax.Genome, sites: Sequence[Interpreted]) -> syntax.Genome:
    """The rule that interprets, from the rule that is searched."""
    written = [*map(_written, sites)]
    learns = [item for learned, _ in written for item in learned]
    new = ((one.site, statements) for one, (_, statements) in zip(sites, written, strict=True))
    changed = with_statements(tree, new)
    return replace(changed, items=(*learns, *changed.items))


def _written(one: Interpreted) -> tuple[list[syntax.Learn], list[syntax.Statement]]:
    """The tables of a site as meta-parameters, and the statements that read them."""
    learned = (f"{name}[{', '.join(map(str, shape))}] = 0" for name, shape in one.shapes.items())
    kind, lines = one.site.phase.kind, "\n".join(one.text())
    report = Report()
    text = f"genome g {{ learn {', '.join(learned)}\n{kind} {{\n{lines}\n}} readout 0 }}"
    (genome,) = parse(Source("the interpreter", text), report).genomes
    report.check()
    items = genome.items
    (phase,) = (item for item in items if isinstance(item, syntax.Phase))
    value = one.site.assigned(syntax.Name(one.value, span=one.site.target.span))
    return [item for item in items if isinstance(item, syntax.Learn)], [*phase.statements, value]
