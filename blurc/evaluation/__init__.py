"""What a genome is worth.

course.py    what learns, from a seed to accuracies
accuracy.py  accuracies on test examples
races.py     the same network under its rule, and under optimizers at their best rates
analysis.py  whether a rule is the gradient of anything
heat.py      tables of numbers as pictures
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.evaluation import accuracy, analysis, heat, races
    from blurc.evaluation.accuracy import Row, accuracies, check_fits, label, summaries, to_json
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
    "accuracies",
    "accuracy",
    "analysis",
    "analyze",
    "check_fits",
    "fresh_each_seed",
    "heat",
    "label",
    "race",
    "races",
    "summaries",
    "to_json",
]

face(__name__)
