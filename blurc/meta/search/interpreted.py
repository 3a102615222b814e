"""Judges candidates of a symbolic search: all of them in one program, by the rule that interprets rules.

    screened     every new candidate, on one episode
    tuned        the best of these and the elite, on half of the episodes
    judged       the same, on all; what counts is the half that their constants were not tuned on

Where there is no half, with one episode or for the worst task, all episodes do both.

Constants are tuned by an evolution strategy of one parent and one child for each candidate: they change by factors, for
rates that differ by orders of magnitude, and now and then in sign.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from blurc.meta.search.episode import Drawn, Feedback, Judge
from blurc.runtime import map_tree
from blurc.symbolic import CONSTANTS, Space, Table, constants

SIGMA = 0.7  # of the first changes, as logarithms
BETTER, WORSE = 1.5, 0.8  # how a success and a failure change it (Kern et al. 2004)
FLIPPED = 0.1  # how many constants change their sign
SCREENED = 2  # rounds of tuning for new candidates
REMEMBERED = 4096  # candidates whose tables are kept


class Tuned(NamedTuple):
    """values: constants in rows, as those of candidates. judged: which candidates were not only screened."""

    values: NDArray[np.float32]
    judged: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class InterpretedJudge(Judge):
    """`net` is under the rule that interprets. fixed: the meta-parameters that the rule has of its own. rounds: of
    tuning. elite: how many candidates come first that are known already. most: how many are tuned and judged."""

    space: Space = field(kw_only=True)
    fixed: Mapping[str, Any] = field(default_factory=dict[str, Any])
    rounds: int = 0
    elite: int = 0
    most: int = 1
    # Cache, the last used at the end: what depends on the symbols of a candidate alone.
    _tables: dict[bytes, dict[str, Table]] = field(default_factory=dict[bytes, dict[str, Table]])

    @cached_property
    def values(self) -> Callable[..., Feedback]:
        """(candidates, drawn) -> Feedback."""
        of_tables = super().values

        def run(candidates: Any, drawn: Drawn) -> Feedback:
            return of_tables(self._encoded(candidates), drawn)

        return run

    def tuned(self, candidates: Any, drawn: Drawn, key: jax.Array) -> Feedback:
        """The feedback of a meta-step. What is only screened has no values but on the first episode."""
        screen_key, tune_key = jax.random.split(key)
        encoded, first = self._encoded(candidates), map_tree(lambda x: x[:1], drawn)
        children = map_tree(lambda x: x[self.elite :], encoded)
        costs, constants = self._tune(children, first, screen_key, SCREENED)
        encoded |= {name: encoded[name].at[self.elite :].set(constants[name]) for name in self._names}
        order = np.argsort(np.asarray(costs), kind="stable")[: self.most - self.elite]
        which = np.concatenate([np.arange(self.elite), self.elite + order])
        values, each, found = self._judged(map_tree(lambda x: x[which], encoded), drawn, tune_key)

        judged = np.isin(np.arange(len(candidates.symbols)), which)
        screened = np.concatenate([np.full(self.elite, np.nan), self.objective.natural(np.asarray(costs))])
        all_values, all_each = screened.copy(), np.full((len(judged), len(drawn.keys)), np.nan)
        all_each[:, 0] = screened
        all_values[which], all_each[which] = values, each
        rows = np.array(candidates.values)
        constants = {name: np.array(encoded[name]) for name in self._names}
        for name in self._names:
            constants[name][which] = found[name]
        self._fill(rows, candidates.symbols, constants)
        known = jnp.asarray(np.where(np.isfinite(all_values), all_values, np.nan))
        return Feedback(known, jnp.isfinite(known), jnp.asarray(all_each), tuned=Tuned(rows, judged))

    def _judged(self, tables: dict[str, Any], drawn: Drawn, key: jax.Array) -> tuple[Any, Any, dict[str, Any]]:
        """Values, those of each episode, and constants."""
        half = len(drawn.keys) // 2 if self.over_tasks == "mean" else 0
        learned = map_tree(lambda x: x[:half] if half else x, drawn)
        _, constants = self._tune(tables, learned, key, self.rounds)
        _, each = self._program({**tables, **constants}, drawn)
        values = jax.vmap(lambda one: self.combine(one[half:], drawn.tasks[half:]))(each)
        return np.asarray(values), np.asarray(each), constants

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(one.constants for one in self.space.interpreted)

    @cached_property
    def _program(self) -> Any:
        return self.mapped(self.one)

    def _tune(self, tables: dict[str, Any], drawn: Drawn, key: jax.Array, rounds: int) -> Any:
        """Costs and constants, the best of all rounds."""
        given = {name: tables[name] for name in self._names}
        draws = _draws(given, jax.random.split(key, rounds + 1))
        return self._tuning((tables, draws), drawn)

    @cached_property
    def _tuning(self) -> Any:
        """((tables, draws), drawn) -> costs and constants."""

        def one(candidate: Any, drawn: Drawn) -> Any:
            tables, draws = candidate

            def round(carry: Any, of: Any) -> tuple[Any, None]:
                (constants, best, sigma), (number, draw) = carry, of
                tried = _changed(constants, jnp.where(number > 0, sigma, 0.0), draw)
                value, _ = self.one({**tables, **tried}, drawn)
                found = self.objective.costs(value)
                won = found < best
                kept = {n: jnp.where(won, tried[n], constants[n]) for n in constants}
                changed = jnp.clip(sigma * jnp.where(won, BETTER, WORSE), 0.01, 2.0)
                return (kept, jnp.where(won, found, best), jnp.where(number > 0, changed, sigma)), None

            given = {name: tables[name] for name in self._names}
            carry = given, jnp.asarray(jnp.inf), jnp.asarray(SIGMA)
            numbers = jnp.arange(len(jax.tree.leaves(draws)[0]))  # the first judges what is given
            (constants, best, _), _ = jax.lax.scan(round, carry, (numbers, draws))
            return best, constants

        return self.mapped(one)

    def _fill(self, rows: NDArray[np.float32], symbols: Any, constants: Mapping[str, Any]) -> None:
        """Puts constants where they stand in rows, from left to right."""
        for i, name in enumerate(self._names):
            at = np.asarray(symbols[:, i]) == 0
            order = np.clip(np.cumsum(at, axis=1) - 1, 0, CONSTANTS)
            rows[:, i] = np.where(at, np.take_along_axis(np.asarray(constants[name]), order, axis=1), rows[:, i])

    # ------------------------------------------------------------- tables

    def _encoded(self, candidates: Any) -> dict[str, Any]:
        pairs = zip(np.asarray(candidates.symbols), np.asarray(candidates.values), strict=True)
        each = [self._of(symbols, values) for symbols, values in pairs]
        tables = {name: jnp.asarray(np.stack([one[name] for one in each])) for name in each[0]}
        count = len(each)
        fixed = jax.tree.map(lambda x: jnp.broadcast_to(x, (count, *jnp.shape(x))), dict(self.fixed))
        return {**fixed, **tables}

    def _of(self, symbols: np.ndarray, values: np.ndarray) -> dict[str, Table]:
        """The tables of one candidate. All but the constants depend on its symbols alone."""
        key = symbols.tobytes()
        found = self._tables.pop(key, None) or self.space.tables(self.space.trees(symbols, values))
        assert found, "only what fits is asked"
        self._tables[key] = found
        if len(self._tables) > REMEMBERED:
            del self._tables[next(iter(self._tables))]
        own = {name: constants(values[i][symbols[i] == 0]) for i, name in enumerate(self._names)}
        return {**found, **own}


@jax.jit
def _draws(constants: Mapping[str, jax.Array], keys: jax.Array) -> dict[str, tuple[jax.Array, jax.Array]]:
    """For every candidate and round: how far each constant goes, and whether it changes its sign."""

    def draw(key: jax.Array, i: int, value: jax.Array) -> tuple[jax.Array, jax.Array]:
        size_key, sign_key = jax.random.split(jax.random.fold_in(key, i))
        return jax.random.normal(size_key, value.shape), jax.random.bernoulli(sign_key, FLIPPED, value.shape)

    rounds = {name: jax.vmap(partial(draw, i=i, value=v))(keys) for i, (name, v) in enumerate(constants.items())}
    return map_tree(lambda x: jnp.swapaxes(x, 0, 1), rounds)


def _changed(
    constants: Mapping[str, jax.Array], sigma: jax.Array, draws: Mapping[str, tuple[jax.Array, jax.Array]]
) -> dict[str, jax.Array]:
    """Other constants, and the same where sigma is 0; the last one is always 1."""
    changed: dict[str, jax.Array] = {}
    for name, value in constants.items():
        size, flipped = draws[name]
        sign = jnp.where(flipped & (sigma > 0), -1.0, 1.0)
        changed[name] = (value * jnp.exp(sigma * size) * sign).at[-1].set(1.0)
    return changed
