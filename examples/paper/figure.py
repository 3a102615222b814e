"""What a figure is: a question, how it is measured, and what is drawn of the results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

Settings: TypeAlias = Mapping[str, str]  # as `--set` has them: `{"method.steps": "100"}`
Results: TypeAlias = dict[str, Any]  # what a figure's JSON holds


@dataclass(frozen=True)
class Curves:
    """Accuracy after numbers of steps, a line for each variant."""

    task: str
    network: str
    title: str


@dataclass(frozen=True)
class Points:
    """Accuracy after `step` steps: along the networks that a genome is run in, or along the variants. Variants
    `NAME: GROUP` are a line for each group. networks: those whose name begins with this."""

    task: str
    step: int
    title: str
    along: str = "variants"
    networks: str = ""


@dataclass(frozen=True)
class Trajectory:
    """The search itself: accuracy over meta-steps, or, of a search on cross entropy, what that is the logarithm of."""

    title: str


@dataclass(frozen=True)
class Track:
    """What was recorded while networks learned: `quantity` over steps."""

    quantity: str
    title: str
    logarithmic: bool = False
    percent: bool = False


@dataclass(frozen=True)
class Eigenvalues:
    """Those of the Jacobian of a step, in the complex plane."""

    title: str


Panel: TypeAlias = Curves | Points | Trajectory | Track | Eigenvalues


@dataclass(frozen=True)
class Task:
    """How to measure: at full size or quickly, in how many runs, with which settings, in which folder."""

    quick: bool
    runs: int
    settings: Settings
    folder: Path


@dataclass(frozen=True)
class Figure:
    """A figure of the paper.

    Attributes:
        asked: the question.
        paper: what the paper's text says came out.
        panels: what is drawn.
        experiment: the file of its experiment, without `.yaml`.
        variants: other values for keys of the experiment; `experiment` is another file.
        runs: searches for each variant, at full size and with `--quick`.
        quick: settings with `--quick`, by experiment.
        quick_variants: the names of the variants that `--quick` measures; if empty, all.
        measure: instead of a search, what measures the results.
    """

    asked: str
    paper: str
    panels: tuple[Panel, ...] = ()
    experiment: str = ""
    variants: Mapping[str, Settings] = field(default_factory=dict[str, Settings])
    runs: tuple[int, int] = (2, 2)
    quick: Mapping[str, Settings] = field(default_factory=dict[str, Settings])
    quick_variants: tuple[str, ...] = ()
    measure: Callable[[Figure, Task], Results] | None = None
