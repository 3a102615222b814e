"""Sums and products of thousands of terms: they say what they say without their structure, and are not deep."""

from __future__ import annotations

import random

import numpy as np
import pytest

import blurc
from blurc.checker import mentions
from blurc.diagnostics import Report, Source
from blurc.language import parse, syntax, unparse
from blurc.reference import Reference

VALUES = {"a": 1.25, "b": -0.75, "c": 1.01}
LONG = 2000  # terms


def readout(text: str) -> syntax.Expr:
    report = Report()
    file = parse(Source("t.blur", f"genome g {{ readout {text} }}"), report)
    assert not report.diagnostics, text
    (item,) = file.genomes[0].items
    assert isinstance(item, syntax.Readout)
    return item.value


def value(e: syntax.Expr) -> float:
    match e:
        case syntax.Name(name=name):
            return VALUES[name]
        case syntax.Negate(operand=operand):
            return -value(operand)
        case syntax.Binary(operator=sign, left=left, right=right):
            x, y = value(left), value(right)
            return x + y if sign == "+" else x - y if sign == "-" else x * y if sign == "*" else x / y
        case _:
            raise TypeError(type(e).__name__)


def depth(e: syntax.Node) -> int:
    return 1 + max((depth(part) for part in syntax.children(e)), default=0)


def chain(terms: int, signs: str, seed: int) -> str:
    draw = random.Random(seed)
    others = ["a", "-b", "(a / b)", "(a * b)"] if "*" in signs else ["a * b", "-b", "(a - b)"]
    return draw.choice(others) + "".join(f" {draw.choice(signs)} {draw.choice(others)}" for _ in range(terms - 1))


CHAINS = [
    *((terms, signs) for terms in (3, 32, 33, 65, 90) for signs in ("+", "-", "+-", "*", "*/")),
    *((LONG, signs) for signs in ("+", "-", "+-", "*")),
]


@pytest.mark.parametrize(("terms", "signs"), CHAINS)
def test_a_chain_has_the_value_and_the_text_that_it_has_without_its_structure(terms: int, signs: str) -> None:
    text = chain(terms, signs, seed=terms)
    tree = readout(text)
    assert value(tree) == pytest.approx(eval(text, dict(VALUES)), rel=1e-9)
    assert readout(unparse(tree)) == tree
    assert tree.span.text == text


def test_a_matrix_product_keeps_its_place_in_a_chain() -> None:
    text = "m @ v" + " * a" * 40 + " @ u * b * b"
    tree = readout(text)
    assert unparse(tree) == text
    products = [node for node in mentions.walk(tree) if isinstance(node, syntax.Binary) and node.operator == "@"]
    left = [node.left.span.text for node in products]
    assert left == ["m @ v" + " * a" * 40, "m"]


@pytest.mark.parametrize("sign", "+-*")
def test_a_long_chain_is_not_deep(sign: str) -> None:
    assert depth(readout(f" {sign} ".join("a" * 10_000))) < 50


def test_a_long_sum_goes_through_every_stage() -> None:
    terms = " + ".join(f"{i} * act" for i in range(LONG))
    net = blurc.compile(f"""
        genome g {{
          state   act
          synapse w ~ ones
          sense   {{ act <- input }}
          forward {{ act <- incoming(w * pre.act) / {LONG * (LONG - 1) // 2} }}
          readout {terms}
        }}
        network n uses g {{ input x[2]  output y[1] {{ bias = off }}  x -> y }}
    """)
    reference = Reference(net.model)
    state = reference.state({"x->y": {"w": np.ones((2, 1))}}, batch=3)
    assert reference.predict({}, state, {"x": np.ones((3, 2))})["y"] == pytest.approx(2 * np.ones((3, 1)))
