"""CMA-ES, from the package `cma`. It only needs values, so the objective needs no gradient.

Hansen, "The CMA Evolution Strategy: A Tutorial" (arXiv:1604.00772). The state is the initial mean, the number of
restarts and the costs of all generations. With the seed, these determine the search, which is replayed after an
interruption in milliseconds per generation. Nothing is pickled.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

with warnings.catch_warnings():  # that it cannot draw without matplotlib, which nobody asks it to
    warnings.simplefilter("ignore")
    import cma

from blurc.meta.experiment.experiment import Cma
from blurc.meta.search.episode import Feedback
from blurc.meta.search.methods import flat
from blurc.meta.search.methods.method import Wants
from blurc.tasks import Costs


class CmaState(NamedTuple):
    """start: the initial mean, a genome. told: costs [generations, population]. restarts: how often the search
    restarted, so that it draws differently each time; a 0-d array."""

    start: Any
    told: np.ndarray
    restarts: np.ndarray


@dataclass(frozen=True, eq=False)
class CmaMethod:
    choice: Cma
    seed: int = 0
    wants: ClassVar[Wants] = "values"
    # Cache: the last search and its state.
    _search: dict[str, Any] = field(default_factory=dict[str, Any])

    def init(self, genomes: Any) -> CmaState:
        return CmaState(flat.first(genomes), np.empty((0, self.choice.population)), np.asarray(0))

    def ask(self, state: CmaState, key: jax.Array) -> Any:
        return flat.genomes(self._asked(state), state.start)

    def tell(self, state: CmaState, candidates: Any, costs: Costs, feedback: Feedback) -> CmaState:
        return state._replace(told=np.concatenate([state.told, np.asarray(costs, float)[None]]))

    def genomes(self, state: CmaState) -> Any:
        """The mean, not the best candidate ever seen: a single value is partly luck."""
        self._asked(state)
        mean = self._search["es"].mean if len(state.told) else np.asarray(flat.vector(state.start))
        return flat.genomes(self._array(state, mean[None]), state.start)

    def replaced(self, state: CmaState, genomes: Any, anew: jax.Array) -> CmaState:
        if not bool(anew.any()):
            return state
        return self.init(genomes)._replace(restarts=np.asarray(state.restarts + 1))

    def _asked(self, state: CmaState) -> jax.Array:
        """The candidates of the next generation, [population, n]."""
        search = self._search
        if not search or not _continues(state, search["state"]):
            search.update(es=self._fresh(state), state=state._replace(told=state.told[:0]))
            search["asked"] = search["es"].ask()
        for costs in state.told[len(search["state"].told) :]:
            search["es"].tell(search["asked"], _ranked(costs))
            search["asked"] = search["es"].ask()
        search["state"] = state
        return self._array(state, search["asked"])

    def _fresh(self, state: CmaState) -> Any:
        draws = np.random.default_rng([self.seed, int(state.restarts)])

        def randn(*sizes: int) -> NDArray[np.float64]:
            return draws.standard_normal(sizes)

        options: dict[str, Any] = {
            "popsize": self.choice.population,
            "randn": randn,
            "verbose": -9,
            "seed": np.nan,  # tells the package to leave NumPy's global random state alone
        }
        start = np.asarray(flat.vector(state.start), float)
        return cma.CMAEvolutionStrategy(start, self.choice.sigma, options)

    def _array(self, state: CmaState, vectors: Any) -> jax.Array:
        return jnp.asarray(np.asarray(vectors), flat.vector(state.start).dtype)


def _continues(state: CmaState, before: CmaState) -> bool:
    """Whether telling a search at `before` more costs leads to `state`."""
    if state.restarts != before.restarts or not _equal(state.start, before.start):
        return False
    return np.array_equal(state.told[: len(before.told)], before.told)


def _equal(one: Any, other: Any) -> bool:
    return one is other or np.array_equal(flat.vector(one), flat.vector(other))


def _ranked(costs: np.ndarray) -> list[float]:
    """Costs with the infinite ones made finite but worst: CMA-ES only uses ranks, and refuses infinity."""
    finite = costs[np.isfinite(costs)]
    worst = finite.max() + abs(finite.max()) + 1 if len(finite) else 0.0
    return [float(c) if np.isfinite(c) else worst for c in costs]
