"""A tiny experiment: a network that learns the plane by the delta rule, and what tests ask of its runs.

What genomes are worth is measured elsewhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from blurc.diagnostics import BlurError, Diagnostic, Source
from blurc.meta.experiment import schema
from blurc.meta.experiment.experiment import Experiment
from blurc.meta.run import setup as setups
from blurc.meta.run import step as steps
from blurc.meta.run.setup import Setup

# A layer that learns by the delta rule. Where `blast` is positive, w leaves the finite numbers at the first step.
SPEC = """
genome delta {
  state act, err
  synapse w ~ normal(spread)
  learn rate ~ uniform(0.05, 0.4), spread = 0.5, blast = -1

  sense    { act <- input }
  forward  { act <- incoming(w * pre.act) }
  feedback { err <- softmax(act) - target }
  update   { w <- w - rate * batch_mean(pre.act * post.err) + exp(1000 * blast) }
  readout act
}

network tiny uses delta {
  input  x[2]
  output class[2]
  x -> class
}
"""
RANDOM_BLAST = SPEC.replace("blast = -1", "blast ~ normal(1)")
EXPERIMENT = """
name: tiny
spec: tiny.blur
tasks: [center_circle, moons]
inner: {steps: 5, batch: 4, query: 8, judge_every: 2}
checkpoint_every: 3
evaluation: {steps: [2], seeds: 1, batch: 4}
"""
METHODS = {
    "gradient": "{name: gradient, steps: 11, rate: 0.01}\nreplicas: 2\njitter: 0.01",
    "cma": "{name: cma, steps: 11, population: 4}",
    "pes": "{name: pes, steps: 11, population: 4, truncation: 2}",
}


class Killed(Exception):
    """In the place of SIGKILL."""


def experiment(method: str = METHODS["gradient"], more: str = "", **overrides: str) -> Experiment:
    text = re.sub("inner:.*judge_every: 2", lambda m: m[0].replace(", judge_every: 2", ""), EXPERIMENT)
    text = text if "pes" in method else EXPERIMENT
    given = {key.replace("__", "."): value for key, value in overrides.items()}
    return schema.parse(Source("e.yaml", f"{text}method: {method}\n{more}"), given)


def refused(call: Callable[[], object]) -> list[Diagnostic]:
    with pytest.raises(BlurError) as caught:
        call()
    return list(caught.value.diagnostics)


def codes(call: Callable[[], object]) -> list[str]:
    return [d.code for d in refused(call)]


def equal(one: Any, other: Any) -> bool:
    return bool(jax.tree.all(jax.tree.map(lambda a, b: np.array_equal(np.asarray(a), np.asarray(b)), one, other)))


MADE = ("metrics.jsonl", "genome.yaml", "result.json")
every_search = pytest.mark.parametrize("method", METHODS.values(), ids=list(METHODS))


def made(folder: str | Path) -> list[bytes]:
    return [(Path(folder) / name).read_bytes() for name in MADE]


def lines(folder: str | Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (Path(folder) / "metrics.jsonl").read_text().splitlines()]


class Stopping:
    """Watches, and stops a run after a meta-step."""

    def __init__(self, after: int, by: type[BaseException] = Killed):
        self.after, self.by = after, by

    def begin(self, done: int, steps: int, objective: Any) -> None:
        pass

    def line(self, line: dict[str, Any]) -> None:
        if line["step"] == self.after:
            raise self.by


def lost_replicas(e: Experiment) -> list[int]:
    start = setups.setup(e).start()
    return [i for i, blast in enumerate(start["blast"].tolist()) if blast > 0]


def believing(ready: Setup, rates: list[float]) -> Any:
    """The state of a search that believes in genomes with these rates."""
    state = steps.start(ready).method
    return state._replace(genomes={**state.genomes, "rate": jnp.asarray(rates, jnp.float32)})
