"""The best recipe for one number of steps, found by trials that are not part of the result.

Options are chosen one after another, which takes tens of trials where all combinations would take thousands: first the
rate of each optimizer, then the other options of the best of them, then the best few compared over more seeds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, get_args

from blurc.evaluation.recipes import SCHEDULES, Optimizer, Recipe
from blurc.training import Inputs, Normalization

SEEDS, FINAL_SEEDS = 3, 5  # of a trial, and of the finalists
FINALISTS = 3
# Behind the best, as a part of its errors:
FAR = 0.2  # a trial has no further seed
NEAR = 0.1  # it is worth trying what might help it
MOST_RATES = 12  # of a recipe: where nothing learns, no rate is inside

Trial: TypeAlias = Callable[[Recipe, float, int], float]
Options: TypeAlias = Mapping[str, Sequence[Any]]
DESCENT: Options = {"momentum": (0.9, 0.7, 0.5), "schedule": SCHEDULES}
NETWORK: Options = {"normalization": get_args(Normalization), "inputs": get_args(Inputs)}


@dataclass(frozen=True)
class Tried:
    """quarters: of a factor of ten, from a learning rate of 1: grids of rates are widened and refined in these."""

    recipe: Recipe
    quarters: int

    @property
    def rate(self) -> float:
        return float(f"{10 ** (self.quarters / 4):.2g}")

    def __str__(self) -> str:
        return f"{self.recipe}, learning rate {self.rate:g}"


def first(optimizer: Optimizer) -> Tried:
    return Tried(Recipe(optimizer), round(4 * math.log10(optimizer.rate)))


@dataclass(frozen=True)
class Tuning:
    """trial: a recipe, a rate and the number of a seed to the accuracy on held-out examples, NaN where it diverged.
    found: what the trials of this search gave, seed by seed."""

    trial: Trial
    found: dict[Tried, list[float]] = field(default_factory=dict[Tried, "list[float]"])

    def search(self, starts: Iterable[Tried]) -> list[Tried]:
        """The best of each optimizer, the best of all first. starts: one for each, from where the search sets out."""
        coarse = [self._at_best_rate(start, 2) for start in starts]
        best = [self._at_best_rate(one, 1) for one in sorted(coarse, key=self.held_out, reverse=True)]
        best = [self._with_options(one, DESCENT) for one in best]
        top = max(map(self.held_out, best))
        best = [self._with_options(b, NETWORK) if self.held_out(b) >= _behind(top, NEAR) else b for b in best]
        winner = self._final()
        names = [one.recipe.optimizer.name for one in best]
        others = [self._best(name) for name in names if name != winner.recipe.optimizer.name]
        return [winner, *sorted(others, key=self.held_out, reverse=True)]

    def held_out(self, tried: Tried) -> float:
        """The mean accuracy of its trials. What diverged in one is the worst."""
        return _mean(self.found[tried])

    def _with_options(self, best: Tried, options: Options) -> Tried:
        """At its best options, chosen one after another."""
        for name, values in options.items():
            for value in values:
                other = replace(best, recipe=replace(best.recipe, **{name: value}))
                self._run(other, SEEDS)
                if self.held_out(other) >= _behind(self.held_out(best), NEAR):
                    best = max(best, self._at_best_rate(other, 1), key=self.held_out)
        return best

    def _at_best_rate(self, start: Tried, distance: int) -> Tried:
        """Of a grid of three rates, which is widened until the best is inside. distance: of rates, in quarters."""
        low, high = start.quarters - distance, start.quarters + distance
        while True:
            grid = [replace(start, quarters=at) for at in range(low, high + 1, distance)]
            for one in sorted(grid, key=lambda one: abs(one.quarters - start.quarters)):
                self._run(one, SEEDS)
            best = max(grid, key=self.held_out)
            if best.quarters not in (low, high) or len(grid) >= MOST_RATES:
                return best
            low, high = min(low, best.quarters - distance), max(high, best.quarters + distance)

    def _final(self) -> Tried:
        """The best of the few best, by more seeds."""
        few = sorted(self.found, key=self.held_out, reverse=True)[:FINALISTS]
        for one in few:
            self._run(one, FINAL_SEEDS)
        return max(few, key=self.held_out)

    def _best(self, optimizer: str) -> Tried:
        return max((t for t in self.found if t.recipe.optimizer.name == optimizer), key=self.held_out)

    def _run(self, tried: Tried, seeds: int) -> None:
        """Up to so many seeds; fewer where it is far behind the best on those that it has."""
        values = self.found.setdefault(tried, [])
        if len(values) >= seeds:
            return
        best = self.found[max(self.found, key=self.held_out)]
        while len(values) < seeds and not _mean(values) < _behind(_mean(best[: len(values)]), FAR):
            values.append(self.trial(tried.recipe, tried.rate, len(values)))


def _mean(values: Sequence[float]) -> float:
    """-1 where one is NaN, or none is there."""
    mean = sum(values) / len(values) if values else math.nan
    return -1.0 if math.isnan(mean) else mean


def _behind(accuracy: float, part: float) -> float:
    """The accuracy that is behind another by a part of its errors."""
    return accuracy - part * (1 - accuracy)
