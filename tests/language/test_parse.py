"""Text to tree: what each construct becomes, where nodes lie in the text, and what is said of syntax errors.

Expected trees are compared without spans; `S` stands in for all of them.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import within

from blurc.diagnostics import Diagnostic, Report, Source, Span, in_order
from blurc.language import library, resolve_import, specs_path
from blurc.language import syntax as s
from blurc.language.packaged import grammar_path
from blurc.language.parse import parse

S = Span(Source("none", ""), 0, 0)

BACKPROP = """\
genome backprop(rate = 0.1) {
  state   act, err
  synapse w ~ normal(1 / sqrt(fan_in))
  learn   eta = rate
  fn      phi = tanh

  sense    { act <- input }
  forward  {
    let z = incoming(w * pre.act)
    act <- phi(z)
    err <- phi'(z)
  }
  feedback { err <- err * (softmax(act) - target) }
  backward { err <- err * outgoing(w * post.err) }
  update   { w <- w - eta * batch_mean(pre.act * post.err) }
  readout  act
}
"""

DIGITS = """\
network digits(hidden = 64, depth = 2) uses backprop(rate = 0.5) {
  input  pixels[8, 8]
  hidden h{1}[hidden]
  pixels -> h{1}
  for i in 2..depth {
    hidden h{i}[hidden]
    h{i-1} -> h{i}
  }
  output class[10] { phi = linear }
  h{depth} -> class
  pixels -> class [label = skip]
}
"""


def read(text: str) -> tuple[s.File, list[Diagnostic]]:
    report = Report()
    file = parse(Source("t.blur", text), report)
    return file, in_order(report.diagnostics)


def good(text: str) -> s.File:
    file, found = read(text)
    assert not found, "\n".join(d.render() for d in found)
    return file


def found_in(text: str) -> list[tuple[str, int, int]]:
    return [(d.code, d.span.line, d.span.column) for d in read(text)[1] if d.span]


def genome_items(text: str) -> tuple[s.GenomeItem, ...]:
    return good(f"genome g {{ {text} }}").genomes[0].items


def network_items(text: str) -> tuple[s.NetworkItem, ...]:
    return good(f"network n {{ {text} }}").networks[0].items


def statements(text: str) -> tuple[s.Statement, ...]:
    (phase,) = genome_items(f"forward {{ {text} }}")
    assert isinstance(phase, s.Phase)
    return phase.statements


def expr(text: str) -> s.Expr:
    (readout,) = genome_items(f"readout {text}")
    assert isinstance(readout, s.Readout)
    return readout.value


def name(text: str) -> s.Name:
    return s.Name(text, span=S)


def num(value: float) -> s.Number:
    return s.Number(value, span=S)


def call(function: str, *args: s.Expr, prime: bool = False, owner: str | None = None) -> s.Call:
    return s.Call(function, args, prime, owner, span=S)


def attribute(owner: str, of: str) -> s.Attribute:
    return s.Attribute(owner, of, span=S)


def binary(left: s.Expr, operator: str, right: s.Expr) -> s.Binary:
    return s.Binary(operator, left, right, span=S)  # type: ignore[arg-type]


def neg(operand: s.Expr) -> s.Negate:
    return s.Negate(operand, span=S)


def assign(target: str, value: s.Expr, *items: s.Expr | s.Slice) -> s.Assign:
    return s.Assign(target, items, value, span=S, name_span=S)


def phase(kind: s.PhaseKind, *lines: s.Statement) -> s.Phase:
    return s.Phase(kind, lines, span=S)


def indexed(base: str, *indices: s.Expr) -> s.IndexedName:
    return s.IndexedName(base, indices, span=S)


def option(of: str, value: s.Expr) -> s.Option:
    return s.Option(of, value, span=S)


A, B, C = name("a"), name("b"), name("c")


# ---------------------------------------------------------------- the examples of the design


def test_backprop_is_this_tree() -> None:
    w, z, err, act = name("w"), name("z"), name("err"), name("act")
    fan_in = binary(num(1), "/", call("sqrt", name("fan_in")))
    wrong = binary(call("softmax", act), "-", name("target"))
    hebb = call("batch_mean", binary(attribute("pre", "act"), "*", attribute("post", "err")))
    expected = s.Genome(
        "backprop",
        (s.Param("rate", num(0.1), span=S),),
        (
            s.State("act", (), span=S),
            s.State("err", (), span=S),
            s.Synapse("w", (), s.Distribution("normal", (fan_in,), span=S), span=S),
            s.Learn("eta", (), name("rate"), span=S),
            s.Fn("phi", "tanh", span=S),
            phase("sense", assign("act", name("input"))),
            phase(
                "forward",
                s.Let("z", call("incoming", binary(w, "*", attribute("pre", "act"))), span=S),
                assign("act", call("phi", z)),
                assign("err", call("phi", z, prime=True)),
            ),
            phase("feedback", assign("err", binary(err, "*", wrong))),
            phase(
                "backward", assign("err", binary(err, "*", call("outgoing", binary(w, "*", attribute("post", "err")))))
            ),
            phase("update", assign("w", binary(w, "-", binary(name("eta"), "*", hebb)))),
            s.Readout(act, span=S),
        ),
        span=S,
        name_span=S,
    )
    assert good(BACKPROP).genomes == (expected,)


def test_digits_is_this_tree() -> None:
    i, hidden = name("i"), name("hidden")
    expected = s.Network(
        "digits",
        (s.Param("hidden", num(64), span=S), s.Param("depth", num(2), span=S)),
        s.Uses("backprop", (option("rate", num(0.5)),), span=S),
        (
            s.Population("input", indexed("pixels"), (num(8), num(8)), span=S),
            s.Population("hidden", indexed("h", num(1)), (hidden,), span=S),
            s.Projection((indexed("pixels"), indexed("h", num(1))), span=S),
            s.For(
                "i",
                num(2),
                name("depth"),
                (
                    s.Population("hidden", indexed("h", i), (hidden,), span=S),
                    s.Projection((indexed("h", binary(i, "-", num(1))), indexed("h", i)), span=S),
                ),
                span=S,
            ),
            s.Population("output", indexed("class"), (num(10),), (option("phi", name("linear")),), span=S),
            s.Projection((indexed("h", name("depth")), indexed("class")), span=S),
            s.Projection((indexed("pixels"), indexed("class")), (s.Attr("label", name("skip"), span=S),), span=S),
        ),
        span=S,
        name_span=S,
    )
    assert good(DIGITS).networks == (expected,)


# ---------------------------------------------------------------- expressions


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a + b - c", binary(binary(A, "+", B), "-", C)),
        ("a + b * c", binary(A, "+", binary(B, "*", C))),
        ("a * b @ c / a", binary(binary(binary(A, "*", B), "@", C), "/", A)),
        ("-a * b", binary(neg(A), "*", B)),
        ("-a ^ 2", neg(binary(A, "^", num(2)))),
        ("a ^ -b ^ c", binary(A, "^", neg(binary(B, "^", C)))),
        ("(a + b) * c", binary(binary(A, "+", B), "*", C)),
        ("--a", neg(neg(A))),
        ("a[0]", s.Index(A, (num(0),), span=S)),
        ("a[1:]", s.Index(A, (s.Slice(num(1), None, span=S),), span=S)),
        ("a[:b]", s.Index(A, (s.Slice(None, B, span=S),), span=S)),
        ("a[0, :]", s.Index(A, (num(0), s.Slice(None, None, span=S)), span=S)),
        ("a[0] ^ 2", binary(s.Index(A, (num(0),), span=S), "^", num(2))),
        ("f(a)[0]", s.Index(call("f", A), (num(0),), span=S)),
        ("f()", call("f")),
        ("phi'(a)", call("phi", A, prime=True)),
        ("post.incoming(a)", call("incoming", A, owner="post")),
        ("pre.act", attribute("pre", "act")),
        ("[[1, 0], [a, b]]", s.Vector((s.Vector((num(1), num(0)), span=S), s.Vector((A, B), span=S)), span=S)),
        ("input * target", binary(name("input"), "*", name("target"))),
    ],
)
def test_expression(text: str, tree: s.Expr) -> None:
    assert expr(text) == tree


@pytest.mark.parametrize(("text", "value"), [("1", 1), ("0.5", 0.5), ("1e-3", 1e-3), (".5", 0.5), ("2.", 2.0)])
def test_number(text: str, value: float) -> None:
    node = expr(text)
    assert isinstance(node, s.Number)
    assert (node.value, type(node.value)) == (value, type(value))


# ---------------------------------------------------------------- declarations and statements


def test_each_variable_of_a_list_is_a_declaration_with_its_own_mark() -> None:
    assert genome_items("state a[k], trace[2] persistent, b") == (
        s.State("a", (name("k"),), span=S),
        s.State("trace", (num(2),), persistent=True, span=S),
        s.State("b", (), span=S),
    )


def test_synapses_start_from_a_distribution_or_a_value_or_nothing() -> None:
    assert genome_items("synapse w[k] ~ normal(1), v = w, u ~ zeros, t") == (
        s.Synapse("w", (name("k"),), s.Distribution("normal", (num(1),), span=S), span=S),
        s.Synapse("v", (), name("w"), span=S),
        s.Synapse("u", (), s.Distribution("zeros", (), span=S), span=S),
        s.Synapse("t", (), None, span=S),
    )


def test_per_belongs_to_the_variable_before_it() -> None:
    assert genome_items("learn f = 0.0 per projection, g ~ normal(1) per layer, h") == (
        s.Learn("f", (), num(0.0), "projection", span=S),
        s.Learn("g", (), s.Distribution("normal", (num(1),), span=S), "layer", span=S),
        s.Learn("h", (), None, span=S),
    )


def test_constants_and_functions() -> None:
    assert genome_items("const m[2] = [1, 0], n = 3 fn phi = tanh, psi = relu") == (
        s.Const("m", (num(2),), s.Vector((num(1), num(0)), span=S), span=S),
        s.Const("n", (), num(3), span=S),
        s.Fn("phi", "tanh", span=S),
        s.Fn("psi", "relu", span=S),
    )


def test_statements_need_no_separator() -> None:
    expected = (s.Let("z", A, span=S), assign("a", B, num(0)), assign("a", C, s.Slice(num(1), None, span=S)))
    assert statements("let z = a a[0] <- b a[1:] <- c") == expected
    assert statements("let z = a; a[0] <- b; a[1:] <- c;") == expected


def test_a_projection_has_flags_values_and_topologies() -> None:
    conv = s.Attr("conv", None, (num(3), num(3)), (option("stride", num(2)),), span=S)
    edges = s.Attr("edges", None, (s.Text("f.csv", span=S),), span=S)
    attrs = (s.Attr("fixed", span=S), s.Attr("delay", num(1), span=S), conv, edges)
    (projection,) = network_items('a -> b [fixed, delay = 1, conv(3, 3, stride = 2), edges("f.csv")]')
    assert projection == s.Projection((indexed("a"), indexed("b")), attrs, span=S)


def test_signals_have_a_name_and_a_shape() -> None:
    assert genome_items("signal reward, mode[2] signal signal") == (
        s.Signal("reward", (), span=S),
        s.Signal("mode", (num(2),), span=S),
        s.Signal("signal", (), span=S),
    )


def test_repeat_holds_phases() -> None:
    body = "forward { a <- b } ; update { a <- c }"
    first, second = phase("forward", assign("a", B)), phase("update", assign("a", C))
    assert genome_items(f"repeat 2 * a {{ {body} }} repeat repeat {{}}") == (
        s.Repeat(binary(num(2), "*", A), (first, second), span=S),
        s.Repeat(name("repeat"), (), span=S),
    )


def port(base: s.IndexedName, of: s.IndexedName) -> s.IndexedName:
    return s.IndexedName(base.base, base.indices, of, span=S)


def test_a_block_is_like_a_network_without_a_rule() -> None:
    x, y = indexed("x"), indexed("y", num(1))
    items = (s.Population("input", x, (A,), span=S), s.Projection((x, y), span=S))
    file = good("block residual(width = 64) { input x[a] x -> y{1} } network n {} block empty {}")
    assert [network.name for network in file.networks] == ["n"]
    assert file.blocks == (
        s.Block("residual", (s.Param("width", num(64), span=S),), items, span=S, name_span=S),
        s.Block("empty", (), (), span=S, name_span=S),
    )


def test_a_block_in_use_binds_populations_and_numbers() -> None:
    (instance, nothing) = network_items("r{i} = residual(x = r{a}.y, y = h{a}{b}, z = h, w = r.y, n = 2 * a) q = s()")
    bindings = (
        s.Binding("x", port(indexed("r", A), indexed("y")), span=S),
        s.Binding("y", indexed("h", A, B), span=S),
        s.Binding("z", name("h"), span=S),
        s.Binding("w", attribute("r", "y"), span=S),
        s.Binding("n", binary(num(2), "*", A), span=S),
    )
    assert instance == s.Instance(indexed("r", name("i")), "residual", bindings, span=S)
    assert nothing == s.Instance(indexed("q"), "s", (), span=S)


def test_a_binding_may_mean_a_population_whatever_its_spelling() -> None:
    (instance,) = network_items("r = s(a = h, b = r.y, c = h{1}, d = r{1}.y{2}, e = r.y{1}, f = 2 * h, g = (h), h = 3)")
    assert isinstance(instance, s.Instance)
    r, y, one = indexed("r"), indexed("y"), num(1)
    assert [s.as_population(binding.value) for binding in instance.args] == [
        indexed("h"), port(r, y), indexed("h", one), port(indexed("r", one), indexed("y", num(2))),
        port(r, indexed("y", one)), None, indexed("h"), None,
    ]  # fmt: skip
    assert [binding.value.span.text for binding in instance.args[:5]] == ["h", "r.y", "h{1}", "r{1}.y{2}", "r.y{1}"]


def test_projections_lead_to_and_from_populations_of_blocks() -> None:
    (projection,) = network_items("r{a}.y -> q.x{b} [delay = 1]")
    assert isinstance(projection, s.Projection)
    assert projection.ends == (port(indexed("r", A), indexed("y")), port(indexed("q"), indexed("x", B)))
    assert [end.span.text for end in projection.ends] == ["r{a}.y", "q.x{b}"]


def test_a_chain_has_its_attributes_once() -> None:
    (chain,) = network_items("x -> h{a}\n -> r.y -> h [fixed]")
    ends = (indexed("x"), indexed("h", A), port(indexed("r"), indexed("y")), indexed("h"))
    assert chain == s.Projection(ends, (s.Attr("fixed", span=S),), span=S)


@pytest.mark.parametrize("separator", [", ", "; ", " "])
def test_options_may_be_separated_by_anything(separator: str) -> None:
    (population,) = network_items(f"output y[3] {{ phi = linear{separator}bias = off }}")
    assert isinstance(population, s.Population)
    assert population.options == (option("phi", name("linear")), option("bias", name("off")))


def test_a_sum_may_be_over_a_kind_and_a_phase_for_one() -> None:
    (assigned,) = statements("a <- post . incoming [dendrite] (w)")
    assert assigned == assign("a", s.Call("incoming", (name("w"),), False, "post", "dendrite", span=S))
    assert genome_items("forward of of { }") == (s.Phase("forward", (), "of", span=S),)


def test_a_population_may_be_called_like_a_sum() -> None:
    (population, projection) = network_items("hidden incoming[n] outgoing -> incoming [fixed]")
    assert isinstance(population, s.Population)
    assert isinstance(projection, s.Projection)
    assert projection.ends == (indexed("outgoing"), indexed("incoming"))


KEYWORDS = (
    "import", "genome", "network", "block", "uses", "state", "signal", "synapse", "learn", "const", "fn", "readout",
    "per", "persistent", "sense", "forward", "feedback", "backward", "update", "repeat", "input", "hidden",
    "output", "for", "in", "of",
)  # fmt: skip


def test_keywords_are_names_where_a_name_stands() -> None:
    for word in KEYWORDS:
        assert genome_items(f"state {word}, {word} persistent state {word}")[0] == s.State(word, (), span=S)
        assert statements(f"{word} <- {word} {word} <- {word}({word})")[0] == assign(word, name(word))
        assert network_items(f"hidden {word}[{word}] x -> {word} {word} -> y")[2] == s.Projection(
            (indexed(word), indexed("y")), span=S
        )


def test_comments_and_line_breaks_are_blanks() -> None:
    assert good("genome # {\n g\n\n{ readout # a\n b }") == good("genome g { readout b }")


# ---------------------------------------------------------------- spans


def test_spans_are_exact() -> None:
    file = good(BACKPROP + DIGITS)
    genome, network = file.genomes[0], file.networks[0]
    assert (genome.span.text, network.span.text) == (BACKPROP.strip(), DIGITS.strip())
    assert (genome.name_span.text, network.name_span.text) == ("backprop", "digits")
    assert [item.span.text for item in genome.items[:5]] == [
        "act", "err", "w ~ normal(1 / sqrt(fan_in))", "eta = rate", "phi = tanh",
    ]  # fmt: skip
    forward = genome.items[6]
    assert isinstance(forward, s.Phase)
    assert forward.statements[0].span.text == "let z = incoming(w * pre.act)"
    assert network.uses is not None
    assert network.uses.span.text == "uses backprop(rate = 0.5)"


def test_parentheses_belong_to_the_span_of_their_content() -> None:
    product = expr("(a + b) * (c)")
    assert isinstance(product, s.Binary)
    assert [node.span.text for node in (product, product.left, product.right)] == [
        "(a + b) * (c)", "(a + b)", "(c)",
    ]  # fmt: skip


# ---------------------------------------------------------------- one mistake, one diagnostic

TEXT = BACKPROP + DIGITS

# what is written wrongly, how, where (line, column), and a part of the help
MISTAKES = [
    ("act <- phi(z)", "act = phi(z)", (10, 9), "write `act <- phi(z)`"),
    ("act <- phi(z)", "act == phi(z)", (10, 9), "write `act <- phi(z)`"),
    ("act <- phi(z)", "act -> phi(z)", (10, 9), "write `act <- phi(z)`"),
    ("let z =", "let z <-", (9, 11), "write `let z = ...`"),
    ("let z", "lett z", (9, 5), "did you mean `let`?"),
    ("let z", "var z", (9, 9), "`let z = ...`"),
    ("w <- w - eta *", "w -= eta *", (15, 16), "write `w <- w - eta * batch_mean(pre.act * post.err)`"),
    ("let z = incoming(w * pre.act)", "let z =", (9, 12), None),
    ("act <- phi(z)", "act <- phi(z) phi(z)", (10, 19), None),
    ("softmax(act)", "softmax(act) == 1", (13, 41), "compared by"),
    ("1 / sqrt(fan_in)", "1 / 2 ** 3", (3, 28), "`2 ^ 3`"),
    ("1 / sqrt(fan_in)", "2fan_in", (3, 22), "write `2 * fan_in`"),
    ("1 / sqrt(fan_in)", "1e999", (3, 22), "1.8e308"),
    ("  fn ", "  // the function\n  fn ", (5, 3), "write `# the function`"),
    ("sense    {", "sensee   {", (7, 3), "did you mean `sense`?"),
    ("sense    {", "observe  {", (7, 3), None),
    ("sense    {", "sense     ", (7, 14), "write `{` before it"),
    ("state   act", "sttate  act", (2, 3), "did you mean `state`?"),
    ("state   act, err", "state   act, err persistant", (2, 20), "did you mean `persistent`?"),
    ("state   act, err", "state   act err", (2, 15), None),
    ("sense    { act <- input }", "act <- input", (7, 3), "statements go in a phase"),
    ("genome backprop", "genom backprop", (1, 1), "did you mean `genome`?"),
    ("genome backprop", "model backprop", (1, 1), None),
    ("(rate = 0.1)", "(rate)", (1, 21), "`rate = 1`"),
    ("uses backprop", "use backprop", (18, 40), "did you mean `uses`?"),
    ("hidden h{1}", "hiden h{1}", (20, 3), "did you mean `hidden`?"),
    ("hidden h{1}[hidden]", "hidden h{1}", (20, 14), "`hidden h{1}[64]`"),
    ("hidden h{1}[hidden]", "hidden persistent h{1}[hidden]", (20, 21), "`hidden persistent[64]`"),
    ("class[10] {", "class {", (26, 16), "`output class[64]`"),
    ("class[10] { phi", "class[10] phi", (26, 20), "write `{` before it"),
    ("h{depth} -> class", "h{depth} class", (27, 12), None),
    ("h{depth} -> class", "h{depth} <- class", (27, 12), "`a -> b`"),
    ("h{depth} -> class", "h{depth} -> class [fixed] -> x", (27, 29), "`h{depth} -> class [fixed]` and `class -> x`"),
    ("2..depth", "2:depth", (22, 13), "`2..depth`"),
    ("2..depth {", "2..depth", (23, 5), "write `{` before it"),
    ("for i in", "for i", (22, 9), None),
    # brackets
    ("err <- phi'(z)\n  }", "err <- phi'(z)", (12, 3), "write `}` before it"),
    ("readout  act\n}", "readout  act", (17, 1), "write `}` before it"),
    ("[label = skip]\n}", "[label = skip]", (28, 33), "write `}` before it"),
    ("h{i}\n  }", "h{i}", (28, 1), "write `}` before it"),
    ("linear }", "linear", (27, 3), "write `}` before it"),
    ("incoming(w * pre.act)", "incoming(w * pre.act", (10, 5), "write `)` before it"),
    ("post.err) }", "post.err }", (14, 49), "write `)` before it"),
    ("pixels[8, 8]", "pixels[8, 8", (20, 3), "write `]` before it"),
    ("(rate = 0.1)", "(rate = 0.1", (1, 28), "write `)` before it"),
    ("act <- phi(z)", "act <- phi(z))", (10, 18), "remove it"),
    ("act <- phi(z)", "act <- phi(z]", (10, 17), "write `)` before it"),
    ("act <- input }", "act <- input } }", (8, 3), "remove that `}`"),
    ("act <- phi(z)", "act <- phi(z) }", (11, 5), "remove that `}`"),
    ("[label = skip]\n}", "[label = skip]\n}\n}", (30, 1), "remove it"),
    ("act <- phi(z)", "act <- phi(z)\n  fn psi = relu", (11, 3), "a phase contains only statements"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "at", "help"), MISTAKES)
def test_a_mistake_gives_one_diagnostic_that_says_what_to_write(
    right: str, wrong: str, at: tuple[int, int], help: str | None
) -> None:
    assert right in TEXT
    file, found = read(TEXT.replace(right, wrong, 1))
    assert [(d.code, d.span and (d.span.line, d.span.column)) for d in found] == [("E101", at)]
    assert (help or "") in (found[0].help or "")
    assert [g.name for g in file.genomes] == ["backprop"]
    assert [n.name for n in file.networks] == ["digits"]


WIRED = """\
block residual(width = 64) {
  input  x[width]
  output y[width]
  x -> y
}
network n {
  input  a[64]
  r{1} = residual(x = a, width = 64)
  output b[2]
  r{1}.y -> b
}
genome g {
  state  z
  signal s
  repeat 3 {
    forward { z <- s }
    update  { }
  }
  readout z
}
"""

WIRED_MISTAKES = [
    ("block residual", "blok residual", (1, 1), "did you mean `block`?"),
    ("(width = 64) {", " uses g {", (1, 16), "leave `uses` to the network"),
    ("(x = a, width = 64)", "(a, width = 64)", (8, 20), "`x = a`"),
    ("(x = a, width = 64)", "(a{1}, width = 64)", (8, 20), "`x = a`"),
    ("(x = a, width = 64)", "(x = a{1}", (9, 3), "write `)` before it"),
    ("(x = a, width = 64)", "", (8, 18), "a projection is written `r{1} -> residual`"),
    ("r{1} = residual", "r{1} <- residual", (8, 8), "write `r{1} = residual(x = a, width = 64)`"),
    ("r{1} = residual", "r.y = residual", (8, 7), None),
    ("r{1}.y -> b", "r{1}.y.z -> b", (10, 9), None),
    ("r{1}.y -> b", "r{1}.y = b", (10, 10), None),
    ("r{1}.y -> b", "r{1} = b", (10, 11), "a projection is written `r{1} -> b`"),
    ("  r{1} = residual", "  a ->\n  r{1} = residual", (8, 7), None),
    ("r{1} = residual(x = a, width = 64)", "for i in 1..2 r{1} = residual(x = a) }", (8, 17), "write `{` before it"),
    ("signal s", "signal s = 1", (14, 12), "leave the value out"),
    ("signal s", "signl s", (14, 3), "did you mean `signal`?"),
    ("repeat 3 {", "repaet 3 {", (15, 3), "did you mean `repeat`?"),
    ("repeat 3 {", "repeat {", (15, 10), "`repeat 20 { ... }`"),
    ("repeat 3 {", "repeat 3", (16, 5), "write `{` before it"),
    ("update  { }", "updat { }", (17, 5), "did you mean `update`?"),
    ("update  { }", "fn phi = tanh", (17, 5), "contains only phases"),
    ("update  { }", "repeat 2 { update { } }", (17, 5), "contains only phases"),
    ("forward { z <- s }", "z <- s", (16, 5), "statements go in a phase"),
    ("forward { z <- s }", "forward { repeat 2 { z <- s } }", (16, 22), "contains whole phases"),
    ("forward { z <- s }", "forward {\n  repeat 2 {\n z <- s\n}\n}", (17, 3), "a phase contains only statements"),
    ("    update  { }\n  }", "    update  { }", (18, 3), "write `}` before it"),
]


@pytest.mark.parametrize(("right", "wrong", "at", "help"), WIRED_MISTAKES)
def test_a_mistake_in_blocks_signals_and_repeats_gives_one_diagnostic(
    right: str, wrong: str, at: tuple[int, int], help: str | None
) -> None:
    assert right in WIRED
    file, found = read(WIRED.replace(right, wrong, 1))
    assert [(d.code, d.span and (d.span.line, d.span.column)) for d in found] == [("E101", at)]
    assert (help or "") in (found[0].help or "")
    assert [d.name for d in (*file.blocks, *file.networks, *file.genomes)] == ["residual", "n", "g"]


def test_damage_of_a_block_stays_in_it() -> None:
    file, _ = read(WIRED.replace("input  x[width]", "input  x[width"))
    damage = [(d.name, d.damaged) for d in (*file.blocks, *file.networks, *file.genomes)]
    assert damage == [("residual", True), ("n", False), ("g", False)]


@pytest.mark.parametrize(
    ("line", "help"),
    [
        ("import rules/x.blur", 'write `import "rules/x.blur"`'),
        ("import 'x.blur'", 'write `import "x.blur"`'),
        ('import "x.blur', 'write the closing `"`'),
    ],
)
def test_an_import_needs_double_quotes(line: str, help: str) -> None:
    (diagnostic,) = read(f"{line}\n{TEXT}")[1]
    assert (diagnostic.code, str(diagnostic.span), diagnostic.help) == ("E101", "t.blur:1:8", help)


@pytest.mark.parametrize(
    ("character", "help"),
    [("$", None), ("η", "names are written in Latin letters: `eta`"), ("−", "write `-`"), ("&&", "a condition is")],
)
def test_a_character_outside_the_language_is_e102(character: str, help: str | None) -> None:
    (diagnostic,) = read(TEXT.replace("rate\n", f"rate {character} 1\n", 1))[1]
    assert (diagnostic.code, str(diagnostic.span)) == ("E102", "t.blur:4:22")
    assert (help or "") in (diagnostic.help or "")


def test_each_strange_character_of_a_statement_is_reported() -> None:
    assert found_in("genome g {\n  forward { a <- $b + €c }\n}") == [("E102", 2, 18), ("E102", 2, 23)]


def test_an_unclosed_bracket_is_pointed_at() -> None:
    (diagnostic,) = read("genome g {\n  state a[2, b\n  readout a\n}")[1]
    assert diagnostic.message == "found `readout`, expected `]`"
    assert diagnostic.notes == ("the `[` on line 2, column 10 is never closed",)


def test_options_of_a_population_called_in_are_not_the_body_of_a_loop() -> None:
    text = "network n\n  input in[8] { input x[8]"
    assert found_in(text) == [("E101", 2, 3), ("E101", 2, 27)]


def test_a_repeat_without_its_brace_may_stand_in_a_repeat() -> None:
    text = "genome g {\n  repeat 2 {\n    repeat 2 forward { a <- 1 }\n  }\n  readout a\n}"
    assert ("E101", 3, 14) in found_in(text)


def test_a_message_says_what_was_found_and_expected() -> None:
    def message(text: str) -> str:
        (diagnostic,) = read(text)[1]
        return diagnostic.message

    assert message("hello world") == "found `hello`, expected `import`, `genome`, `network`, `block` or `fn`"
    assert message("genome g { state a, }") == "found the end of the declaration, expected a name"
    assert (
        message("genome g { synapse w 1 }") == "found `1`, expected `per`, `=`, `~`, `,` or the end of the declaration"
    )
    assert message("genome g { readout f(a b) }") == "found `b`, expected `,` or `)`"
    assert message("genome g { readout f'a }") == "found `a`, expected `(`"
    assert message("network n { a b }") == "found `b`, expected `->`"


# ---------------------------------------------------------------- several mistakes at once


def test_three_mistakes_give_three_diagnostics() -> None:
    text = TEXT.replace("act <- phi(z)", "act = phi(z)").replace("2..depth {", "2..depth, {")
    text = text.replace("outgoing(w * post.err)", "outgoing(w * post.err")
    assert found_in(text) == [("E101", 10, 9), ("E101", 14, 49), ("E101", 22, 20)]


def test_two_mistakes_of_one_statement_are_both_reported() -> None:
    assert found_in("genome g {\n  forward { a = b ** 2 + c ** 2 }\n}") == [
        ("E101", 2, 15), ("E101", 2, 19), ("E101", 2, 28),
    ]  # fmt: skip


def test_an_obvious_repair_leaves_no_damage() -> None:
    text = BACKPROP.replace("act <- phi(z)", "act = phi(z)").replace("sense ", "sensee ")
    file, found = read(text)
    assert len(found) == 2
    assert file == good(BACKPROP)
    assert not file.genomes[0].damaged


def test_only_the_broken_statement_is_left_out() -> None:
    file, _ = read(BACKPROP.replace("act <- phi(z)", "act <- phi(z"))
    genome, whole = file.genomes[0], good(BACKPROP).genomes[0]
    assert genome.damaged
    forward = genome.items[6]
    assert isinstance(forward, s.Phase)
    assert [statement.name for statement in forward.statements] == ["z", "err"]
    assert [item for item in genome.items if item != forward] == [
        item for item in whole.items if item != whole.items[6]
    ]


def test_damage_stays_in_its_declaration() -> None:
    file, _ = read(TEXT + "genome other { state }\n")
    damage = [(node.name, node.damaged) for node in (*file.genomes, *file.networks)]
    assert damage == [("backprop", False), ("other", True), ("digits", False)]


@pytest.mark.parametrize("header", ["genome g(k = )", "genome g(k = 1", "model g", "genome g(k = 1) $"])
def test_a_genome_with_a_broken_header_keeps_its_name(header: str) -> None:
    file, found = read(f"{header} {{ state a }}")
    assert len(found) == 1
    assert [(genome.name, genome.damaged) for genome in file.genomes] == [("g", True)]


def test_a_network_with_a_broken_header_keeps_its_name() -> None:
    file, found = read("network n uses g(rate = ) { input a[2] }")
    assert len(found) == 1
    assert [(n.name, n.uses, n.damaged) for n in file.networks] == [("n", None, True)]


# ---------------------------------------------------------------- any text


def test_parentheses_may_be_a_hundred_deep() -> None:
    depth = 100
    assert expr("(" * depth + "a" + ")" * depth) == A


@pytest.mark.parametrize(
    "text", ["-" * 10_000 + "a", "f(" * 150 + "a" + ")" * 150, "/".join("a" * 10_000), "^".join("a" * 10_000)]
)
def test_a_tree_too_deep_to_walk_is_refused(text: str) -> None:
    file, found = read(f"genome g {{ state a\nreadout {text}\n}}")
    assert [(d.code, d.span and d.span.line) for d in found] == [("E101", 2)]
    assert file.genomes == (s.Genome("g", (), (s.State("a", (), span=S),), span=S, name_span=S),)
    assert file.genomes[0].damaged


LONG = 100_000
TOO_MUCH = {
    "parentheses": "genome g { readout " + "(" * LONG + "a" + ")" * LONG + " }",
    "open parentheses": "genome g { readout " + "(" * LONG,
    "calls": "genome g { readout " + "f(" * LONG + "a" + ")" * LONG + " }",
    "vectors": "genome g { readout " + "[" * LONG + "a" + "]" * LONG + " }",
    "loops": "network n { " + "for i in 0..1 { " * LONG + "}" * LONG + " }",
    "signs": "genome g { readout " + "-" * LONG + "a }",
    "a sum": "genome g { readout " + "+".join("a" * LONG) + " }",
    "a chain": "network n { " + "->".join("a" * LONG) + " }",
    "a name": f"network n {{ input {'x' * LONG}[2] }}",
    "a number": f"network n {{ input x[{'9' * LONG}] }}",
    "a small number": f"genome g {{ readout 0.{'0' * LONG}1 }}",
    "a text": f'import "{"x" * LONG}"',
    "passwords": "root:x:0:0:root:/root:/bin/sh\n" * LONG,
    "words": "word " * LONG,
    "signs of all kinds": "§ ¿ \x00 " * LONG,
    "declarations": "genome g { readout 1 }\n" * LONG,
    "populations": "network n { " + "".join(f"hidden h{i}[1]\n" for i in range(LONG)) + "}",
}


@pytest.mark.parametrize("kind", TOO_MUCH)
def test_too_much_of_anything_is_one_mistake_and_soon_told(kind: str) -> None:
    with within(2):
        (d,) = read(TOO_MUCH[kind])[1]
    assert d.code == "E101"
    assert len(d.render()) < 1000


@pytest.mark.parametrize("text", ["(" * 10_000, "{" * 10_000, "x = " + "[" * 10_000, '{"a": [1, 2]}'])
def test_what_is_no_spec_at_all_gives_one_diagnostic(text: str) -> None:
    assert len(read(text)[1]) == 1


def test_an_empty_file_is_an_empty_tree() -> None:
    assert good("") == good(" # nothing\n") == s.File((), (), (), span=S)


WORDS = [*re.findall(r"\w+|<-|->|\.\.|[^\w\s]", TEXT + WIRED), "$", "**", "==", "//", "\n", '"', "2x"]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join))
def test_any_text_gives_a_tree_and_no_traceback(text: str) -> None:
    file, found = read(text)
    assert isinstance(file, s.File)
    assert all(d.code in ("E101", "E102") for d in found)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_lost_token_costs_no_more_than_its_own_block(data: st.DataObject) -> None:
    network = WIRED.index("network")
    tokens = list(re.finditer(r"\w+|->|[^\w\s]", WIRED[:network]))[2:-1]
    lost = data.draw(st.sampled_from(tokens))
    file, _ = read(WIRED[: lost.start()] + " " + WIRED[lost.end() :])
    assert [block.name for block in file.blocks] == ["residual"]
    assert file.networks == good(WIRED).networks
    assert file.genomes == good(WIRED).genomes


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_lost_token_costs_no_more_than_its_own_declaration(data: st.DataObject) -> None:
    tokens = list(re.finditer(r"\w+|<-|->|\.\.|[^\w\s]", BACKPROP))[2:-1]  # without `genome backprop` and the brace
    lost = data.draw(st.sampled_from(tokens))
    file, _ = read(BACKPROP[: lost.start()] + " " + BACKPROP[lost.end() :] + DIGITS)
    assert [genome.name for genome in file.genomes] == ["backprop"]
    assert file.networks == good(DIGITS).networks
    assert not file.networks[0].damaged


# ---------------------------------------------------------------- files and imports


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a spec library in `library`."""
    (tmp_path / "library" / "rules").mkdir(parents=True)
    monkeypatch.setattr("blurc.language.packaged.specs_path", lambda: tmp_path / "library")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(spec: str | Path) -> tuple[list[str], list[Diagnostic]]:
    """The names of the files, in order, and the diagnostics."""
    report = Report()
    return [file.span.source.name for file in library.load(spec, report)], report.diagnostics


