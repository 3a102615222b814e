"""Meta-learning: genomes that are learned themselves, and what they are worth.

    from blurc import meta

    experiment = meta.read("experiment.yaml", {"method.steps": "100"})
    result = meta.run(experiment, "runs/mine")      # the same as `blurc meta experiment.yaml --set method.steps=100 ..`
    result.genome                                   # a `blurc.genome.GenomeFile`

One idea a file, imports run down this list:

    experiment.py   what an experiment is            schema.py, yaml_*.py        the same as YAML
    objective.py    what is judged, and which way    episode.py                  a fresh network learns, and is asked
    methods/        how genomes are searched         curriculum.py               how long episodes are, who goes on
    setup.py        from names to programs           persistent.py               episodes in pieces
    many.py         many candidates in one program   best.py                     the best so far, judged apart
    step.py         one meta-step                    checkpoint.py, folder.py    what a run leaves on the disk
    running.py      meta-steps, one after another    replaying.py                where a genome left the finite numbers
    stream.py       batches without end              course.py                   what learns, from seed to accuracies
    evaluate.py     accuracies on test examples      racing.py, analysis.py      against Adam; is a rule a gradient?
    finishing.py    what follows a run               heat.py, report/            pictures
"""

from __future__ import annotations

from blurc.meta.analysis import analyze
from blurc.meta.evaluate import accuracies
from blurc.meta.experiment import (
    Cma,
    Curriculum,
    Evaluation,
    Experiment,
    Gradient,
    Inner,
    Network,
    Pes,
)
from blurc.meta.finishing import finish
from blurc.meta.racing import race
from blurc.meta.replaying import replay
from blurc.meta.running import Result, run
from blurc.meta.schema import dump, read
from blurc.tasks.choice import Augment, TaskChoice

__all__ = [
    "Augment",
    "Cma",
    "Curriculum",
    "Evaluation",
    "Experiment",
    "Gradient",
    "Inner",
    "Network",
    "Pes",
    "Result",
    "TaskChoice",
    "accuracies",
    "analyze",
    "dump",
    "finish",
    "race",
    "read",
    "replay",
    "run",
]


def __dir__() -> list[str]:
    return __all__
