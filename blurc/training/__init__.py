"""Training on a data set, and the baselines to compare it with: `blurc train` without the terminal.

learner.py       anything that learns from batches, and the training loop
rules.py         a compiled network with its own rule, as a learner
twin.py          the same network with the rule `backprop`
baselines.py     that network under SGD and Adam
relu_network.py  the same wiring as a practitioner would train it
scores.py        accuracy or mean squared error, and whether a data set fits a network
curve.py         learning curves as pictures and as JSON lines
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.training import curve, diverge
    from blurc.training.baselines import Optimizer, baselines
    from blurc.training.curve import COLOURS, GRID, INK, SOFT
    from blurc.training.learner import Broken, Point, Run, Settings, Watch, finite
    from blurc.training.relu_network import Inputs, Normalization, ReluNetwork, relu_network
    from blurc.training.rules import noise_keys, predict, train
    from blurc.training.scores import ACCURACY, Metric, fitted, metric, score
    from blurc.training.twin import LeftOut, twin

__all__ = [
    "ACCURACY",
    "COLOURS",
    "GRID",
    "INK",
    "SOFT",
    "Broken",
    "Inputs",
    "LeftOut",
    "Metric",
    "Normalization",
    "Optimizer",
    "Point",
    "ReluNetwork",
    "Run",
    "Settings",
    "Watch",
    "baselines",
    "curve",
    "diverge",
    "finite",
    "fitted",
    "metric",
    "noise_keys",
    "predict",
    "relu_network",
    "score",
    "train",
    "twin",
]

face(__name__)
