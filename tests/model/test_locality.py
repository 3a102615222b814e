"""How far a rule sees."""

from __future__ import annotations

import pytest

import blurc
from blurc.model import locality
from blurc.spec import localities, select_model

GENOME = """
genome g {{
  state   a
  synapse w ~ zeros
  sense   {{ a <- input }}
  forward {{ a <- incoming(w * pre.a) }}
  {phase}
  readout {readout}
}}
network n uses g {{ input x[2]  output y[1]  x -> y }}
"""


@pytest.mark.parametrize(
    ("phase", "grade"),
    [
        ("forward { a <- a / (1 + incoming(w ^ 2)) + outgoing(w) }", "local"),
        ("forward { a <- standardize(a) + noise(0.1) }", "local"),
        ("forward { a <- standardize(a, running) + running_mean(a) }", "local"),
        ("update { w <- w + batch_mean(pre.a * post.a) * post.incoming(w) }", "local"),
        ("forward { a <- a - population_mean(a) }", "population"),
        ("forward { a <- a - population_max(a) }", "population"),
        ("forward { a <- a - place_mean(a) }", "population"),
        ("feedback { a <- softmax(a) }", "population"),
        ("update { let m = projection_max(abs(w))  w <- w / m }", "projection"),
        ("update { w <- w + batch_mean(pre.a * projection_sum(w)) }", "projection"),
    ],
)
def test_a_rule_sees_as_far_as_its_most_far_reaching_function(phase: str, grade: str) -> None:
    assert locality(select_model(GENOME.format(phase=phase, readout="a")).genome).grade == grade


def test_the_readout_counts() -> None:
    assert localities(GENOME.format(phase="", readout="softmax(a)"))["g"].grade == "population"


def test_a_grade_names_the_functions_that_reach_so_far() -> None:
    phase = "forward { a <- population_mean(a) + population_sum(a) }  update { w <- projection_mean(w) }"
    assert str(localities(GENOME.format(phase=phase, readout="a"))["g"]) == "projection (projection_mean)"


def test_a_genome_with_an_error_has_no_grade() -> None:
    assert localities(GENOME.format(phase="forward { a <- b }", readout="a")) == {}


def test_a_net_says_its_grade() -> None:
    assert blurc.compile(GENOME.format(phase="", readout="a")).locality == "local"
