"""An optimizer on the gradient through the unrolled training, for several genomes in parallel.

Adam, as in Sandler et al. (arXiv:2104.04657), appendix B, or another one of optax. Each genome has an optimizer of its
own. A gradient that is not finite is dropped: the genome and its optimizer stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import optax

from blurc.meta.experiment.experiment import Gradient
from blurc.meta.experiment.optimizers import transformation
from blurc.meta.search.episode import Feedback
from blurc.meta.search.methods.method import Wants
from blurc.meta.search.methods.shrink import shrink
from blurc.runtime import map_pair
from blurc.tasks import Costs


class GradientState(NamedTuple):
    """Both with a leading axis [replicas]."""

    genomes: Any
    optimizer: Any


@dataclass(frozen=True)
class GradientMethod:
    choice: Gradient
    wants: ClassVar[Wants] = "gradients"

    @cached_property
    def _optimizer(self) -> optax.GradientTransformation:
        c = self.choice
        rate = optax.cosine_decay_schedule(c.rate, c.steps) if c.decay else c.rate
        pull = [shrink(c.l1.names, c.l1.strength, rate)] if c.l1 else []
        return optax.chain(optax.clip_by_global_norm(c.clip), transformation(c.optimizer, rate), *pull)

    def init(self, genomes: Any) -> GradientState:
        return GradientState(genomes, jax.vmap(self._optimizer.init)(genomes))

    def ask(self, state: GradientState, key: jax.Array) -> Any:
        return state.genomes

    def tell(self, state: GradientState, candidates: Any, costs: Costs, feedback: Feedback) -> GradientState:
        return self._tell(state, feedback.gradients, feedback.finite)

    @cached_property
    def _tell(self) -> Any:
        def one(state: GradientState, gradient: Any, finite: jax.Array) -> GradientState:
            change, optimizer = self._optimizer.update(gradient, state.optimizer, state.genomes)
            after = GradientState(optax.apply_updates(state.genomes, change), optimizer)
            return map_pair(lambda new, old: jnp.where(finite, new, old), after, state)

        return jax.jit(jax.vmap(one))

    def genomes(self, state: GradientState) -> Any:
        return state.genomes

    def replaced(self, state: GradientState, genomes: Any, anew: jax.Array) -> GradientState:
        """Resets what optimizers remember, but not their step counts, which the schedule reads."""
        fresh = jax.vmap(self._optimizer.init)(genomes)

        def chosen(new: jax.Array, old: jax.Array) -> jax.Array:
            if jnp.issubdtype(old.dtype, jnp.integer):
                return old
            return jnp.where(anew.reshape((-1, *(1,) * (old.ndim - 1))), new, old)

        return map_pair(chosen, GradientState(genomes, fresh), state)
