"""What an environment is. Those of users need no base class."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import jax
from jax.typing import ArrayLike


@runtime_checkable
class Environment(Protocol):
    """A world in pure JAX, for one agent: it is mapped over the copies of a batch.

    Attributes:
        observations: how many numbers an observation has.
        actions: how many actions there are to choose from; with `bounds`, how many numbers an action has.
        bounds: None: an action is the number of one of them, from 0. Otherwise it is numbers, and these are the least
            and the greatest that they can be, for each of them or for all.
    """

    @property
    def observations(self) -> int: ...

    @property
    def actions(self) -> int: ...

    @property
    def bounds(self) -> tuple[ArrayLike, ArrayLike] | None: ...

    def reset(self, key: jax.Array) -> tuple[Any, jax.Array]:
        """The first state of an episode, a pytree, and its observation [observations]."""
        ...

    def step(self, key: jax.Array, state: Any, action: jax.Array) -> tuple[Any, jax.Array, jax.Array, jax.Array]:
        """The next state, its observation, the reward [], and whether the episode ends here [].

        action: an integer [], or numbers [actions].
        """
        ...


@runtime_checkable
class Changing(Environment, Protocol):
    """An environment that is another one in every lifetime."""

    def variation(self, key: jax.Array) -> Environment:
        """What it is in the lifetime of this key. It may hold traced arrays."""
        ...


def in_lifetime(environment: Environment, key: jax.Array) -> Environment:
    return environment.variation(key) if isinstance(environment, Changing) else environment
