"""What an experiment is: everything that a run of meta-learning depends on, as frozen values.

`schema.py` reads them from YAML; every field stands there under the same name. The types of `storage.limits` say which
values are possible. The defaults of the gradient method are those of Sandler et al. (arXiv:2104.04657), appendix B.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, TypeAlias

from blurc.model import ParamValue
from blurc.storage import limits, records
from blurc.tasks import TaskChoice

Objective: TypeAlias = Annotated[str, limits.Limit.one_of("cross_entropy", "accuracy")]


@dataclass(frozen=True)
class Network:
    """What learns: a network of a spec under a rule. `parameters` are those of the network and of the rule. hash: that
    of the spec (`genome.spec_hash`), which must not have changed where it is given."""

    spec: limits.Word
    network: str | None = None
    rule: str | None = None
    parameters: Mapping[str, ParamValue] = field(default_factory=dict[str, ParamValue])
    hash: str = ""


@dataclass(frozen=True)
class Inner:
    """One episode: `steps` batches of `batch` examples are learned, then `query` others are predicted.

    steps: of the whole episode, where no curriculum says otherwise. judge_every: also predict after every so many
    steps, and count all of these equally; 0: at the end alone.
    """

    steps: limits.Count = 10
    batch: limits.Count = 128
    query: limits.Count = 128
    judge_every: limits.Size = 0


@dataclass(frozen=True)
class Gradient:
    """Adam on the gradient through the unrolled steps. clip: the greatest global norm of a gradient."""

    steps: limits.Count = 10_000
    objective: Objective = "cross_entropy"
    rate: limits.Positive = 5e-4
    clip: limits.Positive = 10.0
    decay: bool = False  # whether the rate falls to 0 along a cosine


@dataclass(frozen=True)
class Cma:
    """CMA-ES (Hansen, arXiv:1604.00772) from values alone. sigma: the first standard deviation of all coordinates."""

    steps: limits.Count = 400  # generations
    objective: Objective = "accuracy"
    population: Annotated[int, limits.Limit.whole(4)] = 80
    sigma: limits.Positive = 0.1


@dataclass(frozen=True)
class Pes:
    """Persistent evolution strategies (Vicol, Metz, Sohl-Dickstein, ICML 2021, algorithm 1), with Adam.

    population: perturbed genomes at once, an even number, for they come in antithetic pairs. truncation: inner steps
    between two updates; the episode of `inner.steps` goes on over them, and the last piece of it takes what is left.
    """

    steps: limits.Count = 10_000
    objective: Objective = "cross_entropy"
    population: limits.Even = 32
    sigma: limits.Positive = 0.01
    truncation: limits.Count = 10
    rate: limits.Positive = 1e-3
    clip: limits.Positive = 10.0


MethodChoice: TypeAlias = Gradient | Cma | Pes


@dataclass(frozen=True)
class Curriculum:
    """Episodes get longer: `add` steps every `every` meta-steps, from `inner.steps` to `until`. At each lengthening the
    best replica is copied to all (section 4.2 of the paper)."""

    add: limits.Count = 5
    every: limits.Count = 1000
    until: limits.Count = 50


@dataclass(frozen=True)
class Evaluation:
    """What a finished run is judged by, on test examples: accuracy after each of `steps`, over `seeds` seeds. race:
    also of tuned optimizers."""

    steps: limits.Rising = (10, 20, 50, 100)
    seeds: limits.Count = 5
    batch: limits.Count = 128
    networks: tuple[Network, ...] = ()  # none: the one that was trained on
    tasks: tuple[TaskChoice, ...] = ()  # none: those that were trained on
    race: bool = False


@dataclass(frozen=True)
class Experiment:
    """replicas: genomes that the gradient method trains side by side; each starts from its own key. jitter: standard
    deviation of the normal noise that is added to the start of every replica but the first, and to copies of the best.
    tasks_per_step: episodes that a genome is judged by in one meta-step, drawn by the weights of the tasks. chunk:
    candidates that are judged side by side; 0: all; without, as suits the device (`many.automatic`).
    """

    name: limits.Label
    network: Network = field(metadata=records.INLINE)
    tasks: Annotated[tuple[TaskChoice, ...], limits.SOME]
    inner: Inner = Inner()
    method: MethodChoice = Gradient()
    curriculum: Curriculum | None = None
    start: str | None = None  # a genome file
    replicas: limits.Count = 1
    jitter: limits.Noise = 0.01
    tasks_per_step: limits.Count = 1
    chunk: limits.Size | None = None
    seed: limits.Seed = 0
    checkpoint_every: limits.Count = 100
    evaluation: Evaluation = Evaluation()
    write: str = ""  # the run folder; "": runs/NAME
