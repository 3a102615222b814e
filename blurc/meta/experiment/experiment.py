"""What an experiment is: everything that a run of meta-learning depends on, as frozen values.

`schema.py` reads them from YAML, where every field has the same name. The types of `storage.limits` say which values
are possible. The defaults of the gradient method are those of Sandler et al. (arXiv:2104.04657), appendix B.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, TypeAlias

from blurc.diagnostics import Span
from blurc.language import functions
from blurc.model import ParamValue
from blurc.storage import limits, records
from blurc.tasks import OBJECTIVES, TaskChoice, named
from blurc.training import Probe

OverTasks: TypeAlias = Annotated[str, limits.Limit.one_of("mean", "worst")]
NAMED_OBJECTIVE = limits.Limit(
    f"{', '.join(OBJECTIVES)}, or FILE.py:NAME", lambda o: o in OBJECTIVES or named(o) is not None, (*OBJECTIVES,)
)
# Empty: what the tasks suggest, their loss, or for cma and symbolic what they are scored by.
Objective: TypeAlias = Annotated[str, NAMED_OBJECTIVE]
Option: TypeAlias = bool | float | int | str
GradientMode: TypeAlias = Annotated[str, limits.Limit.one_of("forward", "reverse")]
NO_VALUE_AT_0 = ("log",)
FUNCTIONS = tuple(f for f in functions.UNARY if f not in NO_VALUE_AT_0)
FUNCTION = limits.Limit.one_of(*FUNCTIONS)
OPERATORS = limits.Limit("a list of some of + - * /, with one at least", lambda o: bool(o) and {*o} <= {*"+-*/"})


@dataclass(frozen=True)
class Network:
    """What learns: a network of a spec under a rule.

    Attributes:
        parameters: of the network and of the rule.
        hash: of what the spec means (`model.model_hash`); if given, another one is refused.
    """

    spec: limits.Word
    network: str | None = None
    rule: str | None = None
    parameters: Mapping[str, ParamValue] = field(default_factory=dict[str, ParamValue])
    hash: str = ""


@dataclass(frozen=True)
class Setting:
    """How one task is learned, where that differs from the others.

    Attributes:
        network: that learns it, under the rule of the experiment unless it names one; None: that of the experiment.
        batch: examples per batch; 0: `inner.batch`.
        steps: of an episode; 0: `inner.steps`, or what the curriculum says.
    """

    network: Network | None = None
    batch: limits.Size = 0
    steps: limits.Size = 0


@dataclass(frozen=True)
class Inner:
    """One episode: `steps` batches of `batch` examples are learned, then `query` others are predicted.

    Attributes:
        steps: in a whole episode, unless a curriculum lengthens it.
        judge_every: predict after every so many steps, and weigh all predictions equally; 0: only at the end.
        online: judge each batch just before it is learned, and take the mean over all; nothing else is asked then.
        probe: a readout of a population that predicts in the place of the outputs, fitted to what the population does
            for the episode's batches; None: the outputs predict.
    """

    steps: limits.Count = 10
    batch: limits.Count = 128
    query: limits.Count = 128
    judge_every: limits.Size = 0
    online: bool = False
    probe: Probe | None = None


@dataclass(frozen=True)
class L1:
    """A pull of chosen meta-parameters to 0, so that a rule becomes a sum of few terms (Shervani-Tabar and Rosenbaum,
    2023).

    Attributes:
        names: of the meta-parameters.
        strength: how far they are pulled in every meta-step, in units of the method's rate. Adam's own step is at most
            about 1 of these: what a gradient holds less firmly becomes exactly 0.
        where: where it was read, for errors; not a key of a file.
    """

    names: Annotated[tuple[limits.Word, ...], limits.SOME]
    strength: limits.Positive = 0.1
    where: Span | None = field(default=None, compare=False, repr=False, metadata=records.NO_KEY)


@dataclass(frozen=True)
class Optimizer:
    """An optimizer of optax, as optax calls it (`optimizers.py` says which).

    Attributes:
        options: its other arguments by name, such as `weight_decay`. In a file they stand beside `name`.
    """

    name: limits.Word = field(default="adam", metadata=records.SHORT)
    options: Mapping[str, Option] = field(default_factory=dict[str, Option], metadata=records.REST)


@dataclass(frozen=True)
class Gradient:
    """An optimizer on the gradient through the unrolled steps.

    Attributes:
        clip: the greatest global norm of a gradient.
        decay: whether the rate falls to 0 along a cosine.
        mode: `forward` or `reverse` differentiation through the steps; "": what costs less.
        l1: which meta-parameters are pulled to 0; None: none is.
    """

    steps: limits.Count = 10_000
    objective: Objective = ""
    rate: limits.Positive = 5e-4
    clip: limits.Positive = 10.0
    decay: bool = False
    l1: L1 | None = None
    optimizer: Optimizer = Optimizer()
    mode: GradientMode = ""


@dataclass(frozen=True)
class Cma:
    """CMA-ES (Hansen, arXiv:1604.00772), which needs no gradients.

    Attributes:
        steps: generations.
        sigma: the first standard deviation of all coordinates.
    """

    steps: limits.Count = 400
    objective: Objective = ""
    population: Annotated[int, limits.Limit.whole(4)] = 80
    sigma: limits.Positive = 0.1


@dataclass(frozen=True)
class Pes:
    """Persistent evolution strategies (Vicol, Metz, Sohl-Dickstein, ICML 2021, algorithm 1), with an optimizer.

    Attributes:
        population: perturbed genomes at once, in antithetic pairs.
        truncation: inner steps between two updates. An episode of `inner.steps` continues across updates; its last
            piece takes the remainder.
    """

    steps: limits.Count = 10_000
    objective: Objective = ""
    population: limits.Even = 32
    sigma: limits.Positive = 0.01
    truncation: limits.Count = 10
    rate: limits.Positive = 1e-3
    clip: limits.Positive = 10.0
    optimizer: Optimizer = Optimizer()


@dataclass(frozen=True)
class Symbolic:
    """A search for the equations of some phases, by genetic programming (`blurc.symbolic`).

    Attributes:
        search: the phases whose right-hand sides are looked for, by kind or by name.
        steps: generations.
        population: candidates of a generation, most of which are only screened.
        length: the most symbols of a candidate: leaves, constants, functions and operators of all its expressions.
        operators: some of + - * /.
        functions: of one number, that expressions may apply.
        leaves: for some of the phases, the terms that expressions may read; else all that there are.
        tune: rounds in which the constants of every candidate are tuned, in each generation.
    """

    search: Annotated[tuple[limits.Word, ...], limits.SOME] = field(metadata=records.write("`search: [update]`"))
    steps: limits.Count = 50
    objective: Objective = ""
    population: Annotated[int, limits.Limit.whole(4)] = 200
    length: limits.Count = 20
    operators: Annotated[tuple[str, ...], OPERATORS] = ("+", "-", "*")
    functions: tuple[Annotated[str, FUNCTION], ...] = ()
    leaves: Mapping[str, tuple[limits.Word, ...]] = field(default_factory=dict[str, tuple[limits.Word, ...]])
    tune: limits.Size = 4

    @property
    def elite(self) -> int:
        """Candidates that stay."""
        return max(1, self.population // 8)

    @property
    def judged(self) -> int:
        """Candidates that are judged on all episodes: the elite, and the best of its children."""
        return max(2, self.population // 3)


MethodChoice: TypeAlias = Gradient | Cma | Pes | Symbolic


@dataclass(frozen=True)
class Curriculum:
    """Episodes get longer: `add` steps every `every` meta-steps, from `inner.steps` to `until`. Each time, the best
    replica is copied to all (section 4.2 of the paper)."""

    add: limits.Count = 5
    every: limits.Count = 1000
    until: limits.Count = 50


@dataclass(frozen=True)
class Evaluation:
    """What a finished run is judged by: the scores of its tasks on test examples after each of `steps`, over `seeds`
    seeds.

    Attributes:
        networks: none: the one that was trained on.
        tasks: none: those that were trained on.
        race: also measure tuned optimizers.
    """

    steps: limits.Rising = (10, 20, 50, 100)
    seeds: limits.Count = 5
    batch: limits.Count = 128
    networks: tuple[Network, ...] = ()
    tasks: tuple[TaskChoice, ...] = ()
    race: bool = False


@dataclass(frozen=True)
class Experiment:
    """Everything that a run depends on.

    Attributes:
        start: a genome file to start from; None: fresh random genomes.
        replicas: genomes that the gradient method trains in parallel, each from its own key.
        jitter: standard deviation of the noise added to the start of every replica but the first, and to copies of the
            best.
        tasks_per_step: episodes per genome and meta-step, drawn by the weights of the tasks.
        over_tasks: whether the value of a genome is the mean over its episodes, or its value on its worst task.
        by_task: what is different for a task, by its name.
        validation: tasks that decide which genome is best; none: those of the search.
        chunk: candidates evaluated in parallel; 0: all; None: as suits the device (`Setup.width`).
        write: the run folder; empty: runs/NAME.
        objective_at: where `method.objective` was read, for errors; not a key of a file.
    """

    name: limits.Label
    network: Network = field(metadata=records.INLINE)
    tasks: Annotated[tuple[TaskChoice, ...], limits.SOME]
    inner: Inner = Inner()
    method: MethodChoice = Gradient()
    curriculum: Curriculum | None = None
    start: str | None = None
    replicas: limits.Count = 1
    jitter: limits.Noise = 0.01
    tasks_per_step: limits.Count = 1
    over_tasks: OverTasks = "mean"
    by_task: Mapping[str, Setting] = field(default_factory=dict[str, Setting])
    validation: tuple[TaskChoice, ...] = ()
    chunk: limits.Size | None = None
    seed: limits.Seed = 0
    checkpoint_every: limits.Count = 100
    evaluation: Evaluation = Evaluation()
    write: str = ""
    objective_at: Span | None = field(default=None, compare=False, repr=False, metadata=records.NO_KEY)

    @property
    def candidates(self) -> int:
        """Genomes that a meta-step tries."""
        return self.replicas if isinstance(self.method, Gradient) else self.method.population
