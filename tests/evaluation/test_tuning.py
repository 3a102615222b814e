"""The search for the best recipe, on trials that cost nothing."""

from __future__ import annotations

import math

import optax

from blurc.evaluation import tuning
from blurc.evaluation.tuning import Tried, Tuning, first
from blurc.training import Optimizer, Recipe

SGD, ADAM = (Optimizer(name, optax.sgd, 0.1) for name in ("SGD", "Adam"))
CALLS = list[tuple[Recipe, float, int]]


def trial(best: float, top: float = 0.9) -> tuple[tuning.Trial, CALLS]:
    """Scores fall with the distance from the best rate, and Adam's are lower."""
    calls: CALLS = []

    def run(recipe: Recipe, rate: float, seed: int) -> float:
        calls.append((recipe, rate, seed))
        bonus = 0.02 * (recipe.momentum == 0.5) + 0.01 * (recipe.inputs == "each")
        return top - 0.1 * abs(math.log10(rate / best)) + bonus - 0.005 * (recipe.optimizer == ADAM)

    return run, calls


def test_the_grid_is_widened_until_the_best_rate_is_inside() -> None:
    for best in (0.00056, 0.1, 32.0):
        run, _ = trial(best)
        search = Tuning(run)
        winner = search.search([first(SGD)])[0]
        assert winner.rate == best
        tried = {one.quarters for one in search.found if one.recipe == winner.recipe}
        assert {winner.quarters - 1, winner.quarters + 1} <= tried


def test_options_that_help_are_taken_together() -> None:
    run, _ = trial(0.1)
    winner = Tuning(run).search([first(SGD)])[0]
    assert winner.recipe == Recipe(SGD, momentum=0.5, inputs="each")


def test_each_optimizer_is_found_once_the_best_first() -> None:
    run, _ = trial(0.1)
    found = Tuning(run).search([first(ADAM), first(SGD)])
    assert [one.recipe.optimizer for one in found] == [SGD, ADAM]
    assert [one.recipe.momentum for one in found] == [0.5, 0.5]


def test_the_best_have_more_seeds_and_what_is_far_behind_has_one() -> None:
    run, calls = trial(0.1)
    search = Tuning(run)
    winner = search.search([first(SGD)])[0]
    assert len(search.found[winner]) == tuning.FINAL_SEEDS
    assert len(search.found[Tried(Recipe(SGD), -6)]) == 1
    assert len(calls) == len(set(calls)), "a trial is run twice"


def test_what_diverges_is_never_chosen() -> None:
    def run(recipe: Recipe, rate: float, seed: int) -> float:
        return 0.1 if rate < 0.03 else math.nan

    search = Tuning(run)
    assert search.search([first(SGD)])[0].rate < 0.03


def test_a_search_ends_where_nothing_learns() -> None:
    search = Tuning(lambda recipe, rate, seed: math.nan)
    assert search.held_out(search.search([first(SGD)])[0]) == -math.inf
