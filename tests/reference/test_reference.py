"""The meaning of the language, pinned by examples worked out in plain NumPy, apart from the interpreter."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from generate import BINARY, BOUNDED, UNARY, Case, cases, values
from hypothesis import HealthCheck, given, settings
from numpy.testing import assert_allclose, assert_array_equal

from blurc.language import functions
from blurc.reference import Reference, ReferenceState
from blurc.reference.arithmetic import POPULATION
from blurc.reference.arithmetic import UNARY as DERIVATIVES
from blurc.spec import select_model


def interpreter(genome: str, network: str) -> Reference:
    return Reference(select_model(f"genome g {{ {genome} }}\nnetwork n uses g {{ {network} }}\n"))


# The smallest network, and numbers for it.
PAIR = "input x[2]  output y[3] { bias = off }  x -> y"
X = np.array([[1.0, -2.0], [0.5, 3.0]])
W = np.array([[0.1, -0.2, 0.3], [0.4, 0.5, -0.6]])


def after_step(genome: str, synapses: Mapping[str, np.ndarray], network: str = PAIR) -> ReferenceState:
    """The state after one step on X, with these synapses of PAIR."""
    ref = interpreter(genome, network)
    state = ref.state({"x->y": synapses}, batch=2)
    return ref.step({}, state, {"x": X}, {"y": np.zeros((2, 3))})[0]


# ---------------------------------------------------------------- a whole step

BACKPROP = """
  state   act, err
  synapse w ~ zeros
  learn   eta = 0.1
  fn      phi = tanh
  sense    { act <- input }
  forward  { let z = incoming(w * pre.act); act <- phi(z); err <- phi'(z) }
  feedback { err <- err * (softmax(act) - target) }
  backward { err <- err * outgoing(w * post.err) }
  update   { w <- w - eta * batch_mean(pre.act * post.err) }
  readout  act
"""


def test_a_step_of_backprop_follows_the_gradient():
    ref = interpreter(BACKPROP, "input x[2]  hidden h[3]  output y[2] { phi = linear }  x -> h  h -> y")
    rng = np.random.default_rng(0)
    w1, b1, w2, b2 = (rng.normal(size=s) for s in [(2, 3), (1, 3), (3, 2), (1, 2)])
    x, y = rng.normal(size=(4, 2)), np.eye(2)[[0, 1, 1, 0]]

    h = np.tanh(x @ w1 + b1)
    z = h @ w2 + b2
    dz = (np.exp(z) / np.exp(z).sum(1, keepdims=True) - y) / 4  # mean cross-entropy of the softmax
    dh = dz @ w2.T * (1 - h**2)
    gradients = {"x->h": x.T @ dh, "unit->h": dh.sum(0), "h->y": h.T @ dz, "unit->y": dz.sum(0)}

    synapses = {"x->h": w1, "unit->h": b1, "h->y": w2, "unit->y": b2}
    state = ref.state({name: {"w": w} for name, w in synapses.items()}, batch=4)
    new, readout = ref.step({"eta": 0.3}, state, {"x": x}, {"y": y})

    assert_allclose(readout["y"], z, rtol=1e-12)
    for name, w in synapses.items():
        assert_allclose(new.synapses[name]["w"], w - 0.3 * gradients[name], rtol=1e-12, atol=1e-12)


# ---------------------------------------------------------------- phases and their order


def test_phases_run_in_the_order_written():
    declared, sense, forward = (
        "state a  synapse w ~ ones",
        "sense { a <- input }",
        "forward { a <- incoming(w * pre.a) }",
    )
    update = "update { w <- w + batch_sum(pre.a + post.a) }"
    w, pre = np.ones((2, 3)), X.sum(0)[:, None]

    early = after_step(f"{declared} {sense} {update} {forward} readout a", {"w": w})
    late = after_step(f"{declared} {sense} {forward} {update} readout a", {"w": w})

    assert_allclose(early.synapses["x->y"]["w"], w + pre)  # post.a is still 0
    assert_allclose(late.synapses["x->y"]["w"], w + pre + (X @ w).sum(0))


def test_forward_visits_populations_after_those_that_project_to_them():
    network = """
      output y[1] { bias = off }  hidden h2[1] { bias = off }  hidden h1[1] { bias = off }  input x[1]
      h2 -> y  h1 -> h2  x -> h1  x -> y
    """
    ref = interpreter(
        "state a  synapse w ~ ones  sense { a <- input } forward { a <- 1 + incoming(w * pre.a) } readout a", network
    )
    state = ref.state({p.name: {"w": [[1.0]]} for p in ref.model.network.projections}, batch=1)
    assert ref.predict({}, state, {"x": [[10.0]]})["y"] == 1 + (1 + (1 + 10)) + 10


def test_backward_visits_populations_after_those_that_feed_back_to_them():
    ref = interpreter(
        """
        state e  synapse w ~ ones
        feedback { e <- target }
        backward { e <- 1 + outgoing(w * post.e) }
        readout e
        """,
        "input x[1]  hidden h1[1] hidden h2[1]  output y[1]  x -> h1  h1 -> h2  h2 -> y  h1 -> y",
    )
    state = ref.state({p.name: {"w": [[1.0]]} for p in ref.model.network.projections}, batch=1)
    seen = ref.trace({}, state, {"x": [[0.0]]}, {"y": [[10.0]]})["backward"]
    assert {p: float(states["e"].item()) for p, states in seen.items()} == {
        "x": 0,
        "y": 10,
        "h2": 11,
        "h1": 1 + 10 + 11,
    }


def test_an_output_that_feeds_others_is_visited_by_backward_too():
    ref = interpreter(
        """
        state e  synapse w ~ ones
        feedback { e <- target } backward { e <- e + outgoing(w * post.e) }
        readout e
        """,
        "input x[1]  output y[1] { bias = off }  output z[1] { bias = off }  x -> y  y -> z",
    )
    state = ref.state({"x->y": {"w": [[1.0]]}, "y->z": {"w": [[3.0]]}}, batch=1)
    seen = ref.trace({}, state, {"x": [[0.0]]}, {"y": [[10.0]], "z": [[5.0]]})["backward"]
    assert seen["y"]["e"] == 10 + 3 * 5


def test_statements_of_a_phase_see_the_ones_before_and_lets_keep_their_value():
    ref = interpreter(
        """
        state a, b, c  synapse w ~ ones
        sense { a <- input; let z = a; a <- 2 * a; b <- z; c <- a }
        readout a
        """,
        PAIR,
    )
    seen = ref.trace({}, ref.state({"x->y": {"w": W}}, 2), {"x": X}, {})["sense"]["x"]
    assert_array_equal(seen["a"], 2 * X)
    assert_array_equal(seen["b"], X)
    assert_array_equal(seen["c"], 2 * X)


def test_the_trace_names_repeated_phases_and_keeps_what_each_left():
    ref = interpreter(
        """
        state a  synapse w ~ ones
        sense { a <- input } forward { a <- 1 } update { w <- 0 } forward { a <- a + 1 }
        readout a
        """,
        PAIR,
    )
    seen = ref.trace({}, ref.state({"x->y": {"w": W}}, 2), {"x": X}, {})
    assert list(seen) == ["sense", "forward", "update", "forward#2"]
    assert [np.unique(seen[phase]["y"]["a"]).tolist() for phase in seen] == [[0], [1], [1], [2]]


# ---------------------------------------------------------------- neurons


def test_states_start_every_step_at_zero_unless_persistent():
    ref = interpreter(
        "state n, p persistent  synapse w ~ ones  sense { n <- n + input; p <- p + input } readout n", PAIR
    )
    state = ref.state({"x->y": {"w": W}}, batch=2)
    for _ in range(3):
        seen = ref.trace({}, state, {"x": X}, {})["sense"]["x"]
        state, _ = ref.step({}, state, {"x": X}, {})
    assert_array_equal(seen["n"], X)
    assert_array_equal(seen["p"], 3 * X)
    assert set(state.neurons["x"]) == {"p"}
    assert_array_equal(state.neurons["x"]["p"], 3 * X)


def test_every_state_of_the_unit_neuron_is_1_and_adds_its_synapses():
    ref = interpreter(
        """
        state a[2], b persistent  synapse w[2] ~ zeros
        sense { a <- 0; b <- 0 }
        forward { a <- incoming(w * pre.a + w * pre.b) }
        backward { a <- 0 }
        update { w <- batch_mean(pre.a) }
        readout a[0]
        """,
        "input x[1]  output y[1]  x -> y",
    )
    state = ref.state({"x->y": {"w": np.ones((2, 1, 1))}, "unit->y": {"w": [[[3.0]], [[5.0]]]}}, batch=1)
    seen = ref.trace({}, state, {"x": [[7.0]]}, {})
    new, _ = ref.step({}, state, {"x": [[7.0]]}, {})
    assert_array_equal(seen["forward"]["y"]["a"].ravel(), [2 * 3, 2 * 5])
    assert_array_equal(new.synapses["unit->y"]["w"].ravel(), [1, 1])
    assert_array_equal(new.synapses["x->y"]["w"].ravel(), [0, 0])


def test_a_matrix_mixes_states_by_rows():
    nu = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    ref = interpreter(
        "state a[2], b[3]  synapse w ~ ones  learn nu[2, 3] = 1  "
        "sense { b <- [input, 10 * input, 100 * input]; a <- nu @ b } readout a[0]",
        PAIR,
    )
    seen = ref.trace({"nu": nu}, ref.state({"x->y": {"w": W}}, 2), {"x": X}, {})["sense"]["x"]
    assert_allclose(seen["a"][0], 321 * X)
    assert_allclose(seen["a"][1], 654 * X)


def test_a_part_is_written_alone_and_an_empty_part_not_at_all():
    ref = interpreter(
        """
        state a[3]  synapse w ~ ones
        sense { a <- input; a[1:] <- 5; a[0] <- 2 * a[0]; a[3:] <- 7 }
        readout a[0]
        """,
        PAIR,
    )
    seen = ref.trace({}, ref.state({"x->y": {"w": W}}, 2), {"x": X}, {})["sense"]["x"]["a"]
    assert_array_equal(seen, [2 * X, np.full_like(X, 5), np.full_like(X, 5)])


# ---------------------------------------------------------------- sums over synapses


def test_restricted_projections_are_summed_one_way_only():
    ref = interpreter(
        """
        state a, e  synapse w ~ ones
        sense { a <- input } forward { a <- incoming(w * pre.a) }
        feedback { e <- target } backward { e <- outgoing(w * post.e) }
        readout a
        """,
        """
        input x[1]  hidden h[1] { bias = off }  output y[1] { bias = off }
        x -> h  h -> y [label = both]  h -> y [forward, label = there]  h -> y [backward, label = back]
        """,
    )
    weights = {"x->h": 1.0, "both": 2.0, "there": 30.0, "back": 400.0}
    state = ref.state({name: {"w": [[w]]} for name, w in weights.items()}, batch=1)
    seen = ref.trace({}, state, {"x": [[1.0]]}, {"y": [[1.0]]})["backward"]
    assert seen["y"]["a"] == 2 + 30
    assert seen["h"]["e"] == 2 + 400


def test_totals_count_fans_and_values_per_projection():
    ref = interpreter(
        """
        state a  synapse w ~ ones  learn nu = 1 per projection
        sense { a <- input } forward { a <- incoming(nu * w * pre.a / fan_in + fan_out) } readout a
        """,
        PAIR,
    )
    out = ref.predict({"nu": {"x->y": 7.0}}, ref.state({"x->y": {"w": W}}, 2), {"x": X})["y"]
    assert_allclose(out, 7 * (X @ W) / 2 + 3 * 2)  # each of the two synapses adds fan_out


# ---------------------------------------------------------------- updates


def test_totals_in_an_update_read_the_old_synapses_and_bare_channels_the_new():
    update = "w <- 2 * w; v <- post.incoming(w); u <- w"
    new = after_step(
        f"state a  synapse w ~ ones, v ~ ones, u ~ ones  update {{ {update} }} readout a", {"w": W, "v": W, "u": W}
    ).synapses["x->y"]
    assert_allclose(new["w"], 2 * W)
    assert_allclose(new["v"], np.broadcast_to(W.sum(0), W.shape))
    assert_allclose(new["u"], 2 * W)


def test_a_second_update_reads_what_the_first_wrote():
    new = after_step(
        """
        state a  synapse w ~ ones, v ~ ones
        update { w <- 2 * w } update { v <- pre.outgoing(w) }
        readout a
        """,
        {"w": W, "v": W},
    ).synapses["x->y"]
    assert_allclose(new["v"], np.broadcast_to(2 * W.sum(1, keepdims=True), W.shape))


def test_totals_in_an_update_go_over_all_projections_as_they_were_before_any_was_written():
    ref = interpreter(
        "state a  synapse w ~ ones  update { w <- post.incoming(w) } readout a",
        "input x[2]  output y[1]  x -> y [label = p]  x -> y [fixed, label = q]",
    )
    w = {"p": [[1.0], [2.0]], "q": [[10.0], [20.0]], "unit->y": [[100.0]]}
    state = ref.state({name: {"w": value} for name, value in w.items()}, batch=1)
    new, _ = ref.step({}, state, {"x": [[0.0, 0.0]]}, {})
    assert_array_equal(new.synapses["p"]["w"], [[133], [133]])
    assert_array_equal(new.synapses["q"]["w"], w["q"])  # fixed
    assert_array_equal(new.synapses["unit->y"]["w"], [[133]])


def test_batch_reducers_count_what_does_not_vary_once_an_example():
    new = after_step(
        """
        state a  synapse w ~ ones, v ~ ones
        sense { a <- input }
        update { let old = w; w <- batch_sum(w + pre.a); v <- batch_mean(old * pre.a * pre.a) }
        readout a
        """,
        {"w": W, "v": W},
    ).synapses["x->y"]
    assert_allclose(new["w"], 2 * W + X.sum(0)[:, None])
    assert_allclose(new["v"], W * (X**2).mean(0)[:, None])


def test_a_total_that_varies_over_the_batch_is_reduced_with_it():
    new = after_step(
        """
        state a  synapse w ~ ones
        sense { a <- input } update { w <- batch_mean(post.incoming(w * pre.a) * pre.a) }
        readout a
        """,
        {"w": W},
    ).synapses["x->y"]
    assert_allclose(new["w"], X.T @ (X @ W) / 2)


# ---------------------------------------------------------------- the readout


def test_the_readout_is_taken_before_the_first_feedback():
    ref = interpreter(
        "state a  synapse w ~ ones  forward { a <- 1 } feedback { a <- target } forward { a <- 3 } readout a", PAIR
    )
    state = ref.state({"x->y": {"w": W}}, 2)
    _, readout = ref.step({}, state, {"x": X}, {"y": np.full((2, 3), 2.0)})
    assert_array_equal(readout["y"], np.ones((2, 3)))
    assert_array_equal(ref.predict({}, state, {"x": X})["y"], readout["y"])


def test_without_feedback_the_readout_is_taken_at_the_end_and_predict_skips_the_updates():
    ref = interpreter(
        """
        state a  synapse w ~ ones
        sense { a <- input }
        forward { a <- a + 1 }
        update { w <- 2 * w }
        forward { a <- a + incoming(w * pre.a) }
        readout a
        """,
        PAIR,
    )
    state = ref.state({"x->y": {"w": W}}, 2)
    assert_allclose(ref.step({}, state, {"x": X}, {})[1]["y"], 1 + 2 * X @ W)
    assert_allclose(ref.predict({}, state, {"x": X})["y"], 1 + X @ W)


# ---------------------------------------------------------------- functions


@pytest.mark.parametrize("name", functions.UNARY)
def test_derivatives_agree_with_differences(name: str):
    f, derivative = DERIVATIVES[name]
    x, h = np.array([0.3, 0.7, 1.1, 2.5]), 1e-6
    x = x if name in ("log", "sqrt") else np.concatenate([x, -x])
    assert_allclose(derivative(x), (f(x + h) - f(x - h)) / (2 * h), rtol=1e-8, atol=1e-8)


def test_derivatives_are_zero_where_a_function_has_a_kink_at_zero():
    zero = np.zeros(1)
    assert [DERIVATIVES[name][1](zero).item() for name in ("relu", "abs", "sign", "step")] == [0, 0, 0, 0]


def test_functions_with_exponentials_do_not_overflow():
    x = np.array([-1e4, 1e4])
    with np.errstate(over="raise", invalid="raise"):
        assert_array_equal(DERIVATIVES["sigmoid"][0](x), [0, 1])
        assert_array_equal(DERIVATIVES["softplus"][0](x), [0, 1e4])
        assert_array_equal(POPULATION["softmax"](x), [0, 1])


def test_functions_across_a_population_take_each_state_and_example_by_itself():
    ref = interpreter(
        """
        state a[2], m  synapse w ~ ones
        sense { m <- input }
        forward {
          let z = incoming(w * pre.m)
          a <- [z, 2 * z]
          m <- population_mean(z) + population_sum(2 * z) + population_max(z)
          a <- softmax(a)
        }
        readout a[0]
        """,
        PAIR,
    )
    seen = ref.trace({}, ref.state({"x->y": {"w": W}}, 2), {"x": X}, {"y": np.zeros((2, 3))})["forward"]["y"]
    z = X @ W
    mean, most = z.mean(1, keepdims=True), z.max(1, keepdims=True)
    assert_allclose(seen["m"], np.broadcast_to(mean + 2 * 3 * mean + most, z.shape))
    assert_allclose(seen["a"][0], np.exp(z) / np.exp(z).sum(1, keepdims=True))
    assert_allclose(seen["a"][1], np.exp(2 * z) / np.exp(2 * z).sum(1, keepdims=True))


def test_standardize_is_over_the_batch_with_the_biased_variance():
    ref = interpreter(
        "state a, b  synapse w ~ ones  sense { a <- standardize(input); b <- standardize(3.7) } readout a", PAIR
    )
    seen = ref.trace({}, ref.state({"x->y": {"w": W}}, 2), {"x": X}, {})["sense"]["x"]
    assert_allclose(seen["a"], (X - X.mean(0)) / np.sqrt(((X - X.mean(0)) ** 2).mean(0) + 1e-5))
    assert_array_equal(seen["b"], np.zeros_like(X))


def test_a_slot_in_a_synapse_is_that_of_the_neuron_it_is_about():
    update = "w <- batch_mean(phi(pre.a)); v <- batch_mean(phi(post.a)); u <- phi(u)"
    new = after_step(
        f"""
        state a  synapse w ~ ones, v ~ ones, u ~ ones  fn phi = abs
        sense {{ a <- input }} forward {{ a <- incoming(w * pre.a) }} update {{ {update} }} readout a
        """,
        {"w": W, "v": W, "u": W},
        "input x[2] { phi = square }  output y[3] { phi = exp, bias = off }  x -> y",
    ).synapses["x->y"]
    assert_allclose(new["w"], np.broadcast_to((X**2).mean(0)[:, None], W.shape))
    assert_allclose(new["v"], np.broadcast_to(np.exp(X @ W).mean(0), W.shape))
    assert_allclose(new["u"], np.abs(W))


# ---------------------------------------------------------------- generated files


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_generated_files_compile_and_stay_finite(case: Case):
    ref = Reference(select_model(case.source))
    numbers = values(ref.model, case.batch, case.seed)
    state = ref.state(numbers.synapses, case.batch)
    for i, (x, y, signals) in enumerate(zip(numbers.xs, numbers.ys, numbers.signals, strict=True)):
        state, readout = ref.step(numbers.genome, state, x, y, signals, numbers.noise(i))
    arrays = [a for channels in state.synapses.values() for a in channels.values()] + list(readout.values())
    assert all(np.isfinite(a).all() for a in arrays)


def test_generated_equations_can_call_every_function():
    # running totals need dense projections: `test_compiled.py` has them by hand
    of_neurons = (*functions.POPULATION, *functions.STATISTICS, *functions.TOTALS, *functions.DRAWS)
    place_functions = (*of_neurons, *functions.RUNNING, *functions.REDUCERS, *functions.PROJECTION)
    templates = " ".join((*UNARY, *BINARY, *BOUNDED))
    missing = [f for f in functions.ALL if f not in place_functions and f"{f}(" not in templates]
    assert missing == []
