"""`blurc analyze`: whether a rule is a gradient, and what its meta-parameters are."""

from __future__ import annotations

import json
from pathlib import Path

import jax
import numpy as np
import pytest
from click.testing import CliRunner, Result

import blurc
from blurc import genome as genome_files
from blurc.cli import cli
from blurc.diagnostics import BlurError
from blurc.evaluation import analysis

pytestmark = pytest.mark.usefixtures("compiled_fast")


def command(*args: object) -> Result:
    return CliRunner().invoke(cli, ["analyze", *map(str, args)])


def of(net: blurc.Net, **options: int) -> analysis.Analysis:
    return analysis.analyze(net, net.init_genome(jax.random.key(0)), **options)


# ---------------------------------------------------------------- the asymmetry


@pytest.mark.parametrize("rule", ["backprop", "paper_backprop", "backprop3_mse"])
def test_backpropagation_is_a_gradient(rule: str) -> None:
    found = of(analysis.small(rule))
    assert found.asymmetry < 1e-12
    assert np.abs(found.block).max() > 1e-4


@pytest.mark.parametrize(
    "rule", ["hebb", "feedback_alignment", *(pytest.param(r, marks=pytest.mark.slow) for r in ("blur", "blur_single"))]
)
def test_other_rules_are_none(rule: str) -> None:
    assert of(analysis.small(rule)).asymmetry > 1e-2


TRACED = """
genome traced {
  state   act, err
  synapse w ~ normal(1 / sqrt(fan_in)), m ~ zeros
  sense    { act <- input }
  forward  { let z = incoming(w * pre.act)  act <- tanh(z)  err <- tanh'(z) }
  feedback { err <- err * (act - target) }
  backward { err <- err * outgoing(w * post.err) }
  update   { m <- 0.5 * m + batch_mean(pre.act * post.err)  w <- w - 0.1 * m }
  readout  act
}
network n uses traced { input x[3]  hidden h[4]  output y[2]  x -> h  h -> y }
"""


def test_the_verdict_is_of_what_the_forward_pass_reads() -> None:
    """Momentum is a gradient in the synapses, and none in synapses and momenta together."""
    found = of(blurc.compile(TRACED))
    assert {name.rpartition("/")[2] for name in found.forward} == {"w"}
    assert found.block.shape == (26, 26)
    assert found.jacobian.shape == (52, 52)
    assert found.asymmetry < 1e-12
    assert found.whole > 0.1


def test_what_the_forward_pass_reads_is_found_in_stacked_layers_too() -> None:
    net = blurc.compile("networks/mnist.blur", network="mnist_deep", depth=6, hidden=3, side=2, genome="swift")
    read = analysis._read_forward(net)
    assert {name.partition("/")[0] for name in read} == {p.name for p in net.plan.projections}
    assert {name.rpartition("/")[2] for name in read} == {"w"}


@pytest.mark.slow
def test_swift_is_no_gradient() -> None:
    found = of(analysis.small("swift"))
    assert set(found.channels) == {"m", "s", "t", "w"}
    assert found.asymmetry == pytest.approx(found.channels["w"])
    assert found.asymmetry > 1e-3


def test_biases_are_in_it() -> None:
    found = of(analysis.small("backprop"))
    assert set(found.synapses) == {"x->h/w", "h->y/w", "unit->h/w", "unit->y/w"}
    assert len(found.synapses) == 3 * 4 + 4 * 2 + 4 + 2
    assert found.jacobian.shape == (26, 26)


@pytest.mark.slow
def test_all_channels_are_in_it_that_the_update_moves() -> None:
    found = of(analysis.small("blur", {"k": 3}))
    assert found.synapses.count("h->y/w") == found.synapses.count("h->y/v") == 3 * 4 * 2
    assert set(found.channels) == {"v", "w"}
    still = of(analysis.small("feedback_alignment"))
    assert set(still.channels) == {"w"}  # the way back is drawn once, and stays


def test_the_jacobian_is_that_of_one_step() -> None:
    """Against differences of two steps, a hundred thousandth apart."""
    net = analysis.small("blur")
    genome = net.init_genome(jax.random.key(0))
    found = analysis.analyze(net, genome, batch=8, seed=3)
    at = found.synapses.index("x->h/w") + 1
    with jax.enable_x64(True):
        genome = jax.tree.map(lambda a: np.asarray(a, np.float64), genome)
        start_key, data_key, _ = jax.random.split(jax.random.key(3), 3)
        state = net.init(start_key, genome, batch=8)
        x, y = analysis._examples(net, data_key, 8)

        def change(shift: float) -> np.ndarray:
            w = state.synapses["x->h"]["w"]
            w = w.reshape(-1).at[1].add(shift).reshape(w.shape)
            before = {**state.synapses, "x->h": {**state.synapses["x->h"], "w": w}}
            after, _ = net.step(genome, blurc.State(before, {}), x, y)
            return np.asarray(after.synapses["h->y"]["v"] - before["h->y"]["v"]).ravel()

        slope = (change(1e-5) - change(-1e-5)) / 2e-5
    rows = [i for i, name in enumerate(found.synapses) if name == "h->y/v"]
    np.testing.assert_allclose(found.jacobian[rows, at], slope, rtol=1e-5, atol=1e-10)


