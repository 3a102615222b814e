"""Records two layers that learn by Oja's rule, for oja.yaml: python record.py writes oja.npz beside it.

Half of the hidden neurons are not recorded, and what is recorded is noisy.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import blurc

HERE = Path(__file__).parent
RECORDINGS, STEPS = 10, 100
NOISE = 0.01  # standard deviation; that of the activity is about 0.5


def main(file: Path = HERE / "oja.npz") -> None:
    net = blurc.compile(HERE / "layers.blur", genome="oja")
    starts = jax.vmap(lambda key: net.init(key, {}))(jax.random.split(jax.random.key(1), RECORDINGS))
    mixed = jax.random.normal(jax.random.key(2), (6, 6)) / 6**0.5
    xs = jax.random.normal(jax.random.key(3), (RECORDINGS, STEPS, 6)) @ mixed

    def step(state: blurc.State, x: jax.Array) -> tuple[blurc.State, tuple[jax.Array, jax.Array]]:
        seen = net.trace({}, state, x[None])["forward"]
        return net.step({}, state, x[None])[0], (seen["h"]["act"][0], seen["y"]["act"][0])

    hidden, output = jax.jit(jax.vmap(lambda state, x: jax.lax.scan(step, state, x)[1]))(starts, xs)
    first, second = jax.random.split(jax.random.key(4))
    hidden += NOISE * jax.random.normal(first, hidden.shape)
    output += NOISE * jax.random.normal(second, output.shape)
    synapses: dict[str, Any] = {f"start_{name}": of["w"] for name, of in starts.synapses.items()}
    np.savez(file, x=xs, recorded_h=hidden.at[..., 2:].set(jnp.nan), recorded_y=output, **synapses)


if __name__ == "__main__":
    main()
