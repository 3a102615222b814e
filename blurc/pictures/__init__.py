"""Pictures of networks.

view.py      what a picture shows: boxes, frames, arrows
parts.py     the contents of a frame
collapse.py  groups similar things into one box
words.py     the text in them
layout.py    where they go
boxes.py strokes.py  how they look
figures.py           the look of matplotlib's figures, and their files
draw.py dot.py       SVG and PNG; Graphviz's language
drawing.py           a picture as a value and as a file
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.pictures import dot, draw, figures
    from blurc.pictures.drawing import Drawing, drawn
    from blurc.pictures.view import view

__all__ = ["Drawing", "dot", "draw", "drawn", "figures", "view"]

face(__name__)
