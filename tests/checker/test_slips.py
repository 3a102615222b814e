"""Slips from other languages and tools: each has a help, and following it gives a spec that compiles."""

from __future__ import annotations

import pytest

from blurc.spec import check

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
NO_TRANSPOSE = "write `w`: `outgoing(w * post.act)` already reads the synapses backward"
BIAS = "leave it out: every population already has a bias, its synapses from the unit neuron"
BIAS_LEARNS = "leave it out: biases are the synapses from the unit neuron, and learn like all others"
DATA = "write `input`: that is the data of an input population"
APPLIED = "`softmax` looks at a whole population, so the rule applies it itself: "
TARGET = "write `target`: that is the targets of an output population"

# what is written, how by mistake, the help, and what stands there once it is followed (None: what stood there)
SLIPS = [
    # words and signs of other languages
    ("genome g {", "rule g {", "write `genome g`", None),
    ("network n uses", "graph n uses", "write `network n`", None),
    ("input  x[8, 8]", "x[8, 8]", "say what it is: `input x[8, 8]`, `hidden x[8, 8]` or `output x[8, 8]`", None),
    ("sense    { act <- input }", "sense: act <- input", "a phase has braces: `sense { ... }`", None),
    ("normal(1 / sqrt(fan_in))", "normal(0, 0.1)", "write `normal(0.1)`", "normal(0.1)"),
    ("act <- phi(z)", "act <- z > 0 ? z : 0", "write `act <- where(z > 0, z, 0)`", "act <- where(z > 0, z, 0)"),
    ("phi = linear", "activation = linear", "write `phi = linear`: that is its slot", None),
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
    ("phi(z)", "z - channel_mean(z)", "did you mean `place_mean`?", "z - place_mean(z)"),
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
        "declare each population separately: `output y[10]` and `output x2[4] { phi = linear }`",
        None,
    ),
    ("{ phi = linear }", "{ relu }", "write `{ phi = relu }`", "{ phi = relu }"),
    ("{ phi = linear }", "{ phi: linear }", "write `phi = linear`", None),
    ("{ phi = linear }", "{ phi = 'linear' }", "only file names are quoted: write `linear`", None),
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
    ("h -> y", "h -> y [label skip]", "write `label = skip`", "h -> y [label = skip]"),
    ("h -> y", "h -> y [same = x->h]", "label that projection, `[label = shared]`, and write `same = shared`", None),
    ("h -> y", "h -> y [fixed, delay 1]", "write `delay = 1`", "h -> y [fixed, delay = 1]"),
    ("h -> y", "h -> y fixed", "write `h -> y [fixed]`", "h -> y [fixed]"),
    ("h -> y", "h -> y, delay = 1", "write `h -> y [delay = 1]`", "h -> y [delay = 1]"),
    ("h -> y", "h -> y [delay: 1]", "write `delay = 1`", "h -> y [delay = 1]"),
    ("h -> y", "h, x -> y", "write each projection separately: `h -> y` and `x -> y`", "h -> y  x -> y"),
    (
        "x -> h\n  h -> y",
        "x -> h [fixed] -> y [delay = 1]",
        "write each projection separately: `x -> h [fixed]` and `h -> y [delay = 1]`",
        "x -> h [fixed] h -> y [delay = 1]",
    ),
    ("x -> h", "x -> h, y", "write each projection separately: `x -> h` and `x -> y`", "x -> h  x -> y"),
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
    ("h -> y", "for i in 2 { h -> y }", "write `for i in 1..2`: both ends are included", "for i in 1..2 { h -> y }"),
    ("h -> y", "for i = 1..2 { h -> y }", "write `for i in ...`", "for i in 1..2 { h -> y }"),
    ("uses g", "using g", "write `uses g`", None),
    ("uses g", ": g", "write `uses g`", None),
    ("uses g", "g", "write `uses g`", None),
    # genomes
    ("readout  act", "readout  act, err", "a prediction is one number of a neuron: write `readout act`", None),
    ("readout  act", "return act", "write `readout act`", None),
    ("readout  act", "output act", "write `readout act`", None),
    ("synapse w", "weight w", "write `synapse w ~ normal(1 / sqrt(fan_in))`", None),
    ("act <- phi(z)", "return act", "the prediction is defined in the genome, next to the phases: `readout act`", None),
    ("phi(z)\n", "max(z, axis = 0)\n", "there is no `axis`: functions work element by element", None),
    ("phi(z)\n", "clip(z, low=0, high=1)\n", "arguments have no names: write `clip(z, 0, 1)`", "clip(z, 0, 1)\n"),
    (
        "phi(z)\n",
        "z - mean(z, axis = 0)\n",
        "in `update`, write `batch_mean(..)`; in other phases `population_mean(..)`, or `incoming(..)` for the sum "
        "over synapses",
        "z - population_mean(z)\n",
    ),
    ("phi(z)", "jax.nn.relu(z)", "write `relu(z)`", "relu(z)"),
    ("h[64]\n", "h[64, phi = relu]\n", "write `hidden h[64] { phi = relu }`", "h[64] { phi = relu }\n"),
    ("normal(1 /", "xavier(1 /", "write `normal(sqrt(2 / (fan_in + fan_out)))`", "normal(1 /"),
]


@pytest.mark.parametrize(("right", "wrong", "help", "followed"), SLIPS)
def test_a_slip_has_a_help_that_compiles_when_it_is_followed(
    right: str, wrong: str, help: str, followed: str | None
) -> None:
    assert CLEAN.count(right) == 1
    (d,) = check(CLEAN.replace(right, wrong))
    assert d.help == help
    assert check(CLEAN.replace(right, followed or right)) == []
