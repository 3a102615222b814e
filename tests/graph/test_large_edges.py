"""Edge files are read in blocks of plain numbers where that is possible, and line by line elsewhere: with the same
result, and soon."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from pace import within
from soak.mutants import mutant

from blurc.diagnostics import BlurError
from blurc.graph import edge_lines
from blurc.model import Model
from blurc.model.topology import Edges
from blurc.spec import select_model

SPEC = """
import "rules/backprop.blur"
network n uses backprop {{
  input  x[1000]
  output y[1000]
  x -> y [edges("e{}")]
}}
"""


def answer(suffix: str, text: str) -> object:
    """The pairs, or what is wrong."""
    try:
        return pairs(select_model(SPEC.format(suffix), files={f"e{suffix}": text}))
    except BlurError as error:
        return str(error)


def pairs(model: Model) -> tuple[bytes, bytes]:
    topology = next(p.topology for p in model.network.projections if p.name == "x->y")
    assert isinstance(topology, Edges)
    return topology.pre, topology.post


TEXTS = {
    ".csv": [
        "pre,post\n0,0\n1,2\n3,1\n", "0,0\n1,2\n\n3,1", "0, 0\n1, 2\n", "0,0\r\n1,2\r\n", "0,0\r1,2\r",
        ",5\n6 7,8\n", "1,2 3\n", "1,\n2,3\n", ",1\n", "1,2,3\n", "1,2\n1,2\n", "1,2\n5,7\n1,2\n1,2\n", "-1,2\n",
        "1,-2\n", "1000,1\n", "1,2\n9999999999999999999,1\n", "1,99999999999999999999999\n", "0001,2\n", "1.0,2\n",
        "1e2,3\n", '"1","2"\n', "1;2\n", "\n\n1,2\n", " 1,2\n", "1 ,2\n", "1,2 \n", "\u0661,2\n", "1_0,2\n",
        "+1,2\n", "a,b\nc,d\n", "", "\n", ",\n", "1,2",
    ],
    ".txt": [
        "# a comment\n0 0\n1 2\n3 1\n", "0 0\n1\t2\n", "0\t0\n1\t2\n", "0  0\n", "0 0 \n", " 0 0\n",
        "0 0 # a\n1 2\n", "1\n2\n", "1 2 3\n", "1 2\n1 2\n", "a b\n1 2\n", "1,2\n", "1 2\n\n3 4\n", "1 2\n3 \n",
        "1\xa02\n", "1\u20282 3\n", "1 2\x0b3 4\n",
    ],
}  # fmt: skip
CASES = [(suffix, text) for suffix, texts in TEXTS.items() for text in texts]
MUTANTS = [(suffix, mutant(texts, random.Random(i))) for suffix, texts in TEXTS.items() for i in range(40)]


@pytest.mark.parametrize("block", [1, 4, 2**20])
def test_blocks_and_lines_mean_the_same(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_lines, "BLOCK", block)
    in_blocks = [answer(suffix, text) for suffix, text in (*CASES, *MUTANTS)]
    monkeypatch.setattr(edge_lines, "BLOCK", 2**20)
    monkeypatch.setattr(edge_lines, "_plain", lambda block, comma: None)  # pyright: ignore[reportUnknownLambdaType]
    by_line = [answer(suffix, text) for suffix, text in (*CASES, *MUTANTS)]
    assert in_blocks == by_line


# ------------------------------------------------------------------ large ones


def lines(count: int, write: Callable[[int, int], str]) -> str:
    return "\n".join(write(*divmod(i, 1000)) for i in range(count)) + "\n"


NODE = '<node id="{0}{1}"><data key="p">{0}</data><data key="i">{1}</data></node>\n'
GRAPHML = (
    '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
    '<key id="p" for="node" attr.name="population" attr.type="string"/>\n'
    '<key id="i" for="node" attr.name="index" attr.type="int"/>\n'
    '<graph edgedefault="directed">\n{}</graph></graphml>\n'
)
COMMAS = lines(900_000, "{},{}".format)
XML = "".join(NODE.format(name, i) for name in "xy" for i in range(1000)) + lines(
    100_000, '<edge source="x{}" target="y{}"/>'.format
)
LARGE: dict[str, tuple[str, str, str]] = {
    "a word at the end": (".csv", COMMAS + "a,b\n", "e.csv:900001: expected two integers, found `a,b`"),
    "a neuron too many": (".csv", COMMAS + "1,1000\n", "e.csv:900001: `y` has 1,000 neurons, found neuron 1000"),
    "an edge twice": (".csv", COMMAS + "899,999\n", "e.csv:900001: the edge from 899 to 999 is listed twice"),
    "columns": (".txt", lines(200_000, "{} {} 1".format), "e.txt:1: expected two integers, found a third column `1`"),
    "one line": (".csv", "1," * 3_000_000, "e.csv:1: expected two integers, found a third column `1 1 1"),
    "one long number": (".csv", "1" * 6_000_000, "e.csv:1: expected two integers, found `111"),
    "a matrix": (".csv", ("1," * 999 + "1\n") * 1000, "`e.csv` is a matrix of 1,000 times 1,000 numbers"),
    "xml that ends": (".graphml", GRAPHML.format(XML)[:-20], "`e.graphml` is not GraphML"),
    "a node without an index": (
        ".graphml",
        GRAPHML.format(XML + '<node id="z"><data key="p">x</data></node>'),
        "e.graphml, node `z`: the attribute `index` is missing",
    ),
    "an edge of xml twice": (
        ".graphml",
        GRAPHML.format(XML + '<edge source="x0" target="y0"/>'),
        "e.graphml, edge from `x0` to `y0`: the edge from 0 to 0 is listed twice",
    ),
    "an edge to nowhere": (
        ".graphml", GRAPHML.format(XML + '<edge source="x0"/>'), "`e.graphml` is not GraphML: an edge lacks its source",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", LARGE)
def test_a_mistake_in_a_large_file_is_told_soon(kind: str) -> None:
    suffix, text, expected = LARGE[kind]
    answer(suffix, "0,0\n")  # imports
    with within(2):
        found = answer(suffix, text)
    assert isinstance(found, str)
    assert f": {expected}" in found
    assert len(found) < 1000


@pytest.mark.parametrize("line", ["{},{} ", '"{}","{}"', "{}.0,{}", " {},{}", "\n{},{}"])
def test_as_many_odd_lines_are_read_as_take_a_second(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_lines, "BLOCK", 1000)
    monkeypatch.setattr(edge_lines, "MOST_ODD", 3000)
    assert isinstance(answer(".csv", lines(1000, line.format) + COMMAS[12_000:]), tuple)
    assert ": more than 3,000 lines of `e.csv` are not two plain whole numbers" in str(
        answer(".csv", lines(4000, line.format))
    )
    wrong = "a,b,c\n" + lines(4000, line.format)
    assert ": e.csv:1: expected two integers, found a third column `c`" in str(answer(".csv", wrong))


def test_a_million_edges_are_read() -> None:
    pre, post = answer(".csv", COMMAS) or (b"", b"")  # pyright: ignore
    assert len(pre) == len(post) == 4 * 900_000
