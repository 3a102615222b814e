"""manifest.json: what is in an artifact, and the shapes of its inputs and outputs.

    format, version     "blurx" and VERSION, which says how to read the rest
    blurc, jax          the versions that wrote it
    network, rule, parameters, model_hash, rule_hash     what was compiled, the hashes by its meaning
    locality            how far the rule sees
    platforms, dtype    what it was compiled for
    signature           the shapes of inputs, outputs, meta-parameters and state
    entries             the flat order of arguments and results: enough to call the StableHLO without blurc
    sources             [name as compiled, member]; the spec first, then its imports
    members             size and SHA-256 of every other member

The dataclasses here are the schema: `storage.records` checks every value against its annotation.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from blurc.artifact.flat import EntryPoint
from blurc.diagnostics import Report
from blurc.model import Grade, ParamValue
from blurc.runtime import Signature
from blurc.storage import records

VERSION = 4
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
    model_hash: str
    rule_hash: str
    locality: Grade
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
    return records.Reader("the manifest", _Strict(Report())).read(Manifest, _json(data))


class _Strict(records.Front):
    def tell(self, problem: records.Problem) -> None:
        raise Unexpected(problem.message)


def _json(data: bytes) -> Any:
    try:
        return json.loads(data, parse_constant=_no_constant)
    except RecursionError:
        raise Unexpected("it is nested too deeply") from None
    except ValueError as error:
        raise Unexpected(f"it is not JSON: {error}") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")
