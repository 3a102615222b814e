"""Whether an environment has what it needs, and returns what it should."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any, cast

import jax
import numpy as np

from blurc.diagnostics import BlurError, Diagnostic, counted
from blurc.tasks.environments.environment import Environment, in_lifetime
from blurc.tasks.environments.wandering import wandered
from blurc.tasks.environments.world import Lifetime, World
from blurc.tasks.own.checks import defined
from blurc.tasks.own.guard import place_of, traced_help

BATCH = 2  # copies that are traced, and tried
TRIED = 100  # steps
BOUNDED = "look for a division by 0, or a root or logarithm of what may be negative"
RETURNS = "`reset(key)` gives a state and an observation, `step(key, state, action)` these, a reward and an end"


def checked(environment: object, name: str) -> Environment:
    """The same, which has the members of an environment. Raises `BlurError` (E811)."""
    if not isinstance(environment, Environment):
        wanted = ("observations", "actions", "bounds", "reset", "step")
        lacking = ", ".join(f"`{member}`" for member in wanted if not hasattr(environment, member))
        help = "in JAX, write a class with these, as blurc/tasks/environments/environment.py says"
        if type(environment).__module__.startswith(("gymnasium", "gym.")):
            help = "environments of gymnasium run in Python, outside of JAX; `gymnax:CartPole-v1` and others are in JAX"
        raise _unfit(f"{name} is not an environment: it has no {lacking}", help)
    for member in ("observations", "actions"):
        size: object = getattr(environment, member)
        if isinstance(size, bool) or not isinstance(size, Integral) or size < 1:
            raise _unfit(f"`{member}` of {name} is {size!r}", "it is a whole number, at least 1")
    if environment.bounds is not None and not _are_bounds(environment.bounds, environment.actions):
        help = "it is None, or (least, greatest): two numbers, or two arrays with a number for each action"
        raise _unfit(f"`bounds` of {name} is {environment.bounds!r}", help)
    return environment


def _are_bounds(bounds: object, actions: int) -> bool:
    if not isinstance(bounds, tuple | list) or len(cast("Sequence[Any]", bounds)) != 2:
        return False
    try:
        least, most = map(np.asarray, cast("Sequence[Any]", bounds))
    except ValueError:  # lists of lists of unequal lengths
        return False
    if any(end.dtype.kind not in "iuf" or end.shape not in ((), (1,), (actions,)) for end in (least, most)):
        return False
    return bool((least <= most).all())


def check_traced(world: World) -> None:
    """Traces a reset and a step, of one agent and then of a batch. Raises `BlurError` (E811)."""
    name, environment = world.name, world.environment
    size, numbers = environment.observations, environment.bounds is not None

    def lived(key: jax.Array) -> Any:
        here = in_lifetime(environment, key)
        state, first = _parts(here.reset(key), 2, name, "reset", defined(here.reset))
        action = jax.numpy.zeros((environment.actions,) if numbers else (), float if numbers else int)
        after, seen, reward, ends = _parts(here.step(key, state, action), 4, name, "step", defined(here.step))
        return state, first, after, seen, reward, ends

    before, first, after, seen, reward, ends = _traced(lived, name)
    begins, moves = defined(environment.reset), defined(environment.step)
    if any(jax.numpy.issubdtype(leaf.dtype, jax.dtypes.prng_key) for leaf in jax.tree.leaves(before)):
        raise _unfit(f"the state of {name} holds a random key", "`step` is given a fresh one each time", begins)
    if jax.tree.structure(before) != jax.tree.structure(after) or _shapes(before) != _shapes(after):
        raise _unfit(f"the states of {name} differ after `reset` and after `step`", "give both the same arrays", moves)
    for what, array, shape, where in (
        ("the observation of `reset`", first, (size,), begins),
        ("the observation of `step`", seen, (size,), moves),
        ("the reward", reward, (), moves),
        ("whether an episode ends", ends, (), moves),
    ):
        if not hasattr(array, "shape"):
            raise _unfit(f"in {name}, {what} is a `{type(array).__name__}`, expected an array", RETURNS, where)
        if array.shape != shape:
            message = f"in {name}, {what} has shape {list(array.shape)}, expected {list(shape)}"
            raise _unfit(message, "environments are written for one agent, without an axis for the batch", where)

    def together(key: jax.Array) -> Any:
        here = world.variation(key)
        states, _ = here.begin(jax.random.split(key, BATCH))
        actions, _ = here.act(jax.numpy.zeros((BATCH, world.outputs)), key)
        return here.move(key, states, actions)

    _traced(together, name)


def check_lived(world: World) -> None:
    """Lives in it for a while, with random actions. Raises `BlurError` (E811) if a number is not finite."""
    lifetime = world.lifetime(jax.random.key(0, impl="threefry2x32"), TRIED)

    def lived(lifetime: Lifetime) -> tuple[jax.Array, ...]:
        first, steps = wandered(world, lifetime, BATCH)
        found = jax.numpy.isfinite(steps.seen).all(axis=(1, 2)), jax.numpy.isfinite(steps.totals).all(axis=1)
        return jax.numpy.isfinite(first).all(), *found

    first, seen, paid = map(np.asarray, jax.jit(lived)(lifetime))
    if not first:
        raise _unfit(f"the first observation of {world.name} is not finite", BOUNDED, defined(world.environment.reset))
    for what, sound in (("reward", paid), ("observation", seen)):
        if not sound.all():
            message = f"the {what} of {world.name} is not finite in step {int(sound.argmin()) + 1} of random actions"
            raise _unfit(message, BOUNDED, defined(world.environment.step))


def _traced(function: Any, name: str) -> Any:
    """The shapes of what the function returns for a key."""
    try:
        return jax.eval_shape(function, jax.random.key(0))
    except BlurError:
        raise
    except Exception as error:  # whatever a user's code raises
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise _unfit(f"{name} cannot be traced by JAX: {reason}", traced_help(error), place_of(error)) from None


def _parts(returned: object, count: int, name: str, function: str, where: tuple[str, ...]) -> Any:
    """What a function returns, found to be so many values. Raises `BlurError` (E811)."""
    found = cast("Sequence[Any]", returned)
    if isinstance(returned, tuple | list) and len(found) == count:
        return returned
    said = counted(len(found), "value") if isinstance(returned, tuple | list) else f"one `{type(returned).__name__}`"
    raise _unfit(f"`{function}` of {name} returns {said}, expected {count}", RETURNS, where)


def _shapes(state: Any) -> list[tuple[Any, Any]]:
    return [(leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(state)]


def _unfit(message: str, help: str | None, notes: tuple[str, ...] = ()) -> BlurError:
    return BlurError(Diagnostic("E811", message, notes=notes, help=help))
