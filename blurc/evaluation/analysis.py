"""Whether a learned rule is a gradient at all (figure 2 of Sandler et al., arXiv:2104.04657).

One step changes the synapses s by u(s). If u were minus the gradient of some loss, its Jacobian J = du/ds would be
minus the loss's Hessian, and so symmetric. `asymmetry` measures how far it is from that, as the antisymmetric share

    |J - J^T| / (2 |J|)     (Frobenius norms)

between 0 (a gradient) and 1 (pure rotation); about 0.71 for a matrix of independent random numbers.

s has those channels of plastic projections, biases included, that the update changes and the forward pass reads: a loss
is a function of these. Everything else is held fixed: other synaptic traces (momentum, counts of changes), synapses of
the feedback path, examples, targets, the neurons' persistent state and channels `per example`. `whole` is the same
measure over all channels that the update changes and the batch shares; it means little if there are traces. Channels
that the update does not change, such as the feedback synapses of feedback alignment, are constants. Everything is
computed in float64.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from numpy.typing import NDArray

from blurc.api import Net
from blurc.diagnostics import BlurError, Diagnostic
from blurc.model import ParamValue
from blurc.plan import plan_of
from blurc.runtime import GenomeValues, State, map_tree
from blurc.spec import select
from blurc.training import asked, check_signals

Matrix: TypeAlias = NDArray[np.float64]

MOST_SYNAPSES = 4096  # a matrix of 128 MB
SMALL = """\
network small {
  input  x[3]
  hidden h[4]
  output y[2]
  x -> h
  h -> y
}
"""


@dataclass(frozen=True, eq=False)
class Analysis:
    """What `analyze` found.

    Attributes:
        network: its name.
        rule: the name of the rule.
        jacobian: [synapses, synapses], over all that the update changes.
        synapses: the channel of each row, "a->b/w".
        forward: the channels among these that the forward pass reads, or all if it reads none.
        channels: the asymmetry of each channel's block alone, with the others held fixed.
    """

    network: str
    rule: str
    jacobian: Matrix
    synapses: tuple[str, ...]
    forward: frozenset[str]
    channels: dict[str, float]

    @property
    def block(self) -> Matrix:
        """The Jacobian of the channels that the forward pass reads."""
        at = [i for i, name in enumerate(self.synapses) if name in self.forward]
        return self.jacobian[np.ix_(at, at)]

    @property
    def asymmetry(self) -> float:
        """The asymmetry of `block`."""
        return asymmetry(self.block)

    @property
    def whole(self) -> float:
        return asymmetry(self.jacobian)

    @property
    def antisymmetric(self) -> Matrix:
        return (self.jacobian - self.jacobian.T) / 2


def asymmetry(jacobian: Matrix) -> float:
    """The antisymmetric share; 0 for a zero matrix."""
    size = float(np.linalg.norm(jacobian))
    return float(np.linalg.norm(jacobian - jacobian.T)) / (2 * size) if size else 0.0


def small(rule: str, parameters: Mapping[str, ParamValue] = MappingProxyType({})) -> Net:
    """A 3-4-2 network with a rule from the library."""
    model, sources, warnings = select(SMALL, genome=rule, params=dict(parameters))
    return Net(plan_of(model), model, sources, warnings)


def analyze(net: Net, genome: GenomeValues, *, batch: int = 16, seed: int = 0) -> Analysis:
    """Analyzes a step from fresh synapses on `batch` random examples with random classes, all drawn from `seed`.

    Raises:
        BlurError: If the Jacobian would be too large or empty (E722) or is not finite (E905), or the rule reads signals
            (E807).
    """
    check_signals(net.signature)
    with jax.enable_x64(True):
        values = map_tree(lambda a: jnp.asarray(a, jnp.float64), dict(genome))
        start_key, data_key, noise_key = jax.random.split(jax.random.key(seed), 3)
        state = net.init(start_key, values, batch=batch)
        _check_size(net, state)
        plastic = {p.keeper for p in net.plan.projections if p.plastic}
        flat, synapses = ravel_pytree({name: state.synapses[name] for name in plastic})
        x, y = _examples(net, data_key, batch)

        def change(flat: jax.Array) -> jax.Array:
            now = state._replace(synapses={**state.synapses, **synapses(flat)})
            after, _ = net.step(values, now, x, y, signals=asked(net.signature, (batch,)), key=noise_key)
            return ravel_pytree({name: after.synapses[name] for name in plastic})[0] - flat

        # Reverse mode, as in meta-learning: the sparse kernels have no forward derivative.
        jacobian, moves = np.asarray(jax.jacrev(change)(flat)), np.asarray(change(flat))
    labels = np.asarray(_labels({name: state.synapses[name] for name in plastic}))
    return _analysis(net, labels, jacobian, moves)


def _analysis(net: Net, labels: NDArray[np.str_], jacobian: Matrix, moves: Matrix) -> Analysis:
    if not (np.isfinite(jacobian).all() and np.isfinite(moves).all()):
        message = f"one step of `{net.plan.genome}` in `{net.plan.name}` is not finite"
        raise BlurError(Diagnostic("E905", message, help="try another `--seed` or another genome"))
    active = (jacobian != 0).any(axis=1) | (moves != 0)
    kept = np.isin(labels, np.unique(labels[active]))
    jacobian, labels = jacobian[np.ix_(kept, kept)], labels[kept]
    channel = np.asarray([label.rpartition("/")[2] for label in labels])
    blocks = {str(c): asymmetry(jacobian[np.ix_(channel == c, channel == c)]) for c in np.unique(channel)}
    named = tuple(map(str, labels))
    forward = _read_forward(net) & set(named) or set(named)
    return Analysis(net.plan.name, net.plan.genome, jacobian, named, frozenset(forward), blocks)


def _read_forward(net: Net) -> set[str]:
    """The channels that the forward pass reads."""
    block = net.plan.predict
    members = {(s.name, s.variable): s.members for s in block.stacks if s.kind == "synapse"}
    read = {(str(op.attrs[0]), str(op.attrs[1])) for op in block.all_ops() if op.name == "synapse"}
    return {f"{of}/{channel}" for name, channel in read for of in members.get((name, channel), (name,))}


def _labels(synapses: dict[str, dict[str, jax.Array]]) -> list[str]:
    """The channel of each synapse, in the order of `ravel_pytree`, which sorts by name."""
    return [
        f"{projection}/{channel}"
        for projection in sorted(synapses)
        for channel in sorted(synapses[projection])
        for _ in range(synapses[projection][channel].size)
    ]


def _examples(net: Net, key: jax.Array, batch: int) -> tuple[dict[str, jax.Array], dict[str, jax.Array]]:
    """Normally distributed inputs or random ids, and random classes for each output population."""
    inputs, outputs = net.signature.inputs, net.signature.outputs
    keys = iter(jax.random.split(key, len(inputs) + len(outputs)))
    x = {
        name: jax.random.randint(next(keys), (batch,), 0, shape[0])
        if name in net.signature.ids
        else jax.random.normal(next(keys), (batch, *shape))
        for name, shape in inputs.items()
    }
    y: dict[str, jax.Array] = {}
    for name, shape in outputs.items():
        size = int(np.prod(shape))
        classes = jax.random.randint(next(keys), (batch,), 0, size)
        y[name] = jax.nn.one_hot(classes, size, dtype=jnp.float64).reshape(batch, *shape)
    return x, y


def _check_size(net: Net, state: State) -> None:
    plastic = {p.keeper for p in net.plan.projections if p.plastic}
    count = sum(a.size for name in plastic for a in state.synapses[name].values())
    if count > MOST_SYNAPSES:
        message = f"`{net.plan.name}` has {count:,} plastic synapses, too many for a dense Jacobian"
        help = f"use a network with at most {MOST_SYNAPSES:,} (`--set`), or omit `--network` for the small one"
        raise BlurError(Diagnostic("E722", message, help=help))
    if count == 0:
        message = f"no projection of `{net.plan.name}` learns"
        raise BlurError(Diagnostic("E722", message, help="use a network with plastic projections"))
