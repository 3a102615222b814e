"""Which keys the mapping of a dataclass has, by its fields and type hints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import lru_cache
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

TAG = "name"

# Metadata of fields.
INLINE = MappingProxyType({"inline": True})  # the keys of this record stand among those of the one around it
SHORT = MappingProxyType({"short": True})  # its value may stand in the place of the whole record
REST = MappingProxyType({"rest": True})  # a mapping: all keys that the record has no other field for
NO_KEY = MappingProxyType({"key": False})  # it does not come from the tree


def write(what: str) -> Mapping[str, str]:
    """How to write a required field, for those who left it out."""
    return {"write": what}


class Key(NamedTuple):
    """A key of a mapping. fallback: its value where it is left out or wrong."""

    name: str
    hint: Any
    required: bool
    fallback: Any
    inline: bool
    write: str
    rest: bool = False


@lru_cache
def own_keys(cls: Any) -> Mapping[str, Key]:
    """One for each field of a dataclass that a tree has."""
    hints = get_type_hints(cls, include_extras=True)
    return {f.name: _key(f, hints[f.name]) for f in fields(cls) if f.metadata.get("key", True)}


@lru_cache
def keys(cls: Any) -> Mapping[str, Key]:
    """The keys of the mapping that a dataclass is read from, in the order of its fields."""
    found: dict[str, Key] = {}
    for name, key in own_keys(cls).items():
        found |= keys(key.hint) if key.inline else {} if key.rest else {name: key}
    return found


def rest(cls: Any) -> Key | None:
    """The field for all keys that have no other."""
    return next((key for key in own_keys(cls).values() if key.rest), None)


def _key(field: Field[Any], hint: Any) -> Key:
    default: Any = field.default if field.default_factory is MISSING else field.default_factory()
    required = default is MISSING
    if required:
        default = () if get_origin(bare(hint)) is tuple else {} if _is_mapping(hint) else ""
    write = field.metadata.get("write", f"`{field.name}: ..`")
    return Key(field.name, hint, required, default, "inline" in field.metadata, write, "rest" in field.metadata)


def short_key(hint: Any) -> str | None:
    """The key that a word in the place of a mapping is the value of."""
    if variants(hint):
        return TAG
    return next((f.name for f in fields(hint) if "short" in f.metadata), None) if is_dataclass(hint) else None


def variants(hint: Any) -> Mapping[str, type]:
    """The dataclasses of a hint `A | B | C` by their names in a tree; none where it is something else."""
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else ()
    return {k.__name__.lower(): k for k in kinds} if kinds and all(map(is_dataclass, kinds)) else {}


def entry(hint: Any, name: str) -> Any:
    """The hint of the entry `name` of a value; None if it has none."""
    hint = bare(hint)
    kinds = [k for k in get_args(hint) if k is not NoneType] if get_origin(hint) in (Union, UnionType) else [hint]
    if get_origin(kinds[0]) is tuple:
        return get_args(kinds[0])[0]
    if _is_mapping(kinds[0]):
        return get_args(kinds[0])[1]
    records = [k for k in kinds if is_dataclass(k)]
    found = next((keys(k)[name].hint for k in records if name in keys(k)), None)
    more = next((rest(k) for k in records if rest(k)), None)
    return found or (entry(more.hint, name) if more else None)


def bare(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def _is_mapping(hint: Any) -> bool:
    return get_origin(bare(hint)) in (dict, Mapping)
