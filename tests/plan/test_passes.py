"""Each pass on a small example, before and after."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from blurc import model
from blurc.model.separate import Inseparable, Mixed, Plus, Product, Separated, Stacked, Terms, separate
from blurc.plan import Pipeline, plan_of
from blurc.plan.passes.schedule import schedule
from blurc.plan.plan import Block, InvalidPlan, Op, Plan, Result, Space, Type, verify
from blurc.spec import select_model

STATES = "state a[2], b"


def genome(body: str) -> str:
    return f"""genome g {{ {STATES}  synapse w ~ normal(1)  synapse m[2, 2] ~ normal(1)
               learn n[2, 2] ~ normal(1), c = 0.5
               learn n1 = 1.0 per neuron, p1 = 1.0 per population, s = 1.0 per synapse  signal r
               sense {{ b <- input }} {body} readout b }}
               network net uses g {{ input x[3]  output y[2]  x -> y }}"""


def plan(body: str) -> Plan:
    return plan_of(select_model(genome(body)))


# ------------------------------------------------------------------- separate


def show(e: Separated) -> str:
    """A separated value as text: factors by their source, signs in front."""
    match e:
        case Terms(products=products):
            return " ".join(map(_product, products))
        case Plus(items=items):
            return " & ".join(map(show, items))
        case Mixed(matrix=matrix, body=body):
            return f"{_text(matrix)} @ ({show(body)})"
        case Stacked(items=items):
            return f"[{', '.join(map(show, items))}]"


def _product(p: Product) -> str:
    factors = " * ".join(_text(f) for f in (p.still, p.synapse, p.pre, p.post) if f is not None)
    return ("+" if p.sign > 0 else "-") + (f"mix({factors})" if p.mixes else factors)


def _text(e: model.Expr) -> str:
    match e:
        case model.Apply(function=f, args=args):
            return f"{f}({', '.join(map(_text, args))})"
        case model.Pick(arg=arg, items=items):
            return f"{_text(arg)}{list(items)}"
        case model.Literal(value=value):
            return str(value)
        case _:
            return e.span.text


def separated(phase: str, expression: str) -> str:
    statement = {"forward": "b <- ", "update": "w <- "}[phase]
    checked = select_model(genome(f"{phase} {{ {statement}{expression} }}"))
    assigned = checked.genome.phases[-1].statements[-1].value
    inner = next(e for e in model.walk(assigned) if isinstance(e, model.Total | model.Reduce))
    found = separate(inner)
    assert not isinstance(found, Inseparable)
    return show(found)


@pytest.mark.parametrize(
    ("phase", "before", "after"),
    [
        ("forward", "incoming(w * pre.b)", "+w * pre.b"),
        ("forward", "incoming((w + 0.1) * pre.b)", "+add(w, 0.1) * pre.b"),
        ("forward", "incoming((w + pre.b) * pre.b)", "+w * pre.b +mul(pre.b, pre.b)"),
        ("forward", "incoming(-(w - pre.b) * (pre.b + w))", "-w * pre.b -mul(w, w) +mul(pre.b, pre.b) +w * pre.b"),
        ("forward", "incoming(w * pre.b / fan_in)", "+div(1.0, fan_in) * w * pre.b"),
        ("forward", "incoming(tanh(w) * exp(pre.b))", "+tanh(w) * exp(pre.b)"),
        ("forward", "incoming((w * pre.b) ^ 2)", "+mul(w, w) * mul(pre.b, pre.b)"),
        ("forward", "incoming((w * pre.a)[1])", "+w * pre.a[1]"),
        ("forward", "incoming(m @ pre.a)[0]", "+mix(m * pre.a)"),
        ("forward", "incoming(n @ (w * pre.a))[0]", "n @ (+w * pre.a)"),
        ("forward", "incoming([w * pre.b, pre.b])[0]", "[+w * pre.b, +pre.b]"),
        (
            "forward",
            "incoming((m @ pre.a) * [w, c])[0]",
            "[+mul(m[0, 0], [w, c][0]) * pre.a[0] +mul(m[0, 1], [w, c][0]) * pre.a[1], "
            "+mul(m[1, 0], [w, c][1]) * pre.a[0] +mul(m[1, 1], [w, c][1]) * pre.a[1]]",
        ),
        ("update", "batch_mean(pre.b * post.b)", "+pre.b * post.b"),
        (
            "update",
            "batch_mean((pre.b - w * post.b) * post.b)",
            "+pre.b * post.b -w * mul(post.b, post.b)",
        ),
        ("update", "batch_mean(c * pre.b * post.incoming(w ^ 2))", "+mul(c, pre.b) * post.incoming(w ^ 2)"),
        ("update", "batch_mean(pre.n1 * (w + post.n1) * post.b)", "+mul(pre.n1, add(w, post.n1)) * post.b"),
        ("update", "batch_mean(pre.n1 * pre.b * post.n1)", "+mul(pre.n1, pre.b) * post.n1"),
        ("update", "batch_mean(pre.n1 * post.n1)", "+mul(pre.n1, post.n1)"),
        ("update", "batch_mean(r * pre.p1 * pre.b)", "+mul(mul(r, pre.p1), pre.b)"),
        ("forward", "incoming(s * w * pre.n1 * r)", "+r * mul(s, w) * pre.n1"),
    ],
)  # fmt: skip
def test_separation(phase: str, before: str, after: str) -> None:
    assert separated(phase, before) == after


# ------------------------------------------------------------------- schedule


def test_schedule_follows_the_graph() -> None:
    source = """
      import "rules/backprop.blur"
      network n uses backprop {
        output z[1]  hidden late[1]  hidden early[1]  input x[1]
        early -> late  late -> z  x -> early  x -> late
      }"""
    visits = [str(v) for v in schedule(select_model(source)).visits]
    assert visits == ["sense: x", "forward: early late z", "feedback: z", "backward: late early", "update: "]


def test_prediction_ends_before_feedback_and_skips_updates() -> None:
    text = genome("forward { b <- 1 } update { w <- 0 } forward { b <- 2 } feedback { b <- target } forward { b <- 3 }")
    names = [v.phase.name for v in schedule(select_model(text)).prediction]
    assert names == ["sense", "forward", "forward#2"]


# ------------------------------------------------------------------- simplify


def operations(block: Block) -> list[str]:
    return [op.name for op in block.ops]


def test_states_known_to_be_zero_cost_nothing() -> None:
    with_zero = plan("forward { b <- c * b + incoming(w * pre.b) }")
    without = plan("forward { b <- incoming(w * pre.b) }")
    assert operations(with_zero.step) == operations(without.step)


def test_equal_values_are_computed_once() -> None:
    ops = operations(plan("forward { b <- tanh(incoming(w * pre.b)) * tanh(incoming(w * pre.b)) }").step)
    assert ops.count("tanh") == 1
    assert ops.count("to_post") == 2  # one for the input, one for the unit neuron


def test_whole_powers_are_products() -> None:
    assert "pow" not in operations(plan("forward { b <- incoming(w ^ 3 * pre.b) }").step)


def test_an_empty_slice_does_nothing() -> None:
    assert operations(plan("forward { b <- incoming(w * pre.b); a[2:] <- 7 }").step) == operations(
        plan("forward { b <- incoming(w * pre.b) }").step
    )


def test_mixing_a_vector_with_one_live_part_is_one_column() -> None:
    body = "sense { a[0] <- input } forward { b <- incoming(w * (n @ pre.a))[0] }"
    assert "matmul" not in [op.name for op in plan(body).step.ops if op.type.space.of == "x"]


# --------------------------------------------------------------------- factor


def test_numbers_move_out_of_products() -> None:
    step = plan("forward { b <- incoming(w * (c * pre.b)) } update { w <- w + batch_mean((c * pre.b) * post.b) }").step
    for op in step.ops:
        if op.name in ("to_post", "outer"):
            assert "mul" not in [step.ops[a].name for a in op.args]


def test_one_channel_and_scaled_states_need_one_product() -> None:
    body = "sense { a[0] <- input } forward { b <- incoming(w * (n @ pre.a))[0] }"
    products = [op for op in plan(body).step.ops if op.name == "to_post" and op.attrs[0] == "x->y"]
    assert [op.type.dims for op in products] == [()]


# ------------------------------------------------------------------- liveness


def test_what_no_prediction_reads_is_dropped() -> None:
    compiled = plan("forward { b <- incoming(w * pre.b); a <- 1 } update { m <- m + batch_mean(pre.b * post.b) }")
    assert compiled.dropped == ("channel m of x->y", "channel m of unit->y", "state a of y")
    assert {v.name for v in compiled.channels} == {"w"}


def test_a_channel_that_updates_a_live_one_lives() -> None:
    compiled = plan("forward { b <- incoming(w * pre.b) } update { w <- w + m[0, 0]; m <- m * 0.5 }")
    assert compiled.dropped == ()


def test_nothing_dead_is_computed() -> None:
    alive = plan("forward { b <- incoming(w * pre.b) }")
    dead = plan("forward { b <- incoming(w * pre.b); a <- n @ a + b } backward { b <- outgoing(w * post.b) }")
    assert operations(alive.step) == operations(dead.step)


# --------------------------------------------------------------- verification


def test_a_pass_that_breaks_the_order_is_caught() -> None:
    span = select_model(genome("forward { b <- incoming(w * pre.b) }")).genome.span
    op = Op("tanh", (1,), (), Type((), Space("neurons", "y", True, True)), span)
    with pytest.raises(InvalidPlan, match="does not exist yet"):
        verify(Block((op,), ()), "a broken pass")


def test_a_pass_that_mixes_spaces_is_caught() -> None:
    step = plan("forward { b <- incoming(w * pre.b) }").step
    synapse = next(i for i, op in enumerate(step.ops) if op.name == "synapse")
    neuron = Type((), Space("neurons", "y", True, True))
    wrong = Block((*step.ops, Op("tanh", (synapse,), (), neuron, step.ops[0].span)), (Result(("readout", "y"), 0),))
    with pytest.raises(InvalidPlan, match="another space"):
        verify(wrong, "a broken pass")


def test_a_plan_is_hashable_and_equal_to_itself_compiled_again() -> None:
    body = "forward { b <- incoming(w * pre.b) } update { w <- w - c * batch_mean(pre.b * post.b) }"
    assert plan(body) == plan(body)
    assert hash(plan(body)) == hash(plan(body))
    assert plan(body) != plan(body.replace("w - c", "w + c"))


# ------------------------------------------------------------------- the pipeline


@pytest.fixture
def collector() -> Iterator[None]:
    yield
    gc.enable()


@pytest.mark.usefixtures("collector")
@pytest.mark.parametrize("switch", [gc.enable, gc.disable])
def test_the_garbage_collector_rests_while_passes_run_and_is_then_as_it_was(switch) -> None:
    switch()
    before, during = gc.isenabled(), list[bool]()
    pipeline = Pipeline(lambda *_: during.append(gc.isenabled()))
    pipeline.plan(select_model(genome("forward { b <- incoming(w * pre.b) }")))
    assert (any(during), gc.isenabled()) == (False, before)
