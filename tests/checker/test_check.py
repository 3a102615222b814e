"""The checker as its callers meet it: parameters, warnings, one diagnostic a mistake, and no exception ever."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import blurc
from blurc import model
from blurc.diagnostics import BlurError, Diagnostic, Source, Span
from blurc.model.show import show
from blurc.plan import plan_of
from blurc.spec import check, select_model

SPECS = Path(__file__).parents[2] / "specs"
SPAN = Span(Source("none", ""), 0, 0)  # spans take no part in equality

RULE = """
genome rule(k = 2, rate = 0.1, act = tanh) {
  state   a[k]
  synapse w ~ normal(1 / sqrt(fan_in))
  const   half = 0.5, pair = [1, half]
  learn   eta = rate * half
  fn      phi = act
  sense    { a[0] <- input }
  forward  { a <- phi(incoming(w * pre.a)) + pair[0] * a[1] }
  update   { w <- w + eta * batch_mean(pre.a[0] * post.a[0]) }
  readout  a[0]
}
"""
NETWORK = """
network net(hidden = 4, k = 2) uses rule(k = k) {
  input  x[3]
  hidden h[hidden]
  output y[2] { phi = linear }
  x -> h
  h -> y
}
"""


def codes(text: str) -> list[str]:
    return [d.code for d in check(text)]


def refused(run: Callable[[], Any]) -> tuple[Diagnostic, ...]:
    with pytest.raises(BlurError) as caught:
        run()
    return caught.value.diagnostics


# ------------------------------------------------------------------ parameters


def test_a_parameter_of_network_and_genome_is_set_in_both() -> None:
    found = select_model(RULE + NETWORK, params={"k": 3})
    assert dict(found.network.params)["k"] == dict(found.genome.params)["k"] == 3


def test_arguments_of_uses_count_for_the_genome_that_is_used() -> None:
    other = RULE.replace("genome rule(k = 2", "genome other(k = 5")
    found = select_model(RULE + other + NETWORK, genome="other", params={"hidden": 7})
    assert found.genome.state("a").shape == (5,)
    assert found.network.population("h").shape == (7,)


def test_a_number_from_numpy_is_a_number() -> None:
    found = select_model(RULE + NETWORK, params={"hidden": np.int64(6), "rate": np.float32(0.5)})
    assert found.network.population("h").shape == (6,)


def test_a_parameter_may_name_a_function() -> None:
    assert select_model(RULE + NETWORK, params={"act": "relu"}).slot("h", "phi") == "relu"


@pytest.mark.parametrize("value", ["thanh", True, None, [1], float("nan"), float("inf")])
def test_a_parameter_is_a_finite_number_or_a_function(value: Any) -> None:
    (d,) = refused(lambda: select_model(RULE + NETWORK, params={"rate": value}))
    assert d.code == "E206"
    assert repr(value) in d.message


def test_an_unknown_parameter_is_refused_with_the_nearest() -> None:
    (d,) = refused(lambda: select_model(RULE + NETWORK, params={"hiden": 3}))
    assert (d.code, d.help) == ("E210", "did you mean `hidden`?")
    text = RULE + NETWORK.replace("hidden = 4", "inputs = 4").replace("[hidden]", "[inputs]")
    (d,) = refused(lambda: select_model(text, params={"outputs": 3}))
    assert d.help is not None
    assert d.help.startswith("use one of inputs")


def test_a_parameter_that_breaks_a_shape_is_blamed_on_the_line_that_fails() -> None:
    (d,) = refused(lambda: select_model(RULE + NETWORK, params={"k": 1}))
    assert d.span is not None
    assert (d.code, d.span.line, d.span.text) == ("E205", 9, "1")
    assert d.notes[-1] == "this is for k = 1"


def test_an_error_in_a_default_is_reported_once() -> None:
    text = RULE.replace("rate = 0.1", "rate = 1 / 0") + NETWORK + NETWORK.replace("network net", "network net2")
    assert codes(text) == ["E206"]


def test_a_constant_may_be_a_size() -> None:
    text = RULE.replace("state   a[k]", "const   size = 2\n  state   a[size]").replace("(k = 2, ", "(")
    assert select_model(text + NETWORK.replace("rule(k = k)", "rule").replace(", k = 2", "")).genome.state(
        "a"
    ).shape == (2,)


def test_compile_time_numbers_call_functions_as_their_place_knows_them() -> None:
    found = select_model(
        """fn half(x) = x / 2  fn quarter(x) = half(half(x))
        genome g(k = quarter(12), more = twice(k)) {
          const offset = 1
          state a[plus(k)], b[more]  synapse w[twice(half(4))] ~ ones
          fn half(x) = 2 * x, twice(x) = half(x), plus(x) = x + offset
          sense { a <- input }  repeat quarter(8) { forward { b <- incoming(w[half(1)] * pre.a[1]) } }  readout b[0]
        }
        network n(size = quarter(8)) uses g(k = half(10)) {
          input x[half(size)]
          for i in half(2)..size { output y{i}[quarter(4 * i)]  x -> y{i} [delay = half(2 * i)] }
        }"""
    )
    genome, network = found.genome, found.network
    assert [v.shape for v in (*genome.states, *genome.channels)] == [(6,), (10,), (16,)]
    assert [phase.kind for phase in genome.phases] == ["sense", "forward", "forward"]
    assert {
        p.name: (p.size, e.delay)
        for e in network.projections
        for p in network.populations
        if e.target == p.name and e.source == "x"
    } == {"y1": (1, 1), "y2": (2, 2)}


def test_numbers_are_folded_and_consts_are_gone() -> None:
    meta = select_model(RULE + NETWORK).genome.metas[0]
    (start,) = meta.init.args
    assert isinstance(start, model.Literal)
    assert start.value == 0.05


# ------------------------------------------------------------------ the choice


def test_the_only_network_and_the_genome_it_uses_are_chosen() -> None:
    found = select_model(RULE + NETWORK)
    assert (found.network.name, found.genome.name) == ("net", "rule")


def test_another_rule_of_the_library_can_be_picked() -> None:
    assert select_model(RULE + NETWORK, genome="backprop").genome.name == "backprop"


@pytest.mark.parametrize(
    ("choice", "help_"), [({"network": "nett"}, "did you mean `net`?"), ({"genome": "rul"}, "did you mean `rule`?")]
)
def test_an_unknown_choice_is_refused(choice: dict[str, Any], help_: str) -> None:
    (d,) = refused(lambda: select_model(RULE + NETWORK, **choice))
    assert (d.code, d.help) == ("E211", help_)


def test_with_another_genome_overrides_of_its_slots_are_no_mistake() -> None:
    text = RULE + NETWORK.replace("phi = linear", "psi = linear")
    assert codes(text) == ["E407"]
    assert select_model(text, genome="backprop").slot("y", "phi") == "tanh"


# ---------------------------------------------------------- one mistake, one diagnostic


@pytest.mark.parametrize(
    ("change", "found"),
    [
        # A declaration is wrong: its uses are not.
        (("a[k]", "a[0]"), ["E206"]),
        (("learn   eta = rate * half", "learn   eta = rat * half"), ["E201"]),
        (("learn   eta = rate * half", "learn   eta[2] = [1, 2, 3]"), ["E203"]),
        (("const   half = 0.5", "const   half = 1 / 0"), ["E206"]),
        (("state   a[k]", "state   a[k], w"), ["E106"]),
        (("fn      phi = act", "fn      phi = ac"), ["E202"]),
        # A value is wrong: what it is assigned to is not unused, and what stands in it is used.
        (("phi(incoming(w * pre.a))", "phi(incoming(w * pre.b))"), ["E201"]),
        (("eta * batch_mean", "eta + batch_men"), ["E202"]),
        # A syntax error: what it hides is not missing.
        (("state   a[k]", "state   a[k"), ["E101"]),
        (("readout  a[0]", "readout  a[0"), ["E101"]),
        (("genome rule(k = 2", "genome rule(k = "), ["E101"]),
        # In a network.
        (("hidden h[hidden]", "hidden h[hiden]"), ["E201"]),
        (("hidden h[hidden]", "hidden h[hidden"), ["E101"]),
        (("h -> y", "h -> "), ["E101"]),
        (("h -> y", "h -> y  for i in 1..9 { h -> y{i} }"), ["E401"]),
        (("input  x[3]", "imput  x[3]"), ["E101"]),
        (("uses rule(k = k)", "uses ruel(k = k)"), ["E211"]),
        (("uses rule(k = k)", "uses rule(k = kk)"), ["E201"]),
    ],
)
def test_a_mistake_does_not_spread(change: tuple[str, str], found: list[str]) -> None:
    text = RULE + NETWORK
    assert change[0] in text
    assert codes(text.replace(*change)) == found


def test_a_genome_with_errors_has_no_warnings() -> None:
    assert codes(RULE.replace("state   a[k]", "state   a[k], unused[kk]")) == ["E201"]


def test_the_base_of_these_tests_is_clean() -> None:
    assert codes(RULE + NETWORK) == []


# ------------------------------------------------- signals, noise, scopes, repeats

GENOME = """
genome g(rounds = 3) {
  state   a, z
  signal  reward, mode[2]
  synapse w ~ zeros
  learn   n = 1.0, j = 1.0 per projection, p = 1.0 per population, u = 1.0 per neuron, s = 1.0 per synapse
  sense   { a <- input + noise(0.1) }
  BODY
  readout a
}
"""


def checked(body: str) -> model.Genome:
    """The genome with something in it; what is not used gives warnings, and no more."""
    text = GENOME.replace("BODY", body) + "network n uses g { input x[2]  output y[2]  x -> y }"
    return select_model(text).genome


def assigned(body: str) -> model.Expr:
    return checked(body).phases[-1].statements[-1].value


def leaf(body: str, text: str) -> model.Expr:
    return next(e for e in model.walk(assigned(body)) if e.span.text == text)


def test_signals_are_the_same_for_all() -> None:
    assert [(v.name, v.shape) for v in checked("").modulators] == [("reward", ()), ("mode", (2,))]
    for body in ("forward { a <- mode[1] }", "update { w <- mode[1] }", "forward { a <- incoming(mode[1]) }"):
        assert leaf(body, "mode") == model.Modulator("mode", shape=(2,), over=model.Over.NOTHING, span=SPAN)


@pytest.mark.parametrize(
    ("body", "text", "per", "side", "over"),
    [
        ("forward { a <- p }", "p", "population", "own", model.Over.NOTHING),
        ("forward { a <- u }", "u", "neuron", "own", model.Over.NEURON),
        ("forward { a <- incoming(pre.p) }", "pre.p", "population", "pre", model.Over.PROJECTION),
        ("forward { a <- incoming(pre.u) }", "pre.u", "neuron", "pre", model.Over.PRE),
        ("backward { a <- outgoing(post.u) }", "post.u", "neuron", "post", model.Over.POST),
        ("update { w <- post.p }", "post.p", "population", "post", model.Over.PROJECTION),
        ("update { w <- pre.u }", "pre.u", "neuron", "pre", model.Over.PRE),
        ("update { w <- s }", "s", "synapse", "own", model.Over.SYNAPSE),
        ("forward { a <- incoming(s) }", "s", "synapse", "own", model.Over.SYNAPSE),
        ("update { w <- j }", "j", "projection", "own", model.Over.PROJECTION),
        ("update { w <- n }", "n", "network", "own", model.Over.NOTHING),
    ],
)  # fmt: skip
def test_a_meta_parameter_differs_over_what_it_is_per(
    body: str, text: str, per: model.Per, side: model.Side, over: model.Over
) -> None:
    name = text.split(".")[-1]
    assert leaf(body, text) == model.Meta(name, per, side, shape=(), over=over, span=SPAN)


def test_noise_differs_over_all_and_is_numbered_in_the_order_of_the_text() -> None:
    phases = checked("repeat 2 { forward { z <- noise(mode)[0];  a <- z + noise(noise(1)) } }").phases
    draws = [[e for s in p.statements for e in model.walk(s.value) if isinstance(e, model.Noise)] for p in phases]
    assert [[e.number for e in found] for found in draws] == [[0], [1, 3, 2], [1, 3, 2]]
    own = model.Over.EXAMPLE | model.Over.NEURON
    assert {(e.shape, e.over) for found in draws for e in found} == {((), own), ((2,), own)}


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("repeat 2 { forward { a <- z } }", "forward@1 forward@2"),
        ("repeat rounds - 1 { forward { a <- z } update { w <- 0 } }", "forward@1 update@1 forward@2 update@2"),
        ("forward { a <- z } repeat 2 { forward { a <- z } }", "forward forward#2@1 forward#2@2"),
        ("repeat 2 { forward { a <- z } } forward { a <- z }", "forward@1 forward@2 forward#2"),
        ("repeat 1 { forward { a <- z } forward { z <- a } }", "forward@1 forward#2@1"),
        ("repeat 0 { forward { a <- z } } update { w <- 0 }", "update"),
    ],
)
def test_repeats_stand_written_out(body: str, names: str) -> None:
    assert [phase.name for phase in checked(body).phases] == ["sense", *names.split()]


def test_the_rounds_of_a_repeat_are_equal() -> None:
    first, second = checked("repeat 2 { forward { let y = a + 1;  z <- y * noise(1) } }").phases[1:]
    assert first.statements == second.statements


def test_a_model_prints_repeats_as_they_were_written() -> None:
    body = "repeat 2 { forward { z <- noise(mode)[0] } } repeat 3 { update { w <- pre.u } forward { a <- reward } }"
    text = GENOME.replace("BODY", body) + "network n uses g { input x[2]  output y[2]  x -> y }"
    lines = [line.split("#")[0].strip() for line in show(select_model(text)).split("\n")]
    start, stop = lines.index("repeat 2 {"), lines.index("readout a")
    assert [line for line in lines[start:stop] if line] == [
        "repeat 2 {", "forward {", "z <- noise(mode)[0]", "}", "}",
        "repeat 3 {", "update {", "w <- pre.u", "}", "forward {", "a <- reward", "}", "}",
    ]  # fmt: skip
    assert "learn   u = 1.0 per neuron" in lines
    assert "signal  mode[2]" in lines


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("update { w <- u * p }", ["E302", "E302"]),
        ("forward { a <- s;  a <- j }", ["E310", "E310"]),
        ("forward { a <- s * pre.u }", ["E303"]),
        ("update { w <- post.incoming(noise(1)) }", ["E312"]),
        ("update { w <- batch_mean(uniform(0, pre.a)) }", ["E312"]),
        ("forward { a <- outgoing(noise(1)) }", ["E312"]),
        ("forward { a <- noise(q) }", ["E201"]),
        ("forward { a <- noise(1, 2) }", ["E204"]),
        ("forward { reward <- 1 } update { u <- 1 }", ["E209", "E209"]),
        ("state reward", ["E106"]),
        ("signal noise", ["E213"]),
        ("learn q = 1 per layer  forward { a <- q } update { w <- q + pre.q }", ["E207"]),
        ("repeat 2 { }", ["E217"]),
        ("repeat 1000000000 { }", ["E217"]),  # and no time is spent on the rounds
        ("repeat 1.5 { forward { a <- z } }", ["E206"]),
        ("repeat reward { forward { a <- z } }", ["E206"]),
        ("repeat 600 { forward { a <- z } } repeat 600 { update { w <- 0 } } repeat 9 { backward { } }", ["E216"]),
        ("repeat 2 { forward { a <- q } }", ["E201"]),
    ],
)  # fmt: skip
def test_a_misuse_gives_one_diagnostic(body: str, found: list[str]) -> None:
    assert [code for code in codes(GENOME.replace("BODY", body)) if code < "W"] == found


# --------------------------------------------------------------------- texts


def test_line_ends_of_windows_change_no_column() -> None:
    text = (RULE + NETWORK).replace("half = 0.5", "half = hlaf")
    positions = [[(d.span.line, d.span.column) for d in check(t) if d.span] for t in (text, text.replace("\n", "\r\n"))]
    assert positions[0] == positions[1] == [(5, 18)]


def test_the_caret_stands_right_behind_tabs() -> None:
    (d,) = check(RULE.replace("  readout  a[0]", "\treadout\tb"))
    line, caret = d.render().split("\n")[1:3]
    assert caret.index("^") == line.index("b", line.index("readout") + 7)
    assert caret.count("\t") == 2


def test_a_spec_of_comments_alone_declares_nothing() -> None:
    assert codes("# nothing\n# here\n") == ["W505"]


def test_check_can_be_called_again() -> None:
    """No module of the package may go by the name of a public function."""
    assert blurc.check(RULE) == blurc.check(RULE) == []


def test_a_folder_is_no_spec(tmp_path: Path) -> None:
    (d,) = check(tmp_path)
    assert d.code == "E103"


def test_a_long_chain_is_checked_quickly() -> None:
    text = (
        RULE
        + """
    network deep(depth = 3000) uses rule {
      input x[1]  hidden h{0}[2]  x -> h{0}
      for i in 1..depth { hidden h{i}[2]  h{i-1} -> h{i} }
      output y[1]  h{depth} -> y
    }"""
    )
    assert codes(text) == []


# ------------------------------------------------------- every shipped spec


@pytest.mark.parametrize("path", sorted(SPECS.rglob("*.blur")), ids=lambda p: p.stem)
def test_the_library_has_neither_errors_nor_warnings(path: Path) -> None:
    assert check(path) == []


# ---------------------------------------------------------------------- fuzz

TOKEN = re.compile(r"[A-Za-z_]\w*'?|\d+(?:\.\d+)?|<-|->|\.\.|\S")
NAMES = (
    "pre.a",
    "post.a",
    "input",
    "target",
    "fan_in",
    "softmax(a)",
    "incoming(w)",
    "batch_mean(w)",
    "0",
    "-1",
    "a[9]",
    "9 @ a",
    "w ^ 2",
    "1e308",
    "noise(a)",
    "repeat 2 {",
    "per neuron",
    "signal a",
)


def mutant(rng: random.Random, text: str) -> str:
    """The text with some of its tokens deleted, doubled, exchanged or replaced; line breaks are kept."""
    lines = text.split("\n")
    for _ in range(rng.choice((1, 1, 2, 3))):
        at = rng.randrange(len(lines))
        tokens = TOKEN.findall(lines[at].split("#")[0]) or ["}"]
        i, j = rng.randrange(len(tokens)), rng.randrange(len(tokens))
        match rng.choice(("delete", "double", "swap", "replace", "name", "name")):
            case "delete":
                del tokens[i]
            case "double":
                tokens.insert(i, tokens[i])
            case "swap":
                tokens[i], tokens[j] = tokens[j], tokens[i]
            case "replace":
                tokens[i] = rng.choice(TOKEN.findall(text))
            case _:
                tokens[i] = rng.choice(NAMES)
        lines[at] = " ".join(tokens)
    return "\n".join(lines)


def whole_specs() -> list[str]:
    """Each rule of the library, with a network that uses it."""
    rules = [p.read_text() for p in sorted((SPECS / "rules").glob("*.blur"))]
    names = [re.search(r"^genome (\w+)", rule, re.M) for rule in rules]
    return [rule + NETWORK.replace("rule(k = k)", name[1]) for rule, name in zip(rules, names, strict=True) if name]


@pytest.mark.parametrize("part", range(4))
def test_no_text_breaks_the_checker(part: int) -> None:
    """What has no errors also has a plan: the passes need nothing that the checker does not prove."""
    specs = whole_specs()
    seen = SimpleNamespace(sound=0)
    for seed in range(part, 400, 4):
        rng = random.Random(seed)
        text = mutant(rng, rng.choice(specs))
        found = check(text)
        assert all(d.render() for d in found)
        if not any(d.severity == "error" for d in found):
            plan_of(select_model(text))
            seen.sound += 1
    assert seen.sound > 0


@pytest.mark.parametrize("name", ["step", "tanh", "target", "fan_in", "plastic"])
def test_a_reserved_parameter_is_one_mistake_however_it_is_used(name: str) -> None:
    text = (
        f"genome g({name} = 0.5) {{ learn pull = {name}  state a  sense {{ a <- input }}  readout {name} * a * pull }}"
    )
    assert codes(text) == ["E213"]
