"""`blurc train --online` and `--probe`: who answers, and when."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from blurc.cli import cli
from blurc.tasks import OBJECTIVES, Batches
from blurc.training.progress import OnTheWay

pytestmark = pytest.mark.usefixtures("compiled_fast")
XOR = "networks/xor.blur"


def found(*args: object) -> tuple[Result, dict[str, Any]]:
    done = CliRunner().invoke(cli, ["train", *map(str, args), "--data", "xor", "--no-baselines", "--json", "-"])
    assert done.exit_code == 0, done.output
    return done, json.loads(done.stdout)


def test_answers_on_the_way_are_measured_together_and_only_where_they_count() -> None:
    """A share of the variance is not the mean of the shares of single examples, which have none."""
    way, masks = OnTheWay(OBJECTIVES["r2"]), np.ones((2, 1, 2), np.float32)
    masks[0, 0, 1] = 0
    for first in (0, 2):
        ys = np.asarray([[[[first]], [[9.0]]], [[[first + 1]], [[1.0]]]], np.float32).reshape(2, 1, 2, 1)
        outputs = np.where(masks[..., None] > 0, ys, np.nan) if first else 0 * ys
        way.add(outputs, Batches(ys, ys, masks))
    assert way.score(1) == 1
    targets = np.asarray([0, 1, 1, 2, 3, 1])
    missed = (targets[:3] ** 2).sum()
    assert way.score() == pytest.approx(1 - missed / ((targets - targets.mean()) ** 2).sum())


def test_online_one_example_is_asked_and_learned_at_a_time() -> None:
    done, result = found(XOR, "--online", "--steps", 60)
    (run,) = result["runs"]
    assert (result["batch"], result["online"]) == (1, True)
    curve = [point["online"] for point in run["curve"]]
    assert len(curve) == 20
    np.testing.assert_allclose(np.mean(curve), run["online"])
    assert "online accuracy" in done.stderr


def test_a_readout_of_a_population_answers_in_the_place_of_the_outputs(tmp_path: Path) -> None:
    """The outputs of this network are three, and the data have two classes."""
    wiring = "input x[2]  hidden h[8]  output y[3]  x -> h -> y"
    (tmp_path / "n.blur").write_text(f'import "rules/hebb.blur"\nnetwork n uses hebb {{ {wiring} }}')
    done, result = found(tmp_path / "n.blur", "--steps", 3, "--probe", "h:knn")
    assert result["runs"][0]["test"] > 0.9
    assert "hebb: a readout of `h`, by knn, answers" in done.stderr
