"""How far a rule sees, by the most far-reaching function in it.

local        a neuron sees itself and its synapses, a synapse itself and its two neurons
population   a neuron sees others of its population: softmax, population_mean, place_mean ..
projection   a synapse sees the others of its projection: projection_mean ..

Sums over synapses are local: each synapse hands its neuron one number. So is what a neuron or a synapse brings together
over the batch (`batch_mean`, `standardize`): over its own values, for different examples.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal as Lit

from blurc.language import functions
from blurc.model.model import Across, Apply, Expr, Genome, walk

Grade = Lit["local", "population", "projection"]
FARTHEST_FIRST: tuple[Grade, ...] = ("projection", "population")


@dataclass(frozen=True)
class Locality:
    grade: Grade
    functions: tuple[str, ...] = ()  # those that reach so far

    def __str__(self) -> str:
        return f"{self.grade} ({', '.join(self.functions)})" if self.functions else self.grade


def locality(genome: Genome) -> Locality:
    """The grade of a rule, with its readout."""
    found = dict(_reaching(genome))
    for grade in FARTHEST_FIRST:
        if reaching := tuple(function for function, reach in found.items() if reach == grade):
            return Locality(grade, reaching)
    return Locality("local")


def _reaching(genome: Genome) -> Iterator[tuple[str, Grade]]:
    for whole in _expressions(genome):
        for e in walk(whole):
            if isinstance(e, Across):
                yield e.function, "projection"
            elif isinstance(e, Apply) and e.function in functions.POPULATION and e.function != "standardize":
                yield e.function, "population"


def _expressions(genome: Genome) -> Iterator[Expr]:
    for phase in genome.phases:
        yield from (s.value for s in phase.statements)
    yield genome.readout
