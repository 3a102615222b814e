"""The checker: syntax tree -> model. It collects every error; `compiler.py` raises.

genome.py       declarations, phases, readout
unused.py       what is never used
network.py      networks and blocks as a whole, the unit neuron
bodies.py       what the names of a network or a block in use mean
blocks.py       loops unrolled, blocks put where they are used
populations.py  populations and their options
projections.py  projections and their attributes
topologies.py   which neurons a projection joins
sizes.py        whether its populations have the sizes for that
parameters.py   compile-time parameters and their values
constants.py    compile-time numbers
starts.py       start values
scope.py        what an expression may see
mentions.py     what an expression mentions
expressions.py  names and locality of expressions
shapes.py       shapes of expressions
separable.py    sums that cannot be taken apart
running.py      running totals in projections that have no order
"""

from blurc.checker.blocks import used
from blurc.checker.bodies import Around
from blurc.checker.genome import check_genome
from blurc.checker.network import check_block, check_network, check_slots, unused_parameters
from blurc.checker.parameters import uses_arguments
from blurc.checker.running import check_running

__all__ = [
    "Around",
    "check_block",
    "check_genome",
    "check_network",
    "check_running",
    "check_slots",
    "unused_parameters",
    "used",
    "uses_arguments",
]
