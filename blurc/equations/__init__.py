"""Rules as equations: what `blurc explain SPEC` shows.

formula.py    the pieces of formulas
read.py       expressions of a rule -> formulas, with indices i, j, k for neurons
notation.py   formulas -> Unicode and LaTeX
mathml.py     formulas -> MathML
rule.py       what there is to say about a rule
likeness.py   how much two rules have in common
nearest.py    the rule of the library that has most
pages.py      all that as text, Markdown, LaTeX or HTML
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.equations.nearest import nearest
    from blurc.equations.pages import FORMS, page
    from blurc.equations.rule import Explained, explained

__all__ = ["FORMS", "Explained", "explained", "nearest", "page"]

face(__name__)
