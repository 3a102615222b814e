"""The environments of the package `gymnax`: `gymnax:CartPole-v1`. They are written in JAX, so lifetimes stay on the
device."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from blurc.diagnostics import BlurError, Diagnostic, suggest

GYMNAX = "gymnax:"


@dataclass(frozen=True, eq=False)
class OfGymnax:
    """environment, parameters: as `gymnax.make` gives them."""

    environment: Any
    parameters: Any
    observations: int
    actions: int
    bounds: tuple[ArrayLike, ArrayLike] | None

    def reset(self, key: jax.Array) -> tuple[Any, jax.Array]:
        seen, state = self.environment.reset_env(key, self.parameters)
        return state, _flat(seen)

    def step(self, key: jax.Array, state: Any, action: jax.Array) -> tuple[Any, jax.Array, jax.Array, jax.Array]:
        """Not `environment.step`, which would already be in the next episode."""
        found = self.environment.step_env(key, state, self._shaped(action), self.parameters)
        seen, state, reward, ends, _ = found
        return state, _flat(seen), reward, ends | self.environment.is_truncated(state, self.parameters)

    def _shaped(self, action: jax.Array) -> jax.Array:
        return action if self.bounds is None else action.reshape(self.environment.action_space(self.parameters).shape)


def make(name: str) -> OfGymnax:
    """Of the environment that gymnax calls `name`. Raises `BlurError` (E921 without gymnax, E810, E811)."""
    gymnax = _package()
    if name not in gymnax.registered_envs:
        help = suggest(name, gymnax.registered_envs, "`gymnax.registered_envs` lists them")
        raise BlurError(Diagnostic("E810", f"gymnax has no environment `{name}`", help=help))
    try:
        environment, parameters = gymnax.make(name)
    except Exception as error:  # whatever its constructor does: one of them downloads images
        raise BlurError(Diagnostic("E810", f"gymnax cannot make `{name}`: {error}")) from None
    seen, acts = environment.observation_space(parameters), environment.action_space(parameters)
    if not hasattr(seen, "shape"):
        message = f"the observations of {GYMNAX}{name} are not one array"
        raise BlurError(Diagnostic("E811", message, help="choose an environment whose observations are one array"))
    observations = math.prod(seen.shape)
    if hasattr(acts, "n"):
        return OfGymnax(environment, parameters, observations, int(acts.n), None)
    least, most = (jnp.broadcast_to(end, acts.shape).ravel() for end in (acts.low, acts.high))
    return OfGymnax(environment, parameters, observations, math.prod(acts.shape), (least, most))


def _package() -> Any:
    try:
        return import_module("gymnax")
    except ImportError as error:
        message = f"environments of gymnax need the package `{error.name}`, which is not installed"
        raise BlurError(Diagnostic("E921", message, help="pip install 'blurc[rl]'")) from None


def _flat(seen: jax.Array) -> jax.Array:
    return jnp.ravel(seen).astype(float)
