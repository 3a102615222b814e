"""What the soak attacks: each kind of file that blurc reads, with good files to start from."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jax
from soak.mutants import mutant, mutant_bytes

import blurc
from blurc import genome, meta
from blurc.artifact import container, manifest
from blurc.diagnostics import BlurError
from blurc.plan import plan_of
from blurc.spec import select_model

ROOT = Path(__file__).parents[2]
LONGEST = 6_000  # characters of a seed: most of a soak's time goes into the parser
SPEC = """
import "rules/backprop.blur"
network small uses backprop {
  input x[4]
  output y[3] { phi = linear }
  x -> y [edges("wiring%s")]
}
"""
EDGES = {
    ".csv": "pre,post\n0,0\n1,2\n3,1\n",
    ".txt": "# a comment\n0 0\n1 2\n3 1\n",
    ".graphml": """<?xml version="1.0"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="p" for="node" attr.name="population" attr.type="string"/>
<key id="i" for="node" attr.name="index" attr.type="int"/>
<graph edgedefault="directed">
<node id="a"><data key="p">x</data><data key="i">0</data></node>
<node id="b"><data key="p">y</data><data key="i">2</data></node>
<edge source="a" target="b"/></graph></graphml>
""",
}


@dataclass(frozen=True)
class Target:
    """attack: gives blurc a mutant, in a folder of its own, and returns it. Whatever it raises besides `BlurError` is
    a fault. share: of all cases."""

    share: float
    attack: Callable[[Path, random.Random], object]


def spec(folder: Path, rng: random.Random) -> str:
    text = mutant(specs(), rng) + "\n"
    blurc.check(text)
    return text


def plan(folder: Path, rng: random.Random) -> str:
    """Planned too, where it is a network without mistakes."""
    text = mutant(small_networks(), rng) + "\n"
    with contextlib.suppress(BlurError):
        plan_of(select_model(text))
    return text


def experiment(folder: Path, rng: random.Random) -> str:
    return _read(meta.read, folder / "e.yaml", mutant(_texts(ROOT / "examples", "*.yaml"), rng))


def genome_file(folder: Path, rng: random.Random) -> str:
    return _read(genome.read, folder / "g.yaml", mutant(_texts(ROOT / "specs/genomes", "*.yaml"), rng))


def edges(folder: Path, rng: random.Random) -> str:
    suffix = rng.choice([*EDGES])
    text = mutant([EDGES[suffix]], rng)
    spec = folder / f"s{suffix}.blur"
    if not spec.exists():
        spec.write_text(SPEC % suffix)
    (folder / f"wiring{suffix}").write_bytes(text.encode("utf-8", "replace"))
    blurc.check(spec)
    return text


def lying_manifest(folder: Path, rng: random.Random) -> str:
    parts = artifact(folder)
    text = mutant([parts[manifest.MEMBER].decode()], rng)
    return _load(folder, container.pack(parts | {manifest.MEMBER: text.encode("utf-8", "replace")}), text)


def flipped_artifact(folder: Path, rng: random.Random) -> str:
    data = mutant_bytes(container.pack(artifact(folder)), rng)
    return _load(folder, data, data.hex())


TARGETS = {
    "spec": Target(0.55, spec),
    "plan": Target(0.05, plan),
    "experiment": Target(0.10, experiment),
    "genome": Target(0.10, genome_file),
    "edges": Target(0.15, edges),
    "manifest": Target(0.03, lying_manifest),
    "artifact": Target(0.02, flipped_artifact),
}


def _read(read: Callable[[Path], object], path: Path, text: str) -> str:
    path.write_bytes(text.encode("utf-8", "replace"))
    with contextlib.suppress(BlurError):
        read(path)
    return text


def _load(folder: Path, data: bytes, shown: str) -> str:
    (folder / "bad.blurx").write_bytes(data)
    with contextlib.suppress(BlurError):
        blurc.load(folder / "bad.blurx")
    return shown


@cache
def specs() -> Sequence[str]:
    return (*_texts(ROOT / "specs", "*.blur"), *_texts(ROOT / "grammar", "*.examples"), *cases())


@cache
def small_networks() -> Sequence[str]:
    return [text for text in _texts(ROOT / "specs", "*.blur") if "network " in text and "conv" not in text]


@cache
def cases() -> Sequence[str]:
    """The mistakes that have a name already."""
    files = (ROOT / "tests/checker/cases").glob("*.cases")
    blocks = (block for path in sorted(files) for block in path.read_text("utf-8").split("\ncase ")[1:])
    return [text for block in blocks if (text := _main_text(block)) and len(text) < LONGEST]


def _main_text(block: str) -> str:
    lines = [line[2:] for line in block.splitlines()[1:] if line[:2] in ("  ", "- ")]
    return "\n".join(lines)


@cache
def _texts(folder: Path, pattern: str) -> Sequence[str]:
    texts = (path.read_text("utf-8") for path in sorted(folder.rglob(pattern)))
    return [text for text in texts if len(text) < LONGEST]


@cache
def artifact(folder: Path) -> dict[str, bytes]:
    """The members of a small good artifact."""
    net = blurc.compile("networks/xor.blur")
    net.save(folder / "good.blurx", genome=net.init_genome(jax.random.key(0)))
    parts = container.read(folder / "good.blurx")
    assert json.loads(parts[manifest.MEMBER])
    return parts
