"""Measures how good a genome is.

course.py    one training run: from a seed to accuracies
accuracy.py  accuracies on test examples
races.py     a rule against optimizers in the same network
tuning.py    the search for the best recipe
analysis.py  whether a rule is the gradient of anything
heat.py      heat maps and learning curves
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.evaluation import accuracy, analysis, heat, races
    from blurc.evaluation.accuracy import Row, Summary, accuracies, check_fits, doubt, label, summaries, to_json
    from blurc.evaluation.analysis import Analysis, analyze
    from blurc.evaluation.course import fresh_each_seed
    from blurc.evaluation.heat import MISSING
    from blurc.evaluation.races import Entry, Race, race

__all__ = [
    "MISSING",
    "Analysis",
    "Entry",
    "Race",
    "Row",
    "Summary",
    "accuracies",
    "accuracy",
    "analysis",
    "analyze",
    "check_fits",
    "doubt",
    "fresh_each_seed",
    "heat",
    "label",
    "race",
    "races",
    "summaries",
    "to_json",
]

face(__name__)
