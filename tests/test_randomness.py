"""What is drawn for two things is two draws: no key, and no stream of NumPy, serves two purposes."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import Any

import jax
import numpy as np
import pytest

import blurc
from blurc import tasks
from blurc.diagnostics import Source
from blurc.evaluation import course
from blurc.meta.experiment.schema import parse
from blurc.meta.run import setup as run_setup
from blurc.meta.run.setup import setup
from blurc.training import asking_key, rules
from blurc.training.learner import Settings

NOISY = """
genome noisy {
  state   a, b
  synapse w ~ normal(1)
  learn   eta ~ normal(1) per projection, rho ~ normal(1) per population, tau ~ normal(1)
  sense   { a <- input }
  forward { a <- incoming(w * pre.a) + noise(1)  b <- noise(1) - noise(1) }
  backward { b <- noise(1) }
  update  { w <- w + eta * batch_mean(pre.a * post.b) + 0 * tau }
  readout a
}
network many uses noisy {
  input  x[40]
  hidden h1[40]
  hidden h2[40]
  hidden h3[40]
  output y[40]
  x -> h1 -> h2 -> h3 -> y
  h1 -> h3
}
"""
APART = 0.5  # of 40 x 8 normals or more, the correlation has a standard deviation of at most 0.06


@pytest.fixture(scope="module")
def net() -> blurc.Net:
    return blurc.compile(NOISY)


def alike(draws: dict[Any, Any]) -> list[Any]:
    """Pairs of draws that go together."""
    flat = {name: np.asarray(value, float).ravel() for name, value in draws.items()}
    flat = {name: value for name, value in flat.items() if value.size >= 300 and value.std() > 0}
    pairs = combinations(flat.items(), 2)
    return [(m, n) for (m, a), (n, b) in pairs if a.shape == b.shape and abs(np.corrcoef(a, b)[0, 1]) > APART]


def test_projections_start_apart(net: blurc.Net) -> None:
    key = jax.random.key(0)
    genome = net.init_genome(key)
    synapses = net.init(key, genome).synapses
    drawn = {name: of["w"] for name, of in synapses.items() if "unit" not in name}
    assert len(drawn) == 5
    assert alike(drawn) == []
    values = [float(v) for name in genome for v in np.ravel(jax.tree.leaves(genome[name]))]
    assert len(set(values)) == len(values)  # of meta-parameters too


@pytest.mark.parametrize("rolled", [True, False])
def test_noise_is_another_for_every_population_statement_step_and_example(rolled: bool) -> None:
    source = NOISY if rolled else NOISY.replace("hidden h2[40]", "hidden h2[40] { bias = off }")
    net = blurc.compile(source)
    key = jax.random.key(0)
    genome = net.init_genome(key)
    state = net.init(key, genome)
    still = state._replace(synapses=jax.tree.map(np.zeros_like, state.synapses))
    x, y = np.zeros((2, 8, 40), np.float32), np.zeros((2, 8, 40), np.float32)
    draws: dict[Any, Any] = {}
    for step in range(2):
        traced = net.trace(genome, still, x[0], y[0], key=jax.random.fold_in(key, step))
        draws |= {(step, "forward", of, s): traced["forward"][of][s] for of in ("h1", "h2", "h3", "y") for s in "ab"}
        draws |= {(step, "backward", of): traced["backward"][of]["b"] for of in ("h1", "h2", "h3")}
    assert len(draws) == 22
    assert [name for name, values in draws.items() if np.std(values) < 0.5] == []
    assert alike(draws) == []
    _, outs = net.train(genome, still, x, y, key=key)
    assert alike({"first": outs[0], "second": outs[1]}) == []
    assert len(np.unique(outs)) == outs.size


@pytest.mark.parametrize("draw", ["noise(1)", "uniform(-2, 2)"])
def test_every_statement_round_projection_and_step_draws_other_numbers_for_synapses(draw: str) -> None:
    net = blurc.compile(
        f"""genome noisy {{
          state a
          synapse u ~ zeros, v ~ zeros, w ~ zeros
          sense {{ a <- input }}
          forward {{ a <- incoming((u + v + w) * pre.a) }}
          repeat 2 {{ update {{ u <- v;  v <- {draw};  w <- {draw} - {draw} }} }}
          readout a
        }}
        network n uses noisy {{ input x[40]  hidden h[40]  hidden g[40]  output y[40]  x -> h -> g -> y  h -> g }}"""
    )
    key = jax.random.key(0)
    state, draws = net.init(key, net.init_genome(key)), dict[Any, Any]()
    for step in range(2):
        state, _ = net.step({}, state, np.zeros((1, 40)), np.zeros((1, 40)), key=jax.random.fold_in(key, step))
        draws |= {(step, of, c): value for of, channels in state.synapses.items() for c, value in channels.items()}
    assert [name for name, values in draws.items() if np.std(values) < 0.5] == []
    assert alike(draws) == []


def test_predictions_have_noise_of_their_own_in_every_slice_and_at_every_step(net: blurc.Net) -> None:
    x = np.zeros((9, 40), np.float32)
    seen: list[Any] = []

    def watched(carry: Any, x: Any, first: int) -> Any:
        key = asking_key(carry[2], first)
        seen.append(jax.random.key_data(key).tolist())
        return rules.predict(net, carry[0], carry[1], x, key)

    key = rules.keys(0)[1]
    outs = [watched((net.init_genome(key), net.init(key, net.init_genome(key)), key), x, i) for i in (0, 9)]
    assert alike(dict(enumerate(outs))) == []
    assert len(set(map(tuple, seen))) == 2


# -------------------------------------------------------- keys of the programs


def test_search_evaluation_and_training_of_one_seed_share_no_key() -> None:
    """Each key is named by its path from the seed; `split` gives what `fold_in` of 0, 1, .. gives."""
    root = jax.random.key(3, impl="threefry2x32")
    e = parse(Source("e.yaml", "name: e\nspec: networks/xor.blur\nrule: blur\ntasks: [xor]\nseed: 3"))
    ready = setup(e)
    purposes = ("START", "EPISODES", "JITTER", "CANDIDATES", "RESTART", "TRIAL", "LENGTHEN")
    searched = {(p, i): ready.key(getattr(run_setup, p), i) for p in purposes for i in range(6)}
    judged = course.keys(3)._asdict()
    found = {**searched, **judged, **{(n, i): jax.random.fold_in(k, i) for n, k in judged.items() for i in range(6)}}
    found |= {"root": root, "genome": rules.keys(3)[0], "synapses": rules.keys(3)[1]}
    counted = Counter(tuple(jax.random.key_data(key).tolist()) for key in found.values())
    assert max(counted.values()) == 1, found


def test_noise_of_training_is_not_the_key_of_an_episode() -> None:
    noisy, data = blurc.compile(NOISY), np.zeros((4, 40), np.float32)
    dataset = tasks.Dataset("d", data, data.copy(), data.copy(), data.copy(), None, "", "")
    for seed in (0, 1):
        run = rules.train(noisy, None, dataset, Settings(1, 2, seed), Silent(), "noisy")
        key = jax.random.key(seed, impl="threefry2x32")
        former = jax.random.fold_in(jax.random.fold_in(key, 1), seed)
        assert not np.array_equal(jax.random.key_data(run.carry[2]), jax.random.key_data(jax.random.split(former)[0]))


class Silent:
    def begin(self, name: str, steps: int) -> None: ...

    def advance(self, steps: int) -> None: ...

    def point(self, name: str, point: Any) -> None: ...


# ------------------------------------------------------------- NumPy's streams


def test_streams_of_numpy_are_apart_for_every_purpose_seed_and_count() -> None:
    """`default_rng(0)`, `default_rng([0, 0])` and so on are one stream."""
    assert np.random.default_rng(5).random() == np.random.default_rng([5, 0]).random()
    counts, purposes = ((), (0,), (1,), (0, 0)), ("epochs", "held out", "tasks")
    first = [tasks.generator(p, s, *c).random() for p in purposes for s in (0, 1, 2**40) for c in counts]
    first += [np.random.default_rng(seed).random() for seed in (0, 1, [0, 1], [1, 1])]
    assert len(set(first)) == len(first)


def test_epochs_are_not_the_split_of_the_data() -> None:
    x = np.arange(512, dtype=np.float32)[:, None]
    data = tasks.Dataset("d", x, x.copy(), x[:1].copy(), x[:1].copy(), None, "", "")
    xs, _ = tasks.batches(data, batch=512, steps=2, seed=0)
    orders = {"split": np.random.default_rng(0).permutation(512), "one": xs[0], "two": xs[1]}
    assert alike(orders) == []


def test_episodes_of_two_keys_and_the_two_halves_of_one_are_apart() -> None:
    task = tasks.task(tasks.TaskChoice("random_moons"))
    one, two = (task.episode(jax.random.key(k), steps=4, batch=64, query=256) for k in (0, 1))
    drawn = {"one": one.xs.reshape(-1, 2), "query": one.x, "two": two.xs.reshape(-1, 2), "query of two": two.x}
    rows = [tuple(row) for part in drawn.values() for row in np.asarray(part).tolist()]
    assert len(set(rows)) == len(rows)
