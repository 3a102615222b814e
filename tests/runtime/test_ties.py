"""`a -> b [same = LABEL]`: one set of synapses that several projections read and change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_compiled import compare

import blurc
from blurc.diagnostics import BlurError
from blurc.model import model_hash, show
from blurc.pictures.words import projection
from blurc.spec import select_model
from blurc.training.relu_network import relu_network


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def unrolled(same: str, rule: str = "backprop") -> str:
    """A recurrent network of four steps, unrolled."""
    return f"""
      import "rules/{rule}.blur"
      network n uses {rule} {{
        input x0[3]  input x1[3]
        hidden h0[4]  hidden h1[4] {{ bias = off }}  hidden h2[4] {{ bias = off }}  hidden h3[4] {{ bias = off }}
        output y[2] {{ phi = linear }}
        x0 -> h0 [label = in]
        x1 -> h2 [{same.format("in")}]
        h0 -> h1 [label = on]
        h1 -> h2 [{same.format("on")}]
        h2 -> h3 [{same.format("on")}]
        h3 -> y
      }}
    """


def started(net: blurc.Net, batch: int = 5) -> tuple[Any, Any, Any, Any]:
    key = jax.random.key(3)
    genome = net.init_genome(key)
    random = np.random.default_rng(0)
    xs = {name: random.normal(size=(batch, *shape)) for name, shape in net.signature.inputs.items()}
    return genome, net.init(key, genome, batch), xs if len(xs) > 1 else next(iter(xs.values())), random


def test_tied_weights_learn_by_the_gradient_of_the_loss() -> None:
    net = blurc.compile(unrolled("same = {}"))
    genome, state, xs, _ = started(net)
    y = np.eye(2)[[0, 1, 1, 0, 1]]
    w = {name: channels["w"] for name, channels in state.synapses.items() if channels}

    def loss(w: Any) -> Any:
        h0 = jnp.tanh(xs["x0"] @ w["in"] + w["unit->h0"])
        h1 = jnp.tanh(h0 @ w["on"])
        h2 = jnp.tanh(xs["x1"] @ w["in"] + h1 @ w["on"])
        logits = jnp.tanh(h2 @ w["on"]) @ w["h3->y"] + w["unit->y"]
        return -jnp.mean(jnp.sum(y * jax.nn.log_softmax(logits), axis=1))

    gradient = jax.grad(loss)(w)
    after, _ = net.step(genome, state, xs, y)
    assert set(w) == {"in", "on", "h3->y", "unit->h0", "unit->y"}
    for name, value in w.items():
        change = after.synapses[name]["w"] - value
        np.testing.assert_allclose(change, -genome["eta"] * gradient[name], atol=1e-12, err_msg=name)


def test_the_synapses_stand_once_in_the_state_and_the_genome() -> None:
    rule = """
      genome g {
        state act  synapse w ~ normal(1)  learn rate = 0.1 per synapse, gain = 1 per projection
        sense { act <- input }
        forward { act <- tanh(incoming(rate * gain * w * pre.act)) }
        update { w <- w + rate * batch_mean(pre.act * post.act) }
        readout act
      }
      network n uses g { input x[3]  hidden h[3]  output y[3]  x -> h [label = on]  h -> y [same = on, gain = 2] }
    """
    net = blurc.compile(rule)
    genome, state, x, _ = started(net)
    assert set(genome["rate"]) == {"on", "unit->h", "unit->y"}
    assert {name: float(value) for name, value in genome["gain"].items()} == {
        "on": 1, "h->y": 2, "unit->h": 1, "unit->y": 1,
    }  # fmt: skip
    assert {name for name, channels in state.synapses.items() if channels} == {"on", "unit->h", "unit->y"}
    assert net.step(genome, state, x)[0].synapses["h->y"] == {}
    compare(rule, 4, 0)


UPDATES = {
    "a sum": "w <- w + 0.1 * batch_mean(pre.a * post.a)",
    "an assignment": "w <- 0.9 * w + 0.1 * batch_mean(pre.a * post.a)",
    "without the old value": "w <- batch_mean(pre.a * post.a)",
    "several statements": "v <- v + batch_mean(pre.a);  w <- w - 0.1 * v;  w <- w / (1 + post.incoming(w ^ 2))",
    "totals of projections": "w <- w - 0.1 * projection_mean(w) + 0.01 * projection_sum(v)",
    "noise": "w <- w + noise(0.1)",
    "parts": "m[0] <- w;  m[1] <- m[1] + batch_mean(post.a);  w <- tanh(m[0] + m[1])",
}
WIRINGS = {
    "dense": "x -> h [label = on]  h -> k [same = on]  k -> y [same = on]",
    "one way": "x -> h [label = on]  h -> k [same = on, forward]  k -> y  h -> y [same = on, backward]",
    "delayed": "x -> h [label = on]  h -> k  k -> y  h -> h [same = on, delay = 1]  y -> h [same = on, delay = 2]",
    "the first is fixed": "x -> h [label = on, fixed]  h -> k [same = on]  k -> y [same = on]",
    "another is fixed": "x -> h [label = on]  h -> k [same = on, fixed]  k -> y [same = on]",
    "all but one are fixed": "x -> h [label = on, fixed]  h -> k [same = on, fixed]  k -> y [same = on]",
    "declared later": "x -> h [same = on]  h -> k [same = on]  k -> y [label = on]",
    "one_to_one": "x -> h [label = on, one_to_one]  h -> k [same = on]  k -> y",
    "sparse": "x -> h [label = on, sparse(fan_in = 3, seed = 2)]  h -> k [same = on]  k -> y",
    "sparse, masked": "x -> h [label = on, sparse(p = 0.4, form = masked)]  h -> k [same = on]  k -> y",
    "sparse, segments": "x -> h [label = on, sparse(p = 0.4, form = segments)]  h -> k [same = on]  k -> y",
    "conv": "x -> h [label = on, conv(3)]  h -> k [same = on]  k -> y",
    "a loop": "x -> h [label = on{0}]  for i in 1..2 { h -> h [same = on{i - i}, delay = i] }  h -> k  k -> y",
    "a chain": "x -> h [label = on]  h -> k -> y [same = on]",
    "layers that could be rolled": " ".join(
        ["x -> h [label = on]  hidden g0[4]  h -> g0 [same = on]"]
        + [f"hidden g{i + 1}[4]  g{i} -> g{i + 1} [same = on]" for i in range(8)]
        + ["g8 -> k  k -> y"]
    ),
}  # fmt: skip


def source(update: str, wiring: str) -> str:
    return f"""
      genome g {{
        state a, b  synapse w ~ normal(1), v ~ zeros, m[2] ~ normal(0.1)
        sense    {{ a <- input }}
        forward  {{ a <- tanh(incoming((w + 0.1 * m[1]) * pre.a) + 0.1 * incoming(v)) }}
        feedback {{ b <- target - a }}
        backward {{ b <- outgoing(w * post.b) }}
        update   {{ {update};  w <- w + 0.01 * batch_mean(pre.a * post.b) }}
        forward  {{ a <- tanh(incoming(w * pre.a)) }}
        update   {{ w <- 0.99 * w + 0.01 * batch_mean(pre.a) }}
        readout  a
      }}
      network n uses g {{ input x[4]  hidden h[4]  hidden k[4]  output y[4]  {wiring} }}
    """


@pytest.mark.parametrize("kind", UPDATES)
def test_changes_add_up_whatever_the_update(kind: str) -> None:
    compare(source(UPDATES[kind], WIRINGS["dense"]), 3, 1)


@pytest.mark.parametrize("kind", WIRINGS)
def test_changes_add_up_whatever_the_wiring(kind: str) -> None:
    compare(source(UPDATES["an assignment"], WIRINGS[kind]), 3, 1)


def test_a_convolution_has_the_same_synapses_on_images_of_other_sizes() -> None:
    compare(
        """
        import "rules/backprop.blur"
        network n uses backprop {
          input big[6, 6]  input small[4, 4]
          hidden a[6, 6, 2]  hidden b[4, 4, 2]
          output y[2]
          big -> a [conv(3, 3), label = filters]
          small -> b [same = filters]
          a -> y  b -> y
        }
        """,
        4,
        0,
    )


def test_optimizers_and_pictures_know_whose_synapses_they_are() -> None:
    net = blurc.compile("""
      import "rules/backprop.blur"
      network n uses backprop { input x[4]  hidden h[4]  output y[4]  x -> h [label = on]  h -> y [same = on] }
    """)
    relus = relu_network(net)
    assert set(relus.init(jax.random.key(0)).learned["weights"]) == {"on", "unit->h", "unit->y"}
    assert [projection(p) for p in net.model.network.projections][:2] == ["on", "same as on"]


def test_a_chain_of_ties_is_led_back_to_the_synapses_and_a_circle_is_said_once() -> None:
    spec = """import "rules/backprop.blur"
    network n uses backprop {
      input x[4]  hidden a[4]  hidden b[4]  output y[4]
      x -> a [%s]  a -> b [label = two, same = one]  b -> y [label = three, same = two]  a -> y [same = three]
    }"""
    for first, helps in (
        ("label = one", ["write `same = one`"] * 2),
        ("label = one, same = three", ["remove it here, and write `same = one` in the others"]),
    ):
        with pytest.raises(BlurError) as caught:
            blurc.compile(spec % first)
        assert [d.help for d in caught.value.diagnostics] == helps


def test_each_instance_of_a_block_has_its_own() -> None:
    model = select_model("""
      import "rules/backprop.blur"
      block twice { input x[4]  hidden h[4]  output y[4]  x -> h [label = on]  h -> y [same = on] }
      network n uses backprop { input x[4]  output z[2]  p = twice(x = x)  q = twice(x = p.y)  q.y -> z }
    """)
    whose = {p.name: p.same for p in model.network.projections if p.same}
    assert whose == {"p.h->p.y": "p.on", "q.h->q.y": "q.on"}
    assert "p.h -> p.y [same = p.on]" in show(model)


def test_tied_weights_are_another_model_and_the_same_as_a_graph() -> None:
    tied, free = (blurc.compile(unrolled(same)) for same in ("same = {}", "dense"))
    assert model_hash(tied.model) != model_hash(free.model)
    assert tied.graph.edges["h1", "h2", "h1->h2"]["same"] == "on"
    again = blurc.from_networkx(tied.graph, genome="backprop")
    assert {p.name: p.same for p in again.model.network.projections} == {
        p.name: p.same for p in tied.model.network.projections
    }


def test_an_artifact_has_the_synapses_once(tmp_path: Path) -> None:
    net = blurc.compile(unrolled("same = {}"))
    genome, state, xs, _ = started(net)
    net.save(tmp_path / "a.blurx", genome, platforms=["cpu"])
    loaded = blurc.load(tmp_path / "a.blurx")
    y = np.eye(2)[[0, 1, 1, 0, 1]]
    for found, expected in zip(
        jax.tree.leaves(loaded.step(genome, state, xs, y)), jax.tree.leaves(net.step(genome, state, xs, y)), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert set(loaded.manifest.signature.synapses) == {"in/w", "on/w", "h3->y/w", "unit->h0/w", "unit->y/w"}
