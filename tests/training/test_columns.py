"""Data sets for networks with inputs by ids: whole numbers, a column for each input."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import blurc
from blurc import tasks, training
from blurc.diagnostics import BlurError
from blurc.evaluation import check_fits
from blurc.meta.experiment.experiment import Inner
from blurc.meta.search.episode import judged
from blurc.tasks import Dataset
from blurc.tasks.choice import TaskChoice
from blurc.training.columns import gathered, inputs, joined

SEVERAL = "networks/ratings.blur"
BAG = "input a ids 9"
MIXED = "input a ids 9  input b[2]"
HUGE = "input a ids 20000000"


def net(populations: str) -> blurc.Net:
    if populations == SEVERAL:
        return blurc.compile(SEVERAL, users=9, items=5)
    sources = "  ".join(f"{name} -> y" for name in "ab" if f"input {name}" in populations)
    return blurc.compile(
        f'import "rules/backprop.blur" network n uses backprop {{ {populations}  output y[1]  {sources} }}'
    )


def data(x: list[list[float]]) -> Dataset:
    examples, targets = np.asarray(x, np.float32), np.zeros((len(x), 1), np.float32)
    return Dataset("file.npz", examples, targets, examples.copy(), targets.copy(), None, "", "")


def test_every_column_is_for_an_input() -> None:
    ratings = net(SEVERAL)
    fitted = training.fitted(data([[8, 4], [-1, 0]]), ratings.signature)
    assert fitted.x_train.dtype == np.int32
    found = inputs(ratings.signature, fitted.x_train)
    assert {name: list(column) for name, column in found.items()} == {"user": [8, -1], "item": [4, 0]}


def test_all_columns_are_a_bag_for_the_only_input() -> None:
    bag = net(BAG)
    fitted = training.fitted(data([[8, 4, -1], [1, 0, 0]]), bag.signature)
    assert inputs(bag.signature, fitted.x_train).shape == (2, 3)


WRONG = [
    (SEVERAL, [[8, 4], [8, 5]], "example 1 of x in file.npz has 5 for `item`, whose ids are 0 .. 4"),
    (SEVERAL, [[0.5, 4]], "example 0 of x in file.npz has 0.5 for `user`"),
    (SEVERAL, [[-2, 4]], "has -2 for `user`"),
    (SEVERAL, [[0, 1, 2]], r"have shape \[3\], but `ratings` has 2 inputs by ids"),
    (BAG, [[0, 9]], "has 9 for `a`, whose ids are 0 .. 8"),
    (MIXED, [[0, 1, 2]], r"has inputs by ids and others \(`b`\)"),
    (HUGE, [[0]], "`a` has more than 16,777,216 ids"),
]


@pytest.mark.parametrize(("populations", "x", "message"), WRONG)
def test_what_does_not_fit_is_refused(populations: str, x: list[list[float]], message: str) -> None:
    with pytest.raises(BlurError, match=message) as caught:
        training.fitted(data(x), net(populations).signature)
    assert caught.value.diagnostics[0].code == "E807"


def of_task(x: Any, **choice: Any) -> tasks.LoadedTask:
    """A task with examples from a file."""
    y = np.zeros(len(x), np.float32)
    np.savez("file.npz", x=np.asarray(x), y=y, x_test=np.asarray(x), y_test=y)
    return tasks.task(TaskChoice("file.npz", **choice))


@pytest.mark.parametrize(
    ("x", "choice", "message"),
    [
        ([[8, 4], [8, 5]], {}, "of x in file.npz has 5 for `item`, whose ids are 0 .. 4"),
        ([[8, 4], [0.5, 4]], {}, r"of x in file.npz has 0.5 for `user`(.|\n)*ids are whole numbers"),
        ([[8], [3]], {}, r"have shape \[1\], but `ratings` has 2 inputs by ids"),
        ([[8, 4], [8, 3]], {"augment": tasks.Augment(drift=0.1)}, "`augment.drift` changes numbers, and `user` of"),
        ([[8, 4], [8, 3]], {"center": True}, "`center` changes numbers, and `user` of `ratings` is given by ids"),
        ([[8, 4], [8, 3]], {"scale": 2.0}, "`scale` changes numbers, and `user` of"),
        ([[8, 4], [8, 3]], {"target": "inputs"}, "the target of file.npz would be its inputs"),
    ],
)
def test_a_task_that_does_not_fit_is_refused(
    x: Any, choice: Any, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BlurError, match=message):
        check_fits(net(SEVERAL), of_task(x, **choice))
    check_fits(net(SEVERAL), of_task([[8, 4], [-1, 3]]))


def test_tasks_that_make_numbers_have_no_ids() -> None:
    with pytest.raises(BlurError, match="`a` of `n` is an input by ids, and moons makes numbers"):
        check_fits(net("input a ids 2"), tasks.task(TaskChoice("moons")))


RULE = """
genome delta {
  state act, err
  synapse w ~ normal(0.5)
  learn rate = 0.2
  sense    { act <- input }
  forward  { act <- incoming(w * pre.act) }
  feedback { err <- act - target }
  update   { w <- w - rate * batch_mean(pre.act * post.err) }
  readout act
}
network n uses delta { input aINPUT  output y[1]  a -> y }
"""


def test_an_episode_is_worth_what_it_is_with_one_hot_inputs() -> None:
    ids = np.random.default_rng(0).integers(0, 5, (3, 4, 1))
    asked = np.arange(6)[:, None] % 5
    y, y_asked = (np.cos(a).astype(np.float32) for a in (ids, asked))
    shown = {
        " ids 5": (ids.astype(np.float32), asked.astype(np.float32)),
        "[5]": (np.eye(5, dtype=np.float32)[ids[..., 0]], np.eye(5, dtype=np.float32)[asked[:, 0]]),
    }
    found: dict[str, Any] = {}
    for declared, (x, x_asked) in shown.items():
        compiled = blurc.compile(RULE.replace("INPUT", declared))
        episode = tasks.Episode(*map(jnp.asarray, (x, y, x_asked, y_asked)))
        value = partial(judged, compiled, tasks.OBJECTIVES["mse"], Inner(steps=3, batch=4), key=jax.random.key(1))
        found[declared] = jax.jit(jax.value_and_grad(lambda genome, v=value, e=episode: v(genome, episode=e)))(
            {"rate": jnp.asarray(0.2)}
        )
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-5), found[" ids 5"], found["[5]"])


def test_optimizers_gather_the_rows_of_ids() -> None:
    w = jax.random.normal(jax.random.key(0), (9, 1))
    bag = np.asarray([[8, 4, -1], [1, 0, 0]])
    network = training.relu_network(net(BAG))
    variables = network.init(jax.random.key(1))
    variables.learned["weights"]["a->y"] = w.reshape(variables.learned["weights"]["a->y"].shape)
    expected = [w[8] + w[4], w[1] + 2 * w[0]]
    np.testing.assert_allclose(network.predict(variables, jnp.asarray(bag, jnp.float32)), expected, rtol=1e-6)


def test_layers_gather_the_rows_of_ids_of_all_inputs() -> None:
    wiring = "input a ids 4  input b ids 2  hidden h[3]  output y[1]  a -> h  b -> h  h -> y"
    text = f'import "rules/backprop.blur" network n uses backprop {{ {wiring} }}'
    by_ids = training.recurrent_network(blurc.compile(text))
    ids = np.asarray([[3, 1], [-1, 0]])
    found = joined([4, 2], jnp.asarray(ids, jnp.float32))
    np.testing.assert_array_equal(found, [[3, 5], [-1, 4]])
    gru = replace(by_ids, cell="gru")
    variables = gru.init(jax.random.key(0), None)
    assert variables.learned["layers"][0]["w"].shape == (6, 9)
    _, outputs = gru.run(variables, gru.rest(2), jnp.asarray(ids, jnp.float32)[None])
    assert outputs.shape == (1, 2, 1)
    w = jnp.arange(12.0).reshape(6, 2)
    np.testing.assert_array_equal(gathered(w, found), [w[3] + w[5], w[4]])
