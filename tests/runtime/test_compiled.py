"""The compiled program against the reference interpreter, on generated rules and networks.

In float64, so that a difference is a mistake and not rounding.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import generate
import jax
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blurc.model.model import Model
from blurc.plan import Plan, plan_of
from blurc.reference import Reference
from blurc.runtime.entries import Entries, Fed, State
from blurc.runtime.lower import fold
from blurc.spec import select_model

STEPS = 3
TOLERANCE = {"rtol": 1e-9, "atol": 1e-9}
QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def compare(source: str, batch: int, seed: int) -> None:
    """Three steps, their readouts, predictions, traces, and the final state."""
    model, plan, run = _everything(source)
    values = generate.values(model, batch, seed, STEPS)
    reference = Reference(model)
    expected = reference.state(copy.deepcopy(values.synapses), batch)
    state = _state(model, plan, values, batch)
    for step, (x, y, signals) in enumerate(zip(values.xs, values.ys, values.signals, strict=True)):
        key = jax.random.key(step)
        fed = {"signals": signals, "noise": noise(key)}
        (state, out), prediction, trace = run(values.genome, state, x, y, Fed(signals, key))
        close(prediction, reference.predict(values.genome, expected, x, **fed), "prediction")
        close(trace, reference.trace(values.genome, expected, x, y, **fed), "trace")
        expected, readout = reference.step(values.genome, expected, x, y, **fed)
        close(out, readout, "readout")
        close(state.synapses, expected.synapses, "synapses")
        close(state.neurons, expected.neurons, "neurons")
        close(state.statistics, expected.statistics, "statistics")


def noise(key: jax.Array) -> Any:
    """The numbers that a compiled step draws from a key."""

    def draw(kind: str, of: str, number: int, phase: str, shape: tuple[int, ...]) -> Any:
        one = fold(key, f"{of}/{phase}/{number}")
        return np.asarray((jax.random.normal if kind == "noise" else jax.random.uniform)(one, shape))

    return draw


@lru_cache(maxsize=2)
def _everything(source: str) -> tuple[Model, Plan, Any]:
    """Step, prediction and trace as one program."""
    model = select_model(source)
    plan = plan_of(model)
    entries = Entries(plan)

    def run(genome: Any, state: Any, x: Any, y: Any, fed: Fed) -> Any:
        return (
            entries.step(genome, state, x, y, fed),
            entries.predict(genome, state, x, fed),
            entries.trace(genome, state, x, y, fed),
        )

    return model, plan, jax.jit(run)


def _state(model: Model, plan: Plan, values: generate.Values, batch: int) -> State:
    live = {(v.of, v.name) for v in plan.channels}
    synapses = {
        p: {c: jax.numpy.asarray(value) for c, value in channels.items() if (p, c) in live}
        for p, channels in values.synapses.items()
    }
    synapses = {p.name: synapses.get(p.name, {}) for p in plan.projections}
    neurons: dict[str, Any] = {}
    for v in plan.carried:
        shape = (*v.dims, batch, *plan.population(v.of).shape)
        neurons.setdefault(v.of, {})[v.name] = jax.numpy.zeros(shape)
    for v in plan.examples:
        shape = (*v.dims, batch, *plan.projection(v.of).shape)
        neurons.setdefault(v.of, {})[v.name] = jax.numpy.zeros(shape)
    statistics: dict[str, Any] = {}
    for v in plan.statistics:
        start = jax.numpy.ones if "var" in v.name else jax.numpy.zeros
        statistics.setdefault(v.of, {})[v.name] = start((*v.dims, *plan.population(v.of).shape))
    return State(synapses, neurons, statistics)


def close(found: Any, expected: Any, where: str) -> None:
    """Everything found is as expected; dead variables are not found."""
    if isinstance(found, dict):
        for name, value in found.items():
            close(value, expected.get(name, {}) if isinstance(value, dict) else expected[name], f"{where} {name}")
        return
    found = np.asarray(found)
    np.testing.assert_allclose(found, np.asarray(expected).reshape(found.shape), **TOLERANCE, err_msg=where)


def test_values_that_turn_out_not_to_vary_over_the_batch_are_still_counted_once_an_example() -> None:
    source = """
      genome g {
        state a, b  synapse w ~ zeros
        sense { a <- input;  b <- 0 * input + 2 }
        forward { a <- incoming(w * pre.a);  b <- 0 * a + 3 }
        update { w <- w + 0.1 * batch_sum(pre.b * post.b) + batch_mean(pre.b * post.a) + batch_mean(pre.a * post.b) }
        readout a
      }
      network n uses g { input x[3]  output y[2]  x -> y }
    """
    compare(source, 4, 0)


def test_matrices_of_mixtures_and_empty_slices() -> None:
    source = """
      genome g {
        state a, b[6]  synapse w ~ normal(1)  learn n[2, 2] ~ normal(1)
        sense { a <- input }
        forward {
          a <- incoming(w * pre.a)
          b[0] <- incoming([[w * pre.a, w], [w, pre.a], [w, w]] * [[pre.a, w], [w, w], [pre.a, pre.a]])[2, 1]
          b[1] <- incoming((n @ [[w * pre.a, w], [w, pre.a * w]])[0, 1])
          b[2] <- incoming([[w, pre.a], [pre.a, w]] @ [[w * pre.a, w, 1], [w, pre.a * w, 2]])[1, 2]
          b[3] <- a + (n[:, 2:] @ (n[2:, :] @ [a, 1]))[1]
          b[4] <- incoming(w * pre.a + (n[:, 2:] @ [w, pre.a * w][2:])[0])
          b[5] <- (n[:, 2:] @ incoming([w, pre.a * w][2:]))[0]
        }
        readout a + ([[1, 2, 3, 4, 5, 6]] @ b)[0]
      }
      network n uses g { input x[3]  hidden h[2]  output y[2]  x -> h  h -> y }
    """
    compare(source, 4, 0)


def test_a_synapse_sees_the_total_of_a_max_pool_as_its_mean_over_the_batch() -> None:
    source = """
      genome g {
        state a  synapse w ~ normal(1)
        sense { a <- input }
        forward { a <- tanh(incoming(w * pre.a)) }
        update {
          w <- w - 0.1 * pre.outgoing(w ^ 2) + 0.1 * post.incoming(w * 2)
          w <- w + 0.1 * batch_mean(pre.a * pre.outgoing(w) * post.a)
        }
        readout a
      }
      network n uses g { input x[4]  output y[2]  x -> y  x -> y [pool(max, 2)] }
    """
    compare(source, 3, 0)


def test_a_max_pool_whose_gates_are_all_0_passes_on_what_comes() -> None:
    source = """
      genome g {
        state a, b  synapse w ~ normal(1)
        sense { b <- input }
        forward { b <- incoming(w * pre.b) }
        readout b
      }
      network n uses g { input x[4]  output y[2]  x -> y [pool(max, 2)] }
    """
    compare(source, 3, 0)


def test_a_meta_parameter_of_a_population_may_belong_to_the_other_end() -> None:
    source = """
      genome g {
        state a  synapse w ~ normal(1)  learn tau ~ normal(1) per population
        sense { a <- input }
        forward { a <- tanh(incoming(w * pre.a)) }
        update { w <- w + 0.1 * batch_mean(pre.a * (pre.tau * min(post.tau, post.a))) }
        readout a
      }
      network n uses g { input x[4]  output y[2, 2, 3] { bias = shared }  x -> y }
    """
    compare(source, 3, 0)


def test_a_reduced_value_that_a_let_holds_stands_outside_of_the_next_reducer() -> None:
    source = """
      genome g {
        state a  synapse w ~ normal(1)
        sense { a <- input }
        forward { a <- tanh(incoming(w * pre.a)) }
        update { let t = batch_mean(pre.a)  w <- w + batch_sum(t * post.a) + batch_mean(t * pre.a * post.a) }
        readout a
      }
      network n uses g { input x[4]  output y[2]  x -> y }
    """
    compare(source, 3, 0)


def test_the_neuron_that_sums_reads_its_own_totals_inside_its_sums() -> None:
    source = """
      genome g {
        state a, b[2], e  synapse w ~ normal(1)  synapse c[2, 2] ~ normal(1)
        sense { a <- input;  b <- [input, 1] }
        forward {
          a <- tanh(incoming(w / sqrt(1 + post.incoming(w ^ 2)) * pre.a + post.incoming(w * post.incoming(pre.a))))
          b <- tanh(incoming(c @ (post.incoming(c @ pre.b) * pre.b) + post.incoming(c) @ [w, pre.a]))
        }
        backward { e <- tanh(outgoing(w * tanh(pre.outgoing(w * post.a)) * post.b[0])) }
        update {
          w <- w + 0.1 * tanh(post.incoming(w / (1.5 + tanh(post.incoming(w)))) - pre.outgoing(w * pre.outgoing(w)))
          w <- w + 0.1 * batch_mean(tanh(post.incoming(w * post.incoming(w * pre.a))) * pre.e)
        }
        readout a + b[0]
      }
      network n uses g {
        input x[4]  hidden h[2]  output y[3]
        x -> h [pool(max, 2)]  x -> h [sparse(p = 0.5)]  h -> y  y -> h [delay = 1]
      }
    """
    compare(source, 3, 1)


def test_functions_of_a_projection_in_several_topologies() -> None:
    source = """
      genome g {
        state a  synapse w ~ normal(1), v[2] ~ normal(1)  learn tau ~ normal(1) per neuron
        sense { a <- input }
        forward { a <- tanh(incoming(w * pre.a)) }
        update {
          let g = batch_mean(pre.a * post.a)
          w <- w - 0.1 * g / max(1, sqrt(projection_sum(g ^ 2)))
          v <- v / projection_max(abs(v)) + projection_mean(2 * v) + 0.01 * projection_sum(1)
          w <- w + batch_mean(projection_mean(w) * pre.a * tanh(post.a)) * projection_sum(post.incoming(w))
          w <- tanh(w + batch_sum(pre.tau * projection_max(w) * post.a)) + projection_mean(projection_max(g) * w)
        }
        readout a
      }
      network n uses g {
        input x[4]  output y[4]
        x -> y  x -> y [sparse(p = 0.4)]  x -> y [sparse(p = 1, form = masked)]  x -> y [conv(2)]
      }
    """
    compare(source, 3, 1)


def test_what_never_acts_sees_neither_a_neuron_nor_its_totals() -> None:
    source = """
      genome g {
        state a  synapse w ~ normal(1), v ~ ones  learn m = 0.5 per population, n = 0.3 per neuron
        sense { a <- input }
        forward { a <- tanh(incoming(w * pre.a)) }
        update {
          v <- 1 + v * post.incoming[other](pre.m) + pre.outgoing[other](2)
          w <- w + 0.1 * pre.n + post.m + projection_sum(v) + batch_mean(post.incoming[other](pre.m) * pre.a)
        }
        readout a
      }
      network n uses g {
        input x[1, 3]  output y[1, 3] { bias = shared }  x -> y [conv(3, 2, padding = same)]  x -> y [kind = other]
        x -> y [conv(1, 3), delay = 1]
      }
    """
    compare(source, 3, 1)


def test_running_statistics() -> None:
    source = """
      genome g {
        state a, b[2]  synapse w ~ normal(1)  fn spike(x) = step(x) slope tanh'(x), flat(x) = 0.5 slope x
        sense { a <- input - running_mean(input) * flat(running_mean(2 * input)) }
        repeat 2 { forward {
          a <- tanh(standardize(incoming(w * pre.a), running, 0.3)) + 0.1 * spike(running_mean(a, 1))
          b <- [a, running_var(2 * a, 0.05)]
          b[1] <- b[1] + running_var(b, 1)[0] + running_mean(0.5)
        } }
        update { w <- w + 0.1 * batch_mean(pre.a * post.b[1]) }
        readout standardize(a, running) + b[0]
      }
      network n uses g { input x[3]  hidden h[2, 2]  output y[4]  x -> h  h -> y }
    """
    compare(source, 3, 1)
    compare(source, 1, 1)


def test_running_totals() -> None:
    source = """
      genome g {
        state a, b[2]  synapse w ~ normal(1)  synapse v[2] ~ normal(1)  learn m[2] ~ normal(1)
        sense { a <- input;  b <- [input, input * 2] }
        forward { a <- tanh(incoming(w * pre.a));  b <- [a, 3 * a] }
        update {
          w <- w + 0.1 * batch_mean(post.a * (pre.a - pre.outgoing_until(w * post.a)))
          w <- w - 0.1 * pre.outgoing_until(w ^ 2) * batch_sum(pre.outgoing_until(2 * post.a + w))
          v <- v + 0.1 * batch_mean(post.b * (m * pre.outgoing_until(v * post.b + post.a * v)))
        }
        readout a
      }
      network n uses g { input x[3]  hidden h[3]  output y[4]  x -> y  x -> h  h -> y [delay = 1] }
    """
    compare(source, 3, 1)


@pytest.mark.parametrize("topology", ["sparse(p = 1)", "sparse(p = 1, form = masked)", "conv(2)", "one_to_one"])
@pytest.mark.parametrize(("pre", "post"), [(1, 4), (4, 1), (1, 1)])
def test_what_a_single_neuron_knows_reaches_all_of_its_synapses(topology: str, pre: int, post: int) -> None:
    if topology in ("one_to_one", "conv(2)") and pre != post:
        pytest.skip("they do not join populations of these sizes")
    source = f"""
      genome g {{
        state a  synapse u ~ normal(1), v ~ normal(1), w ~ normal(1)
        sense {{ a <- input }}
        forward {{ a <- incoming((u + v + w) * pre.a) }}
        update {{
          u <- batch_mean(pre.a)
          v <- v + 0.1 * post.incoming(v)
          w <- batch_mean(post.a) + pre.outgoing(w)
        }}
        readout a
      }}
      network n uses g {{ input x[{pre}]  output y[{post}]  x -> y [{topology}] }}
    """
    compare(source, 3, 1)


def test_functions_of_the_population_are_there_in_every_phase_and_stable() -> None:
    source = """
      genome g {
        state a, b, c  synapse w ~ normal(1)
        sense    { a <- softmax(1000 * input);  b <- population_max(input) }
        forward  { a <- softmax(1000 * incoming(w * pre.a))  b <- softmax(population_mean(a))  c <- population_max(b) }
        feedback { a <- softmax(a) - population_max(target) }
        backward { a <- softmax(outgoing(w * post.a)) + population_max(standardize(a)) }
        update   { w <- w + batch_mean(pre.a * post.a) + batch_mean(pre.b) + batch_mean(post.b * post.c) }
        readout  softmax(a) + population_max(a)
      }
      network n uses g { input x[2]  hidden h[3]  output y[3]  x -> h  h -> y  x -> y [sparse(p = 1)] }
    """
    compare(source, 2, 0)


def test_functions_of_places_are_there_in_every_phase() -> None:
    source = """
      genome g {
        state a, b, c[2]  synapse w ~ normal(1)
        sense    { a <- input - place_mean(input) / place_sum(1);  c <- place_max([input, 1]) }
        forward  {
          let z = incoming(w * pre.a)
          let mean = running_mean(place_mean(z))
          b <- z - place_max(z)
          c <- [place_mean(z - mean) + place_sum(batch_rate), place_mean(population_sum(z))]
          a <- (z - mean) / sqrt(1 + running_mean(place_mean(square(z - mean))))
        }
        feedback { a <- target - place_sum(target) }
        backward { a <- outgoing(w * post.a) - 0.1 * place_mean(a * place_max(b)) }
        update   { w <- w + 0.1 * batch_mean(pre.a * post.a) + 0.1 * batch_mean(pre.b * post.c[0]) }
        readout  a + place_mean(b) + place_max(c[1])
        signal batch_rate per example
      }
      network n uses g {
        input x[4, 4]  hidden h[4, 4, 2]  hidden p[2, 2, 2]  hidden q[2, 2, 2]  output y[3]  output m[2, 2]
        x -> h [conv(3, 3)]  h -> p [pool(max, 2, 2)]  p -> q [identity]  q -> y  x -> m [pool(avg, 2, 2)]
      }
    """
    compare(source, 3, 0)


def test_every_synapse_draws_a_number_in_every_topology() -> None:
    source = """
      genome g {
        state a  synapse w ~ normal(1), v[2] ~ zeros
        sense   { a <- input + uniform(-1, [1, 2][0]) }
        forward { a <- incoming(w * v[0] * pre.a) }
        update {
          let jitter = noise(0.1 + w ^ 2)
          w <- w + jitter + batch_mean(jitter * pre.a + uniform(v[0], fan_in) * post.a)
          v <- uniform([w, 0], post.incoming(w)) + noise([1, 2])
        }
        readout a
      }
      network n uses g {
        input x[3]  hidden h[3, 1] { bias = shared }  output y[3]
        x -> h  x -> h [one_to_one]  x -> h [conv(2)]  x -> h [identity]  x -> h [sparse(p = 0.5, form = masked)]
        x -> h [sparse(p = 0.5, form = gather)]  x -> h [sparse(p = 0.5, form = segments)]
        h -> y [delay = 1, label = late]
      }
    """
    compare(source, 2, 0)


@settings(max_examples=8, **QUIET)
@given(generate.cases())
def test_the_compiled_program_means_what_the_reference_says(case: generate.Case) -> None:
    compare(case.source, case.batch, case.seed)


@pytest.mark.slow
@settings(max_examples=1500, **QUIET)
@given(generate.cases())
def test_the_compiled_program_means_what_the_reference_says_on_many_cases(case: generate.Case) -> None:
    compare(case.source, case.batch, case.seed)


@pytest.mark.parametrize("genome", ["backprop", "blur"])
@given(seed=st.integers(0, 2**31))
@settings(max_examples=3, **QUIET)
def test_the_library_rules_mean_what_the_reference_says(genome: str, seed: int) -> None:
    source = f"""
      import "rules/{genome}.blur"
      network n uses {genome} {{
        input a[3]  input b[2, 2]
        hidden h[4]  hidden g[3] {{ phi = relu }}
        output y[2]  output z[3] {{ bias = off }}
        a -> h  b -> h  h -> g  a -> g [forward]  g -> y  h -> y [backward]  g -> z [fixed]  y -> z  a -> y  a -> y
      }}
    """
    compare(source, 5, seed)
