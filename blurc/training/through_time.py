"""Backpropagation through time: recurrent networks under an optimizer.

Sequences are learned in pieces of `truncate` steps, whose neurons go on from piece to piece and whose gradients do not:
the weights change after each piece. Gradients are clipped, as is usual here (Pascanu, Mikolov and Bengio 2013).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from blurc.runtime import GenomeValues, map_pair, map_tree
from blurc.tasks import LOGITS, LOSS, Batches, TargetKind
from blurc.training.learner import finite
from blurc.training.recipes import SCHEDULES, Optimizer, Recipe, Trained, rate_now
from blurc.training.recurrent import RecurrentNetwork, Variables

CLIP = 1.0  # the greatest norm of a gradient


def trained_through_time(
    recipe: Recipe,
    network: RecurrentNetwork,
    rate: float,
    steps: int,
    rounds: int = 1,
    *,
    kind: TargetKind,
    time: int,
    truncate: int = 0,
    genome: GenomeValues | None = None,
) -> Trained:
    """The network under a recipe, whose normalization and input scaling do not apply.

    Args:
        recipe: the optimizer, its schedule and momentum.
        network: what learns.
        rate: the learning rate, which the schedule then changes.
        steps: how many batches the schedule covers.
        rounds: how often each batch is learned.
        kind: of the targets.
        time: the steps of a sequence.
        truncate: the steps of a piece; 0: all.
        genome: of a network with its own cell; None draws it.
    """
    piece = min(truncate or time, time)
    init, advance, predict = _programs(network, recipe.optimizer, kind, piece)
    settings = {
        "rate": np.float32(rate),
        "momentum": np.float32(recipe.momentum),
        "rounds": rounds,
        "updates": np.float32(steps * rounds * -(-time // piece)),
        "schedule": SCHEDULES.index(recipe.schedule),
    }
    given = None if genome is None else dict(genome)
    return Trained(lambda key: init(key, settings, given), advance, lambda carry, x, first: predict(carry, x))


@lru_cache(maxsize=64)
def _programs(
    network: RecurrentNetwork, optimizer: Optimizer, kind: TargetKind, piece: int
) -> tuple[Callable[..., Any], ...]:
    """`init`, `advance` and `predict`. Every number is in the carry, so that recipes share the programs."""

    def init(key: jax.Array, settings: Any, genome: Any) -> Any:
        variables = network.init(key, genome)
        memory = _clipped(optimizer, 0.0, 0.0).init(variables.learned)
        return {"variables": variables, "memory": memory, "done": jnp.zeros((), int), "settings": settings}

    # A network of its own cell says what it says; layers give the logits of yes and no.
    loss, read = (LOGITS, jax.nn.sigmoid) if kind == "binary" and network.cell != "own" else (LOSS[kind], _as_it_is)

    def update(carry: Any, neurons: Any, x: Any, y: Any, mask: Any) -> tuple[Any, Any]:
        variables, asks = carry["variables"], mask.sum() > 0

        def objective(learned: Any) -> tuple[jax.Array, Any]:
            after, outputs = network.run(Variables(learned, variables.fixed), neurons, x)
            return loss.score(outputs, y, jnp.where(asks, mask, 1.0)) * asks, after

        gradient, after = jax.grad(objective, has_aux=True)(variables.learned)
        now = _clipped(optimizer, rate_now(carry["done"], carry["settings"]), carry["settings"]["momentum"])
        change, memory = now.update(gradient, carry["memory"], variables.learned)
        learned = optax.apply_updates(variables.learned, change)
        # Momentum and weight decay act at a gradient of zero too. The schedule goes on: it counts all pieces.
        then, before = (learned, memory), (variables.learned, carry["memory"])
        learned, memory = map_pair(lambda new, old: jnp.where(asks, new, old), then, before)
        changed = {**carry, "variables": variables._replace(learned=learned), "memory": memory}
        return {**changed, "done": carry["done"] + 1}, after

    def sequence(carry: Any, x: Any, y: Any, mask: Any) -> Any:
        """A batch of sequences."""
        return _in_pieces(update, (carry, network.rest(x.shape[1])), (x, y, mask), piece)[0]

    def step(carry: Any, now: Batches) -> tuple[Any, None]:
        mask = jnp.ones(now.xs.shape[:2], now.xs.dtype) if now.masks is None else now.masks
        x, y, mask = (a.swapaxes(0, 1) for a in (now.xs, now.ys, mask))
        rounds = carry["settings"]["rounds"]
        return jax.lax.fori_loop(0, rounds, lambda _, carry: sequence(carry, x, y, mask), carry), None

    def advance(carry: Any, batches: Batches) -> tuple[Any, jax.Array]:
        after, _ = jax.lax.scan(step, carry, batches)
        return after, finite(after)

    def predict(carry: Any, x: jax.Array) -> jax.Array:
        _, outputs = network.run(carry["variables"], network.rest(len(x)), x.swapaxes(0, 1))
        return read(outputs).swapaxes(0, 1)

    return jax.jit(init), jax.jit(advance), jax.jit(predict)


def _clipped(optimizer: Optimizer, rate: Any, momentum: Any) -> optax.GradientTransformation:
    return optax.chain(optax.clip_by_global_norm(CLIP), optimizer.make(rate, momentum))


def _in_pieces(update: Callable[..., Any], going: Any, batch: tuple[jax.Array, ...], piece: int) -> Any:
    """Updates through a batch `[time, ..]`, piece by piece; the last takes what is left."""

    def one(going: Any, now: Any) -> tuple[Any, None]:
        return update(*going, *now), None

    whole, left = divmod(len(batch[0]), piece)
    pieces = map_tree(lambda a: a[: whole * piece].reshape(whole, piece, *a.shape[1:]), batch)
    going, _ = jax.lax.scan(one, going, pieces)
    return one(going, map_tree(lambda a: a[-left:], batch))[0] if left else going


def _as_it_is(outputs: jax.Array) -> jax.Array:
    return outputs
