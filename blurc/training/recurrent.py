"""Recurrent networks that learn sequences by backpropagation through time: the cell of a network itself, by automatic
differentiation of its forward phases, or what a practitioner would take, with hidden layers of the same sizes.

LSTM: Hochreiter and Schmidhuber (1997), with a forget gate (Gers et al. 2000) that starts open. GRU: Cho et al. (2014).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp

from blurc.api import Net
from blurc.artifact import Loaded
from blurc.graph import forward_order
from blurc.runtime import GenomeValues, State, dtype, fold
from blurc.training import columns
from blurc.training.relu_network import LeftOut, check_ids, compiled

Cell = Literal["own", "gru", "lstm"]
CELLS: Mapping[str, str] = {"own": "its own cell", "gru": "GRU", "lstm": "LSTM"}
GATES: Mapping[str, int] = {"gru": 3, "lstm": 4}


class Variables(NamedTuple):
    learned: Any
    fixed: Any


@dataclass(frozen=True)
class RecurrentNetwork:
    """cell: the forward phases of the network, from its own first synapses, or that of layers as large as its hidden
    populations."""

    net: Net
    cell: Cell = "own"

    def init(self, key: jax.Array, genome: GenomeValues | None) -> Variables:
        """genome: of the network; None draws it."""
        if self.cell == "own":
            return self._own(key, genome)
        widths = [self._inputs, *self._hidden]
        layers = [self._layer(fold(key, str(i)), before, size) for i, (before, size) in enumerate(pairwise(widths))]
        readout = {"w": jnp.zeros((widths[-1], self._outputs), dtype()), "b": jnp.zeros(self._outputs, dtype())}
        return Variables({"layers": layers, "readout": readout}, ())

    def rest(self, batch: int) -> Any:
        """The neurons before a sequence."""
        if self.cell == "own":
            neurons: dict[str, dict[str, jax.Array]] = {}
            for name, (before, after) in self.net.signature.persistent.items():
                of, _, variable = name.rpartition("/")
                neurons.setdefault(of, {})[variable] = jnp.zeros((*before, batch, *after), dtype())
            return neurons
        kept = 2 if self.cell == "lstm" else 1
        return [tuple(jnp.zeros((batch, size), dtype()) for _ in range(kept)) for size in self._hidden]

    def run(self, variables: Variables, neurons: Any, xs: Any) -> tuple[Any, jax.Array]:
        """The neurons after inputs [time, batch, n], and outputs [time, batch, n]."""
        learned, fixed = variables
        if self.cell == "own":
            state = State({**fixed["synapses"], **learned}, neurons, fixed["statistics"])
            after, outs = self.net.run(fixed["genome"], state, columns.inputs(self.net.signature, xs))
            return after.neurons, jnp.asarray(outs).reshape(*xs.shape[:2], -1)

        def step(carry: Any, x: jax.Array) -> tuple[Any, jax.Array]:
            after: list[Any] = []
            for layer, kept in zip(learned["layers"], carry, strict=True):
                kept = (_gru if self.cell == "gru" else _lstm)(layer, kept, x)
                after.append(kept)
                x = kept[0]
            return after, x @ learned["readout"]["w"] + learned["readout"]["b"]

        sizes = [p.size for p in self.net.plan.with_role("input")]
        return jax.lax.scan(step, neurons, columns.joined(sizes, xs) if self.net.signature.ids else xs)

    def _own(self, key: jax.Array, genome: GenomeValues | None) -> Variables:
        values = dict(self.net.init_genome(fold(key, "genome")) if genome is None else genome)
        state = self.net.init(key, values, batch=1)
        plastic = {p.keeper for p in self.net.plan.projections if p.plastic}
        learned = {name: channels for name, channels in state.synapses.items() if name in plastic}
        rest = {name: channels for name, channels in state.synapses.items() if name not in plastic}
        return Variables(learned, {"synapses": rest, "statistics": state.statistics, "genome": values})

    def _layer(self, key: jax.Array, inputs: int, size: int) -> dict[str, jax.Array]:
        count = GATES[self.cell]
        drawn = jax.random.normal(key, (inputs + size, count * size), dtype()) / (inputs + size) ** 0.5
        bias = jnp.zeros(count * size, dtype())
        return {"w": drawn[:inputs], "r": drawn[inputs:], "b": bias.at[:size].set(1.0 if self.cell == "lstm" else 0.0)}

    @property
    def _hidden(self) -> list[int]:
        hidden = {p.name: p.size for p in self.net.plan.with_role("hidden")}
        return [hidden[name] for name in forward_order(self.net.model.network) if name in hidden]

    @property
    def _inputs(self) -> int:
        return sum(p.size for p in self.net.plan.with_role("input"))

    @property
    def _outputs(self) -> int:
        return self.net.plan.with_role("output")[0].size


def _times(x: jax.Array, w: jax.Array) -> jax.Array:
    """The product with inputs [batch, n], or with ids [batch, m]."""
    return columns.gathered(w, x) if jnp.issubdtype(x.dtype, jnp.integer) else x @ w


def _gru(layer: Any, kept: Any, x: jax.Array) -> Any:
    (h,), size = kept, kept[0].shape[-1]
    given, before = _times(x, layer["w"]) + layer["b"], h @ layer["r"]
    reset, update = (jax.nn.sigmoid(given[:, i : i + size] + before[:, i : i + size]) for i in (0, size))
    new = jnp.tanh(given[:, 2 * size :] + reset * before[:, 2 * size :])
    return (update * h + (1 - update) * new,)


def _lstm(layer: Any, kept: Any, x: jax.Array) -> Any:
    h, cell = kept
    forget, let, out, new = jnp.split(_times(x, layer["w"]) + h @ layer["r"] + layer["b"], 4, axis=-1)
    cell = jax.nn.sigmoid(forget) * cell + jax.nn.sigmoid(let) * jnp.tanh(new)
    return jax.nn.sigmoid(out) * jnp.tanh(cell), cell


def recurrent_network(net: Net | Loaded) -> RecurrentNetwork:
    """Raises `LeftOut`: something must learn, and nothing be fed but inputs."""
    name, asks = net.signature.name, net.signature.reads["run"]
    if asks.signals:
        raise LeftOut(f"`{name}` reads the signal `{asks.signals[0]}`, which they do not read")
    if asks.noise:
        raise LeftOut(f"`{name}` answers with noise, which they do not have")
    made = compiled(net)
    check_ids(made)
    if not any(p.plastic and p.topology.has_synapses for p in made.plan.projections):
        raise LeftOut(f"no projection of `{name}` learns")
    return RecurrentNetwork(made)


def cells(network: RecurrentNetwork) -> tuple[Cell, ...]:
    """Those to try: a network without hidden populations has nothing that layers could be as large as."""
    return ("own", "gru", "lstm") if network.net.plan.with_role("hidden") else ("own",)
