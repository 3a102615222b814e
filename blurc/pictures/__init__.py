"""Pictures of networks.

view.py      what a picture shows: boxes, frames, arrows
parts.py     the contents of a frame
collapse.py  groups similar things into one box
words.py     the text in them
layout.py    where they go
boxes.py strokes.py  how they look
figures.py           the look of matplotlib's figures, and their files
draw.py dot.py       SVG and PNG; Graphviz's language
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.pictures import dot, draw, figures
    from blurc.pictures.view import view

__all__ = ["dot", "draw", "figures", "view"]

face(__name__)
