"""Persistent evolution strategies: unbiased for long episodes, one piece at a time.

Vicol, Metz and Sohl-Dickstein, "Unbiased Gradient Estimation in Unrolled Computation Graphs with Persistent Evolution
Strategies" (ICML 2021), algorithm 1 in antithetic pairs. Every particle keeps its own network from piece to piece
of an episode. The sum of its perturbations so far is weighted by its value in this piece. A pair is left out if either
of its particles diverged.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import optax

from blurc.meta.experiment.experiment import Pes
from blurc.meta.experiment.optimizers import transformation
from blurc.meta.search.episode import Feedback
from blurc.meta.search.methods import flat
from blurc.meta.search.methods.method import Wants
from blurc.runtime import map_pair, map_tree
from blurc.tasks import Costs


class PesState(NamedTuple):
    """mean: a genome. summed: perturbations of this episode so far, [population / 2, n]."""

    mean: Any
    summed: jax.Array
    optimizer: Any


@dataclass(frozen=True)
class PesMethod:
    choice: Pes
    wants: ClassVar[Wants] = "persistent"

    @cached_property
    def _optimizer(self) -> optax.GradientTransformation:
        c = self.choice
        return optax.chain(optax.clip_by_global_norm(c.clip), transformation(c.optimizer, c.rate))

    def init(self, genomes: Any) -> PesState:
        mean = flat.first(genomes)
        zeros = jnp.zeros((self.choice.population // 2, len(flat.vector(mean))))
        return PesState(mean, zeros, self._optimizer.init(flat.vector(mean)))

    def begun(self, state: PesState) -> PesState:
        """Resets the perturbations at the start of an episode."""
        return state._replace(summed=jnp.zeros_like(state.summed))

    def ask(self, state: PesState, key: jax.Array) -> Any:
        return flat.genomes(self._perturbed(state, self._draw(state, key)), state.mean)

    def _draw(self, state: PesState, key: jax.Array) -> jax.Array:
        return self.choice.sigma * jax.random.normal(key, state.summed.shape)

    def _perturbed(self, state: PesState, by: jax.Array) -> jax.Array:
        mean = flat.vector(state.mean)
        return jnp.concatenate([mean + by, mean - by])

    def tell(self, state: PesState, candidates: Any, costs: Costs, feedback: Feedback) -> PesState:
        return self._tell(state, jax.vmap(flat.vector)(candidates), costs)

    @cached_property
    def _tell(self) -> Any:
        def tell(state: PesState, vectors: jax.Array, costs: jax.Array) -> PesState:
            mean = flat.vector(state.mean)
            summed = state.summed + vectors[: len(vectors) // 2] - mean
            gradient = self._gradient(summed, *jnp.split(costs, 2))
            updated: Any = self._optimizer.update(gradient, state.optimizer, mean)
            after = flat.genomes((mean + updated[0])[None], state.mean)
            told = PesState(flat.first(after), summed, updated[1])
            sound = jnp.isfinite(gradient).all()  # a sum of huge values is not
            return map_pair(partial(jnp.where, sound), told, state._replace(summed=summed))

        return jax.jit(tell)

    def _gradient(self, summed: jax.Array, plus: jax.Array, minus: jax.Array) -> jax.Array:
        sound = jnp.isfinite(plus) & jnp.isfinite(minus)
        weights = jnp.where(sound, plus, 0.0) - jnp.where(sound, minus, 0.0)
        return weights @ summed / (2 * self.choice.sigma**2 * jnp.maximum(sound.sum(), 1))

    def genomes(self, state: PesState) -> Any:
        return map_tree(lambda x: x[None], state.mean)

    def replaced(self, state: PesState, genomes: Any, anew: jax.Array) -> PesState:
        return self.init(genomes) if bool(anew.any()) else state
