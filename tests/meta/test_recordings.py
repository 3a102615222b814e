"""Rules that are fitted to recorded activity."""

from __future__ import annotations

import json
import runpy
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from click.testing import CliRunner
from tiny import refused

import blurc
from blurc import meta
from blurc.cli import cli
from blurc.cli.shared import scores
from blurc.diagnostics import Source
from blurc.evaluation import where
from blurc.meta.experiment import schema
from blurc.meta.experiment.experiment import Experiment
from blurc.meta.run import finishing
from blurc.meta.run import setup as setups
from blurc.tasks import OBJECTIVES, Recordings, Replay, TaskChoice, any_task
from blurc.training import agreement, begun, replayed

pytestmark = pytest.mark.usefixtures("compiled_fast")

RATE = 0.25
SPEC = """
genome hebb {
  state act
  synapse w ~ normal(0.5)
  learn rate = 0
  sense   { act <- input }
  forward { act <- tanh(incoming(w * pre.act)) }
  update  { w <- w + rate * batch_mean(pre.act * post.act) }
  readout act
}
network two uses hebb { input x[3]  hidden h[4] { bias = off }  output y[2]  x -> h -> y }
"""
STEPS, RECORDINGS = 3, 5
GRADIENT, CMA = "{name: gradient, steps: 2}", "{name: cma, population: 4, steps: 2}"
PES = "{name: pes, steps: 3, population: 2, truncation: 2}"  # the second piece is short
SEARCHED = "{name: symbolic, search: [update], steps: 2, population: 8, length: 7, tune: 1}"


@pytest.fixture(scope="module")
def two() -> blurc.Net:
    return blurc.compile(SPEC)


@pytest.fixture(scope="module")
def arrays(two: blurc.Net) -> dict[str, Any]:
    """What two layers do that learn at a known rate."""
    genome = {"rate": jnp.asarray(RATE)}
    starts = jax.vmap(lambda key: two.init(key, genome))(jax.random.split(jax.random.key(1), RECORDINGS))
    xs = jax.random.normal(jax.random.key(2), (RECORDINGS, STEPS, 3))

    def step(state: Any, x: jax.Array) -> Any:
        seen = two.trace(genome, state, x[None])["forward"]
        return two.step(genome, state, x[None])[0], {name: seen[name]["act"][0] for name in ("h", "y")}

    seen = jax.jit(jax.vmap(partial(jax.lax.scan, step)))(starts, xs)[1]
    first = {f"start_{name}": of["w"] for name, of in starts.synapses.items()}
    return {
        name: np.array(a) for name, a in {"x": xs, "recorded_h": seen["h"], "recorded_y": seen["y"], **first}.items()
    }


@pytest.fixture
def file(arrays: dict[str, Any]) -> Path:
    Path("two.blur").write_text(SPEC)
    np.savez("seen.npz", **arrays)
    return Path("seen.npz")


def recordings(file: Path | str, *record: str, **more: Any) -> Recordings:
    found = any_task(TaskChoice(str(file), record=record, **more))
    assert isinstance(found, Recordings)
    return found


def experiment(method: str = GRADIENT, record: str = "[h, y]", more: str = "", **overrides: str) -> Experiment:
    text = (
        f"name: seen\nspec: two.blur\ntasks: [{{data: seen.npz, record: {record}{more}}}]\nmethod: {method}\n"
        f"inner: {{steps: {STEPS}, batch: 1}}\nevaluation: {{steps: [2, {STEPS}], seeds: 1, batch: 1}}\n"
    )
    given = {key.replace("__", "."): value for key, value in overrides.items()}
    return schema.parse(Source("seen.yaml", text), given)


@pytest.fixture(scope="module")
def explained(two: blurc.Net) -> Any:
    """Of a rate and recordings: the mean squared error of the first one, with its activity, and the error's slope."""

    def error(rate: Any, whole: Replay) -> Any:
        genome, replay = {"rate": jnp.asarray(rate)}, jax.tree.map(lambda a: a[0], whole)
        state = begun(two, genome, jax.random.key(0), replay)
        _, activity = replayed(two, genome, state, replay.shown, jax.random.key(1))
        return agreement(OBJECTIVES["mse"], activity, replay.shown), activity

    return jax.jit(jax.value_and_grad(error, has_aux=True))


def test_the_rule_that_was_recorded_explains_all_and_the_gradient_leads_there(explained: Any, file: Path) -> None:
    whole = recordings(file, "h").whole
    assert explained(RATE, whole)[0][0] < 1e-12
    for rate, sign in ((0.2, -1), (0.3, 1)):
        (value, _), slope = explained(rate, whole)
        assert value > 1e-6
        assert jnp.sign(slope) == sign


@pytest.mark.parametrize("method", [GRADIENT, PES, pytest.param(SEARCHED, marks=pytest.mark.slow)])  # 25 s
def test_every_method_fits_recordings(method: str, file: Path) -> None:
    result = meta.run(experiment(method), "run")
    assert result.objective == "mse"
    assert np.isfinite(result.value)
    assert result.value <= result.start


