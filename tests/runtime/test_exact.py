"""Backpropagation, written as a local rule, is gradient descent: on any acyclic graph, to the last digits.

The other side of the comparison is written by hand and shares no code with blurc: a forward pass in plain
JAX and its `jax.grad`; and for the paper's formulation its four matrices in NumPy, neuron by neuron.

"Equal" is relative to the largest entry of an array: 1e-5 in float32, 1e-10 in float64, after 20 steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import blurc

Synapses = dict[str, np.ndarray]
Values = dict[str, np.ndarray]
Loss = Literal["cross entropy", "squares"]

STEPS, BATCH, RATE = 20, 6, 0.1


# ---------------------------------------------------------------- graphs


@dataclass(frozen=True)
class Population:
    name: str
    role: Literal["input", "hidden", "output"]
    size: int
    phi: str = "tanh"
    bias: bool = True


@dataclass(frozen=True)
class Projection:
    source: str
    target: str
    mark: str = ""  # or "forward", "fixed"
    label: str = ""

    @property
    def name(self) -> str:
        return self.label or f"{self.source}->{self.target}"


@dataclass(frozen=True)
class Graph:
    populations: tuple[Population, ...]  # each after all that project to it
    projections: tuple[Projection, ...]

    def of(self, *roles: str) -> list[Population]:
        return [p for p in self.populations if p.role in roles]

    def sizes(self) -> dict[str, int]:
        return {p.name: p.size for p in self.populations}

    def text(self) -> str:
        """The network in the language."""
        lines = [_declaration(p) for p in self.populations]
        for p in self.projections:
            marks = [m for m in (p.mark, p.label and f"label = {p.label}") if m]
            lines.append(f"{p.source} -> {p.target}" + (f" [{', '.join(marks)}]" if marks else ""))
        return "network n {\n  " + "\n  ".join(lines) + "\n}\n"


def _declaration(p: Population) -> str:
    if p.role == "input":
        return f"input {p.name}[{p.size}]"
    return f"{p.role} {p.name}[{p.size}] {{ phi = {p.phi}{'' if p.bias else ', bias = off'} }}"


def graph(populations: str, *projections: str) -> Graph:
    """Populations as `"x:3 h:4:relu y:2:linear"`: names that start with x are inputs, with y outputs, and `!`
    switches a bias off. Projections as `"x->h"`, `"h->y fixed"`, `"h->y ' again"` (with a label)."""
    return Graph(tuple(_population(p) for p in populations.split()), tuple(_projection(p) for p in projections))


def _population(text: str) -> Population:
    name, size, phi = (text.rstrip("!") + ":tanh").split(":")[:3]
    role: dict[str, Literal["input", "output"]] = {"x": "input", "y": "output"}
    return Population(name, role.get(name[0], "hidden"), int(size), phi, not text.endswith("!"))


def _projection(text: str) -> Projection:
    ends, _, rest = text.partition(" ")
    source, target = ends.split("->")
    if rest.startswith("'"):
        return Projection(source, target, "", rest[2:])
    return Projection(source, target, rest)


# ---------------------------------------------------------------- data


@dataclass(frozen=True)
class Run:
    """Initial values and data of a training. All positive, so that log and sqrt are in their domain."""

    synapses: Synapses
    xs: Values  # {population: [steps, batch, n]}
    ys: Values


def run(g: Graph, seed: int = 0) -> Run:
    rng, size = np.random.default_rng(seed), g.sizes()
    synapses = {p.name: rng.uniform(0.2, 1.0, (size[p.source], size[p.target])) / size[p.source] for p in g.projections}
    for p in g.of("hidden", "output"):
        if p.bias:
            synapses[f"unit->{p.name}"] = rng.uniform(0.1, 0.3, (1, p.size))
    xs = {p.name: rng.uniform(0.2, 1.5, (STEPS, BATCH, p.size)) for p in g.of("input")}
    ys = {p.name: np.eye(p.size)[rng.integers(p.size, size=(STEPS, BATCH))] for p in g.of("output")}
    return Run(synapses, xs, ys)


# ---------------------------------------------------------------- gradient descent, by hand

PHI: dict[str, Callable[[jax.Array], jax.Array]] = {
    "linear": lambda z: z,
    "tanh": jnp.tanh,
    "relu": lambda z: jnp.where(z > 0, z, 0.0),
    "sigmoid": lambda z: 1 / (1 + jnp.exp(-z)),
    "softplus": lambda z: jnp.log(1 + jnp.exp(z)),
    "exp": jnp.exp,
    "log": jnp.log,
    "sqrt": jnp.sqrt,
    "abs": jnp.abs,
    "sign": jnp.sign,
    "square": lambda z: z * z,
}


def outputs(g: Graph, synapses: Mapping[str, jax.Array], x: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
    act = dict(x)
    for p in g.of("hidden", "output"):
        z = synapses[f"unit->{p.name}"] if p.bias else jnp.zeros((1, p.size))
        for e in g.projections:
            if e.target == p.name:
                # What carries forward only sends nothing back.
                source = jax.lax.stop_gradient(act[e.source]) if e.mark == "forward" else act[e.source]
                z = z + source @ synapses[e.name]
        act[p.name] = PHI[p.phi](z)
    return {p.name: act[p.name] for p in g.of("output")}


def mean_loss(out: Mapping[str, jax.Array], y: Mapping[str, jax.Array], loss: Loss) -> jax.Array:
    """The sum over the outputs."""
    total = jnp.zeros(())
    for name, o in out.items():
        each = 0.5 * (o - y[name]) ** 2 if loss == "squares" else -y[name] * jax.nn.log_softmax(o)
        total += each.sum(-1).mean()
    return total


def gradient_descent(g: Graph, start: Run, loss: Loss = "cross entropy") -> Synapses:
    fixed = {p.name for p in g.projections if p.mark == "fixed"}

    def step(synapses, batch):
        x, y = batch
        gradient = jax.grad(lambda s: mean_loss(outputs(g, s, x), y, loss))(synapses)
        return {n: w if n in fixed else w - RATE * gradient[n] for n, w in synapses.items()}, None

    arrays = jax.tree.map(jnp.asarray, (start.synapses, (start.xs, start.ys)))
    return jax.tree.map(np.asarray, jax.jit(lambda s, data: jax.lax.scan(step, s, data)[0])(*arrays))


# ---------------------------------------------------------------- the same, compiled


def compiled(g: Graph, rule: str, start: Run) -> Synapses:
    net = blurc.compile(g.text(), genome=rule, rate=RATE)
    genome = net.init_genome(jax.random.key(0))
    live = {v.of for v in net.plan.channels}
    synapses = {n: {"w": jnp.asarray(w)} if n in live else {} for n, w in start.synapses.items()}
    state, _ = net.train(genome, blurc.State(synapses, {}), start.xs, start.ys)
    # Synapses that lead nowhere are not kept: they stay as they were.
    return {n: np.asarray(state.synapses[n].get("w", w)) for n, w in start.synapses.items()}


def assert_equal(found: Synapses, expected: Synapses, start: Synapses, tolerance: float) -> None:
    assert found.keys() == expected.keys()
    assert any(np.abs(expected[n] - start[n]).max() > 1e-3 for n in expected), "nothing was learned"
    for n in expected:
        error = np.abs(found[n] - expected[n]).max() / np.abs(expected[n]).max()
        assert error <= tolerance, f"{n}: relative error {error:.1e}"


def assert_is_gradient_descent(g: Graph, rule: str, loss: Loss = "cross entropy", seed: int = 0) -> None:
    start = run(g, seed)
    assert_equal(compiled(g, rule, start), gradient_descent(g, start, loss), start.synapses, 1e-5)
    with jax.enable_x64(True):
        found, expected = compiled(g, rule, start), gradient_descent(g, start, loss)
    assert all(w.dtype == np.float64 for w in found.values())
    assert_equal(found, expected, start.synapses, 1e-10)


# ---------------------------------------------------------------- on chosen graphs

CHAIN = graph("x:3 h1:5 h2:4 y:3:linear", "x->h1", "h1->h2", "h2->y")
SKIPS = graph("x:3 h1:4 h2:4 y:3:linear", "x->h1", "h1->h2", "h2->y", "x->h2", "x->y", "h1->y")
DIAMOND = graph("x:2 a:3:relu b:4:sigmoid c:3 y:2:linear", "x->a", "x->b", "a->c", "b->c", "a->y", "c->y", "b->y")
SEVERAL = graph(
    "x1:2 x2:3 h:4 left:3 right:2:softplus y1:3:linear y2:2:linear",
    "x1->h", "x2->h", "x2->right", "h->left", "h->right", "left->y1", "right->y2", "left->y2",
)  # fmt: skip
EVERY_ACTIVATION = graph(
    "x:3 " + " ".join(f"h_{phi}:3:{phi}" for phi in PHI) + " y:3:linear",
    *(f"x->h_{phi}" for phi in PHI),
    *(f"h_{phi}->y" for phi in PHI),
)
NONLINEAR_OUTPUT = graph("x:3 h:4:square y1:3:sigmoid y2:2:tanh", "x->h", "h->y1", "h->y2", "x->y2")
NO_BIAS = graph("x:3 h:4! y:3:linear!", "x->h", "h->y")
MARKED = graph("x:3 h1:4 h2:4 y:3:linear", "x->h1 fixed", "h1->h2", "h2->y", "h1->h2 ' again", "h1->y forward")
OUTPUT_FEEDS = graph("x:3 h:4 y1:3:tanh g:4:sigmoid y2:2:linear", "x->h", "h->y1", "y1->g", "g->y2", "h->y2", "y1->y2")
DEAD_END = graph("x:3 h:4 aside:3 y:2:linear", "x->h", "h->y", "h->aside", "x->aside")


@pytest.mark.parametrize(
    "g", [CHAIN, SKIPS, DIAMOND, SEVERAL, EVERY_ACTIVATION, NONLINEAR_OUTPUT, NO_BIAS, MARKED],
    ids=["chain", "skips", "diamond", "several", "every-activation", "nonlinear-output", "no-bias", "marked"],
)  # fmt: skip
def test_backprop_is_gradient_descent(g: Graph):
    assert_is_gradient_descent(g, "backprop")


@pytest.mark.parametrize(
    "g", [SKIPS, EVERY_ACTIVATION, MARKED, OUTPUT_FEEDS, DEAD_END],
    ids=["skips", "every-activation", "marked", "output-feeds", "dead-end"],
)  # fmt: skip
def test_three_state_backprop_is_gradient_descent_also_where_outputs_feed_others(g: Graph):
    assert_is_gradient_descent(g, "backprop3")


def test_three_state_backprop_descends_the_squared_error():
    assert_is_gradient_descent(OUTPUT_FEEDS, "backprop3_mse", "squares")


def test_two_state_backprop_is_not_exact_where_an_output_feeds_others():
    """Shows why there is a three-state form, and that the comparison can fail."""
    start = run(OUTPUT_FEEDS)
    with pytest.raises(AssertionError, match="relative error"):
        assert_equal(
            compiled(OUTPUT_FEEDS, "backprop", start), gradient_descent(OUTPUT_FEEDS, start), start.synapses, 1e-3
        )


# ---------------------------------------------------------------- on generated graphs


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Acyclic graphs in which outputs may feed others, and some populations lead nowhere."""
    n_in, n_rest = draw(st.integers(1, 2)), draw(st.integers(1, 5))
    phis = st.sampled_from(["linear", "tanh", "relu", "sigmoid", "softplus", "sqrt"])
    populations = [Population(f"x{i}", "input", draw(st.integers(1, 4))) for i in range(n_in)]
    projections: list[Projection] = []
    for i in range(n_rest):
        last = i == n_rest - 1
        role = "output" if last or draw(st.booleans()) else "hidden"
        name = f"{role[0]}{i}"
        sources = draw(st.lists(st.sampled_from(populations), min_size=1, max_size=3, unique=True))
        marks = st.sampled_from(["", "", "", "forward", "fixed"])
        projections += [Projection(s.name, name, draw(marks)) for s in sources]
        populations.append(Population(name, role, draw(st.integers(2, 4)), draw(phis), draw(st.booleans())))
    return Graph(tuple(populations), tuple(projections))