def test_imports_are_followed_depth_first_and_each_file_is_read_once(folder: Path) -> None:
    (folder / "a").mkdir()
    (folder / "a" / "root.blur").write_text('import "one.blur" import "two.blur"')
    (folder / "a" / "one.blur").write_text('import "../three.blur"')
    (folder / "a" / "two.blur").write_text('import "../three.blur" import "rules/four.blur"')
    (folder / "three.blur").write_text("")
    (folder / "library" / "rules" / "four.blur").write_text("")
    expected = ["a/root.blur", "a/one.blur", "three.blur", "a/two.blur", "rules/four.blur"]
    assert load("a/root.blur") == load(Path("a/root.blur")) == (expected, [])


def test_a_file_beside_the_importing_one_hides_the_library(folder: Path) -> None:
    (folder / "x.blur").write_text("")
    assert resolve_import("x.blur", folder / "root.blur") == folder / "x.blur"
    (folder / "x.blur").rename(folder / "library" / "x.blur")
    assert resolve_import("x.blur", folder / "root.blur") == folder / "library" / "x.blur"


def test_a_string_with_a_brace_or_a_line_break_is_the_text(folder: Path) -> None:
    (folder / "x.blur").write_text("")
    assert load("genome g {}") == (["<text>"], [])
    assert load('import "x.blur"\n') == (["<text>", "x.blur"], [])