def test_what_is_missing_does_not_count(explained: Any, file: Path, arrays: dict[str, Any]) -> None:
    seen = arrays["recorded_h"].copy()
    seen[..., 1:] = np.nan  # of all neurons but one
    seen[:, -1] = np.nan
    np.savez(file, **{**arrays, "recorded_h": seen})
    whole = recordings(file, "h").whole
    (value, activity), _ = explained(0.1, whole)
    squares = (activity.values["h"] - whole.shown.recorded["h"][0]) ** 2
    np.testing.assert_allclose(value, squares[:-1, 0].mean(), rtol=1e-6)


REMEMBERING = """
genome trace {
  state act persistent, seen
  synapse w ~ normal(0.5)
  signal reward
  sense    { act <- input;  seen <- act }
  forward  { act <- 0.5 * act + incoming(w * pre.seen) + noise(0.1);  seen <- act }
  feedback { seen <- target }
  update   { w <- w + 0.1 * reward * batch_mean(pre.act * post.seen) }
  readout act
}
network leaky uses trace { input x[3]  output y[2]  x -> y }
"""


def test_sequences_of_a_network_that_remembers_are_replayed_as_it_learns_them() -> None:
    net, time = blurc.compile(REMEMBERING), 3
    key = jax.random.key
    xs, ys = (jax.random.normal(key(i), (1, 2, time, n)) for i, n in ((1, 3), (2, 2)))
    reward, start = jax.random.normal(key(3), (1, 2, time)), jax.random.normal(key(4), (1, 3, 2))
    given: dict[str, Any] = {"x": xs, "y": ys, "signal_reward": reward, "start_x->y": start}
    np.savez("leaky.npz", recorded_y=np.zeros((1, 2, time, 2)), **given)
    of = recordings("leaky.npz", "y", time=True)
    replay = jax.tree.map(lambda a: a[0], of.whole)
    state, seen = replayed(net, {}, begun(net, {}, key(0), replay), replay.shown, key(5))
    by_hand = net.init(key(0), {}, batch=1)
    by_hand.synapses["x->y"]["w"] = start[0]
    for i, noise in enumerate(jax.random.split(key(5), 2 * time)):
        if i == time:
            by_hand = by_hand._replace(neurons=jax.tree.map(jnp.zeros_like, by_hand.neurons))
        x, y = (a.reshape(2 * time, 1, -1)[i] for a in (xs, ys))
        by_hand, out = net.step({}, by_hand, x, y, signals={"reward": reward.ravel()[i]}, key=noise)
        np.testing.assert_allclose(seen.values["y"].reshape(2 * time, 1, 2)[i], out, rtol=1e-5)
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-5), state, by_hand)


def test_a_genome_is_scored_on_recordings_that_are_held_out(file: Path, arrays: dict[str, Any]) -> None:
    Path("g.yaml").write_text(f"name: g\nrule: hebb\nvalues: {{rate: {RATE}}}\n")
    call = ["eval", "g.yaml", "--network", "two.blur", "--task", "seen.npz:record=h+y", "--steps", f"2,{STEPS}"]
    done = CliRunner().invoke(cli, [*call, "--seeds", "1", "--json", "-", "--batch", "1"], catch_exceptions=False)
    (row,) = json.loads(done.stdout)["rows"]
    assert row["metric"] == "mean squared error"
    assert all(result["mean"] < 1e-12 for result in row["results"])
    done = CliRunner().invoke(cli, call)
    assert done.exit_code == 1
    assert "learned from one at a time" in done.output


OWN = "import jax.numpy as jnp\ndef worst(outs, targets, mask):\n    return (mask * abs(outs - targets)).max()\n"


def test_an_objective_of_ones_own_is_told_what_is_known(file: Path, arrays: dict[str, Any]) -> None:
    arrays = {**arrays, "recorded_y": arrays["recorded_y"].copy()}
    arrays["recorded_y"][:, 1:] = np.nan
    np.savez(file, **arrays)
    Path("own.py").write_text(OWN)
    ready = setups.setup(experiment(record="[y]", method__objective="own.py:worst"))
    drawn: Any = ready.episodes(0, STEPS)
    (value,) = np.asarray(ready.judge.values({"rate": jnp.zeros(1)}, drawn).values)
    first = jnp.tanh(jnp.tanh(drawn.episodes.shown.xs[0, 0] @ _start(drawn, "x->h")) @ _start(drawn, "h->y"))
    np.testing.assert_allclose(value, jnp.abs(first - drawn.episodes.shown.recorded["y"][0, 0]).max(), atol=1e-6)


def _start(drawn: Any, projection: str) -> jax.Array:
    return drawn.episodes.start[projection][""][0]


EXAMPLE = Path(__file__).parents[2] / "examples/recorded"


