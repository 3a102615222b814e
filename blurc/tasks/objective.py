"""What is measured of a network's outputs, and in which direction.

One type serves everything that judges outputs: what meta-learning optimises, what tables and curves show, and what the
optimizers of a comparison descend. Nothing else in blurc knows whether more or less is better.

Targets are of five kinds, and each kind has a loss and a score of its own (`LOSS`, `SCORE`):

classes  one-hot rows; the greatest output is the answer
binary   zeros and ones, several labels at once or a single yes or no; outputs above 1/2 say yes
values   any numbers: regression, reconstruction, the next step of a sequence
component  numbers that nobody can know the sign of: coordinates along an axis that was found without a teacher
rewards  none: what an environment pays for the outputs, which are actions
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NewType, TypeAlias, TypeVar, cast

from blurc.tasks import formulas

if TYPE_CHECKING:
    from jax import Array
    from numpy.typing import NDArray

TargetKind: TypeAlias = Literal["classes", "binary", "values", "component", "rewards"]
WITH_TARGETS: tuple[TargetKind, ...] = ("classes", "binary", "values", "component")
PLURALS: Mapping[TargetKind, str] = {
    "classes": "classes",
    "binary": "zeros and ones",
    "values": "numbers",
    "component": "components",
    "rewards": "rewards",
}
RETURN = "return"
Costs = NewType("Costs", "Array")  # an array [candidates], where lower is better
Values: TypeAlias = "Array | NDArray[Any]"
Number = TypeVar("Number", bound="float | Array | NDArray[Any]")
# (outputs [.., n], targets [.., n], mask [..] or [.., n] or None) -> a scalar. A text, as the types in it are.
Formula: TypeAlias = "Callable[[Values, Values, Values | None], Values]"


@dataclass(frozen=True)
class Objective:
    """A number that says how good outputs are, with its direction.

    Methods of meta-learning only see `Costs`, where lower is better, and only an objective can make them, so none can
    minimise an accuracy by mistake.

    Attributes:
        name: in experiment files, and for `--metric`.
        title: in tables and figures.
        formula: maps outputs and targets, both [.., n], and a mask [..] of ones and zeros that says which of them count
            (None: all) to a scalar, which is not finite if an output is not. What does not count is 0. Of recorded
            activity the mask is [.., n].
        greater_is_better: its direction. If so, it is at most 1, except for a return; if not, at least 0.
        differentiable: whether gradients with respect to the outputs are of use.
        kinds: of targets that it is for.
        unit: "%" if it is shown times 100, "nats", or "".
    """

    name: str
    title: str
    formula: Formula
    greater_is_better: bool = False
    differentiable: bool = True
    kinds: tuple[TargetKind, ...] = WITH_TARGETS
    unit: str = ""

    def score(self, outputs: Values, targets: Values, mask: Values | None = None) -> Values:
        """How good `outputs` [.., n] are for `targets` [.., n], where a `mask` [..] says which count, or [.., n] which
        numbers do; a scalar. What does not count may be anything, NaN included, and has no gradient."""
        if mask is not None:
            xp: Any = outputs.__array_namespace__()
            counts = (mask if mask.ndim == targets.ndim else mask[..., None]) > 0
            outputs, targets = xp.where(counts, outputs, 0), xp.where(counts, targets, 0)
        return self.formula(outputs, targets, mask)

    # -------------------------------------------------------------- direction

    @property
    def sign(self) -> int:
        """1 if less is better, -1 if more is."""
        return -1 if self.greater_is_better else 1

    def better(self, a: float, b: float) -> bool:
        """Whether `a` is better than `b`. NaN is worse than any number."""
        if math.isnan(a) or math.isnan(b):
            return math.isnan(b) and not math.isnan(a)
        return a > b if self.greater_is_better else a < b

    def costs(self, values: Values) -> Costs:
        """Lower is better; infinite where a value is not finite."""
        xp: Any = values.__array_namespace__()
        costs = self.sign * values
        return Costs(xp.where(xp.isfinite(costs), costs, xp.inf))

    def natural(self, costs: Number) -> Number:
        return cast("Number", 0.0 + self.sign * costs)  # no -0.0

    def lead(self, values: Number, others: Number) -> Number:
        """By how much `values` are better than `others`."""
        return cast("Number", self.sign * (others - values))

    def merit(self, value: float) -> float:
        """The value on a scale where 1 is perfect and less is worse: an accuracy is its own merit."""
        return value if self.greater_is_better else 1 - value

    def from_merit(self, merit: float) -> float:
        return merit if self.greater_is_better else 1 - merit

    # ----------------------------------------------------------------- showing

    @property
    def shown_as(self) -> str:
        """`accuracy on test examples`; of an objective of a user's own also which direction is better."""
        told = "" if OBJECTIVES.get(self.name) == self else f" ({self.direction})"
        return f"{self.title} {measured_on(self.title)}{told}"

    @property
    def direction(self) -> str:
        return "more is better" if self.greater_is_better else "less is better"

    @property
    def percent(self) -> bool:
        return self.unit == "%"

    def show(self, value: float) -> str:
        if math.isnan(value):
            return "diverged"
        return f"{number(value, self.unit)} %" if self.percent else number(value, self.unit)


