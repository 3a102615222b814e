"""Writes a compiled network to an artifact file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import PurePath
from typing import Any, Protocol

import jax
import numpy as np

from blurc import genome as genomes
from blurc.artifact import container, export, manifest
from blurc.artifact.flat import entry_points
from blurc.diagnostics import BlurError, Diagnostic, did_you_mean
from blurc.genome import Described, GenomeFile
from blurc.graph import SUFFIXES
from blurc.model import locality, model_hash, rule_hash
from blurc.plan import Plan
from blurc.runtime import GenomeValues, Signature, dtype
from blurc.storage import why, write_file
from blurc.version import __version__


class Savable(Described, Protocol):
    """A compiled network, as far as an artifact needs it."""

    @property
    def plan(self) -> Plan: ...
    @property
    def signature(self) -> Signature: ...


PLATFORMS = ("cpu", "cuda", "rocm", "tpu")
ALIASES = {"gpu": "cuda", "nvidia": "cuda", "amd": "rocm"}


def save(
    net: Savable,
    path: str | os.PathLike[str],
    *,
    genome: GenomeValues | GenomeFile | None = None,
    platforms: Iterable[str] = ("cpu", "cuda", "tpu"),
) -> None:
    """Writes a compiled network as an artifact, atomically.

    The artifact computes in JAX's current precision. With the same versions of blurc and JAX, the same network gives
    the same bytes.

    Args:
        net: the network.
        path: the file.
        genome: meta-parameters to store with it. A genome file's name and provenance are stored too.
        platforms: some of cpu, cuda, rocm and tpu. This machine need not have them.

    Raises:
        BlurError: If the file cannot be written (E714), a platform is unknown (E715), the genome does not fit the
            network (E902) or is not finite (E609).
    """
    chosen = _platforms(platforms)
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):  # fail before the slow part
        raise _cannot_write(path, "its folder does not exist")
    data = container.pack(_members(net, genome, chosen))
    try:
        write_file(path, data)
    except OSError as error:
        raise _cannot_write(path, why(error)) from None


def _platforms(names: Iterable[str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys([names] if isinstance(names, str) else names))
    for name in found:
        if name not in PLATFORMS:
            near = ALIASES.get(name) or did_you_mean(name, PLATFORMS)
            help = f"did you mean `{near}`?" if near else f"the platforms are {', '.join(PLATFORMS)}"
            raise BlurError(Diagnostic("E715", f"unknown platform `{name}`", None, (), help))
    if not found:
        help = f"name some of {', '.join(PLATFORMS)}"
        raise BlurError(Diagnostic("E715", "an artifact needs at least one platform", None, (), help))
    return found


def _members(net: Savable, genome: Any, platforms: tuple[str, ...]) -> dict[str, bytes]:
    number = np.dtype(dtype()).name
    entries = entry_points(net.signature, number)
    members = {} if genome is None else {manifest.GENOME: _genome(net, genome, number)}
    sources = _sources(net.sources.texts)
    members |= {member: text.encode() for _, member, text in sources}
    modules = export.to_bytes(net.plan, entries, platforms)
    members |= {manifest.stablehlo(name): data for name, data in modules.items()}
    described = manifest.Manifest(
        format="blurx",
        version=manifest.VERSION,
        blurc=__version__,
        jax=jax.__version__,
        network=net.plan.name,
        rule=net.plan.genome,
        parameters={"network": dict(net.model.network.params), "genome": dict(net.model.genome.params)},
        model_hash=model_hash(net.model),
        rule_hash=rule_hash(net.model.genome),
        locality=locality(net.model.genome).grade,
        platforms=platforms,
        dtype=number,
        signature=net.signature,
        entries=entries,
        sources=tuple((name, member) for name, member, _ in sources),
        members={name: manifest.Member.of(members[name]) for name in sorted(members)},
    )
    return members | {manifest.MEMBER: described.to_json()}


def _genome(net: Savable, genome: Any, number: Any) -> bytes:
    file = genome if isinstance(genome, GenomeFile) else genomes.describe(net, genome)
    genomes.check_rule(file, net.model, net.sources)
    net.signature.check_genome(file.values)
    return genomes.dump(genomes.rounded(file, number)).encode()


def _sources(texts: Iterable[tuple[str, str]]) -> list[tuple[str, str, str]]:
    """Name, member and text of each source. Absolute paths are cut to the file name, so as not to leak the folders of
    this machine."""
    named = [(PurePath(name).name if os.path.isabs(name) else name, text) for name, text in texts]
    return [(name, f"sources/{i:02}-{_safe(name)}", text) for i, (name, text) in enumerate(named)]


def _safe(name: str) -> str:
    stem, suffix = PurePath(name).stem, PurePath(name).suffix.lower()
    return re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-") + (suffix if suffix in SUFFIXES else ".blur")


def _cannot_write(path: str | os.PathLike[str], reason: str) -> BlurError:
    return BlurError(Diagnostic("E714", f"cannot write `{os.fspath(path)}`: {reason}"))
