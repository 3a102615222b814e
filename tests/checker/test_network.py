"""Networks as the checker lays them out: topologies and their sizes, shared biases, blocks put where they are used."""

from __future__ import annotations

import pytest

from blurc.checker.wiring import counting
from blurc.diagnostics import BlurError
from blurc.model.model import Network, Projection
from blurc.model.topology import Conv, Dense, Identity, OneToOne, Pool, Shared, Sparse, Topology
from blurc.spec import check, select_model

RULE = """
genome rule {
  state   a
  synapse w ~ normal(1 / sqrt(fan_in))
  fn      phi = tanh
  sense   { a <- input }
  forward { a <- phi(incoming(w * pre.a)) }
  update  { w <- w + batch_mean(pre.a * post.a) }
  readout a
}
"""


def network(text: str, **params: float) -> Network:
    """Of a body, or of whole declarations."""
    text = text if "network" in text else f"network n uses rule {{ {text} }}"
    return select_model(RULE + text, params=params).network


def projection(text: str) -> Projection:
    return network(text).projections[0]


def codes(text: str) -> list[str]:
    return [d.code for d in check(RULE + text)]


# ---------------------------------------------------------------- chains


def test_a_chain_is_one_projection_for_each_pair() -> None:
    found = network("input x[2]  hidden h1[3]  hidden h2[4]  output y[1]  x -> h1 -> h2 -> y [fixed, delay = 2]")
    chained = [p for p in found.projections if p.source != "unit"]
    assert [p.name for p in chained] == ["x->h1", "h1->h2", "h2->y"]
    assert all(p.delay == 2 and not p.plastic for p in chained)


def test_a_chain_leads_through_loops_ports_and_indexed_names() -> None:
    found = network("""
      block b { input x[2]  hidden h[3]  output y[2]  x -> h -> y -> h [delay = 1] }
      network n uses rule {
        input x[2]  hidden h{0}[2]  hidden h{1}[2]  output y[2]
        r1 = b(x = x)  r2 = b(x = h0)
        for i in 1..1 { r{i}.y -> h{i-1} -> r{i+1}.y -> h{i} }
        h1 -> y -> y [delay = 1]
      }
    """)
    chained = [p.name for p in found.projections if p.source != "unit"]
    assert chained[:3] == ["x->r1.h", "r1.h->r1.y", "r1.y->r1.h"]
    assert chained[6:] == ["r1.y->h0", "h0->r2.y", "r2.y->h1", "h1->y", "y->y"]


def test_every_projection_of_a_chain_counts_towards_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST_ITEMS", 5)
    items = "input x[2]  hidden h[2]  output y[2]  x -> h -> y"
    assert codes(f"network n uses rule {{ {items} }}") == []
    assert "E206" in codes(f"network n uses rule {{ {items} -> h }}")


# ---------------------------------------------------------------- topologies

IMAGE = "input x[8, 6, 2]  output y[{}]  x -> y [{}]"


