"""What blurc says of wrong specs: every code, every message, once and at the right place. See `cases.py`."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import read_all

from blurc.codes import CODES
from blurc.diagnostics import BlurError
from blurc.spec import check, select_model

CASES = read_all()


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_gives_exactly_its_diagnostic(name: str) -> None:
    (d,) = CASES[name].diagnose()
    assert list(CASES[name].describe(d)) == CASES[name].expected


@pytest.mark.parametrize("name", CASES)
def test_a_diagnostic_says_what_to_do_and_shows_where(name: str) -> None:
    (d,) = CASES[name].diagnose()
    text = d.render()
    assert d.help or d.notes
    assert d.code in text
    assert d.message in text
    assert ("^" in text) == (d.span is not None)


@pytest.mark.parametrize("name", CASES)
def test_the_repaired_text_is_clean(name: str) -> None:
    assert CASES[name].diagnose(repaired=True) == []


@pytest.mark.parametrize("name", [name for name in CASES if name != "W505_nothing"])
def test_the_repair_is_a_part_of_the_text(name: str) -> None:
    marks = [line[0] for line in CASES[name].main.lines if line]
    assert 1 <= len(marks) - marks.count(" ") <= 10
    assert " " in marks


def test_every_code_of_the_language_has_a_case() -> None:
    codes = {code for code in CODES if code < "E5" or code.startswith("W5")}
    assert {case.expected[0][:4] for case in CASES.values()} == codes


def test_a_case_is_named_after_its_code() -> None:
    assert [name for name, case in CASES.items() if name[:4] != case.expected[0][:4]] == []


# ------------------------------------------------------------ several mistakes

THREE_IN_A_GENOME = """
genome g {
  state   a
  synapse w
  learn   rate = 0.1
  sense    { a <- input }
  forward  { a <- tahn(incoming(w * pre.a)) }
  update   { w <- w + rate * pre.a * post.a }
  readout  a
}
"""

THREE_IN_A_NETWORK = """
network n {
  input  x[0]
  hidden h[4] { bias = no }
  output y[1]
  x -> h
  h -> z
}
"""

THREE_KINDS = """
import "nothing/here.blur"
genome g {
  state   a
  synapse w ~ zeros
  sense    { a = input }
  forward  { a <- incoming(w * a) }
  update   { w <- w + batch_mean(pre.a * post.a) }
  readout  a
}
"""


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (THREE_IN_A_GENOME, ["E208", "E202", "E305"]),
        (THREE_IN_A_NETWORK, ["E206", "E407", "E401"]),
        (THREE_KINDS, ["E103", "E101", "E302"]),
    ],
)
def test_three_mistakes_give_three_diagnostics(text: str, codes: list[str]) -> None:
    assert [d.code for d in check(text)] == codes


def test_all_mistakes_are_reported_when_a_network_is_compiled() -> None:
    with pytest.raises(BlurError) as caught:
        select_model(THREE_KINDS)
    assert [d.code for d in caught.value.diagnostics] == ["E103", "E101", "E302"]


def test_a_population_is_unknown_once_however_often_it_stands() -> None:
    found = check("network n { input x[2]  x -> h  for i in 1..2 { h -> y } }")
    assert [(d.code, d.message) for d in found] == [
        ("E406", "the network `n` has no output population"),
        ("E401", "unknown population `h`"),
        ("E401", "unknown population `y`"),
    ]


def test_an_error_with_the_defaults_too_is_not_blamed_on_the_parameters() -> None:
    text = CASES["E101_no_let_with_arguments"].main.text(without="-")
    with pytest.raises(BlurError) as caught:
        select_model(text.replace("tanh(z)", "tahn(z)"))
    assert [(d.code, d.notes) for d in caught.value.diagnostics] == [("E202", ())]


# ------------------------------------------------------------------ whole texts

MINE = """# A rule of mine.
genome mine(k = 2) {
  state   a[k]
  synapse w[k] ~ normal(1 / sqrt(fan_in))
  learn   nu[4, 4] ~ normal(1)

  fn      phi = tanh

  # Nothing comes back in this one.

  sense   { a[0] <- input }
  forward { a <- phi(incoming(w * (nu @ pre.a))) }
  update  { w <- w + batch_mean(pre.a * post.a) }
  readout a[0]
}
"""


def test_the_example_of_the_design(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "mine.blur").write_text(MINE)
    (d,) = check("specs/mine.blur")
    assert d.render() == (
        """\
specs/mine.blur:12:36: error[E203]: cannot mix a [4, 4] matrix with a state of shape [2]
   12 |   forward { a <- phi(incoming(w * (nu @ pre.a))) }
      |                                    ^^^^^^^^^^
   note: nu is declared [4, 4] on line 5, a is declared [2] on line 3
   help: declare `learn nu[2, 2]`"""
    )


GOLDEN = {
    "E101_equal_for_arrow": """\
