"""Training on a data set, and the baselines to compare it with: `blurc train` without the terminal.

learner.py       anything that learns from batches
loop.py          the training loop
progress.py      where training stands between two chunks of steps
keeping.py       what is kept of that
checkpoint.py    in a file from which training goes on
rules.py         a compiled network with its own rule, as a learner
sequences.py     how such a network runs through batches, of sequences too
relu_network.py  the same wiring as a practitioner would build it
recompile.py     the wiring of an artifact
recipes.py       optimizer, schedule, normalization, and the network that trains by them
recurrent.py     what learns sequences: a network's own cell, a GRU, an LSTM
through_time.py  backpropagation through time
baselines.py     these networks under SGD and Adam
divided.py       a network in training that lies on many devices
columns.py       examples for inputs by ids
online.py        every batch asked just before it is learned
lifetime.py      a network in an environment, which learns from rewards
reliving.py      where such a network diverged
room.py          whether it fits into memory
probe.py         which population answers in the place of the outputs
replays.py       a network that learns from the inputs of a recording, and its activity on the way
readouts.py      readouts of what it holds, in closed form
scores.py        a score on many examples, and whether a data set fits a network
curve.py         learning curves as pictures and as JSON lines
transformation.py  a genome as an optimizer of optax
leaves.py        whether what that is given are trees with the same leaves
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.training import curve, diverge
    from blurc.training.alone import check_in_time, doubts
    from blurc.training.baselines import baselines, baselines_in_time
    from blurc.training.checkpoint import Checkpoint, check_new, identity
    from blurc.training.columns import task_problems
    from blurc.training.divided import check_divisible, places
    from blurc.training.keeping import KeptLifetimes, KeptTraining
    from blurc.training.learner import Broken, Learner, Point, Run, Settings, Watch, finite
    from blurc.training.lifetime import SIGNALS, Alive, Fate, Living, step_keys
    from blurc.training.online import Answered, ask_then_learn, check_answers
    from blurc.training.probe import PROBES, Probe
    from blurc.training.readouts import Held, activity, answers, check_probe
    from blurc.training.recipes import LOSSES, OPTIMIZERS, SCHEDULES, Optimizer, Recipe, Trained, trained_by
    from blurc.training.recurrent import Cell, RecurrentNetwork, cells, recurrent_network
    from blurc.training.reliving import relived
    from blurc.training.relu_network import Inputs, LeftOut, Normalization, ReluNetwork, relu_network
    from blurc.training.replays import agreement, begun, check_recordings, replayed
    from blurc.training.room import check_baselines, check_training, of_optimizer
    from blurc.training.rules import asking_key, learner_of, noise_keys, train
    from blurc.training.scores import at_once, fitted, may_be_labels, never_seen, score
    from blurc.training.sequences import asked, check_signals, learn, predict, step_inputs
    from blurc.training.through_time import trained_through_time
    from blurc.training.transformation import optax_from

__all__ = [
    "LOSSES",
    "OPTIMIZERS",
    "PROBES",
    "SCHEDULES",
    "SIGNALS",
    "Alive",
    "Answered",
    "Broken",
    "Cell",
    "Checkpoint",
    "Fate",
    "Held",
    "Inputs",
    "KeptLifetimes",
    "KeptTraining",
    "Learner",
    "LeftOut",
    "Living",
    "Normalization",
    "Optimizer",
    "Point",
    "Probe",
    "Recipe",
    "RecurrentNetwork",
    "ReluNetwork",
    "Run",
    "Settings",
    "Trained",
    "Watch",
    "activity",
    "agreement",
    "answers",
    "ask_then_learn",
    "asked",
    "asking_key",
    "at_once",
    "baselines",
    "baselines_in_time",
    "begun",
    "cells",
    "check_answers",
    "check_baselines",
    "check_divisible",
    "check_in_time",
    "check_new",
    "check_probe",
    "check_recordings",
    "check_signals",
    "check_training",
    "curve",
    "diverge",
    "doubts",
    "finite",
    "fitted",
    "identity",
    "learn",
    "learner_of",
    "may_be_labels",
    "never_seen",
    "noise_keys",
    "of_optimizer",
    "optax_from",
    "places",
    "predict",
    "recurrent_network",
    "relived",
    "relu_network",
    "replayed",
    "score",
    "step_inputs",
    "step_keys",
    "task_problems",
    "train",
    "trained_by",
    "trained_through_time",
]

face(__name__)
