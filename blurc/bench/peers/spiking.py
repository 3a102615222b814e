"""A sparse recurrent network of leaky integrate-and-fire neurons: compiled, and in Brian2.

Stimberg, Brette and Goodman, "Brian 2, an intuitive and efficient neural simulator", eLife 8 (2019). In a step the
neurons leak towards their drive, those above 1 fire and start again from 0, and their spikes reach the others in the
next step, as in Brian2's schedule. Both get the same drives, and the same synapses with the same weights; Brian2
computes in float64.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import blurc
from blurc.bench.timing import Loop
from blurc.diagnostics import BlurError, Diagnostic
from blurc.guards import check_package
from blurc.model import sites

FAN_IN = 100
TAU = 20.0  # steps; a step is a millisecond
SPEC = """
genome lif(strength = 0.2) {
  state   v persistent, spike persistent
  synapse w ~ uniform(0, strength / fan_in)
  const   leak = exp(-1 / 20)

  sense   { spike <- input }
  forward {
    v     <- leak * where(spike, 0, v + incoming[recurrent](w * pre.spike)) + (1 - leak) * incoming[drive](pre.spike)
    spike <- v > 1
  }
  readout spike
}

network spiking(n = 1000, sources = 100) uses lif {
  input  drive[n]
  output h[n] { bias = off }
  drive -> h [identity, kind = drive]
  h -> h     [sparse(fan_in = sources), delay = 1, forward, kind = recurrent]
}
"""


@dataclass(frozen=True)
class Spiking:
    """`n` neurons for some steps."""

    n: int
    steps: int
    fan_in: int = FAN_IN

    @cached_property
    def net(self) -> Any:
        return blurc.compile(SPEC, n=self.n, sources=self.fan_in)

    @cached_property
    def genome(self) -> Any:
        return self.net.init_genome(jax.random.key(0))

    @cached_property
    def state(self) -> Any:
        return self.net.init(jax.random.key(1), self.genome, batch=1)

    @cached_property
    def drive(self) -> np.ndarray:
        """[n], with which most neurons fire now and then."""
        return np.random.default_rng(0).uniform(0.9, 1.3, self.n).astype(np.float32)

    def compiled(self) -> Loop:
        """Runs the steps, and answers with the spikes of each neuron. The state goes on from call to call."""

        @jax.jit
        def run(state: Any) -> tuple[Any, jax.Array]:
            xs = jnp.broadcast_to(self.drive, (self.steps, 1, self.n))
            state, spikes = self.net.run(self.genome, state, xs)
            return state, spikes.sum(axis=(0, 1))

        return Loop(run, self.state)

    def in_brian(self, target: str) -> Callable[[], np.ndarray]:
        """The same by Brian2, with its code as `numpy` or `cython`."""
        tool = brian()
        tool.start_scope()
        tool.defaultclock.dt = 1 * tool.ms
        neurons = tool.NeuronGroup(
            self.n, "dv/dt = (drive - v) / tau : 1\ndrive : 1", threshold="v > 1", reset="v = 0", method="exact",
            namespace={"tau": TAU * tool.ms},
        )  # fmt: skip
        neurons.drive = self.drive
        synapses = tool.Synapses(neurons, neurons, "w : 1", on_pre="v_post += w")
        recurrent = self.net.plan.projection("h->h")
        pairs = sites(recurrent.topology, recurrent.pre, recurrent.post)
        synapses.connect(i=np.asarray(pairs.pre), j=np.asarray(pairs.post))
        synapses.w = np.asarray(self.state.synapses["h->h"]["w"]).reshape(-1)
        spikes = tool.SpikeMonitor(neurons, record=False)
        network = tool.Network(neurons, synapses, spikes)

        def run() -> np.ndarray:
            before = np.array(spikes.count)
            tool.prefs.codegen.target = target  # read when a run begins
            network.run(self.steps * tool.ms)
            return np.array(spikes.count) - before

        return run


def brian() -> Any:
    """Raises `BlurError` (E921)."""
    check_package("brian2", "the comparison with spiking networks in Brian2 needs")
    try:
        return import_module("brian2")
    except (ImportError, AttributeError) as error:  # AttributeError: Brian2 2.9 with NumPy 2.4
        message = f"the package `brian2` does not work with the others here: {error}"
        raise BlurError(Diagnostic("E921", message, help="pip install 'blurc[bench]' in a fresh environment")) from None
