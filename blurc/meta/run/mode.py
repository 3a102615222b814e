"""Whether meta-gradients are taken in forward or in reverse mode, by what each would cost.

Costs are in units of an episode's own, as measured on CPUs with networks from 8-16-4 to 784-128-10. Reverse mode
computes every step up to three times, and its derivative. Of forward mode's derivatives, one for each meta-parameter,
the products with synapses take longer than the step's own if these are large; if they are small, all derivatives
together keep a core busier than one step does.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from blurc.api import Net
from blurc.diagnostics import BlurError, Diagnostic
from blurc.meta.experiment import schema
from blurc.meta.experiment.experiment import Experiment, Gradient
from blurc.meta.run.folder import EXPERIMENT
from blurc.meta.search.differentiate import Mode

REVERSE = 5.0
SMALL, LARGE = 0.5, 1.5  # for each meta-parameter
MANY = 1_000_000  # multiplications in a step's products that are no longer small
BACKWARD_ONLY = ("gather", "segments")  # forms of sparse projections


def with_mode(e: Experiment, net: Net) -> Experiment:
    """The experiment with the cheaper mode, if it leaves the mode open. Raises `BlurError` (E613) if it
    asks for forward mode, which the network does not have."""
    if not isinstance(e.method, Gradient) or e.method.mode == "reverse":
        return e
    wanted = e.method.mode or cheaper(net, e.inner.batch)
    backward_only = [p.name for p in net.plan.projections if p.form in BACKWARD_ONLY]
    if backward_only and e.method.mode:
        message = f"the sums of the sparse projection `{backward_only[0]}` have no forward mode"
        raise BlurError(Diagnostic("E613", message, help="leave `method.mode` out"))
    wanted = "reverse" if backward_only else wanted
    return replace(e, method=replace(e.method, mode=wanted))


def cheaper(net: Net, batch: int) -> Mode:
    shapes = net.signature.genome.values()
    scoped = (shape for of in net.signature.scoped.values() for shape in of.values())
    derivatives = sum(map(math.prod, (*shapes, *scoped)))
    products = batch * sum(map(math.prod, net.signature.synapses.values()))
    return "forward" if 1 + derivatives * (SMALL if products < MANY else LARGE) < REVERSE else "reverse"


def mode(folder: Path) -> str:
    """What a run of the gradient method takes."""
    method = schema.read(folder / EXPERIMENT).method
    return method.mode if isinstance(method, Gradient) else ""
