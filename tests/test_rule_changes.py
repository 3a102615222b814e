"""A genome whose rule has changed since it was found says so where it is used; one whose rule is only written otherwise
does not."""

from __future__ import annotations

import warnings
from pathlib import Path

import jax
import pytest
from click.testing import CliRunner

import blurc
from blurc import genome as genomes
from blurc import meta
from blurc.cli import cli
from blurc.diagnostics import BlurWarning, Diagnostic
from blurc.model import rule_hash

pytestmark = pytest.mark.usefixtures("compiled_fast")

SPEC = """
genome delta(rate = 0.1) {
  state act, err
  synapse w ~ normal(0.5)
  learn eta = 1
  sense    { act <- input }
  forward  { act <- incoming(w * pre.act) }
  feedback { err <- softmax(act) - target }
  update   { w <- w - rate * eta * batch_mean(pre.act * post.err) }
  readout act
}
network n uses delta { input x[2]  output class[2]  x -> class }
"""
CHANGED = SPEC.replace("softmax(act) - target", "act - target")
COMMENTED = "# as it was\n" + SPEC.replace("state act, err", "state act, err  # of the neuron")
EXPERIMENT = """
name: again
spec: n.blur
tasks: [moons]
start: g.yaml
inner: {steps: 2, batch: 2, query: 2}
method: {name: gradient, steps: 1}
evaluation: {steps: [2], seeds: 1, batch: 2}
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("n.blur").write_text(SPEC)
    net = blurc.compile("n.blur")
    genomes.write("g.yaml", genomes.describe(net, net.init_genome(jax.random.key(0)), name="mine"))


def told(text: str, **parameters: float) -> list[Diagnostic]:
    """What `check_rule` says of the file with the rule as it is in a text."""
    net = blurc.compile(text, **parameters)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        genomes.check_rule(genomes.read("g.yaml"), net.model, net.sources)
    return [w.message.diagnostic for w in caught if isinstance(w.message, BlurWarning)]


def test_a_rule_that_means_something_else_is_told_with_what_to_do() -> None:
    (found,) = told(CHANGED)
    assert (found.code, found.severity) == ("W601", "warning")
    assert found.message == "the rule `delta` is not what it was when the genome `mine` was found"
    follow(found)
    assert told(CHANGED) == []


def follow(found: Diagnostic) -> None:
    """The help: another hash in the file."""
    assert found.help
    text = Path("g.yaml").read_text()
    new = found.help.split("`")[1]
    Path("g.yaml").write_text("\n".join(new if line.startswith("hash:") else line for line in text.splitlines()))


@pytest.mark.parametrize("text", [SPEC, COMMENTED, SPEC.replace("eta = 1", "eta = 2")])
def test_a_rule_that_means_the_same_is_not_told(text: str) -> None:
    assert told(text) == []


@pytest.mark.parametrize("text", [SPEC, CHANGED])
def test_another_parameter_is_not_another_rule(text: str) -> None:
    assert bool(told(text, rate=0.2)) == (text == CHANGED)


def test_another_default_is_not_another_rule_for_a_genome_with_its_own() -> None:
    assert told(SPEC.replace("rate = 0.1", "rate = 0.2")) == []


@pytest.mark.parametrize("old", ["sha256:5a0c", "rule2:5a0c", "mine"])
def test_a_hash_of_another_version_is_told_apart(old: str) -> None:
    path = Path("g.yaml")
    path.write_text(path.read_text().replace(genomes.read(path).hash, old))
    (found,) = told(SPEC)
    assert found.code == "W601"
    assert "another version of blurc" in found.message
    follow(found)
    assert told(SPEC) == []


def test_a_genome_that_says_nothing_of_its_rule_is_not_told() -> None:
    path = Path("g.yaml")
    path.write_text("\n".join(line for line in path.read_text().splitlines() if not line.startswith("hash:")))
    assert told(CHANGED) == []


def test_a_rule_of_another_name_is_called_another() -> None:
    assert told(SPEC.replace("delta", "mine")) == []
    (found,) = told(CHANGED.replace("delta", "mine"))
    assert "found with another rule than `mine`" in found.message


COMMANDS = [
    "compile n.blur --genome g.yaml",
    "compile n.blur --genome g.yaml --emit plan",
    "compile n.blur --genome g.yaml -o n.blurx --platform cpu",
    "train n.blur --genome g.yaml --data d.npz --steps 1 --batch 2 --no-baselines",
    "train there.blurx --genome g.yaml --data d.npz --steps 1 --batch 2 --no-baselines",
    "eval g.yaml --network n.blur --task moons --steps 1 --seeds 1 --batch 2",
    "meta e.yaml",
]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("text", [CHANGED, COMMENTED])
def test_every_command_that_uses_a_genome_tells_it_once(command: str, text: str) -> None:
    import numpy as np

    np.savez("d.npz", x=np.eye(2, dtype=np.float32).repeat(10, 0), y=np.arange(2).repeat(10))
    Path("n.blur").write_text(text)
    Path("e.yaml").write_text(EXPERIMENT)
    blurc.compile("n.blur").save("there.blurx", platforms=["cpu"])
    result = CliRunner().invoke(cli, command.split())
    assert result.exit_code == 0, result.output
    assert result.stderr.count("warning[W601]") == (text == CHANGED)


def test_python_warns_where_a_genome_file_is_kept_in_an_artifact() -> None:
    with pytest.warns(BlurWarning, match="W601"):
        blurc.compile(CHANGED).save("n.blurx", genome=genomes.read("g.yaml"), platforms=["cpu"])


def test_python_warns_where_a_search_starts_from_a_genome() -> None:
    Path("n.blur").write_text(CHANGED)
    Path("e.yaml").write_text(EXPERIMENT)
    with pytest.warns(BlurWarning, match="W601"):
        meta.run(meta.read("e.yaml"), "run")


def test_a_genome_that_is_found_has_the_hash_of_its_rule() -> None:
    Path("e.yaml").write_text(EXPERIMENT)
    meta.run(meta.read("e.yaml"), "run")
    assert genomes.read("run/genome.yaml").hash == rule_hash(blurc.compile(SPEC).model.genome)