def test_the_asymmetry_is_the_antisymmetric_share() -> None:
    assert analysis.asymmetry(np.asarray([[0.0, 1.0], [-1.0, 0.0]])) == pytest.approx(1)
    assert analysis.asymmetry(np.asarray([[2.0, 1.0], [1.0, -3.0]])) == 0
    assert analysis.asymmetry(np.zeros((2, 2))) == 0


def test_the_parts_of_the_jacobian_make_it_up() -> None:
    found = of(analysis.small("hebb"))
    symmetric = (found.jacobian + found.jacobian.T) / 2
    np.testing.assert_allclose(found.antisymmetric + symmetric, found.jacobian)
    share = np.linalg.norm(found.antisymmetric) / np.linalg.norm(found.jacobian)
    assert found.asymmetry == found.whole == pytest.approx(share)


def test_persistent_states_and_sparse_wiring_are_no_obstacle() -> None:
    text = """
genome fading {
  state act, trace persistent
  synapse w ~ normal(1)
  sense { act <- input }
  forward { act <- tanh(incoming(w * pre.act));  trace <- 0.5 * trace + act }
  update { w <- w + 0.1 * batch_mean(pre.act * post.trace) }
  readout act
}
network n uses fading { input x[6]  hidden h[5]  output y[2]  x -> h [sparse(fan_in = 2)]  h -> y }
"""
    assert 0.01 < of(blurc.compile(text)).asymmetry < 1


def test_a_step_that_is_not_finite_is_told() -> None:
    net = analysis.small("backprop")
    with pytest.raises(BlurError, match="E905"):
        analysis.analyze(net, {"eta": np.float64(np.inf)})


def test_too_many_synapses_are_refused() -> None:
    with pytest.raises(BlurError, match=r"E722(.|\n)*235,146"):
        of(blurc.compile("networks/mnist.blur", network="mnist"))


# ---------------------------------------------------------------- the command


def test_the_rule_of_a_genome_file_is_found_through_its_spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.blur").write_text(TRACED)
    Path("g.yaml").write_text("name: mine\nrule: traced\nspec: own.blur\nvalues: {}\n")
    done = command("g.yaml")
    assert (done.exit_code, "traced in small" in done.stdout) == (0, True), done.output


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    net = analysis.small("blur", {"k": 3})
    path = tmp_path / "mine.yaml"
    genome_files.write(path, genome_files.describe(net, net.init_genome(jax.random.key(5)), name="mine"))
    return path


def test_a_genome_file_knows_its_rule_and_parameters(mine: Path) -> None:
    run = command(mine, "--json", "-")
    assert run.exit_code == 0, run.output
    found, file = json.loads(run.stdout), genome_files.read(mine)
    assert (found["rule"], found["parameters"]) == ("blur", {"k": 3})
    assert found["asymmetry"] > 0.01
    np.testing.assert_array_equal(np.float32(found["values"]["nu"]), file.values["nu"])


def test_matrices_are_printed_with_their_names(mine: Path) -> None:
    lines = command(mine).stdout.splitlines()
    file = genome_files.read(mine)
    at = lines.index("  nu[3, 3]")
    shown = [[float(number) for number in line.split()] for line in lines[at + 1 : at + 4]]
    np.testing.assert_allclose(shown, np.asarray(file.values["nu"]), rtol=1e-3)
    assert "  es = -0.001" in lines


def test_the_verdict_is_in_words() -> None:
    assert "is a gradient, up to rounding" in command("backprop").stdout
    assert "is not a gradient" in command("hebb").stdout


def test_an_update_that_moves_nothing_is_not_judged() -> None:
    done = command("backprop", "--set", "rate=0")
    assert done.exit_code == 0
    assert done.stdout.startswith("backprop in small: the update changes no synapses")
    assert "asymmetry" not in done.stdout


def test_traces_are_told_after_the_synapses_that_are_read() -> None:
    found, lines = of(analysis.small("blur")), command("blur").stdout.splitlines()
    assert lines[0] == "blur in small: the change of 52 synapses that the forward pass reads is not a gradient"
    assert lines[1] == f"  asymmetry of its Jacobian {found.asymmetry:.3g} (0: a gradient; 1: pure rotation)"
    count = len(found.synapses)
    assert count > 52
    assert lines[2] == f"    over all {count} values that the update changes {found.whole:.3g}"


def test_drawn_meta_parameters_name_their_seed() -> None:
    assert "meta-parameters, drawn from seed 3" in command("blur", "--seed", 3).stdout.splitlines()
    assert "meta-parameters" in command("backprop", "--seed", 3).stdout.splitlines()  # of one value each


def test_a_network_of_a_spec_can_be_named() -> None:
    run = command("hebb", "--network", "networks/xor.blur:xor", "--set", "hidden=3")
    assert run.exit_code == 0, run.output
    assert run.stdout.startswith("hebb in xor: the change of 17 synapses")


def test_the_jacobian_is_drawn(tmp_path: Path) -> None:
    picture = tmp_path / "j.svg"
    assert command("hebb", "-o", picture).exit_code == 0
    assert picture.read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["hebbb"], "did you mean `hebb`?"),
        (["three_factor"], "reads the signal `reward`"),
        (["none.yaml"], "E601"),
        (["backprop", "--network", "networks/mnist.blur"], "choose one: `--network networks/mnist.blur:mnist`"),
        (["backprop", "--set", "rat=2"], "did you mean `rate`?"),
    ],
)
def test_what_is_wrong_is_said(args: list[str], message: str) -> None:
    run = command(*args)
    assert run.exit_code == 1
    assert message in run.stderr
