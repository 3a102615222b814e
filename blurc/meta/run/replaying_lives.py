"""Finds where a network in an environment diverged."""

from __future__ import annotations

from typing import Any

import jax

from blurc.diagnostics import Diagnostic
from blurc.meta.experiment.experiment import Pes
from blurc.meta.run.setup import Setup
from blurc.meta.search.lifetimes import LifetimeJudge
from blurc.tasks import Lifetime
from blurc.training import relived


def divergence(ready: Setup, genomes: list[Any], key: jax.Array, lifetime: Lifetime, help: str) -> Diagnostic | None:
    """genomes: one per piece of the lifetime with PES; otherwise a single one. help: for what the rule does."""
    judge, choice = ready.judge, ready.experiment.method
    assert isinstance(judge, LifetimeJudge)
    living = judge.living[int(lifetime.number)]
    steps_of_one = choice.truncation if isinstance(choice, Pes) else len(lifetime.keys)
    alive = living.born(genomes[0], jax.random.split(key)[0], lifetime)
    count = min(len(lifetime.keys), steps_of_one * len(genomes))
    lived = lifetime._replace(keys=lifetime.keys[:count])
    return relived(living, lambda i: genomes[i // steps_of_one], alive, lived, help)
