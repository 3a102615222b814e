"""Batches of examples as a network runs them: one step after the other, of which a sequence takes many.

Before every batch the neurons are reset, and the synapses go on. So a network with delays or persistent states learns
and answers examples without time each on its own.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from blurc.diagnostics import BlurError, Diagnostic
from blurc.runtime import GenomeValues, Program, Signature, State, map_tree
from blurc.tasks import Batches
from blurc.training import columns

ASKED = "asked"


class Steps(NamedTuple):
    """What `net.train` takes. reset: [steps], whether a batch begins."""

    xs: Any
    ys: Any
    reset: NDArray[np.bool_] | None
    signals: dict[str, Any]


def steps(signature: Signature, batches: Batches) -> Steps:
    xs, ys, masks = batches
    time = length(batches)
    if time:
        xs, ys, masks = map_tree(_in_turn, (xs, ys, masks))
    reset = np.arange(len(xs)) % max(1, time) == 0 if signature.persistent else None
    return Steps(columns.inputs(signature, xs), ys, reset, asked(signature, xs.shape[:2], masks))


def length(batches: Batches) -> int:
    """The steps of a sequence; 0 if the examples are not sequences."""
    return batches.xs.shape[2] if batches.xs.ndim > 3 else 0


def _in_turn(a: Any) -> Any:
    """[batches, batch, time, ..] -> [batches * time, batch, ..]."""
    a = a.swapaxes(1, 2)
    return a.reshape(-1, *a.shape[2:])


def learn(
    net: Program, genome: GenomeValues, state: State, batches: Batches, key: jax.Array | None, recompute: bool = False
) -> tuple[State, Any]:
    """The state after the batches, and the readouts of all steps."""
    xs, ys, reset, signals = steps(net.signature, batches)
    return net.train(genome, state, xs, ys, signals=signals, key=key, reset=reset, recompute=recompute)


def predict(net: Program, genome: GenomeValues, state: State, x: Any, key: jax.Array) -> Any:
    """Outputs [examples, *output] for x [examples, inputs]; with time, [examples, time, *output] for x [examples, time,
    inputs]. The synapses are frozen, and the neurons start anew: test examples do not follow those that the network
    remembers.
    """
    if net.signature.persistent:
        start, key = jax.random.split(key)
        fresh = net.init(start, genome, batch=len(x))
        state = state._replace(neurons=fresh.neurons)
    if x.ndim < 3:
        return net.predict(genome, state, columns.inputs(net.signature, x), key=key)
    _, outs = net.run(genome, state, columns.inputs(net.signature, x.swapaxes(0, 1)), key=key)
    outputs: Any = outs
    return outputs.swapaxes(0, 1)


def step_inputs(signature: Signature) -> int | None:
    """The number of inputs of a network that remembers, for which examples may be sequences; else None."""
    if not signature.persistent or len(signature.inputs) != 1 or signature.ids:
        return None
    return math.prod(next(iter(signature.inputs.values())))


# ------------------------------------------------------------------ signals


def reads_asked(signature: Signature) -> bool:
    """Whether the rule is told which answers are asked: 1 where one is, else 0."""
    return ASKED in signature.reads["step"].signals


def asked(signature: Signature, sizes: tuple[int, ...], mask: Any = None) -> dict[str, Any]:
    """The signals to feed: 1 where an answer is asked, which is everywhere without a mask of these sizes."""
    if not reads_asked(signature):
        return {}
    return {ASKED: np.ones(sizes, np.float32) if mask is None else mask}


def check_signals(signature: Signature) -> None:
    """Raises `BlurError` (E807) if a rule reads a signal that data cannot feed: all but `asked`, in learning."""
    if unfed := [name for name in signature.reads["step"].signals if name != ASKED]:
        message = f"`{signature.name}` reads the signal `{unfed[0]}`, which data do not have"
        raise BlurError(
            Diagnostic("E807", message, help=f"use a rule that learns from targets, or {signature.feeding()}")
        )
    if not reads_asked(signature):
        return
    if ASKED not in signature.per_example or signature.signals[ASKED]:
        message = f"`{signature.name}` reads a signal `asked` that is not one number for each example"
        raise BlurError(Diagnostic("E807", message, help="declare it so: `signal asked per example`"))
    if ASKED in signature.reads["run"].signals:
        message = f"`{signature.name}` reads the signal `asked` before it answers, and it says where the answer counts"
        raise BlurError(Diagnostic("E807", message, help="read it in `feedback`, `backward` and `update` only"))
