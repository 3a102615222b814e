"""Makes an environment from a `TaskChoice`, and checks one that a user has written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax

from blurc.diagnostics import BlurError, Diagnostic
from blurc.guards import typed
from blurc.tasks.choice import TaskChoice
from blurc.tasks.environments import bandit, maze, of_gymnax
from blurc.tasks.environments.environment import Environment, in_lifetime
from blurc.tasks.environments.world import World

FITTING = {"data", "name", "weight", "observe", "act", "augment", "where"}
OF_OWN = {"parameters", "hash"}  # fit those of users, too
ONLY_HERE = ("observe", "act")


def world_names() -> dict[str, str]:
    """The environments that come with blurc: name -> one line."""
    return {own.NAME: own.DESCRIPTION for own in (bandit, maze)}


def is_world(data: str) -> bool:
    """Whether this is what an environment is called."""
    return data in world_names() or data.startswith(of_gymnax.GYMNAX)


@typed
def world(choice: TaskChoice) -> World:
    """Makes an environment. Raises `BlurError` (E810, E811, E921)."""
    _check(choice, FITTING | ({"ways"} if choice.data == bandit.NAME else set()))
    return _checked(_environment(choice), choice)


def own_world(environment: object, choice: TaskChoice) -> World:
    """One of a user's own, which the choice names. Raises `BlurError` (E811)."""
    _check(choice, FITTING | OF_OWN)
    return _checked(environment, choice)


def _checked(environment: object, choice: TaskChoice) -> World:
    name = choice.name or choice.data
    if not isinstance(environment, Environment):
        wanted = ("observations", "actions", "bounds", "reset", "step")
        lacking = ", ".join(f"`{member}`" for member in wanted if not hasattr(environment, member))
        help = "in JAX, write a class with these, as blurc/tasks/environments/environment.py says"
        if type(environment).__module__.startswith(("gymnasium", "gym.")):
            help = "environments of gymnasium run in Python, outside of JAX; `gymnax:CartPole-v1` and others are in JAX"
        raise _unfit(f"{name} is not an environment: it has no {lacking}", help)
    found = World(name, environment, choice.augment, choice.observe, choice.act == "greedy")
    _check_shapes(found)
    return found


def _environment(choice: TaskChoice) -> Environment:
    if choice.data == bandit.NAME:
        return bandit.Bandit(choice.ways)
    if choice.data == maze.NAME:
        return maze.Maze()
    return of_gymnax.make(choice.data.removeprefix(of_gymnax.GYMNAX))


def _check(choice: TaskChoice, fitting: set[str]) -> None:
    """Raises `BlurError` (E811)."""
    if complaints := [*_complaints(choice, fitting)]:
        raise BlurError([Diagnostic("E811", what, help=help) for what, help in complaints])


def _complaints(choice: TaskChoice, fitting: set[str]) -> Iterator[tuple[str, str | None]]:
    if choice.data == bandit.NAME and choice.ways < 2:
        yield "a bandit needs at least two arms", "write `ways: 2`, or more"
    for name in choice.given:
        if name not in fitting:
            yield f"`{name}` is for examples, and {choice.name or choice.data} is an environment", "leave it out"
    if len(set(choice.observe)) < len(choice.observe):
        yield f"`observe` lists something twice: {', '.join(choice.observe)}", "list each once"


def misplaced(choice: TaskChoice) -> Iterator[tuple[str, str | None]]:
    """Settings of environments on a task that is none."""
    for name in choice.given:
        if name in ONLY_HERE:
            yield f"`{name}` is for environments, not for {choice.data}", "leave it out"


def _check_shapes(world: World) -> None:
    """Traces a reset and a step. Raises `BlurError` (E811)."""
    name, environment = world.name, world.environment
    size, numbers = environment.observations, environment.bounds is not None

    def lived(key: jax.Array) -> Any:
        here = in_lifetime(environment, key)
        state, first = here.reset(key)
        action = jax.numpy.zeros((environment.actions,) if numbers else (), float if numbers else int)
        return state, first, here.step(key, state, action)

    try:
        before, first, found = jax.eval_shape(lived, jax.random.key(0))
        after, seen, reward, ends = found
    except Exception as error:  # whatever a user's code raises
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        help = "`reset(key)` gives a state and an observation, `step(key, state, action)` these, a reward and an end"
        raise _unfit(f"{name} cannot be traced by JAX: {reason}", help) from None
    if any(jax.numpy.issubdtype(leaf.dtype, jax.dtypes.prng_key) for leaf in jax.tree.leaves(before)):
        raise _unfit(f"the state of {name} holds a random key", "`step` is given a fresh one each time")
    if jax.tree.structure(before) != jax.tree.structure(after) or _shapes(before) != _shapes(after):
        raise _unfit(f"the states of {name} differ after `reset` and after `step`", "give both the same arrays")
    for what, array, shape in (
        ("the observation of `reset`", first, (size,)),
        ("the observation of `step`", seen, (size,)),
        ("the reward", reward, ()),
        ("whether an episode ends", ends, ()),
    ):
        if array.shape != shape:
            message = f"in {name}, {what} has shape {list(array.shape)}, expected {list(shape)}"
            raise _unfit(message, "environments are written for one agent, without an axis for the batch")


def _shapes(state: Any) -> list[tuple[Any, Any]]:
    return [(leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(state)]


def _unfit(message: str, help: str) -> BlurError:
    return BlurError(Diagnostic("E811", message, help=help))