def test_a_spec_of_the_library_needs_no_path(folder: Path) -> None:
    (folder / "library" / "rules" / "hebb.blur").write_text("genome hebb {}")
    assert load("rules/hebb.blur") == (["rules/hebb.blur"], [])


def test_a_missing_spec_is_e103(folder: Path) -> None:
    (folder / "library" / "rules" / "hebb.blur").write_text("")
    names, (diagnostic,) = load("rules/heb.blur")
    assert names == []
    assert (diagnostic.code, diagnostic.span) == ("E103", None)
    assert diagnostic.help == "did you mean `rules/hebb.blur`?"


def test_every_missing_import_is_e103_at_its_line(folder: Path) -> None:
    (folder / "mine.blur").write_text("")
    _, found = load('import "mime.blur"\nimport "library"\nimport "z\0"\n')
    assert [(d.code, d.span and d.span.line) for d in found] == [("E103", 1), ("E103", 2), ("E103", 3)]
    assert found[0].help == "did you mean `mine.blur`?"
    assert found[1].message == "cannot read `library`: it is a folder"


def test_an_import_cycle_is_e104_and_is_printed(folder: Path) -> None:
    (folder / "a.blur").write_text('import "b.blur"')
    (folder / "b.blur").write_text('import "c.blur"')
    (folder / "c.blur").write_text('\nimport "b.blur"')
    names, (diagnostic,) = load("a.blur")
    assert names == ["a.blur", "b.blur", "c.blur"]
    assert (diagnostic.code, str(diagnostic.span)) == ("E104", "c.blur:2:1")
    assert diagnostic.message == "found an import cycle: b.blur -> c.blur -> b.blur"


