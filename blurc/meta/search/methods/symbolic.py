"""Symbolic search: genetic programming over the expressions of a rule.

    every meta-step   children of an elite are screened, then the best of them and the elite are judged on the same
                      episodes, their constants tuned on the way
    survivors         half by Pareto fronts of length against cost, the others by cost alone

The elite is judged again every time, on other episodes, so that no luck lasts; its cost is a running mean. A child that
the checker refuses, that does not fit into the interpreter's tables, or that equals by algebra what was tried before,
is replaced by another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from blurc.meta.experiment.experiment import Symbolic
from blurc.meta.search.episode import Feedback
from blurc.meta.search.methods.method import Wants
from blurc.symbolic import Space, Trees, Variation
from blurc.tasks import Costs

MEMORY = 8  # judgements in the running mean of a cost
ATTEMPTS = 50  # at a child, before an old one is allowed
JUDGED = 16  # candidates that may enter the front at a time


class Candidates(NamedTuple):
    """symbols, values: rows of trees, [candidates, sites, length]."""

    symbols: NDArray[np.int32]
    values: NDArray[np.float32]


class SymbolicState(NamedTuple):
    """elite: candidates. costs, judged: their running means, and of how many judgements. seen: fingerprints of all that
    was ever tried."""

    elite: Candidates
    costs: NDArray[np.float64]
    judged: NDArray[np.int64]
    seen: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SymbolicMethod:
    choice: Symbolic
    space: Space
    seed: int = 0
    wants: ClassVar[Wants] = "tuned"

    def init(self, genomes: Any) -> SymbolicState:
        """Random candidates; a search begins with nothing."""
        draws = Variation(self.space, self.choice.length, np.random.default_rng(self.seed))
        found = self._fill(draws, [], self.choice.elite, set())
        costs = np.full(self.choice.elite, np.inf)
        return SymbolicState(self.rows(found), costs, np.zeros(self.choice.elite, np.int64), np.empty(0, np.int64))

    def ask(self, state: SymbolicState, key: jax.Array) -> Candidates:
        draws = np.random.default_rng(np.asarray(jax.random.key_data(key)))
        variation = Variation(self.space, self.choice.length, draws)
        elite = self.trees(state.elite)
        parents = [t for t, cost in zip(elite, state.costs, strict=True) if np.isfinite(cost)]
        seen = {*state.seen.tolist(), *self._marks(elite)}
        children = self._fill(variation, parents, self.choice.population - len(elite), seen)
        return self.rows([*elite, *children])

    def tell(self, state: SymbolicState, candidates: Candidates, costs: Costs, feedback: Feedback) -> SymbolicState:
        tuned = candidates._replace(values=feedback.tuned.values)
        found = np.where(feedback.tuned.judged, np.asarray(costs, np.float64), np.inf)
        judged = np.concatenate([state.judged, np.zeros(len(found) - len(state.judged), np.int64)])
        before = np.concatenate([state.costs, np.zeros(len(found) - len(state.costs))])
        with np.errstate(invalid="ignore"):
            running = np.where(judged > 0, (judged * before + found) / (judged + 1), found)
        lengths = self.lengths(candidates)
        kept = survivors(running, lengths, self.choice.elite)
        seen = np.asarray(sorted({*state.seen.tolist(), *self._marks(self.trees(candidates))}), np.int64)
        elite = Candidates(tuned.symbols[kept], tuned.values[kept])
        return SymbolicState(elite, running[kept], np.minimum(judged[kept] + 1, MEMORY - 1), seen)

    def genomes(self, state: SymbolicState) -> Candidates:
        """Those that may enter the front, [JUDGED]."""
        lengths = self.lengths(state.elite)
        which = survivors(state.costs, lengths, len(lengths), fronts_alone=True)
        which = np.resize(which, JUDGED)
        return Candidates(state.elite.symbols[which], state.elite.values[which])

    def replaced(self, state: SymbolicState, genomes: Any, anew: jax.Array) -> SymbolicState:
        """Nothing: what diverges is replaced by children of others at every step."""
        return state

    # ------------------------------------------------------------- candidates

    def rows(self, found: list[Trees]) -> Candidates:
        rows = [
            [a.row(t, self.choice.length) for a, t in zip(self.space.alphabets, trees, strict=True)] for trees in found
        ]
        symbols, values = ([[row[i] for row in of] for of in rows] for i in range(2))
        return Candidates(np.asarray(symbols, np.int32), np.asarray(values, np.float32))

    def trees(self, candidates: Candidates) -> list[Trees]:
        pairs = zip(np.asarray(candidates.symbols), np.asarray(candidates.values), strict=True)
        return [self.space.trees(symbols, values) for symbols, values in pairs]

    def lengths(self, candidates: Candidates) -> NDArray[np.int64]:
        return (np.asarray(candidates.symbols) >= 0).sum(axis=(1, 2))

    def _marks(self, found: list[Trees]) -> set[int]:
        return {mark for mark in map(self.space.fingerprint, found) if mark is not None}

    def _fill(self, variation: Variation, parents: list[Trees], count: int, seen: set[int]) -> list[Trees]:
        """`count` candidates that are not in `seen`, to which it adds them."""
        found: list[Trees] = []
        while len(found) < count:
            for attempt in range(ATTEMPTS):
                new = variation.child(parents) if parents and variation.draws.random() < 0.95 else variation.fresh()
                if sum(t.length for t in new) > self.choice.length:
                    continue
                mark = self.space.fingerprint(new)
                if mark is None or (mark in seen and attempt < ATTEMPTS - 1):
                    continue
                seen.add(mark)
                if self.space.tables(new) is not None:
                    found.append(new)
                    break
        return found


def survivors(
    costs: NDArray[np.float64], lengths: NDArray[np.int64], count: int, fronts_alone: bool = False
) -> NDArray[np.int64]:
    """Which candidates stay: half from Pareto fronts of length against cost, one front after the other, the others by
    their cost."""
    order = np.lexsort((lengths, costs))
    kept: list[int] = []
    rest = [int(i) for i in order]
    while rest and len(kept) < (count if fronts_alone else (count + 1) // 2):
        front = _front(rest, lengths)
        kept += front
        rest = [i for i in rest if i not in front]
    kept = kept[: count if fronts_alone else (count + 1) // 2]
    there = {*kept}
    kept += [int(i) for i in order if int(i) not in there][: count - len(kept)]
    return np.asarray(kept)


def _front(by_cost: list[int], lengths: NDArray[np.int64]) -> list[int]:
    """Those that are shorter than all that cost less."""
    found: list[int] = []
    shortest = np.iinfo(np.int64).max
    for i in by_cost:
        if lengths[i] < shortest:
            shortest = lengths[i]
            found.append(i)
    return found