@pytest.mark.slow
@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(graphs(), st.integers(0, 2**32 - 1))
def test_three_state_backprop_is_gradient_descent_on_generated_graphs(g: Graph, seed: int):
    assert_is_gradient_descent(g, "backprop3", seed=seed)


# ---------------------------------------------------------------- the paper's own matrices

NU = np.array([[1.0, 0.0], [1.0, 0.0]])  # nu[c, d]: from state d of the sender to state c
MU = np.array([0.0, 1.0])
NU_SYNAPSE = np.array([1.0, 0.0])
MU_SYNAPSE = np.array([0.0, 1.0])


class Bag:
    """The bag of neurons of section 3.1: one matrix of synapses between all neurons, the unit neuron among
    them; equation (4) neuron by neuron, one example after the other."""

    def __init__(self, g: Graph, start: Run):
        self.g, self.n = g, 1 + sum(p.size for p in g.populations)
        ends = np.cumsum([1, *(p.size for p in g.populations)])
        self.at = {p.name: slice(a, b) for p, a, b in zip(g.populations, ends, ends[1:], strict=False)}
        self.at["unit"] = slice(0, 1)
        self.w, self.connected = np.zeros((self.n, self.n)), np.zeros((self.n, self.n), bool)
        self.phi = {i: p.phi for p in g.populations for i in range(self.n)[self.at[p.name]]}
        for name, w in start.synapses.items():
            source, target = (self.at[end] for end in name.split("->"))
            self.w[source, target], self.connected[source, target] = w, True

    def step(self, x: Mapping[str, np.ndarray], y: Mapping[str, np.ndarray]) -> None:
        change = np.zeros_like(self.w)
        for b in range(BATCH):
            a = np.zeros((self.n, 2))
            a[0] = 1.0
            for name in x:
                a[self.at[name], 0] = x[name][b]
            self._forward(a)
            for name in y:  # the derivative of the loss in the activation, times the slope
                out = self.at[name]
                a[out, 1] *= np.exp(a[out, 0]) / np.exp(a[out, 0]).sum() - y[name][b]
            self._backward(a)
            for i, j in np.argwhere(self.connected):
                change[i, j] += sum(a[j, c] * MU_SYNAPSE[c] * a[i, d] * NU_SYNAPSE[d] for c in (0, 1) for d in (0, 1))
        self.w -= RATE * change / BATCH

    def _forward(self, a: np.ndarray) -> None:
        for j in range(self.n):
            upstream = np.flatnonzero(self.connected[:, j])
            if len(upstream):
                z = [sum(self.w[i, j] * a[i, d] * NU[c, d] for i in upstream for d in (0, 1)) for c in (0, 1)]
                value, slope = {"tanh": (np.tanh(z[0]), 1 - np.tanh(z[1]) ** 2), "linear": (z[0], 1.0)}[self.phi[j]]
                a[j] = value, slope

    def _backward(self, a: np.ndarray) -> None:
        for i in reversed(range(1, self.n)):
            downstream = np.flatnonzero(self.connected[i])
            if len(downstream):
                a[i, 1] *= sum(self.w[i, j] * a[j, d] * MU[d] for j in downstream for d in (0, 1))

    def synapses(self) -> Synapses:
        names = [*(p.name for p in self.g.projections), *(f"unit->{p.name}" for p in self.g.of("hidden", "output"))]
        return {n: self.w[tuple(self.at[end] for end in n.split("->"))] for n in names}


def test_the_papers_matrices_are_gradient_descent():
    start = run(SKIPS)
    bag = Bag(SKIPS, start)
    for i in range(STEPS):
        bag.step({n: x[i] for n, x in start.xs.items()}, {n: y[i] for n, y in start.ys.items()})
    with jax.enable_x64(True):
        assert_equal(bag.synapses(), gradient_descent(SKIPS, start), start.synapses, 1e-10)
        assert_equal(compiled(SKIPS, "paper_backprop", start), bag.synapses(), start.synapses, 1e-10)


@pytest.mark.parametrize("rule", ["paper_backprop", "blur_from_backprop"])
def test_paper_backprop_is_gradient_descent(rule: str):
    assert_is_gradient_descent(DIAMOND, rule)
