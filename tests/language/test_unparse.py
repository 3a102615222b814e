"""Tree to text: parsing the text gives the tree again, for the examples and for generated trees."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blurc.diagnostics import Report, Source, Span
from blurc.language import syntax as s
from blurc.language.parse import parse
from blurc.language.unparse import unparse

S = Span(Source("none", ""), 0, 0)

EXAMPLE = """\
import "rules/backprop.blur"

genome blur(k = 2) {
  state a[k], trace persistent
  signal reward, mode[2]
  synapse w[k] ~ normal(1 / sqrt(fan_in))
  synapse v[k] = w
  learn nu[k, k] ~ normal(1) per projection
  learn es = -0.001 per neuron
  const m = [[1, 0], [0, 1]]
  fn phi = tanh, psi = relu

  sense { a[0] <- input }
  forward {
    let z = incoming(w * (nu @ pre.a))
    a <- phi'(z) ^ -2
  }
  feedback {
    a[1] <- 2 * target - 1
    a[2:] <- 0
  }
  repeat 2 * k {
    forward { a[0] <- noise(0.1) }
    backward {}
  }
  update { w <- w - (es - w * post.incoming(w ^ 2)) }
  readout a[0]
}

genome variant(k = 3) extends blur {
  signal reward per example

  forward relax of inhibitory { a <- 0 }
  relax
  readout a[1]
}

block residual(width = 64) {
  input x[width]
  output y[width]
  x -> y [identity]
}

