"""A user's script with every type written out. `test_types.py` gives it to pyright, strict; nobody runs it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import jax
import numpy as np
from jax import Array
from jax.typing import ArrayLike

import blurc
from blurc import genome, meta, tasks


def accuracy(net: blurc.Net, values: Mapping[str, ArrayLike], digits: tasks.Dataset) -> float:
    state = net.init(jax.random.key(1), values)
    state, outs = net.train(values, state, *tasks.batches(digits, batch=64, steps=300, seed=0))
    assert outs.shape == (300, 64, 10)
    right = net.predict(values, state, digits.x_test).argmax(-1) == digits.y_test.argmax(-1)
    return float(right.mean())


def several_outputs(net: blurc.Net, x: Mapping[str, ArrayLike], y: Mapping[str, ArrayLike]) -> dict[str, Array]:
    values = net.init_genome(jax.random.key(0))
    state = net.init(jax.random.key(1), values, batch=8)
    state, _ = net.step(values, state, x, y, signals={"reward": 1.0}, key=jax.random.key(2))
    norms = {name: abs(channels["w"]).sum() for name, channels in state.synapses.items()}
    traced = net.trace(values, state, x, y)
    return {**norms, **traced["forward"]["hidden"]}


def recurrent(net: blurc.Net, xs: Array, begins: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> blurc.State:
    values = net.init_genome(jax.random.key(0))
    state = net.init(jax.random.key(1), values, batch=32)
    return net.train(values, state, xs, reset=begins, donate=True)[0]


def stored(net: blurc.Net, folder: Path) -> float:
    values = net.init_genome(jax.random.key(0))
    file = genome.describe(net, values, name="mine", found={"steps": 100})
    genome.write(folder / "mine.yaml", file)
    net.save(folder / "mine.blurx", genome=genome.read(folder / "mine.yaml"), platforms=["cpu"])
    loaded = blurc.load(folder / "mine.blurx")
    assert loaded.genome is not None
    state = loaded.init(jax.random.key(1), loaded.genome)
    return float(loaded.predict(loaded.genome, state, np.zeros((1, 8, 8))).sum())


def learned(folder: Path) -> genome.GenomeFile:
    experiment = meta.read("experiment.yaml", {"method.steps": "100"})
    result = meta.run(experiment, folder)
    print(f"{result.value:.3f} after {result.steps} of {experiment.name}, {result.diverged} diverged")
    return result.genome


try:
    print(accuracy(blurc.compile("networks/digits.blur", hidden=128), {"eta": 0.1}, tasks.load("digits")))
except blurc.BlurError as error:
    print([diagnostic.code for diagnostic in error.diagnostics])
