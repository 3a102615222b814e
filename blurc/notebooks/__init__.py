"""What values show in a notebook: HTML and SVG that need no script and no other package.

matrices.py  arrays as tables of coloured cells
line.py      numbers over time as a line
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.notebooks.line import line
    from blurc.notebooks.matrices import matrices

__all__ = ["line", "matrices"]

face(__name__)