network digits(hidden = 64, depth = 2) uses blur(k = 4) {
  input pixels[8, 8]
  for i in 1..depth {
    hidden h{i}[hidden]
    h{i - 1} -> h{i} [forward, delay = 1, conv(3, 3, stride = 2)]
  }
  r{0} = residual(x = h{depth}, width = hidden)
  r{1} = residual(x = r{0}.y, width = hidden)
  r = residual(x = r.y, y = r.y{2}, z = h, width = 2 * hidden)
  output class[10] { phi = linear, bias = off }
  r{1}.y{0} -> class [pool(max, 2, 2, padding = valid)]
  pixels -> class [edges("skip.csv", form = gather), sparse(p = 0.1), conv(3, stride = [2, 1])]
}
"""


def read(text: str) -> s.File:
    report = Report()
    file = parse(Source("t.blur", text), report)
    assert not report.diagnostics, text + "\n".join(d.render() for d in report.diagnostics)
    return file


def test_text_in_the_canonical_layout_stays_as_it_is() -> None:
    assert unparse(read(EXAMPLE)) == EXAMPLE


def test_every_node_prints_as_its_text() -> None:
    """But for blanks, parentheses around it, and the keyword of a declaration, which is not in its span."""
    for node in nodes(read(EXAMPLE)):
        text, printed = ("".join(t.split()) for t in (node.span.text, unparse(node)))
        assert text in (printed, f"({printed})", printed.removeprefix(type(node).__name__.lower()))


def nodes(node: s.Node) -> list[s.Node]:
    values = [v for value in vars(node).values() for v in (value if isinstance(value, tuple) else (value,))]
    return [node, *(n for value in values if isinstance(value, s.Node) for n in nodes(value))]


@pytest.mark.parametrize(
    "text",
    ["a - (b - c)", "a - b - c", "-a ^ b", "(-a) ^ b", "a ^ b ^ c", "(a ^ b) ^ c", "-(a + b)", "(a + b)[0]",
     "a * -b", "a * (b @ c)", "(a - b) * c", "f(a + b)", "[a, b][0]", "--a", "-a[0] ^ -b"],
)  # fmt: skip
def test_parentheses_are_as_few_as_possible(text: str) -> None:
    readout = read(f"genome g {{ readout {text} }}").genomes[0].items[0]
    assert unparse(readout) == f"readout {text}"


# ---------------------------------------------------------------- generated trees

WORDS = [
    "a",
    "w",
    "phi",
    "x1",
    "_",
    "input",
    "target",
    "hidden",
    "state",
    "for",
    "in",
    "per",
    "slope",
    "genome",
    "forward",
    "signal",
    "repeat",
    "block",
]
PHASES: list[s.PhaseKind] = ["sense", "forward", "feedback", "backward", "update"]
ROLES: list[s.Role] = ["input", "hidden", "output"]

words = st.sampled_from(WORDS)
strings = st.text("ab/. -#{", max_size=6)
numbers = st.one_of(st.integers(0, 10**20), st.floats(0, allow_infinity=False, allow_nan=False))


def some(items: st.SearchStrategy[s.Node], least: int = 0) -> st.SearchStrategy[tuple[s.Node, ...]]:
    return st.lists(items, min_size=least, max_size=3).map(tuple)


def node(kind: type[s.Node], *args: object) -> st.SearchStrategy[s.Node]:
    """Nodes of a kind; fields that are no strategies are fixed."""
    return st.builds(kind, *(a if isinstance(a, st.SearchStrategy) else st.just(a) for a in args), span=st.just(S))


def named(kind: type[s.Node], *args: object) -> st.SearchStrategy[s.Node]:
    return st.builds(kind, *args, span=st.just(S), name_span=st.just(S))


def compound(e: st.SearchStrategy[s.Node]) -> st.SearchStrategy[s.Node]:
    return st.one_of(
        node(s.Call, words, some(e), st.booleans(), None),
        node(s.Call, words, some(e), False, words),
        node(s.Call, st.sampled_from(["incoming", "outgoing"]), some(e), False, st.none() | words, words),
        node(s.Negate, e),
        node(s.Binary, st.sampled_from("+-*/@^"), e, e),
        node(s.Index, e, some(selectors(e), 1)),
        node(s.Vector, some(e, 1)),
    )


def selectors(e: st.SearchStrategy[s.Node]) -> st.SearchStrategy[s.Node]:
    return e | node(s.Slice, st.none() | e, st.none() | e)


exprs = st.recursive(
    node(s.Number, numbers) | node(s.Name, words) | node(s.Attribute, words, words), compound, max_leaves=6
)
params = some(node(s.Param, words, exprs))
options = some(node(s.Option, words, exprs))
inits = st.none() | exprs | node(s.Distribution, words, some(exprs))
statements = node(s.Let, words, exprs) | named(s.Assign, words, some(selectors(exprs)), exprs)
phases = node(s.Phase, st.sampled_from(PHASES), some(statements), st.just("") | words)
declared_functions = named(s.Function, words, some(node(s.Argument, words)), exprs, st.none() | exprs)
genome_items = st.one_of(
    declared_functions,
    node(s.State, words, some(exprs), st.booleans()),
    node(s.Signal, words, some(exprs)),
    node(s.Synapse, words, some(exprs), inits),
    node(s.Learn, words, some(exprs), inits, st.none() | words),
    node(s.Const, words, some(exprs), exprs),
    node(s.Fn, words, words),
    phases,
    node(s.Repeat, exprs, some(phases)),
    node(s.Readout, exprs),
)
genomes = named(s.Genome, words, params, some(genome_items))
indexed_names = node(s.IndexedName, words, some(exprs))
ports = node(s.IndexedName, words, some(exprs), indexed_names)
ends = indexed_names | ports
populations = ends.filter(lambda n: isinstance(n, s.IndexedName) and bool(n.indices or (n.port and n.port.indices)))
bindings = node(s.Binding, words, exprs | populations)
attrs = st.one_of(
    node(s.Attr, words),
    node(s.Attr, words, exprs),
    node(s.Attr, words, None, some(exprs | node(s.Text, strings)), options),
)
wiring = st.one_of(
    node(s.Population, st.sampled_from(ROLES), indexed_names, some(exprs, 1), options),
    node(s.Projection, some(ends, 2), some(attrs)),
    node(s.Instance, indexed_names, words, some(bindings)),
)
network_items = st.recursive(wiring, lambda items: node(s.For, words, exprs, exprs, some(items)), max_leaves=4)
networks = named(s.Network, words, params, st.none() | node(s.Uses, words, options), some(network_items))
blocks = named(s.Block, words, params, some(network_items))
imports = node(s.Import, strings)
files = node(s.File, some(imports), some(genomes), some(networks), some(blocks), some(declared_functions))


@settings(deadline=None, max_examples=80)
@given(files)
def test_parse_undoes_unparse(file: s.File) -> None:
    assert read(unparse(file)) == file


@settings(deadline=None, max_examples=150)
@given(exprs)
def test_parse_undoes_unparse_for_expressions(value: s.Expr) -> None:
    (readout,) = read(f"genome g {{ readout {unparse(value)} }}").genomes[0].items
    assert readout == s.Readout(value, span=S)
