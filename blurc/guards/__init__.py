"""What a caller asks for, refused before it does harm.

typed.py      arguments that are not what their annotations say
memory.py     arrays that cannot fit into memory
packages.py   packages that are not installed
processor.py  the cores that there are
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.guards.memory import (
        amount,
        available,
        check_room,
        has_own_memory,
        most_in,
        of_device,
        of_machine,
        room_of_machine,
        room_on_device,
    )
    from blurc.guards.packages import check_package, has_package
    from blurc.guards.processor import count_cores
    from blurc.guards.typed import LATER, by_name, require, typed

__all__ = [
    "LATER",
    "amount",
    "available",
    "by_name",
    "check_package",
    "check_room",
    "count_cores",
    "has_own_memory",
    "has_package",
    "most_in",
    "of_device",
    "of_machine",
    "require",
    "room_of_machine",
    "room_on_device",
    "typed",
]

face(__name__)