def measured_on(title: str) -> str:
    """On what an objective of this title is measured when a genome is evaluated."""
    return "in new lifetimes" if title == RETURN else "on test examples"


def number(value: float, unit: str) -> str:
    """As tables show it, without its unit: `88.1` for 0.881 in "%"."""
    return f"{100 * value:.1f}" if unit == "%" else f"{value:.4g}"


def mean_and_spread(mean: float, spread: float, unit: str) -> str:
    """`88.1 ± 0.4`; of numbers without "%", two digits of the spread, and as many decimals of the mean, but not more
    than its four digits have: `0.11 ± 0.19`."""
    if unit == "%" or not (spread > 0 and math.isfinite(spread)):
        return f"{number(mean, unit)} ± {number(spread, unit)}"
    decimals = 1 - math.floor(math.log10(spread))
    if mean:
        decimals = min(decimals, max(3 - math.floor(math.log10(abs(mean))), 0))
    if decimals > 6 or max(abs(mean), spread) >= 1e6:
        return f"{mean:.4g} ± {spread:.2g}"
    return f"{mean:.{max(decimals, 0)}f} ± {spread:.{max(decimals, 0)}f}"


_CLASSES: tuple[TargetKind, ...] = ("classes",)
_BINARY: tuple[TargetKind, ...] = ("binary",)
_COMPONENT: tuple[TargetKind, ...] = ("component",)
_REWARDS: tuple[TargetKind, ...] = ("rewards",)
_ALL = (
    Objective("cross_entropy", "softmax cross entropy", formulas.cross_entropy, kinds=_CLASSES, unit="nats"),
    Objective("accuracy", "accuracy", formulas.accuracy, True, False, _CLASSES, "%"),
    Objective("mse", "mean squared error", formulas.mse),
    Objective("mae", "mean absolute error", formulas.mae),
    Objective("r2", "R²", formulas.r2, True),
    Objective(
        "binary_cross_entropy", "binary cross entropy", formulas.binary_cross_entropy, kinds=_BINARY, unit="nats"
    ),
    Objective("binary_accuracy", "binary accuracy", formulas.binary_accuracy, True, False, _BINARY, "%"),
    Objective("signless_mse", "mean squared error up to sign", formulas.signless, kinds=_COMPONENT),
    Objective("return", RETURN, formulas.mean_return, True, False, _REWARDS),
)
OBJECTIVES: Mapping[str, Objective] = {objective.name: objective for objective in _ALL}
ACCURACY = OBJECTIVES["accuracy"]

# What is descended, and what is shown, unless somebody chooses otherwise.
LOSS: Mapping[TargetKind, Objective] = {
    "classes": OBJECTIVES["cross_entropy"],
    "binary": OBJECTIVES["binary_cross_entropy"],
    "values": OBJECTIVES["mse"],
    "component": OBJECTIVES["signless_mse"],
    "rewards": OBJECTIVES["return"],
}
# The loss of zeros and ones for what gives logits instead of probabilities.
LOGITS = Objective(
    "binary_cross_entropy", "binary cross entropy", formulas.binary_cross_entropy_of_logits, kinds=_BINARY, unit="nats"
)
SCORE: Mapping[TargetKind, Objective] = {
    "classes": ACCURACY,
    "binary": OBJECTIVES["binary_accuracy"],
    "values": OBJECTIVES["mse"],
    "component": OBJECTIVES["signless_mse"],
    "rewards": OBJECTIVES["return"],
}
