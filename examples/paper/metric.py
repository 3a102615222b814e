"""Appendix A of the paper: is the rule steepest descent in some other metric, if it is not a gradient?

One step on all of a task changes the synapses w by u(w); Q = du/dw is its Jacobian. Were u steepest descent of a loss
in a constant metric g (symmetric, positive definite), g Q would be symmetric at every w, equation (13). Two tests:

  - Such a Q has real eigenvalues only: it is symmetric in the coordinates that g makes orthonormal. One w with a pair
    of complex eigenvalues is a proof that there is no g.
  - The null space, as in the paper: the symmetric solutions g of (13) at one w, then at others too. `solutions` counts
    them; `rank` is that of what is left, and less than the number of synapses if no g among it can be inverted.

A closed orbit of dw/dt = u(w) would exclude metrics that depend on w as well. `orbits` follows the flow from several
starts and reports how near it comes to where it was, once it has gone away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from numpy.typing import NDArray

import blurc
from blurc import genome as genomes
from blurc import tasks
from blurc.api import Net

from .figure import Figure, Results, Task
from .learned import HERE, best, folder_of, learned

POINTS = 8  # synapses at which the Jacobian is computed
MOST = 3000  # solutions that are followed
SAMPLE = 512  # examples of the task, all of which every step sees
SAME = 1e-7  # eigenvalues that differ by less, relative to the largest, are one
IDLE = 1e-12  # an influence below this, relative to the Jacobian, is rounding
NOTHING = 1e-8  # singular values below this, relative to the Jacobian, are 0
Complex = NDArray[np.complex128]


def measured(figure: Figure, task: Task) -> Results:
    found = learned(figure, task)
    ((name, runs),) = found["variants"].items()
    folder = folder_of(task, name, best(runs)["seed"])
    genome = genomes.read(folder / "genome.yaml")
    net = blurc.compile(HERE / "paper.blur", network="plane", genome=genome.rule, classes=2, k=2)
    with jax.enable_x64(True):
        change, starts = field(net, genome.values)
        jacobians = [np.asarray(jax.jacfwd(change)(w)) for w in starts]
        walked = [orbit(change, w, 2_000 if task.quick else 20_000) for w in starts[:3]]
    return {**found, **metrics(jacobians), "orbits": walked}


def field(net: Net, values: Any) -> tuple[Callable[[jax.Array], jax.Array], list[jax.Array]]:
    """u(w) on all of xor, and synapses w where networks that learn it have been. w: forward synapses and biases, and
    the synapses that errors come back through."""
    genome = {name: jnp.asarray(value, jnp.float64) for name, value in values.items()}
    episode = tasks.task(tasks.TaskChoice(data="xor")).episode(jax.random.key(1), steps=1, batch=SAMPLE, query=1)
    x, y = episode.xs[0].astype(jnp.float64), episode.ys[0].astype(jnp.float64)
    first = net.init(jax.random.key(2), genome)
    _, unravel = ravel_pytree(first.synapses)

    def change(w: jax.Array) -> jax.Array:
        after, _ = net.step(genome, first._replace(synapses=unravel(w)), x, y)
        return ravel_pytree(after.synapses)[0] - w

    change = jax.jit(change)
    starts: list[jax.Array] = []
    for i in range(POINTS):
        w = ravel_pytree(net.init(jax.random.key(10 + i), genome).synapses)[0]
        for _ in range(i):
            w = w + change(w)
        starts.append(w)
    return change, starts


def metrics(jacobians: list[NDArray[np.float64]]) -> Results:
    jacobians = [q[np.ix_(busy, busy)] for busy in [_busy(jacobians)] for q in jacobians]
    values = [np.linalg.eigvals(q) for q in jacobians]
    return {
        "synapses": len(jacobians[0]),
        "asymmetry": [round(float(np.linalg.norm(q - q.T) / (2 * np.linalg.norm(q))), 3) for q in jacobians],
        "turning": [round(float(np.abs(v.imag).max() / np.abs(v).max()), 4) for v in values],
        "eigenvalues": [[[round(float(v.real), 5), round(float(v.imag), 5)] for v in of] for of in values[::3]],
        **_solutions(jacobians),
    }


def _busy(jacobians: list[NDArray[np.float64]]) -> NDArray[np.bool_]:
    """Which synapses have an influence on another one, at any w; biases have none before `standardize`. A g for all
    gives one for these: its Schur complement, which is positive definite, too."""
    others = [np.abs(q - np.diag(np.diag(q))).max(axis=0) / np.linalg.norm(q) for q in jacobians]
    return np.max(others, axis=0) > IDLE


def _solutions(jacobians: list[NDArray[np.float64]]) -> Results:
    """How many g are left after each w. The first is a sum over all w, because a single Q maps too much to nothing: g
    times a sum of Q is symmetric if g Q is at each w."""
    weights = np.random.default_rng(1).uniform(1, 2, len(jacobians))
    mixed = sum((weight * q for weight, q in zip(weights, jacobians, strict=True)), np.zeros_like(jacobians[0]))
    first, left = np.linalg.eig(mixed.T)
    basis = _pairs(first)
    if len(basis) > MOST:
        return {"solutions": [], "rank": None}
    vectors = left.T / np.linalg.norm(left.T, axis=1, keepdims=True)
    span: Complex = np.eye(len(basis), dtype=complex)
    counts = [len(basis)]
    for q in jacobians:
        span = span @ _null(_residuals(vectors, basis, q, span), len(q) * float(np.linalg.norm(q)))
        counts.append(span.shape[1])
    left_over = [_matrix(vectors, basis, column) for column in span.T]
    rank = int(np.linalg.matrix_rank(np.hstack(left_over), tol=1e-6)) if left_over else 0
    return {"solutions": counts, "rank": rank}


def _pairs(eigenvalues: Complex) -> list[tuple[int, int]]:
    """The solutions g = l_i l_j' + l_j l_i' at one w, where l are the left eigenvectors of Q: of equal eigenvalues."""
    near = np.abs(eigenvalues[:, None] - eigenvalues) < SAME * np.abs(eigenvalues).max()
    return [(int(i), int(j)) for i, j in zip(*np.nonzero(np.triu(near)), strict=True)]


def _residuals(vectors: Complex, basis: list[tuple[int, int]], q: NDArray[Any], span: Complex) -> Complex:
    """u' (g Q - Q' g) v for random u and v, as many as it takes to tell solutions apart: [probes, solutions]."""
    draw = np.random.default_rng(0)
    u, v = (draw.standard_normal((span.shape[1] + 20, len(q))) for _ in range(2))
    at_u, at_v = u @ vectors.T, v @ vectors.T
    moved_u, moved_v = u @ q.T @ vectors.T, v @ q.T @ vectors.T
    i, j = np.asarray(basis).T
    mixed = at_u[:, i] * moved_v[:, j] + at_u[:, j] * moved_v[:, i]
    return (mixed - moved_u[:, i] * at_v[:, j] - moved_u[:, j] * at_v[:, i]) @ span


def _null(residuals: Complex, size: float) -> Complex:
    _, sizes, right = np.linalg.svd(residuals)
    rank = int((sizes > NOTHING * size).sum())
    return right[rank:].conj().T


def _matrix(vectors: Complex, basis: list[tuple[int, int]], weights: Complex) -> Complex:
    i, j = np.asarray(basis).T
    half = (vectors[i] * weights[:, None]).T @ vectors[j]
    return half + half.T


def orbit(change: Callable[[jax.Array], jax.Array], w: jax.Array, steps: int) -> Results:
    """Follows dw/dt = u(w) in steps of a tenth of the rule's own, by the midpoint, and compares the last quarter of the
    way with its end: an orbit that closes comes back to it."""

    def walk(w: jax.Array, _: None) -> tuple[jax.Array, jax.Array]:
        now = w + 0.1 * change(w + 0.05 * change(w))
        return now, now

    last, way = jax.lax.scan(walk, w, None, length=steps)
    size = np.asarray(jnp.linalg.norm(way, axis=1))
    away = np.asarray(jnp.linalg.norm(way[3 * steps // 4 :] - last, axis=1))
    farthest = int(away.argmax())
    return {
        "steps": steps,
        "size": [round(float(s), 3) for s in size[:: max(1, steps // 40)]],
        "farthest": round(float(away.max()), 4),
        "back": round(float(away[: farthest + 1].min()), 4),
    }
