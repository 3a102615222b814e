"""What would train and mean nothing is refused or said: rates at the end of their grid, networks that remember."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
import pytest

import blurc
from blurc import tasks
from blurc.evaluation import check_fits, doubt
from blurc.training import check_in_time, doubts, may_be_labels, never_seen
from blurc.training.baselines import GRID, MOST_RATES, best_inside

# ------------------------------------------------------------------- rates


@pytest.mark.parametrize("best", range(-7, 6))
def test_the_grid_of_rates_is_widened_until_the_best_is_inside(best: int) -> None:
    tried: set[int] = set()

    def score(at: int) -> float:
        tried.add(at)
        return -abs(at - best)

    assert best_inside(score, tasks.ACCURACY) == best
    assert min(tried) < best < max(tried)
    assert len(tried) <= MOST_RATES


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (lambda at: 1.0, GRID[0]),  # of equals, the first
        (lambda at: float(at), max(GRID) + MOST_RATES - len(GRID)),  # without end
        (lambda at: math.nan, min(GRID) - MOST_RATES + len(GRID)),
        (lambda at: 0.5 if at < -4 else math.nan, -5),  # all of the first grid diverge
    ],
)
def test_a_search_for_a_rate_ends(score: Callable[[int], float], expected: int) -> None:
    assert best_inside(score, tasks.ACCURACY) == expected


# --------------------------------------------------------- networks with a past

RULE = """
genome g {
  state a
  %s
  synapse w ~ normal(1)
  sense { a <- input }
  forward { a <- incoming(w * pre.a)  %s }
  update { w <- w + 0.1 * batch_mean(pre.a * target) of output }
  readout a
}
"""


def remembering(links: str, state: str = "", statement: str = "") -> blurc.Net:
    rule = RULE.replace(" * target) of output", " * post.a)") % (state, statement)
    return blurc.compile(f"{rule}\nnetwork n uses g {{ input x[2]  hidden h[2]  output y[2]  {links} }}")


@pytest.mark.parametrize(
    ("links", "late"),
    [
        ("x -> h -> y", False),
        ("x -> h -> y  h -> h [delay = 1]", False),
        ("x -> h -> y  y -> h [delay = 2]", False),
        ("x -> h [delay = 1]  h -> y  x -> y", False),
        ("x -> h [delay = 1]  h -> y", True),
        ("x -> h  h -> y [delay = 3]", True),
        ("x -> h [delay = 1]  h -> y [delay = 1]", True),
    ],
)
def test_an_answer_that_comes_in_a_later_step_is_refused(links: str, late: bool) -> None:
    net, task = remembering(links), tasks.task(tasks.TaskChoice("xor"))
    for check in (check_in_time, lambda net: check_fits(net, task)):
        if late:
            with pytest.raises(blurc.BlurError, match="no example is answered in its own step"):
                check(net)
        else:
            check(net)


@pytest.mark.parametrize(
    ("links", "late"), [("x -> h  h -> y [delay = 1]", True), ("x -> h -> y  h -> h [delay = 1]", False)]
)
def test_an_artifact_is_refused_as_its_network_is(links: str, late: bool, tmp_path: Path) -> None:
    remembering(links).save(tmp_path / "n.blurx", platforms=["cpu"])
    loaded = blurc.load(tmp_path / "n.blurx")
    if late:
        with pytest.raises(blurc.BlurError, match="no example is answered in its own step"):
            check_in_time(loaded)
    else:
        check_in_time(loaded)


TOLD = """
genome told {
  signal reward, mood[3]
  signal blame per example
  state a
  synapse w ~ normal(1)
  sense { a <- input }
  forward { a <- incoming(w * pre.a) }
  update { w <- w + reward * batch_mean(pre.a * post.a * blame) * mood[2] }
  readout a
}
network n uses told { input x[2]  output y[2]  x -> y }
"""


def test_how_signals_are_fed_is_true() -> None:
    net = blurc.compile(TOLD)
    data, task = tasks.load("xor"), tasks.task(tasks.TaskChoice("xor"))
    with pytest.raises(blurc.BlurError) as found:
        check_fits(net, task)
    (told,) = found.value.diagnostics
    shapes = re.search(r"signals=({.*})", told.help or "")
    assert shapes
    signals = {name: np.zeros(shape) for name, shape in eval(shapes[1], {"steps": 3, "batch": 4}).items()}
    genome = net.init_genome(jax.random.key(0))
    xs, ys = tasks.batches(data, batch=4, steps=3, seed=0)
    net.train(genome, net.init(jax.random.key(1), genome), xs, ys, signals=signals)


def test_what_a_network_remembers_of_shuffled_examples_is_said() -> None:
    task = tasks.task(tasks.TaskChoice("xor"))
    assert doubts(remembering("x -> h -> y"), "xor") == []
    (late,) = doubts(remembering("x -> h -> y  h -> h [delay = 1]"), "xor")
    assert "delayed projections from `h`" in late
    kept = remembering("x -> h -> y", "state m persistent", "m <- m + a  a <- a + m")
    (states,) = doubts(kept, "xor")
    assert "keeps `m` of" in states
    assert states in doubt(kept, task, 64)


def test_classes_without_examples_are_found() -> None:
    y = np.eye(4, dtype=np.float32)
    data = tasks.Dataset("d", y[:2], y[[1, 3]], y[:1], y[[3]], 4, "", "")
    assert never_seen(data) == [0, 2]


@pytest.mark.parametrize(("values", "expected"), [([0.0, 1.0, 2.0], True), ([0.0, 1.5, 2.0], False)])
def test_targets_that_look_like_labels(values: list[float], expected: bool) -> None:
    y = np.asarray(values, np.float32)[:, None]
    assert may_be_labels(tasks.Dataset("d", y, y.copy(), y.copy(), y.copy(), None, "", "")) == expected
