"""The genomes of the library: each fits its rule, comes from an experiment in examples/, and learns what it is for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import blurc
from blurc import genome
from blurc.evaluation import scores
from blurc.language import specs_path
from blurc.meta.experiment import schema
from blurc.meta.run.compiling import compiled
from blurc.model import rule_hash
from blurc.tasks.choice import TaskChoice
from blurc.tasks.task import task

FILES = sorted((specs_path() / "genomes").glob("*.yaml"))
EXAMPLES = Path(__file__).parents[2] / "examples"
SMALL = "network n { input x[8, 8]  hidden h[64]  output y[10] { phi = linear }  x -> h  h -> y }"


def accuracy(text: str, rule: str, values: dict | None, data: str, steps: int, **parameters: float) -> float:
    net = blurc.compile(text, genome=rule, **parameters)
    outputs = next(iter(net.signature.outputs.values()))[0]
    values = values or net.init_genome(blurc_key())
    found = scores(net, values, task(TaskChoice(data, outputs=outputs)), steps=[steps], seeds=3)
    return float(found.mean())


def blurc_key():
    import jax

    return jax.random.key(0)


def test_there_are_some():
    assert {f.stem for f in FILES} >= {"bounded", "swift", "plane", "deep", "evolution", "general"}


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_each_fits_its_rule_and_says_where_it_is_from(file: Path):
    found = genome.read(file)
    net = blurc.compile(SMALL, genome=found.rule, **found.parameters)
    net.signature.check_genome(dict(found.values))
    assert found.found["experiment"] == schema.read(EXAMPLES / f"{file.stem}.yaml").name == found.name
    assert not Path(found.spec).is_absolute()


def test_one_is_found_by_its_name_in_the_library():
    assert genome.read("genomes/swift.yaml").rule == "swift"


@pytest.fixture(scope="module")
def backprop() -> float:
    """The accuracy on digits at the best of three rates."""
    return max(accuracy(SMALL, "backprop", None, "digits", 10, rate=rate) for rate in (0.1, 0.3, 1.0))


@pytest.mark.parametrize("name", ["swift", "bounded", "general"])
def test_digits_are_learned_in_ten_steps_by_what_never_saw_them(name: str, backprop: float):
    """The digits of scikit-learn, and genomes that were meta-learned on MNIST."""
    found = genome.read(f"genomes/{name}.yaml")
    reached = accuracy(SMALL, found.rule, dict(found.values), "digits", 10)
    assert reached > max(backprop, 0.9)


def test_plane_learns_a_problem_that_it_has_not_seen():
    found = genome.read("genomes/plane.yaml")
    text = specs_path() / "networks/plane.blur"
    assert accuracy(str(text), "swift", dict(found.values), "triangle", 10) > 0.9


@pytest.mark.slow
def test_deep_learns_at_other_depths_than_its_own():
    found = genome.read("genomes/deep.yaml")
    text = str(specs_path() / "networks/mnist.blur")
    values = dict(found.values)
    reached = []
    for depth in (1, 4, 6):
        net = blurc.compile(text, network="mnist_deep", genome=found.rule, side=8, hidden=32, depth=depth)
        reached.append(scores(net, values, task(TaskChoice("digits")), steps=[30], seeds=3).mean())
    assert min(reached) > 0.8
    assert np.ptp(reached) < 0.1


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_each_is_of_the_rule_as_it_is_now(file: Path):
    assert genome.read(file).hash == rule_hash(compiled(schema.read(EXAMPLES / file.name).network).model.genome)
