"""What editors ask of a language, as a server of the Language Server Protocol (`blurc lsp`).

analysis.py   a spec, with texts that are not saved yet and with mistakes
names.py      the names in it: what each declares or refers to
resolve.py    syntax trees -> these names
cursor.py     where a place is, from the tokens before it
complete.py   what may stand there
meanings.py   what the names of the language mean
hover.py      what something is
outline.py    the parts of a file
repairs.py    the texts that a help may mean
fixes.py      of these, one that mends the mistake
workspace.py  the files of the editor: analyses, references, renaming
positions.py  offsets and spans as the protocol counts them
server.py     the requests
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.editor.meanings import FUNCTIONS
    from blurc.editor.server import serve

__all__ = ["FUNCTIONS", "serve"]

face(__name__)
