"""The meaning of the language: a slow, obvious interpreter of a checked model, in NumPy and float64.

Nothing is separated, scheduled or optimised: `incoming(E)` builds E for every example and every site of every
projection, and sums. Compiled programs are tested against this package, so each sentence of section 3 of the design
("what one step means") is quoted beside the lines that implement it.

arithmetic.py   the functions of the language
scopes.py       what the names in an equation mean: for a neuron, at a site, for a synapse
expressions.py  evaluates an expression in a scope
steps.py        phases, and whole steps

Deliberately inefficient: memory grows with batch x sites, a total in `update` is recomputed for every use and every
projection, and dead channels are computed like live ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.reference import arithmetic
    from blurc.reference.steps import Reference, ReferenceState

__all__ = ["Reference", "ReferenceState", "arithmetic"]

face(__name__)