E101_equal_for_arrow.blur:5:16: error[E101]: found `=`, expected `<-`
    5 |   forward  { a = tanh(incoming(w * pre.a)) }
      |                ^
   help: write `a <- tanh(incoming(w * pre.a))`, or `let a = ...` for a new name""",
    "E201_near_miss": """\
E201_near_miss.blur:7:12: error[E201]: unknown name `atc`
    7 |   readout  atc
      |            ^^^
   help: did you mean `act`?""",
    "E301_pre_in_forward": """\
E301_pre_in_forward.blur:5:24: error[E301]: `pre.a` needs a synapse, but the scope here is one neuron, which sees \
others only through its synapses
    5 |   forward  { a <- tanh(pre.a) }
      |                        ^^^^^
   help: sum over the synapses: `incoming(w * pre.a)`; the neuron's own state is `a`""",
    "E302_in_update": """\
E302_in_update.blur:6:34: error[E302]: whose `a`? It is a neuron state
    6 |   update   { w <- w + batch_mean(a * post.a) }
      |                                  ^
   note: the scope here is one synapse, and a synapse has two neurons
   help: write `pre.a` or `post.a`""",
    "E303_missing_sum": """\
E303_missing_sum.blur:5:24: error[E303]: `w * pre.a` belongs to one synapse, but the scope here is one neuron, which \
has many synapses
    5 |   forward  { a <- tanh(w * pre.a) }
      |                        ^^^^^^^^^
   help: sum over them: `incoming(w * pre.a)`""",
    "E305_no_reducer": """\
E305_no_reducer.blur:6:23: error[E305]: `w` is shared by the whole batch, but this value differs from example to \
example
    6 |   update   { w <- w + 0.1 * pre.a * post.a }
      |                       ^^^^^^^^^^^^^^^^^^^^
   help: bring it together over the batch: `batch_mean(0.1 * pre.a * post.a)`""",
    "E306_in_sum": """\
E306_in_sum.blur:5:28: error[E306]: `tanh(w * pre.a)` mixes `w` (synapse) with `pre.a` (presynaptic neuron), and \
incoming(..) cannot separate them
    5 |   forward  { a <- incoming(tanh(w * pre.a)) }
      |                            ^^^^^^^^^^^^^^^
   note: sums over synapses become matrix products of a synapse factor, a presynaptic and a postsynaptic factor; a \
non-linear function of a mixture would need a value for every example and synapse, as a channel `per example` has
   help: apply the function to one of them alone, or to the finished sum: `phi(incoming(w * pre.x))`""",
    "E205_for_these_parameters": """\
E205_for_these_parameters.blur:6:52: error[E205]: no index 1: `post.a` has 1 part, counted from 0
    6 |   update   { w <- w + batch_mean(pre.a[0] * post.a[1]) }
      |                                                    ^
   note: this is for k = 1 from E205_for_these_parameters.blur:10:11
   help: use 0""",
    "E403_cycle": """\
E403_cycle.blur:8:3: error[E403]: the projections that carry forward form a cycle: a -> b -> a
    8 |   b -> a
      |   ^^^^^^
   note: each population is visited once per step, after everything that it reads
   help: write `b -> a [delay = 1]`, to read `b` from the previous step; or remove `b -> a`, or let it carry one \
way only (`[forward]` or `[backward]`)""",
    "E412_conv": """\
E412_conv.blur:4:18: error[E412]: `conv(3, 3, stride = 2)` makes [14, 14] places of [28, 28], but `maps` has [13, 13]
    4 |   image -> maps [conv(3, 3, stride = 2)]
      |                  ^^^^^^^^^^^^^^^^^^^^^^
   help: declare `output maps[14, 14, 8]`""",
    "E416_range": """\
E416_range.blur:4:11: error[E416]: edges/range.csv:3: `y` has 3 neurons, found neuron 3
    4 |   x -> y [edges("edges/range.csv")]
      |           ^^^^^^^^^^^^^^^^^^^^^^^^
   help: neurons are counted from 0 to 2, in row-major order""",
    "E425_shape": """\
E425_shape.blur:11:16: error[E425]: the port `x` of `residual` is [16], but `in` is [8]
   11 |   r = residual(x = in, width = 16)
      |                ^^^^^^
   help: write `width = 8`""",
    "W503_leads_nowhere": """\
W503_leads_nowhere.blur:3:3: warning[W503]: the population `h` leads to no output
    3 |   hidden h[4]
      |   ^^^^^^^^^^^
   help: project it on, such as `h -> y`, or remove it""",
}


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_the_whole_text_of_a_diagnostic(name: str) -> None:
    (d,) = CASES[name].diagnose()
    assert d.render() == GOLDEN[name]
