"""What a practitioner chooses before training a network, and the network that trains by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal, NamedTuple, get_args

import jax
import jax.numpy as jnp
import numpy as np
import optax
from optax import contrib

from blurc.tasks import Batches, TargetKind
from blurc.training.learner import finite
from blurc.training.recurrent import CELLS, Cell
from blurc.training.relu_network import Inputs, Normalization, ReluNetwork

Schedule = Literal["constant", "linear", "cosine"]
SCHEDULES = get_args(Schedule)


@dataclass(frozen=True)
class Optimizer:
    """make: the transformation for a learning rate and a momentum. rate: the first that is tried."""

    name: str
    make: Callable[[Any, Any], optax.GradientTransformation]
    rate: float


def _muon(rate: Any, momentum: Any) -> optax.GradientTransformation:
    """Muon is for matrices, and vectors get Adam. Its changes are scaled to the size of Adam's, so that one rate suits
    both (Liu et al., arXiv:2502.16982)."""
    return contrib.muon(rate, beta=momentum, adam_b1=momentum, consistent_rms=0.2)


OPTIMIZERS = (
    Optimizer("SGD", optax.sgd, 0.1),
    Optimizer("Adam", optax.adam, 0.01),
    Optimizer("Lion", lambda rate, momentum: optax.lion(rate, momentum, weight_decay=0.0), 0.001),
    Optimizer("Muon", _muon, 0.1),
)


@dataclass(frozen=True)
class Recipe:
    """schedule: of the learning rate, over all steps; `linear` and `cosine` end at 0. cell: of what learns sequences,
    which has no normalization and takes inputs as they are; None for other data."""

    optimizer: Optimizer
    schedule: Schedule = "linear"
    momentum: float = 0.9
    normalization: Normalization = "batch"
    inputs: Inputs = "overall"
    cell: Cell | None = None

    def __str__(self) -> str:
        said = {
            "schedule": {"constant": "constant rate", "linear": "linear to 0", "cosine": "cosine to 0"},
            "normalization": {"batch": "batch norm", "layer": "layer norm", "none": "no normalization"},
            "inputs": {
                "overall": "inputs standardised",
                "each": "inputs standardised one by one",
                "example": "examples standardised one by one",
            },
        }
        if self.cell:
            said = {"schedule": said["schedule"], "cell": CELLS}
        words = [of[getattr(self, name)] for name, of in said.items()]
        return ", ".join([self.optimizer.name, f"momentum {self.momentum:g}", *words])


@dataclass(frozen=True)
class Loss:
    """of: what the updates descend, from the last weighted sums and targets, [batch, n]. read: from these sums to
    predictions."""

    of: Callable[[Any, Any], jax.Array]
    read: Callable[[Any], jax.Array] = lambda z: z


LOSSES: Mapping[TargetKind, Loss] = {
    "classes": Loss(lambda z, y: optax.softmax_cross_entropy(z, y).mean()),
    "binary": Loss(lambda z, y: optax.sigmoid_binary_cross_entropy(z, y).mean(), jax.nn.sigmoid),
    "values": Loss(lambda z, y: jnp.mean((z - y) ** 2)),
}


class Trained(NamedTuple):
    """A network in training, as functions of a carry.

    start: a random key -> the first carry.
    advance: (carry, batches) -> (the next carry, whether everything is finite).
    predict: (carry, examples `[examples, n]`, the number of the first, which makes no difference) -> outputs.
    """

    start: Callable[[jax.Array], Any]
    advance: Callable[[Any, Batches], tuple[Any, jax.Array]]
    predict: Callable[[Any, Any, int], jax.Array]


def trained_by(
    recipe: Recipe, network: ReluNetwork, rate: float, steps: int, rounds: int = 1, loss: Loss = LOSSES["classes"]
) -> Trained:
    """The network under a recipe.

    Args:
        rate: the learning rate, which the schedule then changes.
        steps: how many batches the schedule covers.
        rounds: updates on each batch.
        loss: what the updates descend, and how predictions are read from it.
    """
    built = replace(network, normalization=recipe.normalization, inputs=recipe.inputs)
    init, advance, predict = _programs(built, recipe.optimizer, loss)
    settings = {
        "rate": np.float32(rate),
        "momentum": np.float32(recipe.momentum),
        "rounds": rounds,
        "updates": np.float32(steps * rounds),
        "schedule": SCHEDULES.index(recipe.schedule),
    }
    return Trained(lambda key: init(key, settings), advance, lambda carry, x, first: predict(carry, x))


@lru_cache(maxsize=64)
def _programs(network: ReluNetwork, optimizer: Optimizer, loss: Loss) -> tuple[Callable[..., Any], ...]:
    """`init`, `advance` and `predict`. Every number is in the carry, so that recipes share the programs."""

    def init(key: jax.Array, settings: Any) -> Any:
        variables = network.init(key)
        return {
            "variables": variables,
            "memory": optimizer.make(0.0, 0.0).init(variables.learned),
            "done": jnp.zeros((), int),
            "settings": settings,
        }

    def update(carry: Any, x: Any, y: Any) -> Any:
        variables = carry["variables"]

        def objective(learned: Any) -> tuple[jax.Array, Any]:
            outputs, running = network.learn(variables._replace(learned=learned), x)
            return loss.of(outputs, y), running

        gradient, running = jax.grad(objective, has_aux=True)(variables.learned)
        rule = optimizer.make(rate_now(carry["done"], carry["settings"]), carry["settings"]["momentum"])
        change, memory = rule.update(gradient, carry["memory"], variables.learned)
        learned = optax.apply_updates(variables.learned, change)
        after = variables._replace(learned=learned, running=running)
        return {**carry, "variables": after, "memory": memory, "done": carry["done"] + 1}

    def step(carry: Any, now: tuple[Any, Any]) -> tuple[Any, None]:
        carry = {**carry, "variables": network.see(carry["variables"], now[0])}
        rounds = carry["settings"]["rounds"]
        return jax.lax.fori_loop(0, rounds, lambda _, carry: update(carry, *now), carry), None

    def advance(carry: Any, batches: Batches) -> tuple[Any, jax.Array]:
        after, _ = jax.lax.scan(step, carry, (batches.xs, batches.ys))
        return after, finite(after)

    def predict(carry: Any, x: Any) -> jax.Array:
        return loss.read(network.predict(carry["variables"], x))

    return jax.jit(init), jax.jit(advance), jax.jit(predict)


def rate_now(done: jax.Array, settings: Any) -> jax.Array:
    """Of the next update."""
    part = done / settings["updates"]
    by_schedule = [jnp.ones_like(part), 1 - part, (1 + jnp.cos(jnp.pi * part)) / 2]
    return settings["rate"] * jnp.stack(by_schedule)[settings["schedule"]]
