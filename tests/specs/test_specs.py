"""Every file of the spec library is free of complaints, compiles and runs."""

from __future__ import annotations

import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import blurc
from blurc import tasks
from blurc.diagnostics import Report
from blurc.language import library, specs_path
from blurc.spec import check

FILES = sorted(specs_path().rglob("*.blur"))
SMALL = "network n { input x[4]  hidden h[5]  output y[3] { phi = linear }  x -> h  h -> y }"


def declared(folder: str, kind: str) -> list[tuple[Path, str]]:
    """The genomes or networks that the files of a folder declare themselves."""
    files = sorted((specs_path() / folder).glob("*.blur"))
    return [(f, tree.name) for f in files for tree in getattr(library.load(str(f), Report())[0], kind)]


RULES, NETWORKS = declared("rules", "genomes"), declared("networks", "networks")


def of_synapses(state: blurc.State) -> tuple[dict, dict]:
    """The channels that the batch shares, and those of every example."""
    return state.synapses, {of: kept for of, kept in state.neurons.items() if of in state.synapses}


def assert_steps_are_finite(net: blurc.Net, learns: bool = True) -> None:
    """Two steps on random data, from a fresh genome and a fresh state; all signals are 1. They change some synapse."""
    rng, key = np.random.default_rng(0), jax.random.key(0)
    (y,) = net.signature.outputs.values()
    xs = {
        name: rng.integers(x[0], size=(2, 8)) if name in net.signature.ids else rng.normal(size=(2, 8, *x))
        for name, x in net.signature.inputs.items()
    }
    genome = net.init_genome(key)
    before = net.init(key, genome, batch=8)
    targets = np.eye(y[0])[rng.integers(y[0], size=(2, 8))]
    batch = {name: (8,) if name in net.signature.per_example else () for name in net.signature.signals}
    signals = {name: np.ones((2, *batch[name], *shape)) for name, shape in net.signature.signals.items()}
    after, out = net.train(genome, before, xs, targets, signals=signals, key=key)
    assert all(jnp.isfinite(a).all() for a in jax.tree.leaves((after, out)))
    pairs = zip(jax.tree.leaves(of_synapses(before)), jax.tree.leaves(of_synapses(after)), strict=True)
    assert any((a != b).any() for a, b in pairs) == learns


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_every_file_is_free_of_errors_and_warnings(file: Path):
    assert [d.render() for d in check(str(file))] == []


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_every_file_begins_with_one_line_on_what_it_is(file: Path):
    first = file.read_text().splitlines()[0]
    assert first.startswith("# ")
    assert first.endswith(".")


@pytest.mark.parametrize("file", sorted({file for file, _ in RULES}), ids=lambda f: f.stem)
def test_every_rule_ends_its_comment_with_its_family(file: Path):
    comment = file.read_text().split("\n\n")[0].splitlines()
    assert re.fullmatch(r"# Family: [A-Za-z -]+\.", comment[-1])


@pytest.mark.parametrize(("file", "name"), NETWORKS, ids=lambda v: v if isinstance(v, str) else "")
def test_every_network_runs_with_its_genome(file: Path, name: str):
    assert_steps_are_finite(blurc.compile(file, network=name))


LARGE = [pytest.param(name, marks=pytest.mark.slow) for name in ("mnist_conv", "mnist_residual")]


@pytest.mark.parametrize("name", ["digits_conv", "digits_residual", *LARGE])
def test_convolutions_and_residual_networks_run_with_the_general_rule(name: str):
    small = {"side": 8} if name.startswith("mnist") else {}
    assert_steps_are_finite(blurc.compile(f"networks/{name}.blur", genome="blur", **small))


@pytest.mark.parametrize(
    ("name", "data", "accuracy"),
    [
        ("xor", "xor", 0.93),
        ("digits", "digits", 0.93),
        ("direct_feedback", "digits", 0.93),
        ("digits_conv", "digits", 0.95),
        ("digits_residual", "digits", 0.95),
    ],
)
def test_a_network_learns_at_its_own_rate(name: str, data: str, accuracy: float):
    net, examples = blurc.compile(f"networks/{name}.blur"), tasks.load(data)
    genome = net.init_genome(jax.random.key(0))
    state = net.init(jax.random.key(1), genome)
    state, _ = net.train(genome, state, *tasks.batches(examples, 64, 300, seed=0))
    right = net.predict(genome, state, examples.x_test).argmax(-1) == examples.y_test.argmax(-1)
    assert right.mean() > accuracy


# Synapses that start at 0 stay there where nothing but they carries activity; other rules learn only at synapses of a
# kind, with a population of a kind, or in the states of their neurons.
SILENT = {"hopfield", "urbanczik_senn", "lstm", "gru", "backpropamine", "actor_critic"}


@pytest.mark.parametrize(("file", "name"), RULES, ids=lambda v: v if isinstance(v, str) else "")
def test_every_rule_runs_on_a_network_that_does_not_import_it(file: Path, name: str):
    params = {"k": 2, "m": 2} if name in ("vsml", "mplp") else {}  # as large as they are, they compile for seconds
    assert_steps_are_finite(blurc.compile(SMALL, genome=name, **params), learns=name not in SILENT)


def test_genome_names_of_the_library_are_unique():
    names = [name for _, name in RULES]
    assert len(names) == len(set(names))
