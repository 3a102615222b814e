"""Families of tasks with parameters: an oracle that knows what each is about solves it."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from blurc.diagnostics import BlurError
from blurc.tasks import Episode, TaskChoice, streamed, task

SIZES = {"steps": 4, "batch": 25, "query": 40}


def drawn(data: str, seed: int = 0, **parameters: Any) -> Episode:
    return task(TaskChoice(data, parameters=parameters)).episode(jax.random.key(seed), **SIZES)


def flat(e: Episode) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(e.xs).reshape(100, -1), np.asarray(e.ys).reshape(100, -1)


def test_a_random_projection_is_a_linear_classifier_of_its_own_episode() -> None:
    e, other = (drawn("random_projection", seed, inputs=3, classes=2) for seed in (0, 1))
    x, y = flat(e)
    weights = np.linalg.lstsq(x, y - y.mean(axis=0), rcond=None)[0]
    hits = (np.argmax(np.asarray(e.x) @ weights, axis=1) == np.argmax(e.y, axis=1)).mean()
    elsewhere = (np.argmax(np.asarray(other.x) @ weights, axis=1) == np.argmax(other.y, axis=1)).mean()
    assert hits > 0.85 > elsewhere


@pytest.mark.parametrize("functions", ["separable", "any", "parity"])
def test_a_boolean_function_answers_the_same_bits_alike(functions: str) -> None:
    e = drawn("boolean", bits=3, functions=functions)
    x, y = flat(e)
    table = {tuple(bits): answer for bits, (answer,) in zip(x.tolist(), y.tolist(), strict=True)}
    assert len(table) == 8
    assert [table[tuple(bits)] for bits in np.asarray(e.x).tolist()] == np.asarray(e.y)[:, 0].tolist()
    if functions == "separable":  # a bit that may turn a no into a yes never turns a yes into a no
        for i in range(3):
            turns = {
                table[(*bits[:i], 1.0, *bits[i + 1 :])] - table[(*bits[:i], -1.0, *bits[i + 1 :])] for bits in table
            }
            assert not {1.0, -1.0} <= turns
    if functions == "parity":  # a bit that counts turns every answer, any other turns none
        for i in range(3):
            turns = {table[bits] == table[(*bits[:i], -bits[i], *bits[i + 1 :])] for bits in table}
            assert len(turns) == 1


def test_what_was_shown_is_familiar() -> None:
    one = task(TaskChoice("familiarity", parameters={"inputs": 30, "delay": 5}))
    e = one.episode(jax.random.key(0), steps=100, batch=1, query=40)
    x, y = flat(e)
    shown: list[tuple[float, ...]] = []
    for pattern, (familiar,) in zip(map(tuple, x.tolist()), y.tolist(), strict=True):
        assert (pattern in shown) == bool(familiar)
        assert not familiar or shown[-5] == pattern
        shown.append(pattern)
    assert 0.2 < y.mean() < 0.5
    assert [tuple(pattern) in shown[-5:] for pattern in np.asarray(e.x).tolist()] == np.asarray(e.y)[:, 0].tolist()
    stream = streamed(one, jax.random.key(0), batch=1, test=True, steps=100, query=40)
    np.testing.assert_array_equal(stream.questions(40, 100)[0], e.x)
    assert stream.changes(10, 20)
    early, answers, _ = stream.questions(40, 20)
    assert [tuple(pattern) in shown[15:20] for pattern in early.tolist()] == answers[:, 0].tolist()


def test_adding_asks_for_the_sum_of_the_two_that_are_marked() -> None:
    e = drawn("adding", length=7)
    assert e.x.shape == (40, 7, 2)
    np.testing.assert_array_equal(e.x[..., 1].sum(axis=1), 2)
    np.testing.assert_allclose((e.x[..., 0] * e.x[..., 1]).sum(axis=1), e.y[:, -1, 0], rtol=1e-6)
    np.testing.assert_array_equal(e.mask, np.tile([0, 0, 0, 0, 0, 0, 1], (40, 1)))


def test_copying_asks_for_the_symbols_after_the_delay() -> None:
    e = drawn("copying", symbols=3, length=2, delay=4)
    assert (e.x.shape, e.y.shape) == ((40, 8, 5), (40, 8, 3))
    np.testing.assert_array_equal(e.x[:, :2, :3], e.y[:, -2:])
    np.testing.assert_array_equal(e.x[:, -2:].argmax(axis=-1), 4)
    np.testing.assert_array_equal(e.mask, np.tile([0, 0, 0, 0, 0, 0, 1, 1], (40, 1)))


def test_delayed_match_says_whether_the_stimuli_are_the_same() -> None:
    e = drawn("delayed_match", stimuli=3, delay=2)
    assert e.x.shape == (40, 4, 3)
    assert not e.x[:, 1:3].any()
    np.testing.assert_array_equal((e.x[:, 0] * e.x[:, -1]).sum(axis=1), e.y[:, -1, 0])
    assert 0.25 < e.y[:, -1].mean() < 0.75


def test_associative_recall_asks_for_the_value_of_a_key() -> None:
    e = drawn("associative_recall", pairs=3, values=5)
    keys, values = e.x[..., :6], e.x[..., 6:]
    assert not values[:, -1].any()
    match = jnp.einsum("nik,nk->ni", keys[:, :-1], keys[:, -1])
    np.testing.assert_array_equal(match.sum(axis=1), 1)
    np.testing.assert_array_equal(jnp.einsum("ni,niv->nv", match, values[:, :-1]), e.y[:, -1])


@pytest.mark.parametrize(
    ("choice", "codes", "said"),
    [
        (TaskChoice("adding", parameters={"lenght": 3}), ["E607"], "`parameters` of adding has no key `lenght`"),
        (TaskChoice("adding", parameters={"length": 0}), ["E612"], "`length` must be from 2 to"),
        (
            TaskChoice("boolean", parameters={"functions": "all"}),
            ["E612"],
            "`functions` must be separable, any or parity",
        ),
        (
            TaskChoice("digits", parameters={"length": 3}),
            ["E811"],
            "`parameters` is for families of tasks, not for digits",
        ),
        (TaskChoice("copying", center=True), ["E811"], "`center` is for data sets"),
        (TaskChoice("adding", outputs=3, shots=2), ["E811", "E811"], "`shots` is for data sets with many classes"),
    ],
)
def test_what_a_family_cannot_have_is_refused(choice: TaskChoice, codes: list[str], said: str) -> None:
    with pytest.raises(BlurError) as caught:
        task(choice)
    assert [d.code for d in caught.value.diagnostics] == codes
    assert said in caught.value.diagnostics[0].message
