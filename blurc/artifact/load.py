"""Reads an artifact file into a network that runs without the compiler."""

from __future__ import annotations

import os
from collections.abc import Mapping

import jax
from jax.export import Exported, default_export_platform

from blurc import genome as genomes
from blurc.artifact import container, export, manifest
from blurc.artifact.container import refuse
from blurc.artifact.flat import entry_points, owner
from blurc.artifact.loaded import Loaded
from blurc.artifact.manifest import Manifest, Unexpected
from blurc.diagnostics import BlurError, Diagnostic, Source

CALLS = {"step", "predict", "trace", "run"}
Members = Mapping[str, bytes]


def load(path: str | os.PathLike[str]) -> Loaded:
    """Loads an artifact. Executes and writes nothing.

    Raises:
        BlurError: If it is damaged, foreign, too new or for other platforms (E601 to E609, E701 to E710).
    """
    name = os.fspath(path)
    members = container.read(name)
    described = _manifest(name, members)
    _check_members(name, described, members)
    _check_platform(name, described.platforms)
    modules = {entry: _module(name, described, entry, members) for entry in described.entries}
    sources = tuple((called, _text(name, member, members)) for called, member in described.sources)
    return Loaded(described, modules, _genome(name, described, members), sources)


def _manifest(name: str, members: Members) -> Manifest:
    """The manifest, checked on its own."""
    if manifest.MEMBER not in members:
        refuse("E705", f"`{name}` is not an artifact: the zip has no {manifest.MEMBER}", container.MAKE)
    try:
        version = manifest.format_version(members[manifest.MEMBER])
        if version != manifest.VERSION:
            message = f"`{name}` has format version {version!r}, but this blurc reads {manifest.VERSION}"
            refuse("E707", message, "use the version of blurc that wrote it, or compile its spec again")
        described = manifest.parse(members[manifest.MEMBER])
        _check_sense(described)
    except Unexpected as error:
        refuse("E708", f"the manifest of `{name}` is wrong: {error}", container.AGAIN)
    return described


def _check_sense(m: Manifest) -> None:
    """Checks that the parts of a manifest agree with each other."""
    if m.dtype not in genomes.DTYPES:
        raise Unexpected(f"the dtype is `{m.dtype}`, not {' or '.join(genomes.DTYPES)}")
    reads = m.signature.reads
    if set(reads) != CALLS or not all(set(r.signals) <= set(m.signature.signals) for r in reads.values()):
        raise Unexpected("it does not say what each call reads")
    if not {owner(name)[0] for name in m.signature.synapses} <= set(m.signature.projections):
        raise Unexpected("it has synapses of a projection that it does not list")
    if m.entries != entry_points(m.signature, m.dtype):
        raise Unexpected("the entries do not match the shapes")


def _check_members(name: str, m: Manifest, members: Members) -> None:
    """Checks that the members are exactly those that the manifest lists, and intact."""
    needed = {manifest.stablehlo(entry) for entry in m.entries} | {member for _, member in m.sources}
    found = set(members) - {manifest.MEMBER}
    if unknown := sorted(found - needed - {manifest.GENOME}):
        refuse("E705", f"`{name}` has an unexpected member: {unknown[0]}", container.FOREIGN)
    if missing := sorted((needed | set(m.members)) - found):
        refuse("E705", f"`{name}` has no member {missing[0]}", container.AGAIN)
    if unlisted := sorted(found - set(m.members)):
        refuse("E705", f"`{name}` has a member that its manifest does not list: {unlisted[0]}", container.FOREIGN)
    for member, expected in m.members.items():
        if manifest.Member.of(members[member]) != expected:
            refuse("E706", f"the member {member} of `{name}` was changed after saving", container.AGAIN)


def _check_platform(name: str, platforms: tuple[str, ...]) -> None:
    here = default_export_platform()
    if here not in platforms:
        help = f"save it for {here} too: `blurc compile SPEC --platform {','.join((*platforms, here))} -o FILE`"
        refuse("E710", f"`{name}` is for {', '.join(platforms)}, but JAX runs on {here} here", help)


def _module(name: str, m: Manifest, entry: str, members: Members) -> Exported:
    try:
        return export.from_bytes(members[manifest.stablehlo(entry)], m.entries[entry], m.platforms)
    except export.Unreadable as error:
        note = f"it was written with jax {m.jax}; this is jax {jax.__version__}"
        help = "use that version of jax or a newer one, or compile the spec again"
        raise BlurError(Diagnostic("E709", f"cannot use `{entry}` of `{name}`: {error}", None, (note,), help)) from None


def _genome(name: str, m: Manifest, members: Members) -> genomes.GenomeFile | None:
    if manifest.GENOME not in members:
        return None
    file = genomes.parse(Source(f"{name}/{manifest.GENOME}", _text(name, manifest.GENOME, members)))
    m.signature.check_genome(file.values)
    return file


def _text(name: str, member: str, members: Members) -> str:
    try:
        return members[member].decode()
    except UnicodeDecodeError:
        refuse("E708", f"the member {member} of `{name}` is not UTF-8 text", container.AGAIN)
