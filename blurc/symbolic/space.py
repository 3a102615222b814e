"""The rules that a search can find: one expression for every site of a rule that is given."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from blurc import model as m
from blurc.api import Net
from blurc.checker import check_genome
from blurc.diagnostics import Report, Source
from blurc.language import parse, syntax, unparse
from blurc.plan import plan_of
from blurc.symbolic import interpreter
from blurc.symbolic.interpreter import CONSTANTS, Interpreted, Table, interpreted
from blurc.symbolic.sites import NOWHERE, Site, sites, with_statements
from blurc.symbolic.tables import Unfit, tables
from blurc.symbolic.trees import OPERATORS, Alphabet, Tree

POINTS = 24  # at which two expressions are compared
PREFIXES = ("c", "k", "const", "constant")  # of the names of constants

Trees: TypeAlias = tuple[Tree, ...]  # a candidate: one for each site
Rows: TypeAlias = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Space:
    """`net`: the network under the rule that is given."""

    net: Net
    sites: tuple[Site, ...]
    functions: tuple[str, ...]
    operators: tuple[str, ...]

    @cached_property
    def tree(self) -> syntax.Genome:
        return self.net.sources.genomes[self.net.model.genome.name]

    @cached_property
    def alphabets(self) -> tuple[Alphabet, ...]:
        return tuple(Alphabet(site.leaves, self.functions, self.operators) for site in self.sites)

    @cached_property
    def interpreted(self) -> tuple[Interpreted, ...]:
        operations = (*(OPERATORS[o] for o in self.operators if o in "*/"), *self.functions)
        return tuple(interpreted(site, i, operations) for i, site in enumerate(self.sites))

    @cached_property
    def interpreter(self) -> Net:
        """The network under the rule that interprets candidates."""
        report = Report()
        rule = check_genome(interpreter.rule(self.tree, self.interpreted), dict(self.net.model.genome.params), report)
        report.check()
        assert rule
        model = m.Model(rule, self.net.model.network)
        return Net(plan_of(model), model, self.net.sources)

    # ------------------------------------------------------------- candidates

    def trees(self, symbols: Rows, values: Rows) -> Trees:
        """A candidate from its rows in a checkpoint, [sites, length]."""
        return tuple(a.tree(s, v) for a, s, v in zip(self.alphabets, symbols, values, strict=True))

    def simplified(self, trees: Trees) -> Trees:
        return tuple(a.simplified(t) for a, t in zip(self.alphabets, trees, strict=True))

    def written(self, trees: Trees) -> syntax.Genome:
        """A candidate as a genome, its constants as meta-parameters."""
        names, learns = self._names(), list[syntax.GenomeItem]()
        new: list[tuple[Site, list[syntax.Statement]]] = []
        for site, alphabet, tree in zip(self.sites, self.alphabets, trees, strict=True):
            own = [next(names) for _ in tree.constants]
            learns += [_learn(name, value) for name, value in zip(own, tree.constants, strict=True)]
            names_of = iter([syntax.Name(name, span=NOWHERE) for name in own])
            value = site.changed_by(alphabet.written(tree, names_of))
            new.append((site, [site.assigned(value)]))
        changed = with_statements(self.tree, new)
        return replace(changed, items=(*_declared(changed), *learns, *_run(changed)))

    def named(self, trees: Trees, name: str) -> syntax.Genome:
        """A candidate as a genome of this name."""
        return replace(self.written(trees), name=name, extends=None)

    def equations(self, trees: Trees) -> Iterator[str]:
        """The statements of a candidate, with the values of its constants."""
        for site, alphabet, tree in zip(self.sites, self.alphabets, trees, strict=True):
            value = alphabet.written(tree, iter([_number(c) for c in tree.constants]))
            yield f"{site.phase.kind}: {unparse(site.assigned(site.changed_by(value)))}"

    def compiled(self, trees: Trees) -> Net:
        """The network under a candidate, compiled like any other rule."""
        report = Report()
        text = unparse(self.named(trees, self.tree.name))
        (tree,) = parse(Source("the candidate", text), report).genomes
        parameters = dict(self.net.model.genome.params)
        rule = check_genome(replace(tree, around=self.tree.around), parameters, report)
        report.check()
        assert rule
        model = m.Model(rule, self.net.model.network)
        return Net(plan_of(model), model, self.net.sources)

    def checked(self, trees: Trees) -> m.Genome | None:
        """None if the checker refuses the candidate."""
        return check_genome(self.written(trees), dict(self.net.model.genome.params), Report())

    def tables(self, trees: Trees) -> dict[str, Table] | None:
        """A candidate for the interpreter; None if the checker refuses it, or if it does not fit."""
        rule, names = self.checked(trees), self._names()
        found: dict[str, Table] = {}
        if rule is None:
            return None
        for one, tree in zip(self.interpreted, trees, strict=True):
            own = [next(names) for _ in tree.constants]
            try:
                found |= tables(one, rule, own, tree.constants)
            except Unfit:
                return None
        return found

    def _names(self) -> Iterator[str]:
        """Of constants: c1, c2, .. unless the rule has names like these."""
        taken = {v.name for v in self.tree.items if isinstance(v, syntax.Declaration)}
        taken |= {p.name for p in self.tree.params}
        most = CONSTANTS * len(self.sites)
        free = (p for p in PREFIXES if taken.isdisjoint(f"{p}{i}" for i in range(1, most + 1)))
        prefix = next(free, "searched_constant")
        yield from (f"{prefix}{i}" for i in range(1, 1 + 10 * most))

    # ------------------------------------------------------------- equal ones

    def fingerprint(self, trees: Trees) -> int | None:
        """Equal for candidates that are equal by algebra, whatever their constants are; None for those that are
        nothing at some site: everywhere 0, or nowhere finite."""
        digest = hashlib.sha256()
        for alphabet, tree, leaves in zip(self.alphabets, trees, self._points, strict=True):
            values = alphabet.evaluated(tree, leaves, iter(_CONSTANTS))
            largest = np.abs(values).max()
            if not np.isfinite(values).all() or largest < 1e-9:
                return None
            digest.update(np.round(values / largest, 6).tobytes() + f"{largest:.5e}".encode())
        return int.from_bytes(digest.digest()[:8], signed=True)

    @cached_property
    def _points(self) -> tuple[np.ndarray, ...]:
        draws = np.random.default_rng(0)
        shapes = [(len(a.leaves), POINTS) for a in self.alphabets]
        return tuple(draws.uniform(0.3, 2.0, shape) * draws.choice([-1.0, 1.0], shape) for shape in shapes)


_CONSTANTS = tuple(np.random.default_rng(1).uniform(0.3, 2.0, 4096))


def space(
    net: Net,
    phases: Sequence[str],
    leaves: Mapping[str, Sequence[str]],
    functions: Sequence[str],
    operators: Sequence[str],
) -> Space:
    """Raises `BlurError` (E613) if there is nothing to search."""
    tree = net.sources.genomes[net.model.genome.name]
    found = sites(tree, net.model.genome, phases, leaves)
    return Space(net, found, tuple(functions), tuple(operators))


def _learn(name: str, value: float) -> syntax.Learn:
    return syntax.Learn(name, (), _number(value), span=NOWHERE)


def _number(value: float) -> syntax.Expr:
    number = syntax.Number(abs(value), span=NOWHERE)
    return syntax.Negate(number, span=NOWHERE) if value < 0 else number


def _declared(tree: syntax.Genome) -> Iterator[syntax.GenomeItem]:
    yield from (item for item in tree.items if isinstance(item, syntax.Declaration))


def _run(tree: syntax.Genome) -> Iterator[syntax.GenomeItem]:
    yield from (item for item in tree.items if not isinstance(item, syntax.Declaration))
