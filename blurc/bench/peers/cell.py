"""VSML, whose every synapse holds an LSTM: compiled, and by hand.

Kirsch and Schmidhuber, "Meta Learning Backpropagation And Improving It", NeurIPS (2021), as in `rules/vsml.blur`. By
hand the states of the LSTMs are `[batch, n_pre, n_post, k]`, as one writes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from blurc.bench import specs
from blurc.bench.timing import Loop

Genome = Mapping[str, jax.Array]


class Cells(NamedTuple):
    """Of a layer. h, c: [batch, n_pre, n_post, k]. mark: [n_pre, n_post, k]."""

    h: jax.Array
    c: jax.Array
    mark: jax.Array


class Life(NamedTuple):
    """What is shown: inputs, targets, and whether these are known, [steps] each."""

    xs: jax.Array
    ys: jax.Array
    known: jax.Array


def spec(sizes: Sequence[int]) -> str:
    *inner, last = range(len(sizes))
    lines = [f"input h0[{sizes[0]}]", *(f"hidden h{i}[{sizes[i]}] {{ bias = off }}" for i in inner[1:])]
    lines += [f"output h{last}[{sizes[last]}] {{ bias = off }}", " -> ".join(f"h{i}" for i in range(len(sizes)))]
    return "\n".join(['import "rules/vsml.blur"', "network cells uses vsml {", *lines, "}"])


def life(sizes: Sequence[int], steps: int, batch: int) -> Life:
    draw = np.random.default_rng(0)
    xs = draw.standard_normal((steps, batch, sizes[0])).astype(np.float32)
    ys = draw.standard_normal((steps, batch, sizes[-1])).astype(np.float32)
    return Life(jnp.asarray(xs), jnp.asarray(ys), jnp.arange(steps, dtype=jnp.float32) % 2)


def programs(sizes: Sequence[int], steps: int, batch: int) -> dict[str, Loop]:
    """Both from the same cells. The state goes on from call to call."""
    net, genome, state = specs.start(spec(sizes), batch)
    shown = life(sizes, steps, batch)
    signals = {"known": shown.known}
    return {
        "hand": Loop(partial(run, genome, shown), cells_of(net, state)),
        "blurc": Loop(lambda s: net.train(genome, s, shown.xs, shown.ys, signals=signals, donate=True), state),
    }


def cells_of(net: Any, state: Any) -> list[Cells]:
    """The cells of a compiled network, copied."""
    names = [p.name for p in net.plan.projections]
    found = [{**state.synapses[name], **state.neurons[name]} for name in names]
    return [Cells(*(jnp.moveaxis(jnp.copy(layer[name]), 0, -1) for name in Cells._fields)) for layer in found]


def run(genome: Genome, shown: Life, cells: list[Cells]) -> tuple[list[Cells], jax.Array]:
    """The cells after a life, and the answers of every step."""
    return _run(cells, genome, shown)


@partial(jax.jit, donate_argnums=0)
def _run(cells: list[Cells], genome: Genome, shown: Life) -> tuple[list[Cells], jax.Array]:
    return jax.lax.scan(lambda now, life: _step(genome, now, life), cells, shown)


def _step(genome: Genome, cells: list[Cells], shown: Life) -> tuple[list[Cells], jax.Array]:
    m = genome["send"].shape[0]
    ups = [_first(m, shown.xs)]
    for layer in cells:
        ups.append(jnp.einsum("mk,bijk->bjm", genome["send"], layer.h + layer.mark) / 4)
    answer = ups[-1][..., 0]
    downs = [_first(m, shown.known * (shown.ys - answer), jnp.full_like(answer, shown.known))]
    for layer in reversed(cells[1:]):
        total = jnp.einsum("mk,bijk->bim", genome["back"], layer.h + layer.mark)
        downs.insert(0, jnp.tanh(total / 4))
    return [_cell(genome, *layer) for layer in zip(cells, ups, downs, strict=False)], answer


def _first(m: int, *given: jax.Array) -> jax.Array:
    """[batch, n, m], of which these come first."""
    return jnp.stack([*given, *[jnp.zeros_like(given[0])] * (m - len(given))], axis=-1)


def _cell(genome: Genome, cells: Cells, up: jax.Array, down: jax.Array) -> Cells:
    z = jnp.einsum("zk,bijk->bijz", genome["of_h"], cells.h + cells.mark)
    z += (up @ genome["of_up"].T)[:, :, None] + (down @ genome["of_down"].T)[:, None] + genome["bias"]
    into, forget, out, new = jnp.split(z, 4, axis=-1)
    c = jax.nn.sigmoid(forget + 1) * cells.c + jax.nn.sigmoid(into) * jnp.tanh(new)
    return Cells(jax.nn.sigmoid(out) * jnp.tanh(c), c, cells.mark)
