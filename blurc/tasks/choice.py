"""Which problem to learn: the data, its preprocessing, and how it varies between episodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, TypeAlias

from blurc.diagnostics import Span
from blurc.storage import limits, records

TARGETS = ("data", "inputs", "next")
OBSERVED = ("action", "reward", "done")
ACTS = ("sample", "greedy")
Parameter: TypeAlias = bool | int | float | str


@dataclass(frozen=True)
class Augment:
    """Makes each episode a variation of the problem, so that a rule is learned rather than the problem.

    Attributes:
        permute_inputs: reorder the pixels.
        permute_labels: reorder the classes.
        project: multiply the inputs by a random matrix of independent normals, scaled to keep their expected length,
            giving this many values; 0: off.
        brightness: multiply all inputs by a factor log-uniform between 1 / (1 + brightness) and 1 + brightness, and add
            uniform(-brightness, brightness).
        relabel_at: reorder the classes anew before this step, counted from 0; 0: never. What is asked after it is asked
            by the new order (Sandler et al., arXiv:2104.04657, appendix C.5).
        drift: turn random pairs of inputs a little more in every step, by this angle in radians. After t steps, inputs
            a and b have become a cos(t drift) - b sin(t drift) and a sin(t drift) + b cos(t drift); of an odd number of
            inputs, one stays. This comes after the other changes of inputs. What is asked after t steps is turned as
            far.
    """

    permute_inputs: bool = False
    permute_labels: bool = False
    project: limits.Size = 0
    brightness: limits.Noise = 0.0
    relabel_at: limits.Size = 0
    drift: limits.Noise = 0.0

    @property
    def changes(self) -> bool:
        """Whether the right answers change in the middle of an episode."""
        return self.relabel_at > 0 or self.drift > 0


@dataclass(frozen=True)
class TaskChoice:
    """A task to make: its data, their preprocessing, and how episodes vary.

    Attributes:
        data: a data set (`mnist`, `digits`, FILE.npz), `omniglot`, a 2-D function (`xor`, `moons`, ..), `sinusoid`,
            `linear_teacher`, `layered_teacher`, `principal_component`, an environment (`bandit`, `maze`,
            `gymnax:CartPole-v1`), one of the families with `parameters` (`families/`), or a task of your own,
            `FILE.py:NAME`.
        name: what to call the task; "": the name of the data.
        weight: how often it is drawn, relative to other tasks.
        crop: keep this many pixels of each side, in the middle; 0: all.
        resize: area-average to this many pixels per side, after `crop`; 0: off.
        classes: the labels to keep, renumbered from 0; empty: all.
        ways: classes per episode, of omniglot or with `shots`; of a bandit, its arms.
        shots: examples of each class that an episode learns, with other classes in each (`few_shot.py`); 0: all.
        alphabet: of omniglot, whose characters are the classes in every episode; "": episodes from all alphabets.
        outputs: neurons to assign the classes to, if more than classes; 0: as many as classes.
        scale, shift: inputs become `scale` times what they are, then `shift` more, in every episode alike: -1 and 1
            invert pixels, 0.2 and 0 make them a fifth as bright.
        center: subtract the mean of the training inputs and divide by their standard deviation, both over all inputs,
            after `scale` and `shift`.
        time: examples are sequences along their first axis, as a `mask` in a file says, too.
        target: what is learned: the labels or targets of the data, or the `inputs` themselves, or of sequences the
            `next` input.
        observe: of environments, what the network sees besides the observation: some of the `action`, the `reward` and
            the `done` (1 if the episode ended) of the step before.
        act: of environments whose actions are chosen: `sample` them from the softmax of the outputs, or be `greedy`.
        parameters: of a family of tasks, such as `{length: 5}` of `copying`.
        augment: how episodes vary.
        hash: of what the file of a task of your own means; if given, another one is refused.
        record: of recorded activity, the populations that are compared, `POPULATION` or `POPULATION.STATE`
            (`recorded/`).
        where: where the choice was read, for errors; not a key of a file.
    """

    data: limits.Word = field(metadata=records.SHORT)
    name: str = ""
    weight: limits.Positive = 1.0
    crop: limits.Size = 0
    resize: limits.Size = 0
    classes: limits.Sizes = ()
    ways: Annotated[int, limits.Limit.whole(2)] = 10
    shots: limits.Size = 0
    alphabet: str = ""
    outputs: limits.Size = 0
    scale: limits.NotZero = 1.0
    shift: float = 0.0
    center: bool = False
    time: bool = False
    target: Annotated[str, limits.Limit.one_of(*TARGETS)] = "data"
    observe: tuple[Annotated[str, limits.Limit.one_of(*OBSERVED)], ...] = ()
    act: Annotated[str, limits.Limit.one_of(*ACTS)] = "sample"
    parameters: Mapping[str, Parameter] = field(default_factory=dict[str, Parameter])
    augment: Augment = Augment()
    hash: str = ""
    record: tuple[limits.Word, ...] = ()
    where: Span | None = field(default=None, compare=False, repr=False, metadata=records.NO_KEY)

    @property
    def given(self) -> list[str]:
        """The fields that say something else than if they were left out."""
        plain = TaskChoice(self.data)
        return [f.name for f in fields(self) if getattr(self, f.name) != getattr(plain, f.name)]