def test_the_example_is_explained_by_the_rule_that_was_recorded_up_to_its_noise() -> None:
    record = runpy.run_path(str(EXAMPLE / "record.py"))
    for name in ("layers.blur", "oja.yaml"):
        Path(name).write_text((EXAMPLE / name).read_text())
    record["main"](Path("oja.npz"))
    ready = setups.setup(meta.read("oja.yaml"))
    nothing = dict.fromkeys(ready.net.signature.genome, jnp.zeros(1))
    oja = {**nothing, "pre_post": jnp.full(1, 0.05), "post2_w": jnp.full(1, -0.05)}
    drawn = ready.episodes(0, 100)
    unexplained, explained = (float(ready.judge.values(one, drawn).values[0]) for one in (nothing, oja))
    assert unexplained > 0.1
    assert explained == pytest.approx(record["NOISE"] ** 2, rel=0.1)


def test_a_divergence_is_found_again(file: Path) -> None:
    Path("g.yaml").write_text("name: g\nrule: hebb\nvalues: {rate: 1.0e+38}\n")
    result = meta.run(experiment(CMA, start="g.yaml"), "run")
    assert result.diverged
    found = meta.replay("run")
    assert found.message.startswith("training diverged at step")
    assert "`w` of" in found.message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"record": "[z]"}, "there is no array `recorded_z`"),
        ({"record": "[h, h]"}, "`record` lists something twice: h, h"),
        ({"record": "[h.rate]"}, "there is no array `recorded_h.rate`"),
        ({"more": ", crop: 3"}, "`crop` is not for recordings"),
        ({"inner__batch": "2"}, "the batch is 2, and what seen shows is learned from one at a time"),
        ({"inner__steps": "4"}, "the recordings of seen have 3 steps, and 4 are replayed"),
        ({"inner__judge_every": "2"}, "`inner.judge_every` says when answers are judged"),
        ({"evaluation__race": "true"}, "a race compares what optimizers learn from examples"),
    ],
)
def test_what_recordings_do_not_have_is_refused(change: dict[str, str], message: str, file: Path) -> None:
    (found,) = refused(lambda: setups.setup(experiment(**change)))
    assert message in found.message
    assert found.span


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"evaluation__batch": "128"}, "the batch is 128, and what seen shows is learned from one at a time"),
        ({"evaluation__steps": "[2, 4]"}, "the recordings of seen have 3 steps, and 4 are replayed"),
        ({"record": "[z]"}, "there is no array `recorded_z`"),
    ],
)
def test_an_evaluation_that_cannot_work_is_refused_before_the_run(
    change: dict[str, str], message: str, file: Path
) -> None:
    (found,) = refused(lambda: finishing.check(experiment(**change)))
    assert message in found.message
    assert found.span


def test_a_recording_may_lack_a_population_but_not_all_that_is_compared(file: Path, arrays: dict[str, Any]) -> None:
    arrays = {name: array.copy() for name, array in arrays.items()}
    arrays["recorded_h"][0] = np.nan
    np.savez(file, **arrays)
    assert recordings(file, "h", "y").outputs == 6
    (found,) = refused(lambda: recordings(file, "h"))
    assert found.message == "seen.npz: nothing of h is known in recording 0"
    arrays["recorded_y"][0] = np.nan
    np.savez(file, **arrays)
    (found,) = refused(lambda: recordings(file, "h", "y"))
    assert found.message == "seen.npz: nothing of h, y is known in recording 0"


def test_scores_say_which_recordings_they_are_of(file: Path, arrays: dict[str, Any]) -> None:
    assert where(recordings(file, "h")) == "on held-out recordings"
    np.savez(file, **{name: array[:1] for name, array in arrays.items()})
    on = where(recordings(file, "h"))
    told = scores.legend(1, [("seen", OBJECTIVES["mse"], on)])
    assert told == "mean squared error on the only recording, which rules are fitted to, 1 seed"


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("recorded_h", lambda a: a[:, :2], "`recorded_h` has shape [5, 2, 4], expected [5, 3, ..]"),
        ("recorded_h", lambda a: a[..., :3], "`recorded_h` of seen has 3 neurons, but `h` has 4"),
        ("recorded_h", lambda a: a + np.inf, "`recorded_h[0, 0, 0]` is inf, expected a finite float32 number"),
        ("x", lambda a: a * np.nan, "`x[0, 0, 0]` is nan, expected finite float32 numbers"),
        ("x", lambda a: a[..., :2], "seen has 2 inputs, but the input `x` of `two` is [3]"),
        ("x", lambda a: a[0], "`x` has shape [3, 3], expected [recordings, steps, inputs]"),
        ("start_x->h", lambda a: a[:, :2], "`start_x->h` has shape [2, 4], expected [3, 4]"),
        ("start_x->z", lambda a: np.zeros((5, 3, 4)), "`two` has no projection `x->z`"),
        ("start_x->h.v", lambda a: np.zeros((5, 3, 4)), "`x->h` has no channel `v`"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    name: str, change: Any, message: str, file: Path, arrays: dict[str, Any]
) -> None:
    np.savez(file, **{**arrays, name: change(arrays.get(name))})
    (found,) = refused(lambda: setups.setup(experiment()))
    assert message in found.message
    assert found.span
    if message.endswith("[recordings, steps, inputs]"):
        assert found.help == "save x[None] for a single recording, or x[..., None] for a single input"
