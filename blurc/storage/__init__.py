"""Reading and writing files.

files.py        the one way to read a file that somebody names, and to write one
caches.py       folders for things that can be downloaded or computed again
text.py         the bytes of a file as text
records/        reads frozen dataclasses from plain trees, and turns them back into trees
limits.py       the ranges of their values, as types of fields
yaml.py         YAML with positions
yaml_nodes.py   its parser, and how much it may hold
yaml_rows.py    rows of many numbers in it
yaml_tree.py    a YAML document as a tree that `records` reads
yaml_arrays.py  arrays from such a tree
yaml_write.py   plain values to YAML
checkpoints.py  arrays, and what has to be known about them, in one file
npz.py          reads untrusted NumPy archives
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.storage import checkpoints, limits, npz, records, yaml_write
    from blurc.storage.caches import cache_folder
    from blurc.storage.files import append_to, is_inside, open_file, read_file, remove_unfinished, why, write_file
    from blurc.storage.npz import Array
    from blurc.storage.text import text_of
    from blurc.storage.yaml import compose, node_span, read_source
    from blurc.storage.yaml_arrays import YamlArrays
    from blurc.storage.yaml_rows import MOST_NUMBERS
    from blurc.storage.yaml_tree import YamlTree

__all__ = [
    "MOST_NUMBERS",
    "Array",
    "YamlArrays",
    "YamlTree",
    "append_to",
    "cache_folder",
    "checkpoints",
    "compose",
    "is_inside",
    "limits",
    "node_span",
    "npz",
    "open_file",
    "read_file",
    "read_source",
    "records",
    "remove_unfinished",
    "text_of",
    "why",
    "write_file",
    "yaml_write",
]

face(__name__)
