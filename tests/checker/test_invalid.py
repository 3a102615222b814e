"""What blurc says about wrong specs: every code, every message, exactly once and at the right place.

Each `invalid/NAME.blur` says in its first line what it provokes; `NAME.valid.blur` is the same with the mistake put
right.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from blurc.codes import CODES
from blurc.diagnostics import BlurError, Diagnostic
from blurc.spec import check, select_model

INVALID = Path(__file__).parent / "invalid"
WRONG = sorted(p.name.removesuffix(".blur") for p in INVALID.glob("*.blur") if ".valid" not in p.name)
HEADER = re.compile(
    r"# (?P<code>[EW]\d{3})(?: at (?P<at>\d+:\d+))?(?: of (?P<file>\S+))?(?P<compile> when compiled)?: (?P<text>.*)"
)


@dataclass(frozen=True)
class Expected:
    code: str
    file: str
    at: str | None
    message: str
    when_compiled: bool


def expected(name: str) -> Expected:
    first = (INVALID / f"{name}.blur").read_text().split("\n")[0]
    found = HEADER.fullmatch(first)
    assert found, f"{name}: the first line says what is expected"
    file = found["file"] or f"{name}.blur"
    return Expected(found["code"], file, found["at"], found["text"], bool(found["compile"]))


def diagnose(name: str, when_compiled: bool) -> list[Diagnostic]:
    if not when_compiled:
        return check(f"{name}.blur")
    try:
        select_model(f"{name}.blur")
    except BlurError as error:
        return list(error.diagnostics)
    return []


@pytest.fixture(autouse=True)
def beside_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(INVALID)  # messages name files as they were called


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_gives_exactly_its_diagnostic(name: str) -> None:
    e = expected(name)
    (d,) = diagnose(name, e.when_compiled)
    at = f"{d.span.line}:{d.span.column}" if d.span else None
    file = d.span.source.name if d.span else e.file
    assert (d.code, file, at, d.message) == (e.code, e.file, e.at, e.message)


@pytest.mark.parametrize("name", WRONG)
def test_a_diagnostic_says_what_to_do_and_shows_where(name: str) -> None:
    (d,) = diagnose(name, expected(name).when_compiled)
    text = d.render()
    assert d.help or d.notes
    assert d.code in text
    assert d.message in text
    assert ("^" in text) == (d.span is not None)


@pytest.mark.parametrize("name", WRONG)
def test_the_valid_twin_is_clean(name: str) -> None:
    assert diagnose(f"{name}.valid", expected(name).when_compiled) == []


@pytest.mark.parametrize("name", [n for n in WRONG if n != "W505_nothing"])
def test_the_valid_twin_differs_by_the_repair_alone(name: str) -> None:
    wrong, right = ((INVALID / f"{n}.blur").read_text().split("\n")[1:] for n in (name, f"{name}.valid"))
    changed = [line for line in difflib.ndiff(wrong, right) if line[0] in "+-"]
    assert 1 <= len(changed) <= 10
    assert len(changed) < len(wrong) + len(right)


def test_every_code_of_the_language_has_a_file() -> None:
    codes = {code for code in CODES if code < "E5" or code.startswith("W")}
    assert {expected(name).code for name in WRONG} == codes


def test_a_file_is_named_after_its_code() -> None:
    assert [name for name in WRONG if name[:4] != expected(name).code] == []


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


HELP = {
    "E202_sum": "over the synapses, write `incoming(w * pre.a)`",
    "E202_mean": "over the batch, write `batch_mean(pre.a * post.a)`",
    "E202_dot": "to sum over the synapses, write `incoming(w * pre.a)`",
    "E208_gaussian": "did you mean `normal`?",
    "E101_walrus": "write `a <- tanh(incoming(w * pre.a))`",
    "E102_arrow": "write `a <- tanh(incoming(w * pre.a))`",
    "E101_fat_arrow": "write `ha -> y`",
    "E401_short_name": "did you mean `ha` or `hb`?",
    "E101_label_without_sign": "write `label = one`",
    "E101_quoted_label": "only file names stand in quotes: write `one`",
    "E101_missing_comma": "write `state a, b`",
    "E101_persistent_first": "write `state b persistent`",
    "E101_uses_without_name": "name the genome: `uses GENOME(...)`",
    "E411_probability": "write `fan_in = 2` for that many",
    "E412_pairs": "declare `output y[2, 3]`",
    "E412_pool": "declare `output maps[4, 4, 2]`",
    "E414_missing": "did you mean `edges/good.csv`?",
    "E418_kind": "did you mean `edges/good.csv`?",
    "E424_argument": "did you mean `width`?",
}


@pytest.mark.parametrize("name", sorted(HELP))
def test_the_help_says_what_was_meant(name: str) -> None:
    (d,) = check(f"{name}.blur")
    assert d.help == HELP[name]


def test_a_name_is_unknown_once_however_often_it_stands() -> None:
    (d,) = check("E201_misspelt_state.blur")
    assert d.notes[-1] == "it stands in the genome 5 more times"


def test_a_population_is_unknown_once_however_often_it_stands() -> None:
    found = check("network n { input x[2]  x -> h  for i in 1..2 { h -> y } }")
    assert [(d.code, d.message) for d in found] == [
        ("E406", "the network `n` has no output population"),
        ("E401", "unknown population `h`"),
        ("E401", "unknown population `y`"),
    ]


def test_an_error_with_the_defaults_too_is_not_blamed_on_the_parameters() -> None:
    text = Path("E101_no_let_with_arguments.valid.blur").read_text()
    with pytest.raises(BlurError) as caught:
        select_model(text.replace("tanh(z)", "tahn(z)"))
    assert [(d.code, d.notes) for d in caught.value.diagnostics] == [("E202", ())]


# ------------------------------------------------------------------ slips from elsewhere

CLEAN = """
genome g {
  state   act, err
  synapse w ~ normal(1 / sqrt(fan_in))
  learn   eta = 0.1
  fn      phi = tanh
  sense    { act <- input }
  forward  {
    let z = incoming(w * pre.act)
    act <- phi(z)
    err <- phi'(z)
  }
  feedback { err <- err * (softmax(act) - target) }
  backward { err <- err * outgoing(w * post.err) }
  update   { w <- w - eta * batch_mean(post.err * pre.act) }
  readout  act
}
network n uses g {
  input  x[8, 8]
  hidden h[64]
  output y[10] { phi = linear }
  x -> h
  h -> y
}
"""
NO_TRANSPOSE = "write `w`: `outgoing(w * post.act)` reads the synapses backward already"
BIAS = "leave it out: every population has a bias already, by its synapses from the unit neuron"
BIAS_LEARNS = "leave it out: biases are the synapses from the unit neuron, and learn as all others do"
DATA = "write `input`: so the data of an input population are called"
APPLIED = "the rule applies `softmax` itself, in `feedback` and `readout`: "
TARGET = "write `target`: so the targets of an output population are called"

# what is written, how by mistake, the help, and what stands there once it is followed (None: what stood there)
SLIPS = [
    # names of NumPy and others
    ("act <- input", "act <- x", DATA, None),
    ("act <- input", "act <- data", DATA, None),
    ("- target", "- y", TARGET, None),
    ("- target", "- labels", TARGET, None),
    ("- target", "- label", TARGET, None),
    ("incoming(w * pre.act)", "incoming(w * pre.act) + b", BIAS, None),
    ("incoming(w * pre.act)", "incoming(w * pre.act + bias)", BIAS, None),
    ("  readout", "  update { b <- b - eta * batch_mean(post.err) }  readout", BIAS_LEARNS, "  readout"),
    ("phi(z)", "np.tanh(z)", "write `tanh(z)`", "tanh(z)"),
    ("phi(z)", "jnp.maximum(z, 0)", "write `max(z, 0)`", "max(z, 0)"),
    ("phi(z)", "torch.phi(z)", "write `phi(z)`", None),
    ("phi(z)", "z.tanh()", "write `tanh(z)`", "tanh(z)"),
    ("phi(z)", "z - np.mean(z)", "over the population, write `population_mean(z)`", "z - population_mean(z)"),
    ("w * post.err)", "w.T * post.err)", NO_TRANSPOSE, None),
    ("outgoing(w * post.err)", "w.T @ post.err", "sum over them: `err * outgoing(w * post.err)`", None),
    ("incoming(w * pre.act)", "w @ pre.act", "sum over them: `incoming(w * pre.act)`", None),
    ("incoming(w * pre.act)", "act * w * pre.act", "sum over them: `act * incoming(w * pre.act)`", None),
    (
        "eta * batch_mean(post.err * pre.act)",
        "eta * batch_mean(post.err) * pre.act",
        "bring it together over the batch, all at once: `batch_mean(eta * post.err * pre.act)`",
        "batch_mean(eta * post.err * pre.act)",
    ),
    (
        "eta * batch_mean(post.err * pre.act)",
        "batch_sum(post.err + eta) * pre.act",
        "bring it together over the batch, all at once: `batch_sum((post.err + eta) * pre.act)`",
        "batch_sum((post.err + eta) * pre.act)",
    ),
    # only what can be seen there is near
    ("err * (softmax", "eta_out * err * (softmax", "did you mean `eta`?", "eta * err * (softmax"),
    ("- eta *", "- eta_out *", "did you mean `eta`?", None),
    ("(post.err *", "(er *", "did you mean `pre.err` or `post.err`?", None),
    # populations and their options
    ("x[8, 8]", "x[8 x 8]", "write `x[8, 8]`", None),
    ("x[8, 8]", "x[8x8]", "write `x[8, 8]`", None),
    ("x[8, 8]", "x[8 8]", "write `x[8, 8]`", None),
    ("x[8, 8]", "x(8, 8)", "give the population its shape: `input x[8, 8]`", None),
    ("h[64]", "h[64][4]", "write `hidden h[64, 4]`", "h[64, 4]"),
    ("h[64]", "h 64", "give the population its shape: `hidden h[64]`", None),
    ("h[64]", "h[64] relu", "write `hidden h[64] { phi = relu }`", "h[64] { phi = relu }"),
    ("h[64]", "h[64] [phi = relu]", "write `hidden h[64] { phi = relu }`", "h[64] { phi = relu }"),
    ("h[64]", "h[64], relu", "write `hidden h[64] { phi = relu }`", "h[64] { phi = relu }"),
    (
        "y[10] {",
        "y[10], x2[4] {",
        "declare each population by itself: `output y[10]` and `output x2[4] { phi = linear }`",
        None,
    ),
    ("{ phi = linear }", "{ relu }", "write `{ phi = relu }`", "{ phi = relu }"),
    ("{ phi = linear }", "{ phi: linear }", "write `phi = linear`", None),
    ("{ phi = linear }", "{ phi = 'linear' }", "only file names stand in quotes: write `linear`", None),
    ("{ phi = linear }", "{ phi = softmax }", f"{APPLIED}write `phi = linear`", None),
    ("{ phi = linear }", "{ phi = 'softmax' }", f"{APPLIED}write `linear`", None),
    ("{ phi = linear }", "{ softmax }", f"{APPLIED}write `{{ phi = linear }}`", None),
    ("{ phi = linear }", "softmax", f"{APPLIED}write `output y[10] {{ phi = linear }}`", None),
    ("{ phi = linear }", "{ phi = identity }", "did you mean `linear`?", None),
    ("fn      phi = tanh", "fn      phi = softmax", f"{APPLIED}write `phi = linear`", "fn phi = linear"),
    ("hidden h", "layer h", "write `hidden h[64]`", None),
    # projections and loops
    ("h -> y", "h -> y (label = skip)", "write `h -> y [label = skip]`", "h -> y [label = skip]"),
    ("h -> y", "h -> y { label = skip }", "write `h -> y [label = skip]`", "h -> y [label = skip]"),
    ("h -> y", "h -> y fixed", "write `h -> y [fixed]`", "h -> y [fixed]"),
    ("h -> y", "h -> y, delay = 1", "write `h -> y [delay = 1]`", "h -> y [delay = 1]"),
    ("h -> y", "h -> y [delay: 1]", "write `delay = 1`", "h -> y [delay = 1]"),
    ("h -> y", "h, x -> y", "write each projection by itself: `h -> y` and `x -> y`", "h -> y  x -> y"),
    ("x -> h", "x -> h, y", "write each projection by itself: `x -> h` and `x -> y`", "x -> h  x -> y"),
    (
        "h -> y",
        "h -> h2  h2 -> y",
        "declare it: `hidden h2[64]`; or did you mean `h`?",
        "hidden h2[64] h -> h2 h2 -> y",
    ),
    (
        "h -> y",
        "for i in range(3) { h -> y [label = s{i}] }",
        "write `for i in 0..2`: both ends are included",
        "for i in 0..2 { h -> y [label = s{i}] }",
    ),
    (
        "h -> y",
        "for i in range(1, 3) { h -> y [label = s{i}] }",
        "write `for i in 1..2`: both ends are included",
        "for i in 1..2 { h -> y [label = s{i}] }",
    ),
    (
        "h -> y",
        "for i in 2 { h -> y }",
        "write `for i in 1..2`: both ends are included",
        "for i in 1..2 { h -> y }",
    ),
    ("h -> y", "for i = 1..2 { h -> y }", "write `for i in ...`", "for i in 1..2 { h -> y }"),
    ("uses g", "using g", "write `uses g`", None),
    ("uses g", ": g", "write `uses g`", None),
    ("uses g", "g", "write `uses g`", None),
    # genomes
    (
        "readout  act",
        "readout  act, err",
        "a prediction is one number of a neuron: write `readout act`",
        None,
    ),
    ("readout  act", "return act", "write `readout act`", None),
    ("readout  act", "output act", "write `readout act`", None),
    ("synapse w", "weight w", "write `synapse w ~ normal(1 / sqrt(fan_in))`", None),
    (
        "act <- phi(z)",
        "return act",
        "what a prediction is stands in the genome, beside the phases: `readout act`",
        None,
    ),
    ("phi(z)\n", "max(z, axis = 0)\n", "there is no `axis`: functions work element by element", None),
    (
        "phi(z)\n",
        "clip(z, low=0, high=1)\n",
        "arguments have no names: write `clip(z, 0, 1)`",
        "clip(z, 0, 1)\n",
    ),
    (
        "phi(z)\n",
        "z - mean(z, axis = 0)\n",
        "in `update`, write `batch_mean(..)`; in other phases `population_mean(..)`, or `incoming(..)` for the sum "
        "over synapses",
        "z - population_mean(z)\n",
    ),
    ("phi(z)", "jax.nn.relu(z)", "write `relu(z)`", "relu(z)"),
]


@pytest.mark.parametrize(("right", "wrong", "help", "followed"), SLIPS)
def test_a_slip_has_a_help_that_compiles_when_it_is_followed(
    right: str, wrong: str, help: str, followed: str | None
) -> None:
    assert CLEAN.count(right) == 1
    (d,) = check(CLEAN.replace(right, wrong))
    assert d.help == help
    assert check(CLEAN.replace(right, followed or right)) == []


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
E101_equal_for_arrow.blur:6:16: error[E101]: found `=`, expected `<-`
    6 |   forward  { a = tanh(incoming(w * pre.a)) }
      |                ^
   help: write `a <- tanh(incoming(w * pre.a))`, or `let a = ...` for a new name""",
    "E201_near_miss": """\
E201_near_miss.blur:8:12: error[E201]: unknown name `atc`
    8 |   readout  atc
      |            ^^^
   help: did you mean `act`?""",
    "E301_pre_in_forward": """\
E301_pre_in_forward.blur:6:24: error[E301]: `pre.a` needs a synapse, but the scope here is one neuron, which sees \
others only through its synapses
    6 |   forward  { a <- tanh(pre.a) }
      |                        ^^^^^
   help: sum over the synapses: `incoming(w * pre.a)`; the neuron's own state is `a`""",
    "E302_in_update": """\
E302_in_update.blur:7:34: error[E302]: whose `a`? It is a neuron state
    7 |   update   { w <- w + batch_mean(a * post.a) }
      |                                  ^
   note: the scope here is one synapse, and a synapse has two neurons
   help: write `pre.a` or `post.a`""",
    "E303_missing_sum": """\
E303_missing_sum.blur:6:24: error[E303]: `w * pre.a` belongs to one synapse, but the scope here is one neuron, which \
has many synapses
    6 |   forward  { a <- tanh(w * pre.a) }
      |                        ^^^^^^^^^
   help: sum over them: `incoming(w * pre.a)`""",
    "E305_no_reducer": """\
E305_no_reducer.blur:7:23: error[E305]: `w` is shared by the whole batch, but this value differs from example to \
example
    7 |   update   { w <- w + 0.1 * pre.a * post.a }
      |                       ^^^^^^^^^^^^^^^^^^^^
   help: bring it together over the batch: `batch_mean(0.1 * pre.a * post.a)`""",
    "E306_in_sum": """\
E306_in_sum.blur:6:28: error[E306]: `tanh(w * pre.a)` mixes `w` (synapse) with `pre.a` (presynaptic neuron), and \
incoming(..) cannot take it apart
    6 |   forward  { a <- incoming(tanh(w * pre.a)) }
      |                            ^^^^^^^^^^^^^^^
   note: sums over synapses become matrix products of a synapse factor, a presynaptic and a postsynaptic factor; a \
non-linear function of a mixture would need a value for every example and synapse
   help: apply the function to one of them alone, or to the finished sum: `phi(incoming(w * pre.x))`""",
    "E205_for_these_parameters": """\
E205_for_these_parameters.blur:7:52: error[E205]: no index 1: `post.a` has 1 part, counted from 0
    7 |   update   { w <- w + batch_mean(pre.a[0] * post.a[1]) }
      |                                                    ^
   note: this is for k = 1 from E205_for_these_parameters.blur:11:11
   help: use 0""",
    "E403_cycle": """\
E403_cycle.blur:9:3: error[E403]: the projections that carry forward form a cycle: a -> b -> a
    9 |   b -> a
      |   ^^^^^^
   note: each population is visited once per step, after everything that it reads
   help: write `b -> a [delay = 1]`, to read `b` from the previous step; or remove `b -> a`, or let it carry one \
way only (`[forward]` or `[backward]`)""",
    "E412_conv": """\
E412_conv.blur:5:18: error[E412]: `conv(3, 3, stride = 2)` makes [14, 14] places of [28, 28], but `maps` has [13, 13]
    5 |   image -> maps [conv(3, 3, stride = 2)]
      |                  ^^^^^^^^^^^^^^^^^^^^^^
   help: declare `output maps[14, 14, 8]`""",
    "E416_range": """\
E416_range.blur:5:11: error[E416]: edges/range.csv:3: `y` has 3 neurons, found neuron 3
    5 |   x -> y [edges("edges/range.csv")]
      |           ^^^^^^^^^^^^^^^^^^^^^^^^
   help: neurons are counted from 0 to 2, in row-major order""",
    "E425_shape": """\
E425_shape.blur:12:16: error[E425]: the port `x` of `residual` is [16], but `in` is [8]
   12 |   r = residual(x = in, width = 16)
      |                ^^^^^^
   help: write `width = 8`""",
    "W503_leads_nowhere": """\
W503_leads_nowhere.blur:4:3: warning[W503]: the population `h` leads to no output
    4 |   hidden h[4]
      |   ^^^^^^^^^^^
   help: project it on, such as `h -> y`, or remove it""",
}


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_the_whole_text_of_a_diagnostic(name: str) -> None:
    (d,) = check(f"{name}.blur")
    assert d.render() == GOLDEN[name]
