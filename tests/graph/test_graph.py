"""The graph: the order of visits, the effect of delays on it, reachability, GraphML."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from blurc import graph
from blurc.graph import Pairs
from blurc.model import OneToOne
from blurc.model.model import Network
from blurc.spec import check, select_model

RULE = """
genome rule {
  state   a
  synapse w ~ normal(1 / sqrt(fan_in))
  sense   { a <- input }
  forward { a <- tanh(incoming(w * pre.a)) }
  update  { w <- w + batch_mean(pre.a * post.a) }
  readout a
}
"""


def network(body: str) -> Network:
    return select_model(f"{RULE}\nnetwork n uses rule {{\n{body}\n}}").network


def codes(body: str) -> list[str]:
    return [d.code for d in check(f"network n {{\n{body}\n}}")]


POPULATIONS = "input x[2]  hidden a[3]  hidden b[3]  output y[1]\n"


# ---------------------------------------------------------------- what it holds


def test_nodes_and_edges_carry_what_the_model_says() -> None:
    found = graph.build(network("input x[2, 2]  output y[4]  x -> y [one_to_one, delay = 3, fixed, forward]"))
    assert found.nodes["x"] == {"role": "input", "shape": (2, 2), "size": 4, "slots": {}, "bias": False}
    assert found.edges["x", "y", "x->y"] == {
        "forward": True,
        "feedback": False,
        "plastic": False,
        "topology": "one_to_one",
        "delay": 3,
        "order": 0,
        "pairs": Pairs(OneToOne(), (2, 2), (4,)),
    }


@pytest.mark.parametrize(
    ("topology", "pairs"),
    [
        ("dense", [(i, j) for i in range(3) for j in range(3)]),
        ("one_to_one", [(0, 0), (1, 1), (2, 2)]),
        ("sparse(fan_in = 1, seed = 1)", [(1, 0), (0, 1), (0, 2)]),
        ("sparse(p = 0.3, seed = 2)", [(0, 1), (2, 1), (0, 2), (1, 2)]),
    ],
)
def test_the_neurons_of_every_synapse_are_listed(topology: str, pairs: list[tuple[int, int]]) -> None:
    found = graph.build(network(f"input x[3]  output y[3]  x -> y [{topology}]")).edges["x", "y", "x->y"]["pairs"]
    assert list(found) == list(found[:]) == [*map(tuple, np.asarray(found).tolist())] == pairs
    assert (len(found), found[-1]) == (len(pairs), pairs[-1])
    with pytest.raises(IndexError):
        found[len(pairs)]


def test_synapses_that_are_shared_or_not_there_have_no_pairs() -> None:
    found = graph.build(
        network("input x[4]  hidden c[4, 2] { bias = shared }  output y[8]  x -> c [conv(3)]  c -> y [identity]")
    )
    with_pairs = [key for *_, key, data in found.edges(keys=True, data=True) if "pairs" in data]
    assert with_pairs == ["unit->y"]


def test_topologies_stand_in_the_words_of_the_language() -> None:
    found = graph.build(
        network(
            "input x[4, 4]  hidden c[2, 2, 3] { bias = shared }  output y[2]\n"
            "x -> c [conv(3, 3, stride = 2)]  c -> y [sparse(fan_in = 2)]"
        )
    )
    words = {key: data["topology"] for *_, key, data in found.edges(keys=True, data=True)}
    assert words == {
        "x->c": "conv(3, 3, stride = 2, padding = same)",
        "c->y": "sparse(fan_in = 2, seed = 0)",
        "unit->c": "shared",
        "unit->y": "dense",
    }


def test_graphml_goes_through_networkx_and_back() -> None:
    found = graph.build(network(POPULATIONS + "x -> a  a -> b  b -> a [delay = 1]  b -> y [sparse(p = 0.5)]"))
    again = nx.parse_graphml(graph.graphml(found), force_multigraph=True)
    assert again.is_directed()
    assert again.nodes["a"]["shape"] == "3"
    assert again.edges["b", "a", "b->a"]["delay"] == 1
    assert again.edges["b", "y", "b->y"]["topology"] == "sparse(p = 0.5, seed = 0)"


# ---------------------------------------------------------------- orders


def test_visits_go_along_projections_and_back() -> None:
    found = network(POPULATIONS + "x -> b  b -> a  a -> y")
    assert graph.forward_order(found) == ("b", "a", "y")
    assert graph.backward_order(found) == ("a", "b")


def test_a_delayed_projection_orders_nothing() -> None:
    found = network(POPULATIONS + "x -> a  x -> b  b -> a [delay = 1]  a -> y  b -> y")
    assert graph.forward_order(found) == ("a", "b", "y")
    assert graph.backward_order(found) == ("b", "a")


def test_what_gets_delayed_feedback_alone_is_visited_backward() -> None:
    found = network(POPULATIONS + "x -> a  x -> b  a -> y [delay = 1]  b -> y [forward]")
    assert graph.backward_order(found) == ("a",)


def test_a_network_may_be_one_delayed_circle() -> None:
    found = network(POPULATIONS + "x -> a  a -> b  b -> y  y -> a [delay = 2]  a -> a [delay = 1]")
    assert graph.forward_order(found) == ("a", "b", "y")
    assert graph.backward_order(found) == ("y", "b", "a")


# ---------------------------------------------------------------- cycles


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("x -> a  a -> b  b -> a  b -> y", ["E403"]),
        ("x -> a  a -> b  b -> a [delay = 1]  b -> y", []),
        ("x -> a  a -> b [delay = 1]  b -> a  b -> y", []),
        ("x -> a  a -> b  b -> y  y -> b [backward]", ["E403"]),
        ("x -> a  a -> b  b -> y  y -> b [backward, delay = 1]", []),
        ("x -> a  a -> a  a -> b  b -> b  b -> y", ["E413", "E413"]),
        ("x -> a  a -> a [delay = 1]  a -> b  b -> b [delay = 1, identity]  b -> y", []),
    ],
)
def test_a_cycle_needs_a_delay(body: str, found: list[str]) -> None:
    assert codes(POPULATIONS + body) == found


@pytest.mark.parametrize(
    ("last", "written"),
    [
        ("b -> a", "b -> a [delay = 1]"),
        ("b -> a [fixed]", "b -> a [fixed, delay = 1]"),
        ("b -> a [sparse(p = 0.5)]", "b -> a [sparse(p = 0.5), delay = 1]"),
    ],
)
def test_the_help_of_a_cycle_can_be_pasted(last: str, written: str) -> None:
    text = f"network n {{ {POPULATIONS} x -> a  a -> b  {last}  b -> y }}"
    (d,) = check(text)
    assert d.help is not None
    assert d.help.startswith(f"write `{written}`, to read `b` from the previous step")
    assert check(text.replace(last, written)) == []


# ---------------------------------------------------------------- reachability


def test_a_way_through_delays_alone_reaches() -> None:
    assert codes(POPULATIONS + "x -> a [delay = 1]  a -> b [delay = 2]  b -> y [delay = 1]") == []


def test_a_circle_that_no_input_reaches_is_named_once() -> None:
    assert codes(POPULATIONS + "x -> y  a -> b  b -> a [delay = 1]  b -> y") == ["E404"]


def test_a_circle_that_leads_nowhere_is_named_once() -> None:
    assert codes(POPULATIONS + "x -> y  x -> a  a -> b  b -> a [delay = 1]") == ["W503"]


# ---------------------------------------------------------------- GraphML of wiring


def test_graphml_is_read_as_nodes_and_directed_edges() -> None:
    wiring = nx.MultiDiGraph()
    wiring.add_node("a", population="x", index=1)
    wiring.add_edge("a", "b")
    wiring.add_edge("a", "b")
    found = graph.read_graphml("\n".join(nx.generate_graphml(wiring)))
    assert found.nodes == {"a": {"population": "x", "index": 1}, "b": {}}
    assert found.edges == [("a", "b"), ("a", "b")]
    assert found.directed


@pytest.mark.parametrize("text", ["", "no xml", "<graphml/>"])
def test_what_is_no_graphml_is_refused(text: str) -> None:
    with pytest.raises(graph.NoGraph):
        graph.read_graphml(text)