@pytest.mark.parametrize(
    ("target", "attribute", "topology"),
    [
        ("5", "dense", Dense()),
        ("8, 12", "one_to_one", OneToOne()),
        ("96", "identity", Identity()),
        ("5", "sparse(p = 1)", Sparse(1.0, None)),
        ("5", "sparse(p = 1 / 4, seed = 7, form = masked)", Sparse(0.25, None, 7, "masked")),
        ("5", "sparse(fan_in = 96, form = segments)", Sparse(None, 96, 0, "segments")),
        ("8, 6, 5", "conv(3, 3)", Conv((3, 3), (1, 1), "same")),
        ("4, 3, 5", "conv(3, 5, stride = 2)", Conv((3, 5), (2, 2), "same")),
        ("3, 5, 1", "conv(3, 2, stride = [3, 1], padding = valid)", None),
        ("2, 5", "conv(3, 2, stride = [3, 1], padding = valid)", Conv((3, 2), (3, 1), "valid")),
        ("4, 3, 2", "pool(max, 2, 2)", Pool((2, 2), (2, 2), "valid", "max")),
        ("2, 1, 2", "pool(avg, 3, 4)", Pool((3, 4), (3, 4), "valid", "avg")),
        ("8, 6, 2", "pool(avg, 3, 3, stride = 1, padding = same)", Pool((3, 3), (1, 1), "same", "avg")),
    ],
)
def test_an_attribute_is_a_topology(target: str, attribute: str, topology: Topology | None) -> None:
    text = IMAGE.format(target, attribute)
    if topology is None:
        assert codes(f"network n {{ {text} }}") == ["E412"]
    else:
        assert projection(text).topology == topology


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_windows_have_up_to_three_axes(axes: int) -> None:
    places, window = ", ".join(["9"] * axes), ", ".join(["3"] * axes)
    for channels in ("", ", 4"):
        found = projection(f"input x[{places}]  output y[{places}{channels}]  x -> y [conv({window})]")
        assert found.topology == Conv((3,) * axes, (1,) * axes, "same")


def test_without_an_attribute_all_is_dense_and_at_once() -> None:
    found = projection("input x[2]  output y[1]  x -> y")
    assert (found.topology, found.delay, found.plastic) == (Dense(), 0, True)


@pytest.mark.parametrize("attribute", ["identity", "pool(max, 1)", "identity, fixed", "pool(avg, 1), fixed"])
def test_what_has_no_synapses_learns_nothing(attribute: str) -> None:
    assert not projection(f"input x[4]  output y[4]  x -> y [{attribute}]").plastic


def test_arguments_may_use_parameters_and_loop_variables() -> None:
    text = """
    network n(size = 3, s = 2) uses rule {
      input x[8, 8]  output y[4, 4, 2]
      for d in 1..2 { x -> y [conv(size, size, stride = [s, s]), delay = d, label = c{d}] }
    }"""
    first, second, *_ = network(text).projections
    assert first.topology == second.topology == Conv((3, 3), (2, 2), "same")
    assert (first.delay, second.delay) == (1, 2)
    assert [p.name for p in network(text, size=5).projections[:2]] == ["c1", "c2"]


@pytest.mark.parametrize(
    ("text", "help_"),
    [
        ("input x[9, 9]  hidden h[9, 9]  output y[2]  x -> h [conv(2, 2, stride = 4)]", "hidden h[3, 3]"),
        ("input x[9, 9]  hidden h[9, 9, 7]  output y[2]  x -> h [conv(2, 2, stride = 4)]", "hidden h[3, 3, 7]"),
        ("input x[9, 9]  hidden h[9, 9, 7]  output y[2]  x -> h [conv(2, 3, padding = valid)]", "hidden h[8, 7, 7]"),
        ("input x[8, 4]  hidden h[4]  output y[2]  x -> h [pool(max, 2)]", "hidden h[4, 4]"),
        ("input x[8, 4]  hidden h[4, 2, 3]  output y[2]  x -> h [pool(max, 2, 2)]", "hidden h[4, 2, 1]"),
        ("input x[8, 4]  hidden h[4]  output y[2]  x -> h [identity]", "hidden h[8, 4]"),
        ("input x[8, 4]  hidden h{2}[4]  output y[2]  x -> h{2} [one_to_one]", "hidden h{2}[8, 4]"),
    ],
)
def test_the_help_computes_the_size_that_fits(text: str, help_: str) -> None:
    (d,) = (d for d in check(f"network n {{ {text}  h{'{2}' * ('{2}' in text)} -> y }}"))
    assert (d.code, d.help) == ("E412", f"declare `{help_}`")
    name = help_.split("[")[0]
    declared = next(part for part in text.split("  ") if part.startswith(name))
    assert codes(f"network n {{ {text.replace(declared, help_)}  {name.split()[1]} -> y }}") == []


