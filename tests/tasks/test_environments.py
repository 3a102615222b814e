"""Environments: what they are, which there are, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from blurc.diagnostics import BlurError, Source, Span
from blurc.tasks import OBJECTIVES, Augment, Felt, TaskChoice, World, task, world
from blurc.tasks.environments import maze, of_gymnax
from blurc.tasks.environments.bandit import Bandit
from blurc.tasks.environments.make import own_world
from blurc.tasks.environments.t_maze import TMaze

KEY = jax.random.key(0)


class Walk:
    """A line to walk on. An episode ends beyond 2; its reward is the last step."""

    observations, actions, bounds = 1, 1, (-1.0, 1.0)

    def reset(self, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jnp.zeros(()), jnp.zeros(1)

    def step(self, key: jax.Array, at: jax.Array, action: jax.Array) -> tuple[jax.Array, ...]:
        at = at + action[0]
        return at, at[None], action[0], at > 2


def of_own(environment: object, **choice: Any) -> World:
    return own_world(environment, "mine", TaskChoice("mine", **choice))


def refused(call: Callable[[], object]) -> tuple[str, str, str | None]:
    with pytest.raises(BlurError) as caught:
        call()
    (d,) = caught.value.diagnostics
    return d.code, d.message, d.help


def test_an_arm_pays_with_its_chance() -> None:
    bandit = Bandit(3).variation(KEY)
    _, _, pays, ends = jax.vmap(lambda key: bandit.step(key, (), jnp.asarray(1)))(jax.random.split(KEY, 4000))
    assert bandit.chances is not None
    np.testing.assert_allclose(pays.mean(), bandit.chances[1], atol=0.03)
    assert ends.all()


def test_in_the_maze_the_way_to_the_goal_is_paid_and_walls_stop() -> None:
    here = maze.Maze(jnp.asarray(0))  # in the corner at the top left
    state = maze.Place(jnp.asarray([2, 0]), jnp.asarray(0))
    seen: list[int] = []
    for action in (3, 0, 0):  # left, against the wall; up, up
        state, observation, reward, ends = here.step(KEY, state, jnp.asarray(action))
        seen.append(int(observation.argmax()))
    assert seen == [10, 5, 0]
    assert (float(reward), bool(ends)) == (1, True)


def test_without_a_goal_an_episode_in_the_maze_ends_unpaid() -> None:
    here = maze.Maze(jnp.asarray(0))
    state, _ = here.reset(KEY)
    for _ in range(maze.LIMIT):
        state, _, reward, ends = here.step(KEY, state, jnp.asarray(2))
    assert (float(reward), bool(ends)) == (0, True)


@pytest.mark.parametrize("crossed", [0, 1])
def test_at_the_junction_what_the_cue_means_is_paid(crossed: int) -> None:
    """Two steps of a corridor lie between; what is done there makes no difference."""
    here = TMaze(delay=2, crossed=jnp.asarray(crossed))
    for right in (True, False):
        state, first = here.reset(KEY)
        cue = int(first.argmax())
        seen, paid = [], []
        turn = cue ^ crossed if right else 1 - (cue ^ crossed)
        for action in (0, 1, turn, turn):
            state, observation, reward, ends = here.step(KEY, state, jnp.asarray(action))
            seen.append(int(observation.argmax()))
            paid.append((float(reward), bool(ends)))
        assert cue in (0, 1)
        assert seen[:3] == [2, 2, 3]
        assert paid == [(0, False)] * 3 + [(float(right), True)]


def test_what_a_cue_means_is_another_thing_in_every_lifetime_and_the_delay_is_chosen() -> None:
    one = world(TaskChoice("t_maze", parameters={"delay": 7}))
    mazes = [one.variation(jax.random.key(i)).environment for i in range(12)]
    assert {int(maze.crossed) for maze in mazes if isinstance(maze, TMaze)} == {0, 1}
    assert {maze.delay for maze in mazes if isinstance(maze, TMaze)} == {7}
    assert (one.inputs, one.outputs) == (4, 2)


def test_after_the_end_of_an_episode_comes_the_first_step_of_another() -> None:
    here = of_own(Walk()).variation(KEY)
    states, seen, rewards, ends = here.move(KEY, jnp.asarray([0.0, 1.5]), jnp.asarray([[1.0], [1.0]]))
    assert states.tolist() == [1, 0]
    assert seen.tolist() == [[1], [0]]
    assert (rewards.tolist(), ends.tolist()) == ([1, 1], [0, 1])


def test_actions_that_are_numbers_are_the_clipped_readout() -> None:
    actions, targets = of_own(Walk()).variation(KEY).act(jnp.asarray([[0.5], [3.0]]), KEY)
    assert actions.tolist() == targets.tolist() == [[0.5], [1.0]]


def test_actions_are_sampled_or_those_of_the_greatest_output() -> None:
    out = jnp.log(jnp.asarray([[0.2, 0.8]] * 2000))
    sampled, greedy = (world(TaskChoice("bandit", ways=2, act=act)).variation(KEY) for act in ("sample", "greedy"))
    np.testing.assert_allclose(sampled.act(out, KEY)[0].mean(), 0.8, atol=0.03)
    assert greedy.act(out, KEY)[0].all()


def test_a_lifetime_may_have_its_own_meaning_of_actions_and_inputs() -> None:
    """What is learned from is the output that was chosen, whatever it does there."""
    varied = world(TaskChoice("maze", augment=Augment(permute_labels=True, permute_inputs=True)))
    out = 100 * jnp.eye(4)
    done = {tuple(varied.variation(jax.random.key(i)).act(out, KEY)[0].tolist()) for i in range(20)}
    assert len(done) > 5
    assert varied.variation(KEY).act(out, KEY)[1].tolist() == jnp.eye(4).tolist()
    felt = Felt(jnp.zeros((1, 4)), jnp.zeros(1), jnp.zeros(1))
    assert len({int(varied.variation(jax.random.key(i)).seen(jnp.eye(25)[:1], felt).argmax()) for i in range(20)}) > 5


def test_what_was_done_and_paid_may_follow_the_observation() -> None:
    one = world(TaskChoice("bandit", ways=2, observe=("done", "action")))
    felt = Felt(jnp.asarray([[0.0, 1.0]]), jnp.asarray([7.0]), jnp.asarray([1.0]))
    assert one.variation(KEY).seen(jnp.ones((1, 1)), felt).tolist() == [[1, 1, 0, 1]]
    assert one.inputs == 4


def test_the_return_is_that_of_episodes_that_end_and_else_of_those_that_go_on() -> None:
    totals = np.asarray([[1.0, 2.0], [2.0, 4.0], [1.0, 6.0]])
    some, none = np.asarray([[0, 0], [1, 0], [0, 1]]), np.zeros((3, 2))
    assert OBJECTIVES["return"].score(totals, some) == 4
    assert OBJECTIVES["return"].score(totals, none) == 3.5


# ------------------------------------------------------------------ gymnax


def test_cart_pole_is_that_of_gymnax() -> None:
    gymnax: Any = pytest.importorskip("gymnax")
    theirs, parameters = gymnax.make("CartPole-v1")
    ours = of_gymnax.make("CartPole-v1")
    assert (ours.observations, ours.actions, ours.bounds) == (4, 2, None)
    state, _ = ours.reset(KEY)
    _, their_state = theirs.reset(KEY, parameters)
    both = jax.jit(lambda a, b: (ours.step(KEY, a, jnp.asarray(1)), theirs.step(KEY, b, jnp.asarray(1), parameters)))
    for _ in range(30):
        (state, seen, reward, ends), (_, their_state, their_reward, terminated, truncated, more) = both(
            state, their_state
        )
        np.testing.assert_allclose(seen, more["final_observation"], rtol=1e-6)
        assert (float(reward), bool(ends)) == (float(their_reward), bool(terminated | truncated))
        if ends:
            return
    pytest.fail("the pole does not fall")


def test_a_pendulum_is_pushed_by_numbers() -> None:
    pytest.importorskip("gymnax")
    pendulum = world(TaskChoice("gymnax:Pendulum-v1"))
    assert pendulum.variation(KEY).act(jnp.asarray([[5.0]]), KEY)[0].tolist() == [[2]]


def test_gymnax_is_asked_for_where_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(of_gymnax, "import_module", missing)
    code, message, help = refused(lambda: world(TaskChoice("gymnax:CartPole-v1")))
    assert (code, help) == ("E921", "pip install 'blurc[rl]'")
    assert "the package `gymnax`" in message


# ----------------------------------------------------------------- refused


class Batched(Walk):
    def step(self, key: jax.Array, at: jax.Array, action: jax.Array) -> tuple[jax.Array, ...]:
        return at, jnp.zeros((3, 1)), at, at > 2


class NotJax(Walk):
    def step(self, key: jax.Array, at: jax.Array, action: jax.Array) -> tuple[jax.Array, ...]:
        return at, np.asarray(at)[None], at, at > 2


class Another(Walk):
    def step(self, key: jax.Array, at: jax.Array, action: jax.Array) -> Any:
        return (at, at), at[None], at, at > 2


class Endless(Walk):
    def step(self, key: jax.Array, at: jax.Array, action: jax.Array) -> tuple[jax.Array, ...]:
        return at, at[None], at


class Branching(Walk):
    def step(self, key: jax.Array, at: jax.Array, action: jax.Array) -> tuple[jax.Array, ...]:
        return (at, at[None], at, at > 2) if action[0] > 0 else (at, at[None], -at, at > 2)


def test_what_jax_cannot_trace_says_what_to_write_instead() -> None:
    _, message, help = refused(lambda: of_own(Branching()))
    assert "TracerBoolConversionError" in message
    assert "`jnp.where`" in (help or "")


class Raises(Walk):
    def step(self, key: jax.Array, at: jax.Array, action: jax.Array) -> tuple[jax.Array, ...]:
        raise IndexError("no such place")


class Rooted(Walk):
    """From the start to the left there is no reward that is a number."""

    def step(self, key: jax.Array, at: jax.Array, action: jax.Array) -> tuple[jax.Array, ...]:
        at, seen, _, ends = super().step(key, at, action)
        return at, seen, jnp.sqrt(at + 1), ends


class WithKey(Walk):
    def reset(self, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        return key, jnp.zeros(1)

    def step(self, key: jax.Array, at: jax.Array, action: jax.Array) -> tuple[jax.Array, ...]:
        return at, jnp.zeros(1), action[0], action[0] > 2


def walk(**members: Any) -> World:
    return of_own(type("Changed", (Walk,), members)())


OfGymnasium = type("CartPoleEnv", (), {"reset": None, "step": None, "__module__": "gymnasium.envs"})

REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "lacks members": (
        lambda: of_own(SimpleNamespace(reset=None)),
        "it has no `observations`, `actions`, `bounds`, `step`",
    ),
    "gymnasium": (lambda: of_own(OfGymnasium()), "it has no `observations`"),
    "with a batch": (lambda: of_own(Batched()), "the observation of `step` has shape [3, 1], expected [1]"),
    "not JAX": (lambda: of_own(NotJax()), "mine cannot be traced by JAX: TracerArrayConversionError"),
    "three values": (lambda: of_own(Endless()), "`step` of mine returns 3 values, expected 4"),
    "another state": (lambda: of_own(Another()), "the states of mine differ"),
    "raises": (lambda: of_own(Raises()), "mine cannot be traced by JAX: IndexError: no such place"),
    "not finite": (lambda: of_own(Rooted()), "the reward of mine is not finite in step "),
    "not finite at first": (
        lambda: walk(reset=lambda self, key: (jnp.zeros(()), jnp.full(1, jnp.inf))),  # pyright: ignore
        "the first observation of mine is not finite",
    ),
    "a key": (lambda: of_own(WithKey()), "the state of mine holds a random key"),
    "a number as bounds": (lambda: walk(bounds=1.0), "`bounds` of mine is 1.0"),
    "one bound": (lambda: walk(bounds=(-1.0,)), "`bounds` of mine is (-1.0,)"),
    "bounds of text": (lambda: walk(bounds=("0", "1")), "`bounds` of mine is"),
    "bounds of others": (lambda: walk(bounds=(np.zeros(3), 1.0)), "`bounds` of mine is"),
    "actions of text": (lambda: walk(actions="2"), "`actions` of mine is '2'"),
    "no observations": (lambda: walk(observations=0), "`observations` of mine is 0"),
    "an observation of two parts": (
        lambda: walk(reset=lambda self, key: (jnp.zeros(()), (jnp.zeros(1),))),  # pyright: ignore
        "the observation of `reset` is a `tuple`",
    ),
    "relabelled": (
        lambda: world(TaskChoice("maze", augment=Augment(relabel_at=3))),
        "`augment.relabel_at` is for exam",
    ),
    "crop": (lambda: world(TaskChoice("maze", crop=3)), "`crop` is for examples, and maze is an environment"),
    "ways": (lambda: world(TaskChoice("maze", ways=3)), "`ways` is for examples"),
    "one arm": (lambda: world(TaskChoice("bandit", ways=1)), "a bandit needs at least two arms"),
    "twice": (lambda: world(TaskChoice("maze", observe=("done", "done"))), "`observe` lists something twice"),
    "examples": (lambda: task(TaskChoice("maze")), "`maze` is an environment, which gives rewards and has no examples"),
    "observed examples": (lambda: task(TaskChoice("moons", observe=("done",))), "`observe` is for environments"),
}


def test_a_parameter_that_an_environment_does_not_have_or_that_is_out_of_range_is_refused() -> None:
    for parameters, code in (({"length": 7}, "E607"), ({"delay": 0}, "E612")):
        assert refused(lambda p=parameters: world(TaskChoice("t_maze", parameters=p)))[0] == code


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_lived_in_is_refused(what: str) -> None:
    call, message = REFUSED[what]
    code, said, _ = refused(call)
    assert code == "E811"
    assert message in said


def test_gymnasium_is_told_from_gymnax() -> None:
    _, _, help = refused(lambda: of_own(OfGymnasium()))
    assert help is not None
    assert "outside of JAX" in help


@pytest.mark.parametrize("mine", [Raises, Rooted, Batched])
def test_what_is_wrong_with_an_environment_is_shown_where_it_is_named_and_where_it_is_written(mine: type[Walk]) -> None:
    place = Span(Source("e.yaml", "tasks: [walk.py:Walk]"), 8, 20)
    with pytest.raises(BlurError) as caught:
        of_own(mine(), where=place)
    (d,) = caught.value.diagnostics
    assert d.span == place
    (note,) = d.notes
    assert "test_environments.py, line " in note
