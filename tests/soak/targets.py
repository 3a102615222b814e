"""What the soak attacks: each kind of file that blurc reads, with good files to start from."""

from __future__ import annotations

import contextlib
import io
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jax
import networkx as nx
import numpy as np
import pytest
from soak.mutants import mutant, mutant_bytes

import blurc
from blurc import genome, meta, tasks
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


def other_graph(folder: Path, rng: random.Random) -> str:
    """Of neurons, as other tools write it."""
    text = mutant(GRAPHS, rng)
    try:
        graph = nx.parse_graphml(text)
    except NETWORKX:
        return text
    inputs, outputs = rng.choice((None, ["a"])), rng.choice((None, ["c"]))
    with contextlib.suppress(BlurError):
        blurc.from_networkx(graph, genome="backprop", inputs=inputs, outputs=outputs)
    return text


def nir_file(folder: Path, rng: random.Random) -> str:
    data = mutant_bytes(nir_bytes(folder), rng)
    (folder / "bad.nir").write_bytes(data)
    with contextlib.suppress(BlurError):
        blurc.read_nir(folder / "bad.nir")
    return data.hex()


def data_file(folder: Path, rng: random.Random) -> str:
    buffer = io.BytesIO()
    write = rng.choice((np.savez, np.savez_compressed))
    write(buffer, **{name: array for name in ("x", "y", "x_test", "y_test") if (array := odd_array(rng)) is not None})
    data = mutant_bytes(buffer.getvalue(), rng) if rng.random() < 0.5 else buffer.getvalue()
    (folder / "bad.npz").write_bytes(data)
    with contextlib.suppress(BlurError):
        tasks.load(str(folder / "bad.npz"))
    return data.hex()


TARGETS = {
    "spec": Target(0.55, spec),
    "plan": Target(0.05, plan),
    "experiment": Target(0.10, experiment),
    "genome": Target(0.10, genome_file),
    "edges": Target(0.13, edges),
    "manifest": Target(0.02, lying_manifest),
    "artifact": Target(0.02, flipped_artifact),
    "graph": Target(0.01, other_graph),
    "nir": Target(0.01, nir_file),
    "data": Target(0.01, data_file),
}


GRAPHS = [
    """<?xml version="1.0"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="r" for="node" attr.name="role" attr.type="string"/>
<key id="b" for="node" attr.name="bias" attr.type="double"/>
<key id="s" for="node" attr.name="shape" attr.type="string"/>
<key id="d" for="edge" attr.name="delay" attr.type="double"/>
<key id="p" for="edge" attr.name="plastic" attr.type="int"/>
<key id="w" for="edge" attr.name="weight" attr.type="double"/>
<key id="t" for="edge" attr.name="topology" attr.type="string"/>
<graph edgedefault="directed">
<node id="a"><data key="r">input</data></node>
<node id="b"><data key="b">1.0</data></node>
<node id="c"><data key="r">output</data><data key="s">box</data></node>
<edge source="a" target="b"><data key="d">0.0</data><data key="p">1</data></edge>
<edge source="b" target="c"><data key="w">0.5</data></edge>
<edge source="b" target="b"><data key="d">1.0</data></edge>
<edge source="a" target="c"/></graph></graphml>
""",
    """<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="s" for="node" attr.name="shape" attr.type="string"/>
<key id="r" for="node" attr.name="role" attr.type="string"/>
<key id="t" for="edge" attr.name="topology" attr.type="string"/>
<graph edgedefault="undirected">
<node id="a"><data key="r">input</data><data key="s">4</data></node>
<node id="c"><data key="r">output</data><data key="s">2x2</data></node>
<edge source="a" target="c"><data key="t">sparse(fan_in = 2)</data></edge></graph></graphml>
""",
]
NETWORKX = (ElementTree.ParseError, nx.NetworkXException, KeyError, TypeError, ValueError, AttributeError, UnicodeError)


@cache
def nir_bytes(folder: Path) -> bytes:
    nir = pytest.importorskip("nir")
    net = blurc.compile("networks/xor.blur")
    state = net.init(jax.random.key(1), net.init_genome(jax.random.key(0)), batch=1)
    neurons = {name: nir.Threshold(np.ones(size)) for name, size in (("h", 8), ("class", 2))}
    blurc.write_nir(folder / "good.nir", net, state, neurons=neurons)
    return (folder / "good.nir").read_bytes()


def odd_array(rng: random.Random) -> Any:
    """For a key of an npz file; None: without it."""
    shape = rng.choice(((), (0,), (8,), (8, 1), (8, 3), (0, 3), (8, 0), (4, 2, 2), (8, 2, 2, 1)))
    values = rng.choice(
        (np.zeros(shape), np.ones(shape), np.arange(np.prod(shape)).reshape(shape), np.full(shape, np.nan))
    )
    kinds = ("f8", "f4", "f2", "i8", "u1", "?", "c8", "S3", "U3", "O", "M8[s]", ">f4")
    with np.errstate(all="ignore"), contextlib.suppress(ValueError, TypeError):
        return rng.choice((values * 10.0 ** rng.choice((0, 5, 300)), values)).astype(rng.choice(kinds))
    return None


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