def test_a_shared_bias_is_a_shared_projection_of_the_unit_neuron() -> None:
    found = network(
        "input x[4, 4]  hidden c[4, 4, 3] { bias = shared, phi = relu }  output y[2]  x -> c [conv(3, 3)]  c -> y"
    )
    unit = {p.name: p.topology for p in found.projections if p.source == "unit"}
    assert unit == {"unit->c": Shared(), "unit->y": Dense()}
    assert found.population("c").bias
    assert found.population("c").slots == (("phi", "relu"),)


@pytest.mark.parametrize(
    ("attributes", "found"),
    [
        ("conv(3, 3), pool(max, 2, 2)", ["E410"]),
        ("one_to_one, one_to_one", ["E410"]),
        ("delay = 1, delay = 2", ["E410"]),
        ("delay = 1.5", ["E206"]),
        ("delay = 0", ["E206"]),
        ("delay = -1", ["E206"]),
        ("delay = q", ["E201"]),
        ("delay(1)", ["E408"]),
        ("sparse(p = 0)", ["E411"]),
        ("sparse(p = 1.1)", ["E411"]),
        ("sparse(p = q)", ["E201"]),
        ("sparse(p = 0.5, seed = 0.5)", ["E206"]),
        ("sparse(fan_in = 0)", ["E206"]),
        ("sparse(fan_in = 2.5)", ["E206"]),
        ("sparse(fan_in = 5)", ["E412"]),
        ("sparse(p = 0.5, q = 1, form = maskd, seed = -1)", ["E411", "E411", "E206"]),
        ("conv(0)", ["E206"]),
        ("conv(1, stride = q)", ["E201"]),
        ("pool(max)", ["E411"]),
        ('pool("max", 2)', ["E411"]),
        ('pool("maxx", "2")', ["E411"]),
        ("edges()", ["E411"]),
        ('edges("a.csv", "b.csv")', ["E411"]),
        ('dense("a.csv")', ["E411"]),
        ("conv = 3", ["E411"]),
        ("convolution(3)", ["E408"]),
    ],
)
def test_a_wrong_attribute_is_refused(attributes: str, found: list[str]) -> None:
    assert codes(f"network n {{ input x[4]  output y[4]  x -> y  x -> y [{attributes}] }}") == found


# ---------------------------------------------------------------- blocks

RESIDUAL = """
block residual(width = 4) {
  input  x[width]
  hidden a[width] { phi = relu }
  output y[width]
  x -> a   a -> y [label = up]   x -> y [identity]
}
"""
TOWER = (
    RESIDUAL
    + """
network n(depth = 3) uses rule {
  input pixels[6]
  r1 = residual(x = pixels, width = 6)
  for i in 2..depth { r{i} = residual(x = r{i-1}.y, width = 6) }
  output class[2]
  r{depth}.y -> class
}"""
)


def edges(found: Network) -> list[str]:
    return [p.name for p in found.projections if p.source != "unit"]


def test_a_block_is_written_out_where_it_is_used() -> None:
    found = network(TOWER, depth=2)
    roles = [(p.name, p.role, p.shape) for p in found.populations]
    assert roles == [
        ("pixels", "input", (6,)),
        ("r1.a", "hidden", (6,)),
        ("r1.y", "hidden", (6,)),
        ("r2.a", "hidden", (6,)),
        ("r2.y", "hidden", (6,)),
        ("class", "output", (2,)),
        ("unit", "unit", (1,)),
    ]
    assert edges(found) == ["pixels->r1.a", "r1.up", "pixels->r1.y", "r1.y->r2.a", "r2.up", "r1.y->r2.y", "r2.y->class"]
    assert found.population("r2.a").slots == (("phi", "relu"),)


