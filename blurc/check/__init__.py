"""The checker: syntax tree -> model. It collects every error; `compiler.py` raises.

    scope.py         what an expression may see
    constants.py     compile-time numbers
    expressions.py   names, shapes and locality of expressions
    genome.py        declarations, phases, readout
    network.py       populations and projections
"""

from blurc.check.genome import check_genome
from blurc.check.network import check_network, check_slots, unknown_parameter, uses_arguments

__all__ = ["check_genome", "check_network", "check_slots", "unknown_parameter", "uses_arguments"]
