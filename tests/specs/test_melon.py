"""The recommender: ratings by matrix factorization, with a learning rate for every row."""

from __future__ import annotations

import numpy as np
import pytest
from rules import KEY

import blurc

USERS, ITEMS = 60, 40


@pytest.fixture(scope="module")
def net() -> blurc.Net:
    return blurc.compile("networks/ratings.blur", users=USERS, items=ITEMS, size=4)


def pairs(of: np.ndarray) -> dict[str, np.ndarray]:
    return {"user": of[..., 0], "item": of[..., 1]}


def test_it_predicts_ratings_that_it_has_not_seen_better_than_their_mean(net: blurc.Net) -> None:
    rng = np.random.default_rng(0)
    tastes = rng.normal(size=(USERS, 3)) @ rng.normal(size=(ITEMS, 3)).T / np.sqrt(3)
    ratings = 3 + tastes + 0.5 * rng.normal(size=(USERS, 1)) + 0.5 * rng.normal(size=ITEMS)
    order = rng.permutation(USERS * ITEMS)
    every = np.stack([order // ITEMS, order % ITEMS], axis=-1)
    seen, asked = every[:1800], every[1800:]
    xs = np.stack([rng.permutation(seen).reshape(-1, 20, 2) for _ in range(15)]).reshape(-1, 20, 2)
    genome = net.init_genome(KEY)
    state, _ = net.train(genome, net.init(KEY, genome), pairs(xs), ratings[xs[..., 0], xs[..., 1]][..., None])
    found = np.ravel(net.predict(genome, state, pairs(asked)))
    truth = ratings[asked[:, 0], asked[:, 1]]
    assert np.mean((found - truth) ** 2) < 0.5 * np.var(truth)


def test_a_row_that_was_seen_more_often_learns_more_slowly(net: blurc.Net) -> None:
    genome = net.init_genome(KEY)
    state = net.init(KEY, genome)
    n = state.synapses["user->rating"]["n"].at[:, 0].set(np.arange(USERS) * 3.0)
    state.synapses["user->rating"]["n"] = n
    changes: list[float] = []
    for user in (0, 5, 20):
        x = {"user": np.array([user]), "item": np.array([0])}
        y = net.predict(genome, state, x) - 1  # the same gradient for each
        after, _ = net.step(genome, state, x, y)
        changes.append(float((state.synapses["user->rating"]["w"] - after.synapses["user->rating"]["w"])[user, 0]))
    eta, slow, steep = (float(genome[name]["user->rating"]) for name in ("eta", "slow", "steep"))
    expected = [np.exp(eta + slow * np.log(1 + 3 * user) + steep) for user in (0, 5, 20)]
    np.testing.assert_allclose(changes, expected, rtol=1e-4)


def test_a_step_computes_the_rows_that_it_sees(net: blurc.Net) -> None:
    assert net.plan.step.seen == net.plan.predict.seen == ("user", "item")