def test_blocks_use_blocks_and_pass_ports_on() -> None:
    text = (
        RESIDUAL
        + """
    block tower(depth = 2, width = 4) {
      input  x[width]
      output y[width]
      r1 = residual(x = x, width = width)
      for i in 2..depth { r{i} = residual(x = r{i-1}.y, width = width) }
      r{depth}.y -> y
    }
    network n uses rule { input p[5]  t = tower(x = p, width = 5, depth = 1)  output q[1]  t.y -> q }"""
    )
    found = network(text)
    assert edges(found) == ["p->t.r1.a", "t.r1.up", "p->t.r1.y", "t.r1.y->t.y", "t.y->q"]
    assert found.population("t.r1.a").shape == (5,)


def test_a_port_may_be_bound_to_what_is_declared_later() -> None:
    """Two blocks may feed each other, where there is a delay."""
    text = """
    block late { input x[3]  output y[3]  x -> y [delay = 1] }
    network n uses rule {
      p = late(x = q.y)
      q = late(x = p.y)
      input in[3]  in -> p.y  output out[1]  q.y -> out
    }"""
    assert edges(network(text)) == ["q.y->p.y", "p.y->q.y", "in->p.y", "q.y->out"]


def test_parallel_projections_of_blocks_are_counted() -> None:
    text = """
    block twice { input x[3], output y[3]  x -> y  x -> y [fixed] }
    network n uses rule { input in[3]  t = twice(x = in)  output out[1]  t.y -> out }""".replace(",", "")
    assert edges(network(text)) == ["in->t.y", "in->t.y#2", "t.y->out"]


def test_a_block_takes_functions_and_loops_of_ports() -> None:
    text = """
    block sum(n = 2, act = relu) {
      for i in 1..n { input x{i}[2] }
      output y[2] { phi = act, bias = off }
      for i in 1..n { x{i} -> y [identity] }
    }
    network n uses rule {
      input a[2]  input b[2]  input c[2]
      s = sum(x1 = a, x2 = b, x3 = c, n = 3, act = exp)
      output out[1]  s.y -> out
    }"""
    found = network(text)
    assert edges(found) == ["a->s.y", "b->s.y", "c->s.y", "s.y->out"]
    assert found.population("s.y").slots == (("phi", "exp"),)
    assert "unit->s.y" not in [p.name for p in found.projections]


