"""A spec's files, and what is asked of them.

sources.py   the files and what they declare, found by name, with the edge files that they name
validate.py  everything that is wrong or doubtful in them
select.py    the one network and genome that a caller asked for, as a model
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.spec.select import select, select_model
    from blurc.spec.sources import Sources, Spec, names_of_edge_files, unknown
    from blurc.spec.validate import Params, check, check_with

__all__ = [
    "Params",
    "Sources",
    "Spec",
    "check",
    "check_with",
    "names_of_edge_files",
    "select",
    "select_model",
    "unknown",
]

face(__name__)
