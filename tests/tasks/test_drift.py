"""Inputs that turn a little more in every step of an episode."""

from __future__ import annotations

import math
from typing import Any

import jax
import numpy as np
import pytest

from blurc.diagnostics import BlurError, Source
from blurc.meta.experiment import schema
from blurc.tasks import Augment, TaskChoice, any_task, streamed, task
from blurc.tasks.task import LoadedTask

ANGLE, STEPS, BATCH, QUERY = 0.3, 6, 3, 4
KEY = jax.random.key(5)


def of(data: str, drift: float, **augment: Any) -> LoadedTask:
    return task(TaskChoice(data, augment=Augment(drift=drift, **augment)))


def turns(before: Any, after: Any) -> np.ndarray:
    """By which angle points of the plane were turned, one way or the other."""
    one, other = (np.asarray(a)[..., 0] + 1j * np.asarray(a)[..., 1] for a in (before, after))
    np.testing.assert_allclose(abs(one), abs(other), rtol=1e-5)
    return np.angle(other / one)


def test_inputs_turn_by_the_angle_in_every_step_and_the_query_as_often_as_there_are_steps() -> None:
    fixed, moved = (of("moons", drift).episode(KEY, steps=STEPS, batch=BATCH, query=QUERY) for drift in (0, ANGLE))
    found = turns(fixed.xs, moved.xs)
    wanted = np.repeat(ANGLE * np.arange(STEPS)[:, None], BATCH, axis=1)
    np.testing.assert_allclose(found * np.sign(found[1, 0]), wanted, atol=1e-5)
    asked = turns(fixed.x, moved.x)
    np.testing.assert_allclose(asked * np.sign(found[1, 0]), STEPS * ANGLE, atol=1e-5)
    np.testing.assert_array_equal(fixed.ys, moved.ys)


def test_after_a_quarter_turn_every_input_is_where_its_partner_was() -> None:
    fixed, moved = (of("digits", drift).episode(KEY, steps=2, batch=BATCH, query=QUERY) for drift in (0, math.pi / 2))
    np.testing.assert_allclose(moved.xs[0], fixed.xs[0], atol=1e-6)
    np.testing.assert_allclose(np.sort(abs(moved.xs[1])), np.sort(abs(fixed.xs[1])), atol=1e-6)
    assert np.abs(moved.xs[1] - fixed.xs[1]).mean() > 0.1


@pytest.mark.parametrize("data", ["moons", "familiarity"])  # the latter is one sample of all steps
def test_an_evaluation_asks_after_some_steps_what_has_turned_as_far(data: str) -> None:
    fixed, moved = (streamed(of(data, drift), KEY, BATCH, True, STEPS, QUERY) for drift in (0, ANGLE))
    assert fixed.changes(2, 4) == (data == "familiarity")
    assert moved.changes(2, 4)
    (x, *_), at_first, later = fixed.questions(QUERY), *(moved.questions(QUERY, done)[0] for done in (0, 4))
    np.testing.assert_allclose(at_first, x, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(later, axis=1), np.linalg.norm(x, axis=1), rtol=1e-5)
    batches = [(a.xs, b.xs) for (_, a), (_, b) in zip(fixed.pieces(2, STEPS), moved.pieces(2, STEPS), strict=True)]
    before, after = (np.concatenate(part) for part in zip(*batches, strict=True))
    np.testing.assert_allclose(after[0], before[0], atol=1e-5)
    if data == "moons":
        found = turns(before, after)[:, 0]
        np.testing.assert_allclose(abs(found), ANGLE * np.arange(STEPS), atol=1e-5)
        np.testing.assert_allclose(abs(turns(x, later)), 4 * ANGLE, atol=1e-5)


@pytest.mark.parametrize(
    ("data", "message"),
    [("sinusoid", "turns pairs of inputs, and sinusoid has only one"), ("maze", "is for examples, and maze is an env")],
)
def test_what_cannot_drift_is_refused(data: str, message: str) -> None:
    with pytest.raises(BlurError, match=message):
        any_task(TaskChoice(data, augment=Augment(drift=ANGLE)))


CHANGING = ("{data: digits, augment: {drift: 0.1}}", "{data: digits, augment: {relabel_at: 3}}", "{data: familiarity}")


@pytest.mark.parametrize("one", CHANGING)
@pytest.mark.parametrize("how", ["inner: {judge_every: 2}", "method: {name: pes, truncation: 2}"])
def test_a_query_is_asked_once_where_right_answers_change(one: str, how: str) -> None:
    text = f"name: e\nspec: networks/digits.blur\ntasks: [{one}]\n{how}\n"
    with pytest.raises(BlurError, match="the same query is asked at several steps") as caught:
        schema.parse(Source("e.yaml", text))
    assert caught.value.diagnostics[0].span
    if "relabel_at" in one:
        schema.parse(Source("e.yaml", text.replace("relabel_at: 3", "relabel_at: 2")))
