"""Frozen dataclasses from plain trees, and back: the one reader of genome files, experiments, manifests and tasks.

A tree is what JSON holds: mappings with texts as keys, lists, and leaves. `Reader` goes by the fields of a dataclass
and their type hints:

    a dataclass             a mapping; where a field is `SHORT`, also a text, the value of that field; a `REST` field
                            has all keys that no other field has
    A | B, dataclasses      a mapping with the key `name`, which says whether it is `a` or `b`; or that word alone
    T | None                nothing, or a T
    tuple[T, ...]           a list; tuple[S, T] one of two entries
    Mapping[str, T]         a mapping with any keys
    int, float, bool, str, Literal[..], and unions of these
    Annotated[T, Limit]     a T within the limit (`limits.py`)
    Any                     the tree as it is

Where the tree comes from is the business of a `Front`: it knows what its leaves stand for, and where in its text the
path of a `Problem` is.

shape.py   which keys the mapping of a dataclass has
front.py   `Front` and `Problem`
reader.py  from trees to dataclasses
plain.py   from dataclasses to trees
"""

from __future__ import annotations

from blurc.storage.records.front import LONGEST_SHOWN, Front, Path, Problem, dotted
from blurc.storage.records.plain import plain
from blurc.storage.records.reader import Reader
from blurc.storage.records.shape import INLINE, NO_KEY, REST, SHORT, Key, bare, entry, keys, short_key, write

__all__ = [
    "INLINE",
    "LONGEST_SHOWN",
    "NO_KEY",
    "REST",
    "SHORT",
    "Front",
    "Key",
    "Path",
    "Problem",
    "Reader",
    "bare",
    "dotted",
    "entry",
    "keys",
    "plain",
    "short_key",
    "write",
]
