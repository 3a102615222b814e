"""The checker: syntax tree -> model. It collects every error; `compiler.py` raises.

genome.py       declarations, phases, readout, what is never used
network.py      populations and projections
parameters.py   compile-time parameters and their values
constants.py    compile-time numbers
starts.py       start values
scope.py        what an expression may see
mentions.py     what an expression mentions
expressions.py  names and locality of expressions
shapes.py       shapes of expressions
separable.py    sums that cannot be taken apart
"""

from blurc.checker.genome import check_genome
from blurc.checker.network import check_network, check_slots, unused_parameters
from blurc.checker.parameters import uses_arguments

__all__ = ["check_genome", "check_network", "check_slots", "unused_parameters", "uses_arguments"]
