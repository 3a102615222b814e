"""Reading and writing files.

atomic.py  writes a file completely or not at all
yaml.py    YAML with positions
npz.py     reads untrusted NumPy archives
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.storage.atomic import why, write_atomically
    from blurc.storage.npz import Array, read
    from blurc.storage.yaml import Document, compose, number, read_source

__all__ = ["Array", "Document", "compose", "number", "read", "read_source", "why", "write_atomically"]

face(__name__)
