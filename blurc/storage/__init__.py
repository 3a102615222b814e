"""Reading and writing files.

atomic.py       writes a file completely or not at all
records/        reads frozen dataclasses from plain trees, and turns them back into trees
limits.py       the ranges of their values, as types of fields
yaml.py         YAML with positions
yaml_tree.py    a YAML document as a tree that `records` reads
yaml_arrays.py  arrays from such a tree
yaml_write.py   plain values to YAML
npz.py          reads untrusted NumPy archives
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.storage import limits, npz, records, yaml_write
    from blurc.storage.atomic import why, write_atomically
    from blurc.storage.npz import Array
    from blurc.storage.yaml import compose, node_span, read_source
    from blurc.storage.yaml_arrays import YamlArrays
    from blurc.storage.yaml_tree import YamlTree

__all__ = [
    "Array",
    "YamlArrays",
    "YamlTree",
    "compose",
    "limits",
    "node_span",
    "npz",
    "read_source",
    "records",
    "why",
    "write_atomically",
    "yaml_write",
]

face(__name__)
