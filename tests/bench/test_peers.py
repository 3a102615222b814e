"""What `blurc bench --peers` compares computes the same: speed is measured there, never here."""

from __future__ import annotations

import importlib.util
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from blurc.bench.peers import cell, generation, gradient, spiking, table
from blurc.cli import cli
from blurc.diagnostics import BlurError
from blurc.meta import Inner

pytestmark = pytest.mark.usefixtures("compiled_fast")
SIZES = table.Sizes((16, 10), 3, Inner(2, 16, 32), ((6, 5, 3), 6, 8), ((4, 3, 2), 5, 2), (30,), 100, 5)


def brian_works() -> bool:
    try:
        spiking.brian()
    except BlurError:
        return False
    return True


def test_the_gradient_by_hand_is_that_of_the_search() -> None:
    asked = gradient.programs(*SIZES.unrolled)
    assert gradient.difference(asked) < 1e-5
    assert len({round(float(x), 6) for x in asked.hand().values()}) == 5, "each meta-parameter has its own"


def test_the_cells_by_hand_answer_as_the_compiled_ones() -> None:
    programs = cell.programs(*SIZES.cells)
    ours, theirs = (programs[name]()[1] for name in ("blurc", "hand"))
    assert abs(ours).max() > 0
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_a_network_by_hand_answers_as_one_of_a_generation() -> None:
    assert generation.other_answers(SIZES.evolved, SIZES.inner) == 0


@pytest.mark.skipif(not importlib.util.find_spec("evosax"), reason="evosax is not installed")
def test_evosax_searches_the_same_genomes() -> None:
    rows = {row.name: row.value for row in table.cma(SIZES, 1)}
    assert rows["evosax / blurc"] > 0


@pytest.mark.skipif(not brian_works(), reason="Brian2 is not installed")
def test_brian_counts_the_same_spikes() -> None:
    network = spiking.Spiking(30, 100, 5)
    ours = network.compiled()()[1]
    assert ours.sum() > 0
    assert ours.tolist() == network.in_brian("numpy")().tolist()


def test_a_missing_package_is_said_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "evosax", None)
    result = CliRunner().invoke(cli, ["bench", "--peers"])
    assert result.exit_code == 1
    assert "E921" in result.output
    assert "pip install 'blurc[bench]'" in result.output


def test_two_tables_are_not_asked_for_at_once() -> None:
    assert CliRunner().invoke(cli, ["bench", "--peers", "--device", "gpu"]).exit_code == 2
