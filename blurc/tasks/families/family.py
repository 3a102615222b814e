"""The families with parameters, and how a choice of tasks makes one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from blurc.tasks.choice import TaskChoice
from blurc.tasks.families.adding import Adding
from blurc.tasks.families.associative_recall import AssociativeRecall
from blurc.tasks.families.boolean import Boolean
from blurc.tasks.families.copying import Copying
from blurc.tasks.families.delayed_match import DelayedMatch
from blurc.tasks.families.familiarity import Familiarity
from blurc.tasks.families.random_projection import RandomProjection
from blurc.tasks.parameters import made

_ALL = (RandomProjection, Boolean, Familiarity, Adding, Copying, DelayedMatch, AssociativeRecall)
Family: TypeAlias = RandomProjection | Boolean | Familiarity | Adding | Copying | DelayedMatch | AssociativeRecall
FAMILIES: Mapping[str, type[Family]] = {family.NAME: family for family in _ALL}
NAMES: Mapping[str, str] = {family.NAME: family.DESCRIPTION for family in _ALL}


def make(choice: TaskChoice) -> Family:
    """Raises `BlurError` (E605, E607, E612) if a parameter is unknown or out of range."""
    return made(FAMILIES[choice.data], choice)
