"""Makes an environment from a `TaskChoice`, and checks one that a user has written."""

from __future__ import annotations

from collections.abc import Iterator

from blurc.diagnostics import BlurError, Diagnostic
from blurc.guards import typed
from blurc.tasks.choice import TaskChoice
from blurc.tasks.environments import bandit, checks, maze, of_gymnax
from blurc.tasks.environments.environment import Environment
from blurc.tasks.environments.t_maze import TMaze
from blurc.tasks.environments.world import World
from blurc.tasks.own.guard import told_at
from blurc.tasks.parameters import made

FITTING = {"data", "name", "weight", "observe", "act", "augment", "where"}
OF_OWN = {"parameters", "hash"}  # fit those of users, too
OF_ONE = {bandit.NAME: {"ways"}, TMaze.NAME: {"parameters"}}
ONLY_HERE = ("observe", "act")


def world_names() -> dict[str, str]:
    """The environments that come with blurc: name -> one line."""
    return {own.NAME: own.DESCRIPTION for own in (bandit, maze, TMaze)}


def is_world(data: str) -> bool:
    """Whether this is what an environment is called."""
    return data in world_names() or data.startswith(of_gymnax.GYMNAX)


@typed
def world(choice: TaskChoice) -> World:
    """Makes an environment. Raises `BlurError` (E810, E811, E921)."""
    _check(choice, FITTING | OF_ONE.get(choice.data, set()))
    return _checked(_environment(choice), choice.data, choice)


def own_world(environment: object, fingerprint: str, choice: TaskChoice) -> World:
    """One of a user's own, which the choice names. It is tried for a while. Raises `BlurError` (E811)."""
    with told_at(choice.where):
        _check(choice, FITTING | OF_OWN)
        found = _checked(environment, fingerprint, choice)
        checks.check_lived(found)
    return found


def _checked(environment: object, fingerprint: str, choice: TaskChoice) -> World:
    name = choice.name or choice.data
    environment = checks.checked(environment, name)
    found = World(name, environment, choice.augment, choice.observe, choice.act == "greedy", fingerprint)
    checks.check_traced(found)
    return found


def _environment(choice: TaskChoice) -> Environment:
    if choice.data == bandit.NAME:
        return bandit.Bandit(choice.ways)
    if choice.data == maze.NAME:
        return maze.Maze()
    if choice.data == TMaze.NAME:
        return made(TMaze, choice)
    return of_gymnax.make(choice.data.removeprefix(of_gymnax.GYMNAX))


def _check(choice: TaskChoice, fitting: set[str]) -> None:
    """Raises `BlurError` (E811)."""
    if complaints := [*_complaints(choice, fitting)]:
        raise BlurError([Diagnostic("E811", what, help=help) for what, help in complaints])


def _complaints(choice: TaskChoice, fitting: set[str]) -> Iterator[tuple[str, str | None]]:
    if choice.data == bandit.NAME and choice.ways < 2:
        yield "a bandit needs at least two arms", "write `ways: 2`, or more"
    changes = [f"augment.{name}" for name in ("relabel_at", "drift") if getattr(choice.augment, name)]
    for name in (*choice.given, *changes):
        if name not in fitting:
            yield f"`{name}` is for examples, and {choice.name or choice.data} is an environment", "leave it out"
    if len(set(choice.observe)) < len(choice.observe):
        yield f"`observe` lists something twice: {', '.join(choice.observe)}", "list each once"


def misplaced(choice: TaskChoice) -> Iterator[tuple[str, str | None]]:
    """Settings of environments on a task that is not an environment."""
    for name in choice.given:
        if name in ONLY_HERE:
            yield f"`{name}` is for environments, not for {choice.data}", "leave it out"
