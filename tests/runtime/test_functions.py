"""Functions of one's own: their values, their derivatives in the language, and JAX's derivatives through them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import generate
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import blurc
from blurc.language import functions

X = jnp.array([[0.4217, 1.7331, -0.6143], [2.2179, 0.1937, 1.1113]])


def rule(declared: str, forward: str = "a <- f(incoming(pre.a))", before: str = "") -> str:
    return f"""{before}
      genome g {{
        state a
        synapse w ~ ones
        {declared}
        sense {{ a <- input }}
        forward {{ {forward} }}
        update {{ w <- 0.5 * w }}
        readout a
      }}"""


def compiled(genome: str, options: str = "") -> Any:
    """`(meta-parameters, x) -> prediction`."""
    net = blurc.compile(
        f"""{genome}
        network n uses g {{
          input x[3]  output y[3] {{ bias = off {options} }}  x -> y [one_to_one]
        }}"""
    )
    key = jax.random.key(0)
    state = net.init(key, net.init_genome(key))
    return lambda metas, x: net.predict(net.init_genome(key) | metas, state, x)


def derivatives(bodies: list[str], x: Any) -> tuple[Any, Any]:
    """Of functions with these bodies: as the language derives them, and as JAX does."""
    count = len(bodies)
    declared = ", ".join(f"f{i}(x) = {body}" for i, body in enumerate(bodies))
    values = ", ".join(f"f{i}(z)" for i in range(count))
    primes = ", ".join(f"f{i}'(z)" for i in range(count))
    net = blurc.compile(
        f"""fn far(x) = x * cos(x)
        genome g {{
          state a, value[{count}], prime[{count}]
          synapse w ~ ones
          fn {declared}
          sense {{ a <- input }}
          forward {{ let z = incoming(pre.a);  value <- [{values}];  prime <- [{primes}] }}
          update {{ w <- 0.5 * w }}
          readout value[0] + prime[0]
        }}
        network n uses g {{ input x[3]  output y[3] {{ bias = off }}  x -> y [one_to_one] }}"""
    )
    key = jax.random.key(0)
    state = net.init(key, net.init_genome(key))

    def states(x: Any) -> Any:
        return net.trace(net.init_genome(key), state, x)["forward"]["y"]

    seen, slopes = jax.jvp(states, (x,), (jnp.ones_like(x),))
    return seen["prime"], slopes["value"]


def test_derivatives_are_those_of_jax() -> None:
    with jax.enable_x64(True):
        derived, expected = derivatives([body.format("0.7") for body in generate.OWN], jnp.float64(X))
    np.testing.assert_allclose(derived, expected, rtol=1e-9, atol=1e-9)


def test_second_derivatives_of_every_function_are_those_of_jax() -> None:
    with jax.enable_x64(True):
        derived, expected = derivatives([f"{f}'(x)" for f in functions.UNARY], jnp.abs(jnp.float64(X)))
    np.testing.assert_allclose(derived, expected, rtol=1e-9, atol=1e-9)


SPIKE = "fn spike(x) = step(x - 1) slope 0.5 * sigmoid'(x - 1)"


@pytest.mark.parametrize(
    ("genome", "options"),
    [
        (rule("learn gain = 1.0", "a <- spike(gain * incoming(pre.a))", SPIKE), ""),
        (rule(f"learn gain = 1.0 {SPIKE}", "a <- incoming(spike(gain * pre.a))"), ""),
        (rule("learn gain = 1.0 fn phi = spike", "a <- phi(gain * incoming(pre.a))", SPIKE), ""),
        (rule("learn gain = 1.0 fn phi = tanh", "a <- phi(gain * incoming(pre.a))", SPIKE), ", phi = spike"),
        (rule("learn gain = 1.0 fn twice(x) = spike(2 * x)", "a <- twice(0.5 * gain * incoming(pre.a))", SPIKE), ""),
        (rule("learn gain = 1.0", "a <- spike([gain, 2] * incoming(pre.a))[0]", SPIKE), ""),
    ],
    ids=["file", "inside a sum", "slot", "population", "inside a function", "vector"],
)
def test_derivatives_in_meta_parameters_pass_through_a_spike_by_its_slope(genome: str, options: str) -> None:
    predict = compiled(genome, options)
    value, slope = jax.jvp(lambda gain: predict({"gain": gain}, X), (1.2,), (1.0,))
    np.testing.assert_array_equal(value, 1.2 * X > 1)
    s = jax.nn.sigmoid(1.2 * X - 1)
    np.testing.assert_allclose(slope, 0.5 * s * (1 - s) * X, rtol=1e-5)


def test_a_slope_leaves_the_other_derivatives_of_the_value_alone() -> None:
    predict = compiled(rule("learn height = 1.0  fn f(x) = height * step(x) slope 3 * height"))
    value, slope = jax.jvp(lambda height, x: predict({"height": height}, x), (2.0, X), (1.0, jnp.ones_like(X)))
    np.testing.assert_allclose(value, 2.0 * (X > 0))
    np.testing.assert_allclose(slope, (X > 0) + 3 * 2.0)


def test_a_small_network_is_applied_to_each_entry() -> None:
    declared = "learn first[4] ~ normal(1), last[1, 4] ~ normal(1)  fn f(x, y) = (last @ tanh(first * x + y))[0]"
    predict = compiled(rule(declared, "a <- f([1, 2] * incoming(pre.a), 0.3)[1]"))
    first, last = jnp.array([0.5, -1.0, 2.0, 0.1]), jnp.array([[1.0, 2.0, -0.5, 0.3]])
    expected = jnp.einsum("c,cbn->bn", last[0], jnp.tanh(first[:, None, None] * 2 * X + 0.3))
    np.testing.assert_allclose(predict({"first": first, "last": last}, X), expected, rtol=1e-5)


def test_start_values_call_functions() -> None:
    genome = rule("learn m = 1.0  fn f(x) = step(x) slope 4", "a <- incoming(w * pre.a)").replace(
        "w ~ ones", "w = f(m)"
    )
    net = blurc.compile(f"{genome} network n uses g {{ input x[3]  output y[3]  x -> y }}")

    def start(m: Any) -> Any:
        return net.init(jax.random.key(0), {"m": m}).synapses["x->y"]["w"][0, 0]

    assert jax.value_and_grad(start)(1.0) == (1.0, 4.0)


def test_what_a_genome_declares_hides_a_function_outside_it() -> None:
    predict = compiled(rule("fn f(x) = 3 * x", "a <- f(far(incoming(pre.a)))", "fn f(x) = 2 * x, far(x) = f(x)"))
    np.testing.assert_allclose(predict({}, X), 3 * 2 * X, rtol=1e-6)


HELD = """
fn double(x) = 2 * x
fn triple(x) = 3 * x
genome g(act = double) {
  state a  synapse w ~ ones  fn phi = act
  sense { a <- input }  forward { a <- phi(incoming(pre.a)) }  update { w <- 0.5 * w }  readout a
}
block wide(f = double) { input i[3]  output o[3] { phi = f, bias = off }  i -> o [one_to_one] }
network n(f = FUNCTION) uses g(act = f) {
  input  x[3]
  wider = wide(i = x, f = f)
  output y[3] { bias = off }
  wider.o -> y [one_to_one]
}
"""


@pytest.mark.parametrize(
    ("default", "given", "factor"),
    [("triple", {}, 9), ("double", {"f": "triple"}, 9), ("double", {"act": "triple"}, 6)],
)
def test_parameters_hold_functions(default: str, given: dict[str, Any], factor: float) -> None:
    net = blurc.compile(HELD.replace("FUNCTION", default), **given)
    key = jax.random.key(0)
    np.testing.assert_allclose(net.predict({}, net.init(key, {}), X), factor * X, rtol=1e-6)


def test_functions_are_imported(tmp_path: Path) -> None:
    (tmp_path / "spikes.blur").write_text("fn spike(x) = step(x - 1) slope 1\n", encoding="utf-8")
    text = 'import "spikes.blur"\n' + rule("", "a <- spike(incoming(pre.a))")
    (tmp_path / "n.blur").write_text(text + "\nnetwork n uses g { input x[3] output y[3] x -> y }\n", encoding="utf-8")
    assert blurc.check(tmp_path / "n.blur") == []
    blurc.compile(tmp_path / "n.blur")
