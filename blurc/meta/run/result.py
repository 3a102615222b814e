"""The outcome of a run, also as text for other processes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blurc import genome as genomes
from blurc.diagnostics import Source


@dataclass(frozen=True)
class Result:
    """The outcome of a run.

    Attributes:
        objective: the name of what was optimised.
        value: the objective of the genome on at least 16 episodes that the search never sees (`best.py`), the best of
            all judgements; NaN if no genome stayed finite.
        start: the same of what the search started from, with which it competed; NaN if that diverged.
        diverged: how many of all `candidates` so far.
    """

    folder: Path
    genome: genomes.GenomeFile
    objective: str
    value: float
    start: float
    steps: int
    diverged: int
    candidates: int


def to_text(result: Result) -> str:
    return json.dumps({**vars(result), "folder": str(result.folder), "genome": genomes.dump(result.genome)})


def of_text(text: str) -> Result:
    found: dict[str, Any] = json.loads(text)
    genome = genomes.parse(Source("genome.yaml", found.pop("genome")))
    return Result(Path(found.pop("folder")), genome, **found)
