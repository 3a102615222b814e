"""The Python API: pure functions that compose, documented shapes, diagnostics for callers' mistakes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import networkx as nx
import numpy as np
import pytest

import blurc

RULE = """
genome leaky(rate = 0.1) {
  state   act, err, trace persistent
  synapse w ~ normal(1 / sqrt(fan_in))
  learn   eta = rate per projection, decay = 0.5
  fn      phi = tanh
  sense    { act <- input }
  forward  { act <- phi(incoming(w * pre.act));  trace <- decay * trace + act;  err <- phi'(act) }
  feedback { err <- softmax(act) - target }
  backward { err <- err * outgoing(w * post.err) }
  update   { w <- w - eta * batch_mean(pre.act * post.err) }
  readout  act + 0 * trace + decay * trace
}
"""


def digits(**parameters: Any) -> blurc.Net:
    return blurc.compile("networks/digits.blur", hidden=8, depth=1, **parameters)


@pytest.fixture(scope="module")
def net() -> blurc.Net:
    return digits()


@pytest.fixture(scope="module")
def started(net: blurc.Net) -> tuple[Any, Any, Any, Any]:
    """Genome, state, and eight steps of inputs and targets."""
    key = jax.random.key(0)
    genome = net.init_genome(key)
    xs = jax.random.uniform(jax.random.key(1), (8, 4, 8, 8))
    ys = jax.nn.one_hot(jax.random.randint(jax.random.key(2), (8, 4), 0, 10), 10)
    return genome, net.init(key, genome), xs, ys


def same(a: Any, b: Any) -> bool:
    return all(bool((x == y).all()) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True))


def code(call: Callable[[], Any]) -> str:
    with pytest.raises(blurc.BlurError) as caught:
        call()
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.help
    return diagnostic.code


def test_the_state_has_the_shapes_that_the_design_names(net: blurc.Net, started: Any) -> None:
    state = started[1]
    assert state.synapses["pixels->h1"]["w"].shape == (64, 8)
    assert state.synapses["unit->h1"]["w"].shape == (1, 8)
    assert state.synapses["skip"]["w"].shape == (64, 10)
    assert state.neurons == {}


def test_channel_axes_come_first() -> None:
    net = digits(genome="blur", k=3)
    genome = net.init_genome(jax.random.key(0))
    state = net.init(jax.random.key(0), genome)
    assert genome["nu"].shape == (3, 3)
    assert state.synapses["h1->class"]["v"].shape == (3, 8, 10)
    assert "v" not in state.synapses["pixels->h1"], "feedback into an input is dead"


def test_the_unit_neurons_synapses_start_at_zero(started: Any) -> None:
    assert not started[1].synapses["unit->h1"]["w"].any()


def test_train_is_step_after_step(net: blurc.Net, started: Any) -> None:
    genome, state, xs, ys = started
    trained, outs = net.train(genome, state, xs, ys)
    for i, (x, y) in enumerate(zip(xs, ys, strict=True)):
        state, out = net.step(genome, state, x, y)
        np.testing.assert_allclose(out, outs[i], rtol=1e-5, atol=1e-6)
    for a, b in zip(jax.tree.leaves(state), jax.tree.leaves(trained), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_inputs_may_be_flat(net: blurc.Net, started: Any) -> None:
    genome, state, xs, _ = started
    assert same(net.predict(genome, state, xs[0]), net.predict(genome, state, xs[0].reshape(4, 64)))


def test_predict_gives_what_step_reads_out(net: blurc.Net, started: Any) -> None:
    genome, state, xs, ys = started
    np.testing.assert_allclose(net.predict(genome, state, xs[0]), net.step(genome, state, xs[0], ys[0])[1], rtol=1e-6)


def test_vmap_over_genomes(net: blurc.Net, started: Any) -> None:
    _, state, xs, ys = started
    rates = jnp.array([0.0, 0.1, 0.5])
    trained, _ = jax.vmap(lambda eta: net.train({"eta": eta}, state, xs, ys))(rates)
    alone, _ = net.train({"eta": rates[1]}, state, xs, ys)
    stacked = trained.synapses["pixels->h1"]["w"]
    assert stacked.shape == (3, 64, 8)
    np.testing.assert_allclose(stacked[1], alone.synapses["pixels->h1"]["w"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(stacked[0], state.synapses["pixels->h1"]["w"], rtol=1e-6)


def test_the_gradient_through_train_is_the_slope_of_the_loss(net: blurc.Net, started: Any) -> None:
    _, state, xs, ys = started
    with jax.enable_x64(True):
        state = jax.tree.map(lambda a: a.astype(jnp.float64), state)

        def loss(eta: Any) -> Any:
            _, outs = net.train({"eta": eta}, state, xs.astype(jnp.float64), ys.astype(jnp.float64))
            return -(ys[-1] * jax.nn.log_softmax(outs[-1])).sum(-1).mean()

        slope = jax.grad(loss)(jnp.float64(0.3))
        numeric = (loss(jnp.float64(0.3 + 1e-5)) - loss(jnp.float64(0.3 - 1e-5))) / 2e-5
    np.testing.assert_allclose(slope, numeric, rtol=1e-6)
    assert abs(float(slope)) > 1e-3


def test_user_code_around_step_can_be_jitted(net: blurc.Net, started: Any) -> None:
    genome, state, xs, ys = started

    @jax.jit
    def two(genome: Any, state: Any) -> Any:
        for i in range(2):
            state, _ = net.step(genome, state, xs[i], ys[i])
        return state

    expected, _ = net.train(genome, state, xs[:2], ys[:2])
    for a, b in zip(jax.tree.leaves(two(genome, state)), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_the_second_call_does_not_recompile(net: blurc.Net, started: Any) -> None:
    genome, state, xs, ys = started
    state, _ = net.step(genome, state, xs[0], ys[0])
    step = net._call.step
    before = step._cache_size()
    for i in range(3):
        state, _ = net.step(genome, state, xs[i], ys[i])
    assert step._cache_size() == before


def test_equal_plans_share_their_programs(net: blurc.Net) -> None:
    assert digits()._call is net._call
    assert digits(rate=0.25)._call is not net._call


def test_nothing_is_donated_unless_asked(net: blurc.Net, started: Any) -> None:
    genome, state, xs, ys = started
    net.train(genome, state, xs, ys)
    assert not any(a.is_deleted() for a in jax.tree.leaves(state))
    copy = jax.tree.map(jnp.copy, state)
    net.train(genome, copy, xs, ys, donate=True)
    assert all(a.is_deleted() for a in jax.tree.leaves(copy))


def test_arrays_that_stand_twice_can_be_donated() -> None:
    """A channel that starts as a copy of another, and a state that a user put together."""
    text = """genome g { state a  synapse v ~ normal(1), w = v
              sense { a <- input }  forward { a <- incoming(w * pre.a) }
              update { v <- v + 0.1 * batch_mean(pre.a * post.a)  w <- v + w }  readout a }
              network n uses g { input x[2]  output y[2] { bias = off }  x -> y }"""
    net, key = blurc.compile(text), jax.random.key(0)
    genome, xs = net.init_genome(key), jnp.ones((3, 4, 2))
    fresh = net.init(key, genome)
    expected, _ = net.train(genome, fresh, xs)
    own = fresh.synapses["x->y"]["v"]
    for state in (net.init(key, genome), fresh._replace(synapses={"x->y": {"v": own, "w": own}})):
        after, _ = net.train(genome, state, xs, donate=True)
        jax.tree.map(np.testing.assert_array_equal, after, expected)
    jax.jit(net.train, donate_argnums=1)(genome, net.init(key, genome), xs)


def test_adding_a_projection_leaves_the_draws_of_the_others() -> None:
    small = """genome g { state a  synapse w ~ normal(1)
               sense { a <- input }  forward { a <- incoming(w * pre.a) }  readout a }"""
    wiring = " network n uses g { input x[3] hidden h[4] output y[2] x -> h  h -> y "
    plain, skip = (blurc.compile(small + wiring + more + "}") for more in ("", "x -> y"))
    key = jax.random.key(3)
    a, b = plain.init(key, {}), skip.init(key, {})
    assert same(a.synapses["x->h"], b.synapses["x->h"])
    assert same(a.synapses["h->y"], b.synapses["h->y"])


def test_many_equal_projections_draw_what_each_draws_alone() -> None:
    spec = """genome g { state a  synapse v ~ normal(1 / fan_in), w = v
              sense { a <- input }  forward { a <- incoming((v + w) * pre.a) }  readout a }
              network n(depth = 2) uses g { input x[3] hidden h{1}[4] x -> h{1}
              for i in 2..depth { hidden h{i}[4]  h{i-1} -> h{i} }  output y[2] h{depth} -> y }"""
    one, many = (blurc.compile(spec, depth=depth).init(jax.random.key(3), {}) for depth in (2, 12))
    assert same(one.synapses["h1->h2"], many.synapses["h1->h2"])
    assert not same(many.synapses["h1->h2"], many.synapses["h11->h12"])
    assert same(many.synapses["h11->h12"]["v"], many.synapses["h11->h12"]["w"])


SCRIPT = """
import jax, blurc, hashlib, numpy
net = blurc.compile("networks/digits.blur", hidden=8, depth=1)
key = jax.random.key(7)
genome = net.init_genome(key)
xs = jax.random.uniform(key, (5, 4, 64))
ys = jax.nn.one_hot(jax.random.randint(key, (5, 4), 0, 10), 10)
state, outs = net.train(genome, net.init(key, genome), xs, ys)
print(hashlib.sha256(b"".join(numpy.asarray(a).tobytes() for a in jax.tree.leaves((state, outs)))).hexdigest())
"""


def test_two_processes_compute_the_same_bits_from_one_seed(capsys: pytest.CaptureFixture[str]) -> None:
    other = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    exec(SCRIPT, {})
    assert capsys.readouterr().out == other.stdout
    assert len(other.stdout.strip()) == 64


SHARDED = """
import jax, blurc, numpy
from jax.sharding import Mesh, NamedSharding, PartitionSpec
net = blurc.compile("networks/digits.blur", hidden=4, depth=1)
key = jax.random.key(7)
state = net.init(key, net.init_genome(key))
xs, ys = numpy.ones((3, 4, 64)), numpy.eye(10)[numpy.zeros((3, 4), int)]
rates = numpy.linspace(0.0, 0.5, 4)
halves = NamedSharding(Mesh(numpy.array(jax.devices()), "genomes"), PartitionSpec("genomes"))
run = jax.jit(jax.vmap(lambda eta: net.train({"eta": eta}, state, xs, ys)[1]))
one, two = run(rates), run(jax.device_put(rates, halves))
assert len(two.sharding.device_set) == 2, two.sharding
numpy.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)
"""


def test_genomes_can_be_sharded_over_devices() -> None:
    devices = f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count=2"
    env = {**os.environ, "XLA_FLAGS": devices, "JAX_PLATFORMS": "cpu"}
    run = subprocess.run([sys.executable, "-c", SHARDED], capture_output=True, text=True, env=env)
    assert run.returncode == 0, run.stderr


# ------------------------------------------------------- persistent states, several inputs and outputs


@pytest.fixture(scope="module")
def several() -> blurc.Net:
    wiring = """network n uses leaky { input a[2]  input b[3]  output y[2, 2]  output z[3]
                a -> y  b -> y  b -> z  a -> z }"""
    return blurc.compile(RULE + wiring)


def test_several_inputs_and_outputs_go_by_name(several: blurc.Net) -> None:
    key = jax.random.key(0)
    genome = several.init_genome(key)
    assert set(genome["eta"]) == {"a->y", "b->y", "b->z", "a->z", "unit->y", "unit->z"}
    state = several.init(key, genome, batch=5)
    assert state.neurons["y"]["trace"].shape == (5, 2, 2)
    x = {"a": jnp.ones((5, 2)), "b": jnp.ones((5, 3))}
    y = {"y": jnp.ones((5, 2, 2)), "z": jnp.ones((5, 3))}
    after, out = several.step(genome, state, x, y)
    assert {k: v.shape for k, v in out.items()} == {"y": (5, 2, 2), "z": (5, 3)}
    assert jax.tree.map(jnp.shape, after) == jax.tree.map(jnp.shape, state)
    assert after.neurons["y"]["trace"].any()


def test_trace_shows_every_state_after_every_phase(several: blurc.Net) -> None:
    key = jax.random.key(0)
    genome = several.init_genome(key)
    x = {"a": jnp.ones((5, 2)), "b": jnp.ones((5, 3))}
    y = {"y": jnp.ones((5, 2, 2)), "z": jnp.ones((5, 3))}
    trace = several.trace(genome, several.init(key, genome, batch=5), x, y)
    assert list(trace) == ["sense", "forward", "feedback", "backward", "update"]
    assert set(trace["forward"]) == {"a", "b", "y", "z"}
    assert trace["forward"]["y"]["act"].shape == (5, 2, 2)
    assert not trace["sense"]["y"]["act"].any()


def test_trace_asks_for_targets_that_only_it_shows() -> None:
    source = """genome g { state a, miss  synapse w ~ normal(1)  sense { a <- input }
                forward { a <- incoming(w * pre.a) }  feedback { miss <- target - a }  readout a }
                network n uses g { input x[3]  output y[2]  x -> y }"""
    net = blurc.compile(source)
    state, x, y = net.init(jax.random.key(0), {}), jnp.ones((4, 3)), jnp.ones((4, 2))
    out = net.step({}, state, x)[1]
    np.testing.assert_allclose(net.trace({}, state, x, y)["feedback"]["y"]["miss"], y - out, rtol=1e-6)
    assert code(lambda: net.trace({}, state, x)) == "E901"


def test_a_genome_without_target_needs_no_y() -> None:
    source = """genome g { state a  synapse w ~ normal(1)  sense { a <- input }  forward { a <- incoming(w * pre.a) }
                update { w <- w + 0.1 * batch_mean(pre.a * post.a) }  readout a }
                network n uses g { input x[3]  output y[2]  x -> y }"""
    net = blurc.compile(source)
    _, outs = net.train({}, net.init(jax.random.key(0), {}), jnp.ones((4, 2, 3)))
    assert outs.shape == (4, 2, 2)


def test_doubles_in_x64_mode() -> None:
    with jax.enable_x64(True):
        net = digits()
        genome = net.init_genome(jax.random.key(0))
        state = net.init(jax.random.key(0), genome)
        state, out = net.step(genome, state, np.ones((2, 64)), np.eye(10)[:2])
    assert {a.dtype for a in jax.tree.leaves((genome, state, out))} == {jnp.dtype("float64")}


def test_the_graph_is_a_frozen_networkx_graph(net: blurc.Net) -> None:
    assert isinstance(net.graph, nx.MultiDiGraph)
    assert net.graph.nodes["pixels"]["shape"] == (8, 8)
    assert net.graph.edges["pixels", "class", "skip"]["plastic"]
    with pytest.raises(nx.NetworkXError):
        net.graph.add_node("more")


def test_compile_time_does_not_grow_with_the_number_of_steps(net: blurc.Net, started: Any) -> None:
    genome, state, xs, ys = started
    sizes = [
        len(jax.jit(net.train).lower(genome, state, jnp.tile(xs, (n, 1, 1, 1)), jnp.tile(ys, (n, 1, 1))).as_text())
        for n in (1, 50)
    ]
    assert abs(sizes[1] - sizes[0]) < 100


# ------------------------------------------------------------------------------ mistakes of callers


def test_what_does_not_fit_is_said(net: blurc.Net, several: blurc.Net, started: Any) -> None:
    genome, state, xs, ys = started
    assert code(lambda: net.step(genome, state, xs[0, :, :7], ys[0])) == "E901"
    assert code(lambda: net.step(genome, state, xs[0], ys[0, :3])) == "E901"
    assert code(lambda: net.step(genome, state, xs[0])) == "E901"
    assert code(lambda: net.train(genome, state, xs[0], ys[0])) == "E901"
    other = several.init_genome(jax.random.key(0))
    assert code(lambda: several.step(other, several.init(jax.random.key(0), other, batch=4), xs[0], ys[0])) == "E901"
    uneven = {"a": jnp.ones((1, 2)), "b": jnp.ones((4, 3))}
    assert code(lambda: several.predict(other, several.init(jax.random.key(0), other, batch=4), uneven)) == "E901"
    assert code(lambda: net.step({}, state, xs[0], ys[0])) == "E902"
    assert code(lambda: net.step({"eta": jnp.ones(2)}, state, xs[0], ys[0])) == "E902"
    assert code(lambda: net.step({"eat": 1.0, "eta": 1.0}, state, xs[0], ys[0])) == "E902"
    assert code(lambda: several.init(jax.random.key(0), several.init_genome(jax.random.key(0)))) == "E903"
    key = jax.random.key(0)
    assert code(lambda: several.init(key, several.init_genome(key), batch=0)) == "E903"
    assert code(lambda: blurc.compile("networks/digits.blur", hiden=3)) == "E210"
    assert code(lambda: blurc.compile("networks/digits.blur", rule="kolen_pollack")) == "E210"
    assert code(lambda: blurc.compile("networks/mnist.blur")) == "E215"
    assert code(lambda: blurc.compile("networks/digits.blur", genome="blurr")) == "E211"


def test_a_wrong_state_is_said(net: blurc.Net, several: blurc.Net, started: Any) -> None:
    genome, _, xs, ys = started
    other = several.init(jax.random.key(0), several.init_genome(jax.random.key(0)), batch=4)
    assert code(lambda: net.step(genome, other, xs[0], ys[0])) == "E904"
    genome = several.init_genome(jax.random.key(0))
    x = {"a": jnp.ones((5, 2)), "b": jnp.ones((5, 3))}
    assert code(lambda: several.predict(genome, several.init(jax.random.key(0), genome, batch=4), x)) == "E904"


def test_what_is_no_key_and_no_number_is_said(net: blurc.Net, started: Any) -> None:
    _, state, xs, ys = started
    assert code(lambda: net.init_genome(0)) == "E906"
    assert code(lambda: net.init(0, {"eta": 1.0})) == "E906"
    assert code(lambda: net.step({"eta": "a"}, state, xs[0], ys[0])) == "E902"
    assert code(lambda: several_batches(net)) == "E901"


def several_batches(net: blurc.Net) -> None:
    net.step({"eta": 1.0}, net.init(jax.random.key(0), {"eta": 1.0}), jnp.ones((4, 64)), jnp.ones((5, 10)))


FED = """
genome fed {
  state   act, past[2] persistent
  signal  r, m[2]
  synapse w ~ normal(1)
  learn   eta = 0.1 per projection
  sense   { act <- input }
  forward { act <- incoming(w * pre.act) + noise(0.1) + m[0];  past <- 0.5 * past + act }
  update  { w <- w + eta * r * batch_mean(pre.act * post.past[1]) }
  readout act
}
network n uses fed { input x[2]  hidden h[2]  output y[2]  x -> h  h -> y }
"""
RAGGED = [1, [2, 3]]


@pytest.fixture(scope="module")
def fed() -> tuple[blurc.Net, Callable[..., Any]]:
    """A network, and its `train` with all arguments, some of which a test may replace."""
    net = blurc.compile(FED)
    genome = net.init_genome(jax.random.key(0))
    usual = {
        "genome": genome,
        "state": net.init(jax.random.key(1), genome, batch=3),
        "xs": jnp.ones((4, 3, 2)),
        "signals": {"r": jnp.ones(4), "m": jnp.ones((4, 2))},
        "key": jax.random.key(2),
        "reset": jnp.zeros(4, bool),
    }
    return net, lambda **other: net.train(**{**usual, **{n: f(usual[n]) for n, f in other.items()}})


WRONG_CALLS: list[tuple[str, str, Callable[[Any], Any]]] = [
    ("E901", "xs", lambda _: "abc"),
    ("E901", "xs", lambda _: RAGGED),
    ("E901", "xs", lambda x: {3: x, "q": x}),
    ("E901", "xs", lambda x: np.full(x.shape, "1")),
    ("E902", "genome", lambda _: {"eta": {1: 0.1, "x->h": 0.1}}),
    ("E902", "genome", lambda g: {"eta": {name: np.asarray("a") for name in g["eta"]}}),
    ("E904", "state", lambda s: s._replace(neurons={"h": 3})),
    ("E904", "state", lambda s: s._replace(synapses={**s.synapses, "x->h": {"w": "high"}})),
    ("E906", "key", lambda k: jax.random.split(k)),
    ("E906", "key", lambda _: np.zeros(3, np.uint32)),
    ("E909", "signals", lambda s: {**s, "r": "high"}),
    ("E909", "signals", lambda s: {**s, "r": "3"}),
    ("E909", "signals", lambda s: {**s, "r": None}),
    ("E909", "signals", lambda s: {**s, "m": RAGGED}),
    ("E909", "signals", lambda s: {**s, 1: 2}),
    ("E911", "reset", lambda _: "no"),
    ("E911", "reset", lambda _: RAGGED),
    ("E911", "reset", lambda _: True),
    ("E911", "reset", lambda _: [0, 1, 0, 0]),
]


@pytest.mark.parametrize(("expected", "name", "wrong"), WRONG_CALLS)
def test_what_is_no_array_is_said(fed: Any, expected: str, name: str, wrong: Any) -> None:
    assert code(lambda: fed[1](**{name: wrong})) == expected


def test_missing_signals_are_told_in_words_that_work(fed: Any) -> None:
    with pytest.raises(blurc.BlurError) as found:
        fed[1](signals=lambda _: None)
    given = re.search(r"signals=(\{.*\})", str(found.value))
    assert given is not None
    assert fed[1](signals=lambda _: eval(given[1]))


def test_whole_numbers_as_reset_are_told_how_to_become_booleans(fed: Any) -> None:
    with pytest.raises(blurc.BlurError, match=r"astype\(bool\)"):
        fed[1](reset=lambda _: np.array([0, 1, 0, 0]))


def test_lists_are_arrays(fed: Any) -> None:
    expected = fed[1]()
    got = fed[1](
        xs=lambda x: np.asarray(x).tolist(),
        signals=lambda s: {name: np.asarray(value).tolist() for name, value in s.items()},
        reset=lambda _: [False] * 4,
        key=jax.random.key_data,
    )
    np.testing.assert_array_equal(got[1], expected[1])


def test_what_is_not_used_is_checked_too(net: blurc.Net, started: Any) -> None:
    genome, state, xs, ys = started
    assert code(lambda: net.train(genome, state, xs, ys, reset="no")) == "E911"
    assert code(lambda: net.step(genome, state, xs[0], ys[0], key=7)) == "E906"
    assert code(lambda: net.init(jax.random.key(0), genome, batch=True)) == "E903"


def test_the_checks_let_traced_values_through(fed: Any) -> None:
    def call(x: Any, r: Any, reset: Any, key: Any) -> Any:
        return fed[1](
            xs=lambda _: x, signals=lambda s: {**s, "r": [r, r, 0, 1]}, reset=lambda _: reset, key=lambda _: key
        )[1]

    args = (jnp.ones((4, 3, 2)), jnp.asarray(1.0), jnp.zeros((4, 3), bool))
    keys = jax.random.split(jax.random.key(2), 2)
    many = jax.vmap(call, in_axes=(None, None, None, 0))(*args, keys)
    np.testing.assert_allclose(many[0], jax.jit(call)(*args, keys[0]), rtol=1e-5)
    slope = jax.grad(lambda r: call(args[0], r, args[2], keys[0]).sum())(1.0)
    assert np.isfinite(slope)
    assert slope != 0


def test_an_input_without_its_batch_axis_is_told_so() -> None:
    net = blurc.compile("networks/xor.blur")
    state = net.init(jax.random.key(0), genome := net.init_genome(jax.random.key(1)))
    with pytest.raises(blurc.BlurError, match=r"x has shape \[2\], without `batch` in front"):
        net.predict(genome, state, jnp.ones(2))
