"""Which problem to learn: the data, its preprocessing, and how it varies between episodes."""

from __future__ import annotations

from dataclasses import dataclass, field

from blurc.diagnostics import Span


@dataclass(frozen=True)
class Augment:
    """Makes each episode a variation of the problem, so that a rule is learned rather than the problem.

    permute_inputs, permute_labels: reorders pixels or classes. project: multiplies the inputs by a random matrix of
    independent normals, scaled to keep their expected length, giving this many values; 0: off. brightness: multiplies
    all inputs by a factor log-uniform between 1 / (1 + brightness) and 1 + brightness, and adds uniform(-brightness,
    brightness).
    """

    permute_inputs: bool = False
    permute_labels: bool = False
    project: int = 0
    brightness: float = 0.0


@dataclass(frozen=True)
class TaskChoice:
    """data: a data set (`mnist`, `digits`, FILE.npz), `omniglot`, or a 2-D function (`xor`, `moons`, ..).

    crop: keeps this many pixels of each side, in the middle. resize: area-averages to this many per side, after crop;
    0: off. classes: the labels to keep, renumbered from 0; empty: all. ways (omniglot): characters per episode.
    alphabet (omniglot): the alphabet whose characters are the classes, in every episode; "": episodes from all
    alphabets. outputs: neurons to assign the classes to, if more than classes; 0: as many as classes. weight: how often
    it is drawn relative to other tasks. center: subtracts the mean of the training inputs and divides by their standard
    deviation (one each for all inputs). where: the file it came from, for errors; not a key of that file.
    """

    data: str
    name: str = ""  # "": the name of the data
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