def test_blocks_are_imported(tmp_path: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(tmp_path)
    monkeypatch.chdir(folder)
    with open("blocks.blur", "w") as file:
        file.write(RESIDUAL)
    text = 'import "blocks.blur"\n' + TOWER.removeprefix(RESIDUAL)
    assert edges(network(text, depth=1)) == ["pixels->r1.a", "r1.up", "pixels->r1.y", "r1.y->class"]


def test_a_delay_in_a_block_mends_a_cycle_through_two_of_them() -> None:
    text = (
        RESIDUAL
        + """
    network n uses rule {
      input in[4]  p = residual(x = in)  q = residual(x = p.y)  q.y -> p.y
      output out[1]  q.y -> out
    }"""
    )
    (d,) = check(RULE + text)
    assert d.code == "E403"
    assert d.message.endswith("cycle: p.y -> q.a -> q.y -> p.y")
    assert d.help is not None
    assert d.help.startswith("write `q.y -> p.y [delay = 1]`")
    assert codes(text.replace("q.y -> p.y", "q.y -> p.y [delay = 1]")) == []


# ------------------------------------------------------- mistakes in and around blocks


def test_a_block_is_checked_where_no_network_uses_it() -> None:
    wrong = RESIDUAL.replace("a -> y [label = up]", "a -> z [lable = up]").replace("a[width]", "a[wdth]")
    assert codes(wrong) == ["E201", "E401", "E408"]


def test_a_mistake_in_a_block_is_said_once_however_often_it_is_used() -> None:
    assert codes(TOWER.replace("x -> a ", "x -> b ")) == ["E401"]


def test_a_mistake_in_a_block_does_not_spread_to_what_uses_it() -> None:
    assert codes(TOWER.replace("output y[width]", "output y[width")) == ["E101"]
    assert codes(TOWER.replace("output y[width]", "output y[0]")) == ["E206"]
    assert codes(TOWER.replace("x -> y [identity]", "y -> a")) == ["E403"]


def test_what_fails_for_some_parameters_alone_says_for_which() -> None:
    text = RESIDUAL.replace("hidden a[width]", "hidden a[width - 4 + 4 * 1 / (width - 5)]")
    text = RULE + text.replace("width = 4", "width = 6") + TOWER.removeprefix(RESIDUAL).replace("6", "5")
    (d,) = check(text)
    assert d.span is not None
    assert (d.code, d.span.line, d.span.text) == ("E206", 21, "5")
    assert d.notes == ("`4 * 1 / (width - 5)` is in the block `residual`, at <text>:14:24",)


def test_a_wrong_argument_is_said_once_at_each_use() -> None:
    assert wrong_values(RULE + TOWER.replace("width = 6", "width = -6")) == [(21, "-6"), (22, "-6")]
    assert wrong_values(RULE + TOWER.replace("hidden a[width]", "hidden a[width / 4]")) == [(21, "6")]
    probability = TOWER.replace("[label = up]", "[sparse(p = width)]  a -> y [sparse(p = width), forward]")
    assert wrong_values(RULE + probability.replace("width = 4", "width = 1")) == [(21, "6"), (22, "6")]


def wrong_values(text: str) -> list[tuple[int, str]]:
    """Where they stand."""
    return [(d.span.line, d.span.text) for d in check(text) if d.span]


def test_a_mistake_that_a_block_has_by_itself_is_said_there() -> None:
    text = TOWER.replace("width = 4", "width = 6").replace("hidden a[width]", "hidden a[width / 4]")
    assert wrong_values(RULE + text) == [(14, "width / 4")]


def test_a_wrong_parameter_is_said_once() -> None:
    text = RULE + TOWER.replace("n(depth = 3)", "n(depth = 3, width = 6)").replace("width = 6)\n", "width = width)\n")
    text = text.replace("input pixels[6]", "input pixels[6]  hidden a[width]  hidden b[width]  pixels -> a  a -> b")
    with pytest.raises(BlurError) as caught:
        select_model(text, params={"width": -1})
    (d,) = caught.value.diagnostics
    assert d.span is not None
    assert (d.code, d.span.line, d.span.text) == ("E206", 20, "width")


def test_a_port_bound_to_the_own_output_is_said_at_the_binding() -> None:
    text = RULE + TOWER.replace("(x = pixels", "(x = r1.y")
    (d,) = check(text)
    assert d.span is not None
    assert (d.code, d.span.text) == ("E413", "x = r1.y")
    assert "`x -> y [identity]`" in d.notes[0]
    assert "`x -> y [identity, delay = 1]`" in str(d.help)


@pytest.mark.parametrize("topology", ["sparse(p = 0.001, form = {})", 'edges("w.csv", form = {})'])
def test_a_matrix_has_at_most_as_many_pairs_as_32_bits_count(topology: str) -> None:
    spec = "network n uses rule {{ input x[46341]  output y[{}]  x -> y [{}] }}"

    def found(size: int, form: str) -> list[str]:
        try:
            select_model(RULE + spec.format(size, topology.format(form)), files={"w.csv": "0,0"})
        except BlurError as error:
            return [d.code for d in error.diagnostics]
        return []

    assert found(46341, "masked") == ["E412"]  # 46341^2 is 2^31 + 4633
    assert found(46340, "masked") == []
    assert found(46341, "segments") == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (("= residual(x = pixels", "= residaul(x = pixels"), ["E421"]),
        (("= residual(x = pixels", "= residual(x = pixel"), ["E401"]),
        (("(x = pixels, width = 6)", "(x = pixels)"), ["E425"]),
        (("(x = pixels, width = 6)", "(width = 6)"), ["E423"]),
        (("(x = pixels, width = 6)", "(y = pixels, width = 6)"), ["E424"]),
        (("(x = pixels, width = 6)", "(x = pixels, x = pixels, width = 6)"), ["E106"]),
        (("(x = pixels, width = 6)", "(x = 2 * pixels, width = 6)"), ["E425"]),
        (("(x = pixels, width = 6)", "(x = pixels, width = r{1})"), ["E206"]),
        (("r{depth}.y -> class", "r{depth}.a -> class"), ["E426"]),
        (("r{depth}.y -> class", "r{depth}.x -> class"), ["E426"]),
        (("r{depth}.y -> class", "r{depth} -> class"), ["E401"]),
        (("r{depth}.y -> class", "r{depth+1}.y -> class"), ["E401"]),
        (("r{depth}.y -> class", "class.y -> class"), ["E401"]),
        (("input pixels[6]", "input pixels[6]  hidden r2[6]  r2 -> class"), ["E106"]),
        (("input pixels[6]", "input pixels[6]  unit = residual(x = pixels)"), ["E213"]),
        (("uses rule", "uses residual"), ["E211"]),
        (("{ phi = relu }", "{ psi = relu }"), ["E407"]),
        (("block residual", "block n"), ["E106", "E421", "E421"]),
        (("block residual(width = 4)", "block residual(width = 4, x = width)"), ["E106"]),
    ],
)
def test_a_mistake_around_a_block_is_said_once(change: tuple[str, str], found: list[str]) -> None:
    assert change[0] in TOWER
    assert codes(TOWER.replace(*change)) == found


