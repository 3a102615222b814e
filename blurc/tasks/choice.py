"""Which problem is to be learned: data, what is done to it beforehand, and how it varies from episode to episode."""

from __future__ import annotations

from dataclasses import dataclass, field

from blurc.diagnostics import Span


@dataclass(frozen=True)
class Augment:
    """Each episode is another problem of the same kind, so that the rule is learned and not the problem.

    permute_inputs, permute_labels: another order of pixels, of classes. project: the inputs by a random matrix of
    independent normals, scaled to keep their length in the mean, to so many values; 0: not. brightness: all inputs
    times a factor, log-uniform between 1 / (1 + brightness) and 1 + brightness, and plus as much as
    uniform(-brightness, brightness).
    """

    permute_inputs: bool = False
    permute_labels: bool = False
    project: int = 0
    brightness: float = 0.0


@dataclass(frozen=True)
class TaskChoice:
    """data: a data set (`mnist`, `digits`, FILE.npz), `omniglot`, or a 2-D function (`xor`, `moons`, ..).

    crop: the middle so many pixels of each side, then resize: to so many by area averaging; 0: not. classes: those of
    the labels that are kept, renumbered from 0; empty: all. ways: of omniglot, characters in an episode. alphabet: of
    omniglot, whose characters are the classes, all of them and always the same; "": episodes of any. outputs:
    neurons to give the classes to, when there are more of them than classes; 0: as many as classes. weight: how often
    it is drawn, beside others. center: whether inputs are shifted by the mean and divided by the standard deviation of
    the training examples (one of each for all inputs). where: in which file it stands, for errors; no key of it.
    """

    data: str
    name: str = ""  # "": that of the data
    weight: float = 1.0
    crop: int = 0
    resize: int = 0
    classes: tuple[int, ...] = ()
    ways: int = 10
    alphabet: str = ""
    outputs: int = 0
    center: bool = False
    augment: Augment = Augment()
    where: Span | None = field(default=None, compare=False, repr=False, metadata={"key": False})
