"""The checker: syntax tree -> model. It collects every error, and its caller raises once.

rules/         genomes: names, locality, shapes, separability of sums
wiring/        networks: unrolls loops, expands blocks, resolves ends and attributes
constants.py   compile-time numbers
parameters.py  compile-time parameters and their values
scope.py       the functions of one's own that compile-time numbers may call
mentions.py    the names that a piece of the tree mentions
wording.py     how messages show pieces of a spec
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.checker import mentions
    from blurc.checker.parameters import RESERVED, parameters, reserved, uses_arguments
    from blurc.checker.rules.expressions import check_functions
    from blurc.checker.rules.genome import check_genome
    from blurc.checker.rules.variants import together
    from blurc.checker.scope import FunctionScope
    from blurc.checker.wiring.blocks import used
    from blurc.checker.wiring.bodies import Around
    from blurc.checker.wiring.kinds import check_kinds, check_sums
    from blurc.checker.wiring.network import check_block, check_held, check_network, unused_parameters
    from blurc.checker.wiring.sizes import check_size
    from blurc.checker.wiring.totals import check_running
    from blurc.checker.wiring.values import check_names, check_values

__all__ = [
    "RESERVED",
    "Around",
    "FunctionScope",
    "check_block",
    "check_functions",
    "check_genome",
    "check_held",
    "check_kinds",
    "check_names",
    "check_network",
    "check_running",
    "check_size",
    "check_sums",
    "check_values",
    "mentions",
    "parameters",
    "reserved",
    "together",
    "unused_parameters",
    "used",
    "uses_arguments",
]

face(__name__)
