"""Measures how good a genome is.

course.py         one training run: from a seed to scores
lifetimes.py      returns in environments
comparing.py      these beside a frozen network and random actions
replay_course.py  how well recordings are explained
online_curves.py  every batch asked just before it is learned
fits.py           whether a network, a task and the numbers fit together
doubts.py         why a network may do badly although it fits
room.py           whether that fits into memory
scoring.py        scores on test examples
summaries.py      scores over seeds, summed up
races.py          a rule against optimizers in the same network
tuning.py         the search for the best recipe
analysis.py       whether a rule is the gradient of anything
heat.py           heat maps and learning curves
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.evaluation import analysis, heat, races, scoring
    from blurc.evaluation.analysis import Analysis, analyze
    from blurc.evaluation.comparing import FROZEN, Lives, lives
    from blurc.evaluation.course import fresh_each_seed
    from blurc.evaluation.doubts import doubt, doubt_of_rewards
    from blurc.evaluation.fits import check_fits, check_online
    from blurc.evaluation.heat import MISSING
    from blurc.evaluation.lifetimes import why_lost
    from blurc.evaluation.online_curves import Online
    from blurc.evaluation.races import Entry, Race, race
    from blurc.evaluation.replay_course import check_batch
    from blurc.evaluation.scoring import online, scores
    from blurc.evaluation.summaries import Row, Summary, label, summaries, to_json, where

__all__ = [
    "FROZEN",
    "MISSING",
    "Analysis",
    "Entry",
    "Lives",
    "Online",
    "Race",
    "Row",
    "Summary",
    "analysis",
    "analyze",
    "check_batch",
    "check_fits",
    "check_online",
    "doubt",
    "doubt_of_rewards",
    "fresh_each_seed",
    "heat",
    "label",
    "lives",
    "online",
    "race",
    "races",
    "scores",
    "scoring",
    "summaries",
    "to_json",
    "where",
    "why_lost",
]

face(__name__)
