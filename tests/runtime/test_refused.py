"""Calls that would compute nonsense, or ask for memory that is not there, are refused before they begin."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import blurc
from blurc import tasks

KEY = jax.random.key(0)
X, Y = np.zeros((2, 3, 2), np.float32), np.eye(2, dtype=np.float32)[[[0, 1, 1], [1, 0, 0]]]


@pytest.fixture(scope="module")
def nets(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    path = tmp_path_factory.mktemp("a") / "a.blurx"
    net = blurc.compile("networks/xor.blur", hidden=2, check_finite=True)
    net.save(path)
    return [net, blurc.load(path, check_finite=True)]


def code(call: Any) -> str:
    with pytest.raises(blurc.BlurError) as error:
        call()
    return error.value.diagnostics[0].code


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e300])
@pytest.mark.parametrize("which", [0, 1])
def test_values_that_are_not_finite_are_named_where_that_is_asked_for(nets: list[Any], which: int, bad: float) -> None:
    net = nets[which]
    genome = net.init_genome(KEY)
    state = net.init(KEY, genome)
    wrong = X.astype(float)
    wrong[1, 2, 0] = bad
    with pytest.raises(blurc.BlurError, match=r"`x\[1, 2, 0\]` of x is -?(nan|inf)"):
        net.train(genome, state, wrong, Y)
    calls = [
        lambda: net.predict(genome, state, wrong[1]),
        lambda: net.step(genome, state, X[0], wrong[1]),
        lambda: net.init(KEY, jax.tree.map(lambda a: jnp.full_like(a, bad), genome)),
        lambda: net.predict(genome, jax.tree.map(lambda a: jnp.full_like(a, bad), state), X[0]),
    ]
    assert genome
    assert {code(call) for call in calls} == {"E918"}


def test_finite_values_pass_and_traced_ones_are_not_looked_at(nets: list[Any]) -> None:
    for net in nets:
        genome = net.init_genome(KEY)
        state = net.init(KEY, genome)
        plain = net.predict(genome, state, X[0])
        assert np.array_equal(jax.jit(net.predict)(genome, state, X[0]), plain)
        assert jax.jit(net.predict)(genome, state, np.full_like(X[0], np.nan)).shape == plain.shape


def test_without_the_option_nothing_is_looked_at() -> None:
    net = blurc.compile("networks/xor.blur", hidden=2)
    genome = net.init_genome(KEY)
    assert np.isnan(net.predict(genome, net.init(KEY, genome), np.full_like(X[0], np.nan))).any()


def test_nothing_is_learned_or_read_out_from_nothing(nets: list[Any]) -> None:
    for net in nets:
        genome = net.init_genome(KEY)
        state = net.init(KEY, genome)
        for xs, ys in ((X[:0], Y[:0]), (X[:, :0], Y[:, :0])):
            assert code(lambda n=net, g=genome, s=state, x=xs, y=ys: n.train(g, s, x, y)) == "E717"
        assert code(lambda n=net, g=genome, s=state: n.step(g, s, X[0, :0], Y[0, :0])) == "E717"
        assert code(lambda n=net, g=genome, s=state: n.predict(g, s, X[0, :0])) == "E717"


def test_what_cannot_fit_into_memory_is_refused_before_it_is_asked_for(tmp_path: Path) -> None:
    wide = blurc.compile("network n uses backprop { input x[200000] output y[1000000] x -> y }\n", genome="backprop")
    assert code(lambda: wide.init(KEY, wide.init_genome(KEY))) == "E919"
    net = blurc.compile("networks/xor.blur", hidden=2)
    genome = net.init_genome(KEY)
    state = net.init(KEY, genome)
    huge = np.broadcast_to(np.float32(0), (10**12, 2))  # takes four bytes
    assert code(lambda: net.predict(genome, state, huge)) == "E919"
    between = "network n uses backprop { input x[1] hidden h[1000000] output y[1] x -> h h -> y }\n"
    deep = blurc.compile(between, genome="backprop")
    values = deep.init_genome(KEY)
    fresh, examples = deep.init(KEY, values), np.zeros((10**6, 1), np.float32)
    assert code(lambda: deep.predict(values, fresh, examples)) == "E919"
    assert code(lambda: deep.step(values, fresh, examples, examples)) == "E919"
    assert code(lambda: deep.train(values, fresh, examples[None], examples[None])) == "E919"
    data, task = tasks.load("xor"), tasks.task(tasks.TaskChoice("xor"))
    assert code(lambda: tasks.batches(data, batch=2, steps=10**12, seed=0)) == "E919"
    for size in ("steps", "batch", "query"):
        sizes: dict[str, Any] = {"steps": 1, "batch": 1, "query": 1, size: 10**12}
        assert code(lambda s=sizes: task.episode(KEY, **s)) == "E919"