def test_text_that_is_not_utf8_is_e105(folder: Path) -> None:
    (folder / "a.blur").write_text('import "b.blur"')
    (folder / "b.blur").write_bytes(b"genome \xff {}")
    names, (diagnostic,) = load("a.blur")
    assert names == ["a.blur"]
    assert (diagnostic.code, str(diagnostic.span)) == ("E105", "a.blur:1:1")
    assert diagnostic.message == "`b.blur` is not UTF-8 text: byte 7 is 0xff"


def test_the_packaged_folders_are_found() -> None:
    assert grammar_path().is_file()
    assert specs_path().is_dir()


WORDS = ["yinput", "tends", "senze", "fro", "repat", "forwrd", "hiden", "stat", "netwrk", "genom", "a"]
MIDDLES = ["a", "in[8]", "i in 0..2", "of a", "3", "a extends b", "x = 2"]
BODIES = ["input in[8]", "sense { a <- b }", "a -> b", "state a", "forward a { } a", ""]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("outer", ["network n", "genome g", "block b", "genome g { sense", "network n { for i in 0..2"])
def test_whatever_a_misspelt_header_is_taken_for_what_is_kept_parses(outer: str, word: str) -> None:
    for middle, body in itertools.product(MIDDLES, BODIES):
        _, found = read(f"{outer} {{ state a\n {word} {middle} {{ {word} {middle} {{ {body} }}\n{body} }} }}")
        assert found
