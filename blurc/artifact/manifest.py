"""manifest.json: what is in an artifact, and the shapes of its inputs and outputs.

    format, version     "blurx" and VERSION, which says how to read the rest
    blurc, jax          the versions that wrote it
    network, rule, parameters, spec_hash     what was compiled
    platforms, dtype    what it was compiled for
    signature           the shapes of inputs, outputs, meta-parameters and state
    entries             the flat order of arguments and results: enough to call the StableHLO without blurc
    sources             [name as compiled, member]; the spec first, then its imports
    members             size and SHA-256 of every other member

The dataclasses here are the schema: `parse` checks every value against its annotation.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from blurc.artifact.flat import EntryPoint
from blurc.model import ParamValue
from blurc.runtime import Signature

VERSION = 2
MEMBER = "manifest.json"
GENOME = "genome.yaml"


@dataclass(frozen=True)
class Member:
    size: int
    sha256: str

    @staticmethod
    def of(data: bytes) -> Member:
        return Member(len(data), hashlib.sha256(data).hexdigest())


@dataclass(frozen=True)
class Manifest:
    format: str
    version: int
    blurc: str
    jax: str
    network: str
    rule: str
    parameters: Mapping[str, Mapping[str, ParamValue]]  # "network" and "genome"
    spec_hash: str
    platforms: tuple[str, ...]
    dtype: str
    signature: Signature
    entries: Mapping[str, EntryPoint]
    sources: tuple[tuple[str, str], ...]
    members: Mapping[str, Member]

    def to_json(self) -> bytes:
        return (json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n").encode()


class Unexpected(Exception):
    """What is wrong with a manifest, and where."""


def stablehlo(entry: str) -> str:
    """The name of the member with an entry point."""
    return f"stablehlo/{entry}.bin"


def format_version(data: bytes) -> object:
    """The version that a manifest claims. Raises `Unexpected` if the bytes are not a manifest at all."""
    tree = _json(data)
    if not isinstance(tree, dict) or tree.get("format") != "blurx":
        raise Unexpected("it does not say `format: blurx`")
    return tree.get("version")


def parse(data: bytes) -> Manifest:
    """Parses manifest.json, which must have this version. Raises `Unexpected`."""
    return _read(Manifest, _json(data), "manifest")


def _json(data: bytes) -> Any:
    try:
        return json.loads(data, parse_constant=_no_constant)
    except RecursionError:
        raise Unexpected("it is nested too deeply") from None
    except ValueError as error:
        raise Unexpected(f"it is not JSON: {error}") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def _read(expected: Any, value: Any, at: str) -> Any:
    """Reads `value` as a dataclass, tuple, mapping, union, `Literal` or plain type."""
    kind, parts = get_origin(expected), get_args(expected)
    if is_dataclass(expected):
        return _read_record(expected, value, at)
    if kind is tuple:
        return _read_tuple(parts, value, at)
    if kind in (dict, Mapping):
        _check(isinstance(value, dict), "a mapping", value, at)
        return {name: _read(parts[1], item, f"{at}.{name}") for name, item in value.items()}
    if kind in (Union, UnionType):
        _check(any(_fits(part, value) for part in parts), " or ".join(map(_name, parts)), value, at)
        return value
    _check(_fits(expected, value), _name(expected), value, at)
    return value


def _read_record(expected: Any, value: Any, at: str) -> Any:
    types = get_type_hints(expected)
    _check(
        isinstance(value, dict) and set(value) == set(types), f"a mapping of {', '.join(types)}", value, at
    )
    return expected(**{name: _read(part, value[name], f"{at}.{name}") for name, part in types.items()})


def _read_tuple(parts: tuple[Any, ...], value: Any, at: str) -> tuple[Any, ...]:
    _check(isinstance(value, list), "a list", value, at)
    if parts[-1] is ...:
        parts = parts[:1] * len(value)
    _check(len(value) == len(parts), f"a list of {len(parts)}", value, at)
    return tuple(
        _read(part, item, f"{at}[{i}]") for i, (part, item) in enumerate(zip(parts, value, strict=True))
    )


def _fits(expected: Any, value: Any) -> bool:
    if get_origin(expected) is Literal:
        return isinstance(value, str) and value in get_args(expected)
    return type(value) is expected  # not isinstance: `true` is not a number


def _name(expected: Any) -> str:
    words = {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}
    return words.get(expected) or " or ".join(map(repr, get_args(expected)))


def _check(fits: bool, what: str, value: Any, at: str) -> None:
    if not fits:
        raise Unexpected(f"`{at}` should be {what}, found {json.dumps(value)[:40]}")
