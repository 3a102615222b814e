"""How long episodes are, and which replicas survive: section 4.2 of Sandler et al. (arXiv:2104.04657)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from blurc.meta.experiment.experiment import Experiment

WINDOW = 50  # recent meta-steps that a replica is judged on
PATIENCE = 10  # consecutive divergences before a replica restarts


def unroll(experiment: Experiment, step: int) -> int:
    """Inner steps per episode at a meta-step (from 0)."""
    longer = experiment.curriculum
    if longer is None:
        return experiment.inner.steps
    return min(longer.until, experiment.inner.steps + step // longer.every * longer.add)


def lengthened(experiment: Experiment, step: int) -> bool:
    return step > 0 and unroll(experiment, step) != unroll(experiment, step - 1)


class Record(NamedTuple):
    """Recent costs, [at most WINDOW, replicas]; infinite where a replica diverged."""

    costs: NDArray[np.float64]

    @classmethod
    def empty(cls, replicas: int) -> Record:
        return cls(np.empty((0, replicas)))

    def with_(self, costs: NDArray[np.float64]) -> Record:
        return Record(np.concatenate([self.costs, costs[None]])[-WINDOW:])

    def best(self) -> int:
        """The replica that diverged least often; ties go to the smallest mean."""
        return min(range(self.costs.shape[1]), key=lambda i: (np.isinf(self.costs[:, i]).sum(), self.mean(i)))

    def mean(self, replica: int) -> float:
        """Mean of the finite costs; infinite if there are none."""
        costs = self.costs[:, replica]
        finite = costs[np.isfinite(costs)]
        return float(finite.mean()) if len(finite) else math.inf

    def lost(self) -> NDArray[np.bool_]:
        """Replicas that diverged in each of the last PATIENCE steps."""
        recent = np.isinf(self.costs[-PATIENCE:])
        return np.asarray(recent.all(axis=0) & (len(recent) == PATIENCE))

    def forgotten(self, anew: NDArray[np.bool_]) -> Record:
        """Replicas that restarted inherit the record of the best one."""
        return Record(np.where(anew, self.costs[:, [self.best()]], self.costs))
