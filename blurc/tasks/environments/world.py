"""An environment as a task: what is observed of it, how actions are chosen, and how it varies between lifetimes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from blurc.tasks import augment
from blurc.tasks.choice import Augment
from blurc.tasks.environments.environment import Environment, in_lifetime
from blurc.tasks.objective import LOSS, SCORE, Objective, TargetKind


class Lifetime(NamedTuple):
    """What happens in a lifetime: random keys, one for the variation of the environment, one for the first episodes and
    one for each step, [steps]; and the number of the environment, where there are several."""

    variation: jax.Array
    first: jax.Array
    keys: jax.Array
    number: jax.Array


class Felt(NamedTuple):
    """What a network is told of the step before: its action [batch, outputs] as `Variation.act` gives it, its reward
    [batch], and whether it ended an episode, [batch] of zeros and ones. All are 0 at first."""

    action: jax.Array
    reward: jax.Array
    done: jax.Array


class Variation(NamedTuple):
    """A world in one lifetime, for a batch of copies."""

    environment: Environment
    inputs: augment.Change
    actions: augment.Change
    observe: tuple[str, ...]
    greedy: bool

    def begin(self, keys: jax.Array) -> tuple[Any, jax.Array]:
        """New episodes, for keys [batch]: states, and observations [batch, n]."""
        return jax.vmap(self.environment.reset)(keys)

    def seen(self, observation: jax.Array, felt: Felt) -> jax.Array:
        """The inputs [batch, n] of a network."""
        more = {"action": felt.action, "reward": felt.reward[:, None], "done": felt.done[:, None]}
        return jnp.concatenate([self.inputs(observation), *(more[name] for name in self.observe)], axis=-1)

    def act(self, out: jax.Array, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The actions of readouts [batch, outputs], and the same as targets [batch, outputs]: one-hot if there are
        actions to choose from, and numbers otherwise."""
        if self.environment.bounds is not None:
            clipped = jnp.clip(out, *map(jnp.asarray, self.environment.bounds))
            return clipped, clipped
        chosen = out.argmax(axis=-1) if self.greedy else jax.random.categorical(key, out)
        return self.actions(chosen), jax.nn.one_hot(chosen, out.shape[-1], dtype=out.dtype)

    def move(self, key: jax.Array, states: Any, actions: jax.Array) -> tuple[Any, jax.Array, jax.Array, jax.Array]:
        """The next states and observations, rewards [batch], and which episodes end, [batch] of zeros and ones. After
        the end of one, the state and the observation are those of the next."""
        step_key, reset_key = jax.random.split(key)
        batch = len(actions)
        step = jax.vmap(self.environment.step)
        states, seen, rewards, ends = step(jax.random.split(step_key, batch), states, actions)
        fresh = self.begin(jax.random.split(reset_key, batch))

        def anew(new: jax.Array, old: jax.Array) -> jax.Array:
            return jnp.where(ends.reshape(batch, *(1,) * (old.ndim - 1)), new, old)

        states, seen = jax.tree.map(anew, fresh, (states, seen))
        return states, seen, rewards.astype(float), ends.astype(float)


@partial(
    jax.tree_util.register_dataclass,
    data_fields=[],
    meta_fields=["name", "environment", "augment", "observe", "greedy", "fingerprint"],
)
@dataclass(frozen=True, eq=False)
class World:
    """An environment to live in, made by `tasks.world`: a task without examples, whose steps are those of a lifetime.

    Attributes:
        augment: how lifetimes vary: `permute_inputs`, `project` and `brightness` of observations, and with
            `permute_labels` which output means which action.
        observe: what follows the observation in the input: some of "action", "reward" and "done" of the step before.
        greedy: take the action of the greatest output; otherwise actions are sampled from the softmax of the outputs.
        fingerprint: of what the file that it comes from means; else its name.
    """

    name: str
    environment: Environment
    augment: Augment
    observe: tuple[str, ...]
    greedy: bool
    fingerprint: str

    @property
    def inputs(self) -> int:
        sizes = {"action": self.outputs, "reward": 1, "done": 1}
        seen = augment.width(self.augment, self.environment.observations)
        return seen + sum(sizes[name] for name in self.observe)

    @property
    def outputs(self) -> int:
        return self.environment.actions

    @property
    def kind(self) -> TargetKind:
        return "rewards"

    @property
    def classes(self) -> None:
        return None

    @property
    def loss(self) -> Objective:
        return LOSS[self.kind]

    @property
    def score(self) -> Objective:
        return SCORE[self.kind]

    @property
    def digest(self) -> str:
        return self.fingerprint

    def lifetime(self, key: jax.Array, steps: int, number: int = 0) -> Lifetime:
        """A function of the key. The steps of a shorter lifetime are the first of a longer one."""
        variation_key, first_key, step_key = jax.random.split(key, 3)
        keys = jax.vmap(partial(jax.random.fold_in, step_key))(jnp.arange(steps))
        return Lifetime(variation_key, first_key, keys, jnp.asarray(number))

    def variation(self, key: jax.Array) -> Variation:
        place_key, input_key, label_key = jax.random.split(key, 3)
        there = in_lifetime(self.environment, place_key)
        inputs = augment.inputs(self.augment, input_key, self.environment.observations)
        actions = augment.labels(self.augment, label_key, self.outputs)
        return Variation(there, inputs, actions, self.observe, self.greedy)
