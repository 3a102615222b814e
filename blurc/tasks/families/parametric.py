"""What families with parameters have in common."""

from __future__ import annotations

from typing import ClassVar

from blurc.tasks.generated import Generated
from blurc.tasks.objective import TargetKind


class Parametric(Generated):
    """NAME and DESCRIPTION are what users see; KIND is of the targets, whatever the parameters."""

    NAME: ClassVar[str]
    DESCRIPTION: ClassVar[str]
    KIND: ClassVar[TargetKind]

    @property
    def targets(self) -> TargetKind:
        return self.KIND
