"""The best recipe for one number of steps, found by trials that are not part of the result.

Options are chosen one after another, which takes tens of trials where all combinations would take thousands. Each
optimizer gets its learning rate, then its momentum and schedule. Those near the best also get their normalization and
the way inputs are standardised. The best few are then compared over more seeds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, get_args

from blurc.training import SCHEDULES, Cell, Inputs, Normalization, Optimizer, Recipe

SEEDS, FINAL_SEEDS = 3, 5  # seeds of a trial, and of a finalist
FINALISTS = 3
# Distances behind the best, as a fraction of what it lacks to perfection.
FAR = 0.2  # a trial this far behind gets no further seed
NEAR = 0.1  # a trial nearer than this may still come first with other options
MOST_RATES = 12  # per recipe: if nothing learns, the grid would widen for ever

Trial: TypeAlias = Callable[[Recipe, float, int], float]
Options: TypeAlias = Mapping[str, Sequence[Any]]
DESCENT: Options = {"momentum": (0.9, 0.7, 0.5, 0.3, 0.0), "schedule": SCHEDULES}
NETWORK: Options = {"normalization": get_args(Normalization), "inputs": get_args(Inputs)}


@dataclass(frozen=True)
class Tried:
    """A recipe at a learning rate of 10 ** (quarters / 4)."""

    recipe: Recipe
    quarters: int

    @property
    def rate(self) -> float:
        return float(f"{10 ** (self.quarters / 4):.2g}")

    def __str__(self) -> str:
        return f"{self.recipe}, learning rate {self.rate:g}"


def first(optimizer: Optimizer, cell: Cell | None = None) -> Tried:
    return Tried(Recipe(optimizer, cell=cell), round(4 * math.log10(optimizer.rate)))


@dataclass(frozen=True)
class Tuning:
    """A search.

    trial: (recipe, rate, number of a seed) -> the merit on held-out examples (`Objective.merit`), which is the
        accuracy if that is measured; NaN if it diverged.
    network: options of what learns.
    found: the merits of the trials so far, seed by seed.
    """

    trial: Trial
    network: Options = field(default_factory=lambda: NETWORK)
    found: dict[Tried, list[float]] = field(default_factory=dict[Tried, "list[float]"])

    def search(self, starts: Iterable[Tried]) -> list[Tried]:
        """The best of each optimizer, best first. starts: where the search for each optimizer begins."""
        coarse = [self._at_best_rate(start, 2) for start in starts]
        best = [self._at_best_rate(one, 1) for one in sorted(coarse, key=self.held_out, reverse=True)]
        best = [self._with_options(one, DESCENT) for one in best]
        top = max(map(self.held_out, best))
        best = [self._with_options(b, self.network) if self.held_out(b) >= _behind(top, NEAR) else b for b in best]
        winner = self._final()
        names = [one.recipe.optimizer.name for one in best]
        others = [self._best(name) for name in names if name != winner.recipe.optimizer.name]
        return [winner, *sorted(others, key=self.held_out, reverse=True)]

    def held_out(self, tried: Tried) -> float:
        """The mean merit of its trials; -inf if one diverged."""
        return _mean(self.found[tried])

    def is_at_end(self, tried: Tried) -> bool:
        """Whether its rate is the lowest or highest of its recipe: there may be better ones beyond."""
        rates = [other.quarters for other in self.found if other.recipe == tried.recipe]
        return len(rates) > 1 and tried.quarters in (min(rates), max(rates))

    def _with_options(self, best: Tried, options: Options) -> Tried:
        """The best, with each option changed in turn where that helps."""
        for name, values in options.items():
            for value in values:
                other = replace(best, recipe=replace(best.recipe, **{name: value}))
                self._run(other, SEEDS)
                if self.held_out(other) >= _behind(self.held_out(best), NEAR):
                    best = max(best, self._at_best_rate(other, 1), key=self.held_out)
        return best

    def _at_best_rate(self, start: Tried, distance: int) -> Tried:
        """The best rate of a grid that is widened until the best is inside. distance: between rates, in quarters."""
        low, high = start.quarters - distance, start.quarters + distance
        while True:
            grid = [replace(start, quarters=at) for at in range(low, high + 1, distance)]
            grid.sort(key=lambda one: abs(one.quarters - start.quarters))  # of equals, the one in the middle is taken
            for one in grid:
                self._run(one, SEEDS)
            best = max(grid, key=self.held_out)
            if self.held_out(best) == -math.inf:  # all diverged
                best = min(grid, key=lambda one: one.quarters)
            if best.quarters not in (low, high) or len(grid) >= MOST_RATES:
                return best
            low, high = min(low, best.quarters - distance), max(high, best.quarters + distance)

    def _final(self) -> Tried:
        """The best of the finalists, by more seeds."""
        few = sorted(self.found, key=self.held_out, reverse=True)[:FINALISTS]
        for one in few:
            self._run(one, FINAL_SEEDS)
        return max(few, key=self.held_out)

    def _best(self, optimizer: str) -> Tried:
        return max((t for t in self.found if t.recipe.optimizer.name == optimizer), key=self.held_out)

    def _run(self, tried: Tried, seeds: int) -> None:
        """Runs a trial on up to `seeds` seeds. It stops early if it is far behind the best on the same seeds."""
        values = self.found.setdefault(tried, [])
        if len(values) >= seeds:
            return
        best = self.found[max(self.found, key=self.held_out)]
        while len(values) < seeds and not _mean(values) < _behind(_mean(best[: len(values)]), FAR):
            values.append(self.trial(tried.recipe, tried.rate, len(values)))


def _mean(values: Sequence[float]) -> float:
    """-inf if one is NaN, or there are none."""
    mean = sum(values) / len(values) if values else math.nan
    return -math.inf if math.isnan(mean) else mean


def _behind(merit: float, part: float) -> float:
    """The merit that is behind another by a fraction of what that one lacks."""
    return merit - part * (1 - merit)
