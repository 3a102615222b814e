"""Training on a data set, and what it is compared with: what `blurc train` does, without a terminal.

One idea a file:

    learner.py     anything that learns from batches, and the loop that lets it
    rules.py       a compiled network with its own rule, as a learner
    twin.py        the same network with the rule `backprop`
    baselines.py   that network under SGD and Adam
    scores.py      accuracy or mean squared error, and whether a data set fits a network
    curve.py       learning curves as pictures and as JSON lines
"""

from __future__ import annotations

from blurc.training.baselines import baselines
from blurc.training.learner import Broken, Point, Run, Settings, Watch
from blurc.training.rules import train
from blurc.training.scores import fitted, metric
from blurc.training.twin import LeftOut, twin

__all__ = [
    "Broken",
    "LeftOut",
    "Point",
    "Run",
    "Settings",
    "Watch",
    "baselines",
    "fitted",
    "metric",
    "train",
    "twin",
]