def test_recursion_is_printed_once_wherever_it_is_entered() -> None:
    text = """
    block a { input x[2]  output y[2]  p = b(x = x)  p.y -> y }
    block b { input x[2]  output y[2]  p = c(x = x)  p.y -> y }
    block c { input x[2]  output y[2]  p = a(x = x)  p.y -> y }
    block d { input x[2]  output y[2]  p = b(x = x)  p.y -> y }
    network n uses rule { input x[2]  p = c(x = x)  output y[2]  p.y -> y }
    """
    (d,) = check(RULE + text)
    assert (d.code, d.message) == ("E422", "the block `a` contains itself: a -> b -> c -> a")
    with pytest.raises(BlurError) as caught:
        select_model(RULE + text)
    assert [d.message for d in caught.value.diagnostics] == [d.message]


def test_blocks_multiply_and_that_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST_ITEMS", 1000)
    text = "block b0 { input x[1]  output y[1]  x -> y }\n" + "".join(
        f"block b{i} {{ input x[1]  output y[1]  for i in 1..9 {{ p{{i}} = b{i - 1}(x = x)  p{{i}}.y -> y }} }}\n"
        for i in (1, 2, 3, 4)
    )
    text += "network n uses rule { input x[1]  p = b4(x = x)  output y[1]  p.y -> y }"
    with pytest.raises(BlurError, match="at most 1,000 populations") as caught:
        select_model(RULE + text)
    assert len(caught.value.diagnostics) == 1


def test_a_file_of_blocks_compiles_to_nothing_and_says_so() -> None:
    assert codes(RESIDUAL) == []
    with pytest.raises(BlurError, match="`residual` is a block, which belongs in the body of a network"):
        select_model(RESIDUAL)
    with pytest.raises(BlurError, match="`residual` is a block, which belongs in the body of a network"):
        select_model(RULE + TOWER, network="residual")


def test_two_blocks_in_use_that_lead_nowhere_are_two_warnings() -> None:
    text = TOWER.replace(
        "output class", "s = residual(x = pixels, width = 6)  t = residual(x = pixels, width = 6)  output class"
    )
    found = check(RULE + text)
    assert [(d.code, d.message) for d in found] == [
        ("W503", "the population `s.y` leads to no output"),
        ("W503", "the population `t.y` leads to no output"),
    ]
