"""Loading a spec, checking it and selecting a model from it.

sources.py       the files and their declarations by name, with the edge files that they use
extends.py       genomes that extend others, written out
phase_places.py  where the phases of such a genome go
stray_phases.py  phases that run beside one that they seem meant to replace
validate.py      all errors and warnings of a spec
examples.py      the smallest example of each code, with its repair
choosing.py      how helps say that a network or genome is chosen
select.py        the network and genome that the caller asked for, as a model
unknown.py       the error about a name that nothing has
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.spec.choosing import ANYWHERE, Wording
    from blurc.spec.examples import RIGHT, WRONG, Example, examples
    from blurc.spec.extends import written_out
    from blurc.spec.select import select, select_model
    from blurc.spec.sources import Sources, Spec, names_of_edge_files
    from blurc.spec.unknown import unknown
    from blurc.spec.validate import Params, check, check_all, check_with, localities, sizes

__all__ = [
    "ANYWHERE",
    "RIGHT",
    "WRONG",
    "Example",
    "Params",
    "Sources",
    "Spec",
    "Wording",
    "check",
    "check_all",
    "check_with",
    "examples",
    "localities",
    "names_of_edge_files",
    "select",
    "select_model",
    "sizes",
    "unknown",
    "written_out",
]

face(__name__)
