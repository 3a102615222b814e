"""Rules as data: what a symbolic search takes apart, puts together and has interpreted.

sites.py        the statements that are searched, and the leaves of their expressions
trees.py        expressions as trees over an alphabet, in one form for all that are equal by simple algebra
space.py        the candidates: written in the language, checked, compared
variation.py    random candidates, mutation, crossover
interpreter.py  the rule that interprets candidates, so that none needs a compile
tables.py       a checked candidate, as data for the interpreter
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.symbolic.interpreter import CONSTANTS, Table, constants
    from blurc.symbolic.space import Space, Trees, space
    from blurc.symbolic.trees import Alphabet, Tree, constant
    from blurc.symbolic.variation import Variation

__all__ = ["CONSTANTS", "Alphabet", "Space", "Table", "Tree", "Trees", "Variation", "constant", "constants", "space"]

face(__name__)
