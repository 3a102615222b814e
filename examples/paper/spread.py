"""Figures 15 and 16, and why genomes decay: what becomes of synapses and states while a network learns, and whether it
still learns when the labels are shuffled in the middle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

import blurc
from blurc import State, tasks
from blurc import genome as genomes
from blurc.api import Net

from .figure import Figure, Results, Task
from .learned import HERE, best, folder_of, learned, read

SHUFFLED, LAST = 500, 700
AT = (1, 2, 5, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 400, 500, 501, 505, 510, 520, 550, 600, 700)
BATCH, QUERY = 128, 2000
TRACKS = ("accuracy", "spread of synapses", "turn of synapses", "spread of states")
DIGITS = tasks.TaskChoice(data="mnist", resize=14)


def measured(figure: Figure, task: Task) -> Results:
    """Learns the variants, then records a network under the best genome of each."""
    found = learned(figure, task)
    for name, runs in found["variants"].items():
        chosen = best(runs)
        genome = genomes.read(folder_of(task, name, chosen["seed"]) / "genome.yaml")
        network = read(figure, name, task, 0).network
        parameters: dict[str, Any] = dict(network.parameters)
        net = blurc.compile(HERE / "paper.blur", network=network.network, genome=genome.rule, **parameters)
        found["variants"][name] = [{**run, **(recorded(net, genome.values) if run is chosen else {})} for run in runs]
    return found


def decay(figure: Figure, task: Task) -> Results:
    """The genome of specs/genomes/evolution.yaml, as it is and without one of its terms."""
    genome = genomes.read("genomes/evolution.yaml")
    net = blurc.compile("networks/mnist.blur", network="mnist_small", genome="blur", k=2)
    found: dict[str, list[Results]] = {}
    for name, change in CHANGES.items():
        found[name] = [recorded(net, {**genome.values, **change})]
        print(f"  {name}: {found[name][0]['tracks']['accuracy']}", flush=True)
    return {"variants": found}


CHANGES: dict[str, dict[str, Any]] = {
    "as evolved": {},
    "without Oja's term (oja = 0)": {"oja": 0.0},
    "without growth (fs = 1)": {"fs": 1.0},
    "without both": {"oja": 0.0, "fs": 1.0},
}


def recorded(net: Net, genome: Mapping[str, Any]) -> Results:
    """{"steps", "tracks": {quantity: [value, ..]}} of one network; None from where it is not finite."""
    values = {name: jnp.asarray(value, jnp.float32) for name, value in genome.items()}
    episode = tasks.task(DIGITS).episode(jax.random.key(0), steps=LAST, batch=BATCH, query=QUERY, test=True)
    order = np.random.default_rng(0).permutation(10)
    state = net.init(jax.random.key(1), values, batch=BATCH)
    tracks: dict[str, list[float | None]] = {name: [] for name in TRACKS}
    for i, (x, y) in enumerate(zip(episode.xs, np.asarray(episode.ys), strict=True)):
        shown = (lambda labels: labels) if i < SHUFFLED else (lambda labels: labels[:, order])
        before = state
        state, _ = net.step(values, state, x, shown(y))
        if i + 1 not in AT:
            continue
        asked = shown(np.asarray(episode.y)).argmax(-1)
        right = np.asarray(net.predict(values, state, episode.x)).argmax(-1) == asked
        states = net.trace(values, state, x, shown(y))["forward"]
        hidden = [np.asarray(of["a"]).ravel() for name, of in states.items() if name.startswith("h")]
        now = _synapses(state)
        found = (right.mean(), now.std(), _turn(_synapses(before), now), np.concatenate(hidden).std())
        for name, value in zip(TRACKS, found, strict=True):
            tracks[name].append(float(f"{value:.4g}") if np.isfinite(now).all() else None)
    return {"steps": list(AT), "tracks": tracks}


def _synapses(state: State) -> NDArray[np.float64]:
    """All synapses of the way forward but biases, in the order of names."""
    each = [np.asarray(state.synapses[name]["w"], np.float64) for name in sorted(state.synapses) if "unit" not in name]
    return np.concatenate([synapses.ravel() for synapses in each])


def _turn(before: NDArray[np.float64], now: NDArray[np.float64]) -> float:
    """The angle between them in degrees, which does not depend on their lengths."""
    cosine = before @ now / (np.linalg.norm(before) * np.linalg.norm(now))
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
