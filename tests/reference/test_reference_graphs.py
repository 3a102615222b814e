"""The meaning of topologies, delays, signals, noise and the scopes of meta-parameters, pinned by JAX's own
convolutions and pools, and by examples worked out in plain NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from generate import synapse_shapes
from numpy.testing import assert_allclose, assert_array_equal

from blurc.model.sites import sites
from blurc.model.topology import Conv, Pool
from blurc.reference import Reference
from blurc.spec import select_model


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def interpreter(genome: str, network: str) -> Reference:
    return Reference(select_model(f"genome g {{ {genome} }}\nnetwork n uses g {{ {network} }}\n"))


# What goes forward through `x -> y`, what comes back through it, and the outer product of both.
LINEAR = """
  state a, e  synapse w ~ zeros
  sense { a <- input }
  forward { a <- incoming(w * pre.a) }
  feedback { e <- target }
  backward { e <- outgoing(w * post.e) }
  update { w <- batch_mean(pre.a * post.e) }
  readout a
"""


def through(topology: str, pre: tuple[int, ...], post: tuple[int, ...]) -> Reference:
    """`in -> x -> y`, where `x` is a copy of the input that receives the feedback from `y`."""
    return interpreter(
        LINEAR,
        f"""
        input in{list(pre)}  hidden x{list(pre)} {{ bias = off }}  output y{list(post)} {{ bias = off }}
        in -> x [identity]  x -> y [{topology}, label = p]
        """,
    )


Answer = tuple[np.ndarray, np.ndarray, np.ndarray | None]


def forth_and_back(ref: Reference, w: np.ndarray | None, x: np.ndarray, e: np.ndarray) -> Answer:
    """What `y` receives from x, what `x` receives back from e, and their products summed over the batch."""
    batch = len(x)
    state = ref.state({} if w is None else {"p": {"w": w}}, batch)
    seen = ref.trace({}, state, {"in": x}, {"y": e})
    new, _ = ref.step({}, state, {"in": x}, {"y": e})
    grown = new.synapses["p"]["w"] * batch if w is not None else None
    return seen["forward"]["y"]["a"], seen["backward"]["x"]["e"], grown


# ---------------------------------------------------------------- places


def test_functions_of_places_have_one_value_for_each_channel():
    genome = """
      state a, mean, sum, most, count
      sense { a <- input }
      forward { a <- incoming(pre.a); mean <- place_mean(a); sum <- place_sum(a); most <- place_max(a)
                count <- place_sum(1) }
      readout a
    """
    ref = interpreter(
        genome,
        """
        input x[2, 3, 4]  hidden h[2, 3, 4] { bias = off }  output y[2]  output z[2, 3]
        x -> h [identity]  x -> z [conv(1, 1)]  h -> y
        """,
    )
    x = np.random.default_rng(0).normal(size=(5, 24))
    seen = ref.trace({}, ref.state({}, 5), {"x": x}, {})["forward"]
    by_place = x.reshape(5, 6, 4)
    for name, expected in (("mean", by_place.mean(1)), ("sum", by_place.sum(1)), ("most", by_place.max(1))):
        assert_allclose(seen["h"][name].reshape(5, 6, 4), np.broadcast_to(expected[:, None], (5, 6, 4)))
    assert_array_equal(seen["h"]["count"], 6)
    assert_array_equal(seen["y"]["count"], 1)
    assert_array_equal(seen["y"]["mean"], seen["y"]["a"])


# ---------------------------------------------------------------- windows

WINDOWS = [
    ("conv(3, stride = 1, padding = same)", (5, 2), (5, 3)),
    ("conv(2, stride = 2, padding = valid)", (5, 2), (2, 1)),
    ("conv(4, stride = 3, padding = same)", (7,), (3,)),
    ("conv(3, 2, stride = [2, 1], padding = same)", (5, 4, 2), (3, 4, 3)),
    ("conv(2, 3, stride = [1, 2], padding = valid)", (4, 5, 3), (3, 2, 2)),
    ("conv(3, 3, stride = 1, padding = same)", (2, 2), (2, 2, 4)),
    ("conv(2, 1, 3, stride = [1, 1, 2], padding = same)", (3, 2, 4, 2), (3, 2, 2, 2)),
    ("conv(2, 2, 2, stride = 1, padding = valid)", (3, 2, 3, 1), (2, 1, 2, 3)),
]


def with_channels(x: np.ndarray, shape: tuple[int, ...], axes: int) -> Any:
    return jnp.asarray(x).reshape(-1, *shape[:axes], *(shape[axes:] or (1,)))


@pytest.mark.parametrize(("topology", "pre", "post"), WINDOWS)
def test_conv_is_that_of_jax_and_so_are_its_transpose_and_the_gradient_of_its_kernel(topology, pre, post):
    ref = through(topology, pre, post)
    conv = next(p.topology for p in ref.model.network.projections if p.name == "p")
    assert isinstance(conv, Conv)
    axes = len(conv.window)
    rng = np.random.default_rng(0)
    w = rng.normal(size=(*conv.window, conv.channels(pre), conv.channels(post)))
    x, e = rng.normal(size=(3, np.prod(pre))), rng.normal(size=(3, np.prod(post)))

    def convolve(x: Any, w: Any) -> Any:
        letters = "XYZ"[:axes]
        numbers = (f"N{letters}C", f"{letters}IO", f"N{letters}C")
        pad = conv.padding.upper()
        return jax.lax.conv_general_dilated(x, w, conv.stride, pad, dimension_numbers=numbers)

    out, back = jax.vjp(convolve, with_channels(x, pre, axes), jnp.asarray(w))
    dx, dw = back(with_channels(e, post, axes))
    y, returned, grown = forth_and_back(ref, w, x, e)
    assert_allclose(y, np.reshape(out, (3, -1)), rtol=1e-12, atol=1e-12)
    assert_allclose(returned, np.reshape(dx, (3, -1)), rtol=1e-12, atol=1e-12)
    assert grown is not None
    assert_allclose(grown, dw, rtol=1e-12, atol=1e-12)


def test_a_synapse_of_a_conv_that_acts_nowhere_is_updated_by_what_does_not_depend_on_places():
    """For a window of 3 on one place, only the middle is ever inside."""
    ref = interpreter(
        """
        state a  synapse w ~ zeros
        sense { a <- input } update { w <- w / 2 + batch_sum(pre.a) + post.incoming(w) } readout a
        """,
        "input x[1, 1]  output y[1, 1] { bias = off }  x -> y [conv(3)]",
    )
    state = ref.state({"x->y": {"w": np.full((3, 1, 1), 8.0)}}, 1)
    new, _ = ref.step({}, state, {"x": [[5.0]]}, {})
    assert_array_equal(new.synapses["x->y"]["w"].ravel(), [4, 4 + 5 + 8, 4])


POOLS = [
    ("2, stride = 2, padding = valid", (4, 3), (2, 3)),
    ("3, stride = 2, padding = same", (5,), (3,)),
    ("2, 2, stride = 2, padding = valid", (4, 5, 2), (2, 2, 2)),
    ("3, 2, stride = [1, 2], padding = same", (3, 3, 2), (3, 2, 2)),
    ("2, 2, 2, stride = 1, padding = valid", (2, 3, 3), (1, 2, 2)),
]


def pooled(pool: Pool, start: float, combine: Callable[..., Any]) -> Callable[[Any], Any]:
    window, stride = (1, *pool.window, 1), (1, *pool.stride, 1)
    return lambda x: jax.lax.reduce_window(x, start, combine, window, stride, pool.padding.upper())


@pytest.mark.parametrize("kind", ["avg", "max"])
@pytest.mark.parametrize(("numbers", "pre", "post"), POOLS)
def test_pools_are_those_of_jax_and_so_are_their_gradients(kind, numbers, pre, post):
    ref = through(f"pool({kind}, {numbers})", pre, post)
    pool = next(p.topology for p in ref.model.network.projections if p.name == "p")
    assert isinstance(pool, Pool)
    axes = len(pool.window)
    rng = np.random.default_rng(1)
    x, e = rng.normal(size=(3, np.prod(pre))), rng.normal(size=(3, np.prod(post)))
    total, largest = pooled(pool, 0.0, jax.lax.add), pooled(pool, -jnp.inf, jax.lax.max)
    ours = largest if kind == "max" else lambda x: total(x) / np.prod(pool.window)
    out, back = jax.vjp(ours, with_channels(x, pre, axes))
    (dx,) = back(with_channels(e, post, axes))
    y, returned, _ = forth_and_back(ref, None, x, e)
    assert_allclose(y, np.reshape(out, (3, -1)), rtol=1e-12, atol=1e-12)
    assert_allclose(returned, np.reshape(dx, (3, -1)), rtol=1e-12, atol=1e-12)


def test_max_pool_passes_all_states_of_the_neuron_whose_first_one_is_largest():
    """The first of equals; and sums over its synapses count only that one."""
    ref = interpreter(
        """
        state a[2], b  synapse w ~ zeros
        sense { a <- [input, 10 * input]; b <- -input }
        forward { a <- incoming(w * pre.a);  b <- incoming(pre.b + 100) }
        feedback { b <- target }
        backward { b <- outgoing(post.b) }
        readout a[0]
        """,
        """
        input in[4]  hidden x[4] { bias = off }  output y[2] { bias = off }
        in -> x [identity]  x -> y [pool(max, 2)]
        """,
    )
    x = np.array([[1.0, 3.0, 2.0, 2.0]])
    seen = ref.trace({}, ref.state({}, 1), {"in": x}, {"y": [[5.0, 7.0]]})
    assert_array_equal(seen["forward"]["y"]["a"][:, 0], [[3, 2], [30, 20]])
    assert_array_equal(seen["forward"]["y"]["b"], [[-3 + 100 + 100, -2 + 100 + 100]])
    assert_array_equal(seen["backward"]["x"]["b"], [[0, 5, 7, 0]])


# ---------------------------------------------------------------- other topologies


def masked(ref: Reference) -> tuple[np.ndarray, Any]:
    """Where a matrix of the projection `p` has synapses, and its sites."""
    network = ref.model.network
    p = next(p for p in network.projections if p.name == "p")
    pre, post = network.population(p.source), network.population(p.target)
    at = sites(p.topology, pre.shape, post.shape)
    mask = np.zeros((pre.size, post.size))
    mask[at.pre, at.post] = 1
    return mask, at


@pytest.mark.parametrize("topology", ["sparse(p = 0.4, seed = 3)", "sparse(fan_in = 2, seed = 3)"])
def test_a_sparse_projection_is_a_dense_one_with_holes(topology):
    """Forward, back, products and totals."""
    ref = through(topology, (5,), (4,))
    dense = through("dense", (5,), (4,))
    mask, at = masked(ref)
    rng = np.random.default_rng(2)
    w = rng.normal(size=(5, 4)) * mask
    x, e = rng.normal(size=(3, 5)), rng.normal(size=(3, 4))
    y, returned, grown = forth_and_back(ref, w[at.pre, at.post], x, e)
    expected_y, expected_returned, expected_grown = forth_and_back(dense, w, x, e)
    assert expected_grown is not None
    assert_allclose(y, expected_y)
    assert_allclose(returned, expected_returned)
    assert_allclose(grown, expected_grown[at.pre, at.post])


def test_edges_join_what_the_file_lists(tmp_path: Path):
    (tmp_path / "pairs.csv").write_text("pre,post\n2,0\n0,1\n0,0\n")
    genome = f"genome g {{ {LINEAR} }}"
    network = 'network n uses g { input x[3]  output y[2] { bias = off }  x -> y [edges("pairs.csv")] }'
    (tmp_path / "n.blur").write_text(f"{genome}\n{network}\n")
    ref = Reference(select_model(str(tmp_path / "n.blur")))
    state = ref.state({"x->y": {"w": [1.0, 10.0, 100.0]}}, 1)  # 0 to 0, 2 to 0, 0 to 1
    assert_array_equal(ref.predict({}, state, {"x": [[2.0, 3.0, 5.0]]})["y"], [[2 + 50, 200]])


def test_one_to_one_joins_neurons_by_their_number():
    ref = through("one_to_one", (2, 2), (4,))
    w, x, e = np.arange(1.0, 5), np.array([[1.0, 2, 3, 4]]), np.array([[5.0, 6, 7, 8]])
    y, returned, grown = forth_and_back(ref, w, x, e)
    assert_array_equal(y, w * x)
    assert_array_equal(returned, w * e)
    assert_array_equal(grown, (x * e)[0])


def test_identity_reads_as_1_and_as_the_identity_matrix():
    ref = interpreter(
        """
        state a, b[2], c[2]  synapse w ~ ones, v[2] ~ ones, m[2, 2] ~ ones
        sense { a <- input; b <- [input, 10 * input] }
        forward { a <- incoming((w + v[1]) * pre.a);  c <- incoming(m @ pre.b + v) }
        readout a
        """,
        "input x[2]  output y[2] { bias = off }  x -> y [identity]",
    )
    state = ref.state({}, 1)
    assert state.synapses == {}
    seen = ref.trace({}, state, {"x": [[3.0, 4.0]]}, {})["forward"]["y"]
    assert_array_equal(seen["a"], [[6, 8]])
    assert_array_equal(seen["c"][:, 0], [[3 + 1, 4 + 1], [30 + 1, 40 + 1]])


@pytest.mark.parametrize(
    ("topology", "pre", "post", "fans"),
    [
        ("dense", [4, 2], [2, 3], (8, 6)),
        ("one_to_one", [4], [2, 2], (1, 1)),
        ("identity", [4], [4], (1, 1)),
        ("sparse(p = 0.25)", [8], [4], (2, 1)),
        ("sparse(fan_in = 2)", [8], [4], (2, 1)),
        ("conv(3, stride = 2)", [4, 2], [2, 5], (6, 15)),
        ("pool(avg, 2)", [4, 2], [2, 2], (2, 1)),
    ],
)
def test_fans(topology, pre, post, fans):
    ref = interpreter(
        """
        state a[2]  synapse w ~ ones
        forward { a <- incoming([fan_in, fan_out]) / max(incoming(1), 1) }  readout a[0]
        """,
        f"input x{pre}  output y{post} {{ bias = off }}  x -> y [{topology}]",
    )
    synapses = {p: {"w": np.ones(shape)} for p, shape in synapse_shapes(ref.model).items()}
    seen = ref.trace({}, ref.state(synapses, 1), {"x": np.zeros((1, *pre))}, {})["forward"]["y"]["a"]
    seen = seen[:, 0, seen[0, 0] > 0]  # neurons without synapses have none to ask
    assert seen.size
    assert_allclose(seen, np.broadcast_to(np.array(fans, float)[:, None], seen.shape))


# ---------------------------------------------------------------- shared synapses

PLACES = "input x[3]  output y[2] { bias = off }  x -> y [conv(2, padding = valid)]"
X = np.array([[1.0, 2.0, 4.0], [-3.0, 0.5, 2.0]])
TAU = np.array([0.3, 0.9])
AT = [X[:, :2], X[:, 1:]]  # what the two synapses see at their two places


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # The gradient of a mean loss: mean over the batch, sum over the places.
        ("batch_mean(pre.a)", [x.mean(0).sum() for x in AT]),
        ("batch_sum(pre.a)", [x.sum() for x in AT]),
        ("batch_sum(pre.a * post.tau)", [(x * TAU).sum() for x in AT]),
        # A value of a neuron elsewhere: its mean over the places.
        ("post.tau", [TAU.mean()] * 2),
        ("tanh(post.tau)", [np.tanh(TAU.mean())] * 2),
        ("post.incoming(w)", [5.0] * 2),
        ("pre.outgoing(v)", [7 * (1 + 2) / 2, 7 * (2 + 1) / 2]),  # the neuron in the middle has two synapses
        # Of one neuron alone, inside a reducer: place by place.
        ("batch_sum(tanh(post.tau))", [2 * np.tanh(TAU).sum()] * 2),
        ("batch_mean(pre.outgoing(v))", [7 * 3, 7 * 3]),
        ("let t = post.tau;  w <- batch_sum(pre.a * t)", [(x * TAU).sum() for x in AT]),
        ("let t = tanh(post.tau);  w <- t", [np.tanh(TAU.mean())] * 2),
        ("let t = pre.a * post.tau;  w <- batch_sum(t * t)", [((x * TAU) ** 2).sum() for x in AT]),
        # A mixture that does not vary over the batch: as if it stood outside, and once a place.
        ("batch_mean(w)", [2 * 2, 3 * 2]),
        ("batch_mean(w * post.tau)", [2 * 2 * TAU.mean(), 3 * 2 * TAU.mean()]),
        ("batch_sum(pre.a * (w * post.tau))", [w * TAU.mean() * x.sum() for w, x in zip([2, 3], AT, strict=True)]),
        ("batch_sum(pre.a * w * post.tau)", [w * (x * TAU).sum() for w, x in zip([2, 3], AT, strict=True)]),
        # What is reduced already has no places any more.
        ("let t = batch_mean(pre.a);  w <- batch_sum(t * pre.a)", [x.mean(0).sum() * x.sum() for x in AT]),
    ],
)
def test_what_a_shared_synapse_sees(value: str, expected: list[float]):
    statements = value if "<-" in value else f"w <- {value}"
    ref = interpreter(
        f"""
        state a  synapse w ~ ones, v ~ ones  learn tau = 1 per neuron
        sense {{ a <- input }} update {{ {statements} }} readout a
        """,
        PLACES,
    )
    state = ref.state({"x->y": {"w": [[[2.0]], [[3.0]]], "v": [[[7.0]], [[7.0]]]}}, 2)
    new, _ = ref.step({"tau": {"x": np.ones(3), "y": TAU}}, state, {"x": X}, {})
    assert_allclose(new.synapses["x->y"]["w"].ravel(), expected)


def test_a_shared_bias_is_one_a_channel_for_all_places():
    ref = interpreter(LINEAR, "input x[2, 2]  output y[2, 2] { bias = shared }  x -> y [identity]")
    bias, x, e = np.array([[10.0, 20.0]]), np.zeros((2, 4)), np.arange(8.0).reshape(2, 4)
    state = ref.state({"unit->y": {"w": bias}}, 2)
    new, out = ref.step({}, state, {"x": x}, {"y": e})
    assert_array_equal(out["y"], [[10, 20, 10, 20]] * 2)
    assert_array_equal(new.synapses["unit->y"]["w"], e.mean(0).reshape(2, 2).sum(0, keepdims=True))


# ---------------------------------------------------------------- delays


def test_a_delayed_recurrent_network_step_by_step():
    """By hand: values read forward, back and in the update come from earlier steps."""
    ref = interpreter(
        """
        state a, e  synapse w ~ zeros
        sense { a <- input }
        forward { a <- tanh(incoming(w * pre.a)) }
        feedback { e <- target - a }
        backward { e <- e + outgoing(w * post.e) }
        update { w <- w + 0.1 * batch_mean(pre.a * post.e) }
        readout a
        """,
        """
        input x[2]  hidden h[3] { bias = off }  output y[2] { bias = off }
        x -> h [label = w]  h -> h [delay = 1, label = r]
        h -> y [label = v]  h -> y [delay = 2, label = q]  y -> h [forward, delay = 1, label = u]
        """,
    )
    rng = np.random.default_rng(3)
    shapes = {"w": (2, 3), "r": (3, 3), "v": (3, 2), "q": (3, 2), "u": (2, 3)}
    m = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    xs, targets = rng.normal(size=(5, 4, 2)), rng.normal(size=(5, 4, 2))
    state = ref.state({name: {"w": value} for name, value in m.items()}, 4)

    h1, h2, eh1 = (np.zeros((4, 3)) for _ in range(3))  # one step ago, two steps ago
    y1, ey1, ey2 = (np.zeros((4, 2)) for _ in range(3))
    for x, target in zip(xs, targets, strict=True):
        h = np.tanh(x @ m["w"] + h1 @ m["r"] + y1 @ m["u"])
        y = np.tanh(h @ m["v"] + h2 @ m["q"])
        ey = target - y
        eh = ey @ m["v"].T + ey2 @ m["q"].T + eh1 @ m["r"].T
        ends = {"w": (x, eh), "r": (h1, eh), "v": (h, ey), "q": (h2, ey), "u": (y1, eh)}
        m = {name: m[name] + 0.1 * pre.T @ post / 4 for name, (pre, post) in ends.items()}

        state, readout = ref.step({}, state, {"x": x}, {"y": target})
        assert_allclose(readout["y"], y, rtol=1e-12)
        for name in m:
            assert_allclose(state.synapses[name]["w"], m[name], rtol=1e-12)
        h1, h2, eh1, y1, ey1, ey2 = h, h1, eh, y, ey, ey1
        for found, expected in [("a@1", h1), ("a@2", h2), ("e@1", eh1)]:
            assert_allclose(state.neurons["h"][found], expected, rtol=1e-12)
        assert_allclose(state.neurons["y"]["e@2"], ey2, rtol=1e-12)
    assert set(state.neurons) == {"h", "y"}
    assert_allclose(
        ref.predict({}, state, {"x": xs[0]})["y"], np.tanh(_hidden(m, xs[0], h1, y1) @ m["v"] + h2 @ m["q"])
    )


def _hidden(m: dict[str, np.ndarray], x: np.ndarray, h1: np.ndarray, y1: np.ndarray) -> np.ndarray:
    return np.tanh(x @ m["w"] + h1 @ m["r"] + y1 @ m["u"])


def test_a_delayed_max_pool_reads_the_gate_of_the_steps_before():
    ref = interpreter(
        """
        state a, b  synapse w ~ ones
        sense { a <- input; b <- input ^ 2 } forward { b <- incoming(w * pre.b) } readout b
        """,
        "input x[2]  output y[1] { bias = off }  x -> y [pool(max, 2), delay = 1]",
    )
    state = ref.state({}, 1)
    seen = []
    for x in ([[3.0, -5.0]], [[1.0, 2.0]], [[0.0, 0.0]]):
        state, out = ref.step({}, state, {"x": x}, {})
        seen.append(out["y"].item())
    assert seen == [0, 9, 4]


# ---------------------------------------------------------------- meta-parameters, signals, noise, repeats


def test_meta_parameters_of_every_scope():
    ref = interpreter(
        """
        state a, b  synapse w ~ ones
        learn one = 1, way = 1 per projection, kind = 1 per population, tau[2] = 1 per neuron, m = 1 per synapse
        sense { a <- input }
        forward { a <- incoming(m * way * w * pre.a * pre.kind * pre.tau[1]);  b <- one * kind * tau[0] }
        update { w <- m + way * pre.tau[0] * post.tau[1] + post.kind }
        readout a
        """,
        "input x[2]  output y[3]  x -> y",
    )
    rng = np.random.default_rng(4)
    x, w, bias = rng.normal(size=(5, 2)), rng.normal(size=(2, 3)), rng.normal(size=(1, 3))
    tau = {"x": rng.normal(size=(2, 2)), "y": rng.normal(size=(2, 3)), "unit": rng.normal(size=(2, 1))}
    m = {"x->y": rng.normal(size=(2, 3)), "unit->y": rng.normal(size=(1, 3))}
    kind = {"x": 2.0, "y": 3.0, "unit": 5.0}
    way = {"x->y": 7.0, "unit->y": 11.0}
    genome = {"one": 13.0, "way": way, "kind": kind, "tau": tau, "m": m}
    state = ref.state({"x->y": {"w": w}, "unit->y": {"w": bias}}, 5)
    seen = ref.trace(genome, state, {"x": x}, {})["forward"]["y"]
    new, _ = ref.step(genome, state, {"x": x}, {})

    from_unit = m["unit->y"] * 11 * bias * 5 * tau["unit"][1]
    assert_allclose(seen["a"], (x * 2 * tau["x"][1]) @ (m["x->y"] * 7 * w) + from_unit)
    assert_allclose(seen["b"], np.broadcast_to(13 * 3 * tau["y"][0], (5, 3)))
    expected = m["x->y"] + 7 * tau["x"][0][:, None] * tau["y"][1] + 3
    assert_allclose(new.synapses["x->y"]["w"], expected)


def test_a_meta_parameter_per_synapse_of_a_conv_is_shared_like_the_synapse():
    ref = interpreter(
        """
        state a  synapse w ~ ones  learn m = 1 per synapse
        sense { a <- input } forward { a <- incoming(m * w * pre.a) } update { w <- 2 * m } readout a
        """,
        PLACES,
    )
    genome = {"m": {"x->y": np.array([[[10.0]], [[100.0]]])}}
    state = ref.state({"x->y": {"w": np.ones((2, 1, 1))}}, 2)
    new, out = ref.step(genome, state, {"x": X}, {})
    assert_allclose(out["y"], 10 * X[:, :2] + 100 * X[:, 1:])
    assert_array_equal(new.synapses["x->y"]["w"].ravel(), [20, 200])


def test_signals_are_the_same_for_all_neurons_and_synapses():
    ref = interpreter(
        """
        state a  synapse w ~ ones  signal reward, mode[2]
        sense { a <- mode[0] * input + mode[1] } update { w <- w + reward } readout a
        """,
        "input x[2]  output y[1] { bias = off }  x -> y",
    )
    state = ref.state({"x->y": {"w": [[1.0], [2.0]]}}, 1)
    signals = {"reward": 5.0, "mode": [3.0, 4.0]}
    assert_array_equal(ref.trace({}, state, {"x": [[1, 2]]}, {}, signals)["sense"]["x"]["a"], [[7, 10]])
    new, _ = ref.step({}, state, {"x": [[1, 2]]}, {}, signals=signals)
    assert_array_equal(new.synapses["x->y"]["w"], [[6], [7]])


def test_noise_is_drawn_once_a_visit_and_scaled_by_any_expression():
    ref = interpreter(
        """
        state a, b[2]  synapse w ~ ones
        sense { a <- input } repeat 2 { forward { b <- b + noise([1, 10]);  a <- noise(0.5) } } readout b[0]
        """,
        "input x[3]  output y[2] { bias = off }  x -> y",
    )
    drawn: dict[tuple[str, int, str], np.ndarray] = {}

    def noise(kind: str, population: str, number: int, phase: str, shape: tuple[int, ...]) -> np.ndarray:
        assert kind == "noise"
        key = (population, number, phase)
        assert key not in drawn
        drawn[key] = np.random.default_rng(len(drawn)).normal(size=shape)
        return drawn[key]

    state = ref.state({"x->y": {"w": np.ones((3, 2))}}, 4)
    seen = ref.trace({}, state, {"x": np.ones((4, 3))}, {}, noise=noise)
    assert list(seen) == ["sense", "forward@1", "forward@2"]
    (b1, a1, b2, a2) = drawn.values()
    assert {(population, phase) for population, _, phase in drawn} == {("y", "forward@1"), ("y", "forward@2")}
    assert b1.shape == (2, 4, 2)
    scale = np.array([1, 10])[:, None, None]
    assert_allclose(seen["forward@1"]["y"]["b"], scale * b1)
    assert_allclose(seen["forward@2"]["y"]["b"], scale * (b1 + b2))
    assert_allclose(seen["forward@1"]["y"]["a"], 0.5 * a1)
    assert_allclose(seen["forward@2"]["y"]["a"], 0.5 * a2)
