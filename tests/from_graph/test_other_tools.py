"""Graphs as other tools write them, and the weights that they carry."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import networkx as nx
import numpy as np
import pytest
import scipy.sparse
from graphs import ENDS, FIXED, RULE, chain, codes, lines, message, shaped
from numpy.testing import assert_allclose

import blurc
from blurc.from_graph.from_graph import written
from blurc.from_graph.given import Wishes


def written_by(tool: str, folder: Path) -> nx.MultiDiGraph[Any]:
    """S1 -> I1, I1 -> I1 of a delay of 1, I1 -> M1 that is fixed, as the tool writes it and networkx reads it."""
    file = folder / "wiring"
    file.write_text(FILES[tool])
    return READERS[tool.split()[0]](file)


READERS: dict[str, Any] = {
    "igraph": nx.read_graphml,
    "DOT": lambda path: nx.nx_pydot.read_dot(path),
    "GML": lambda path: nx.read_gml(path),
    "Pajek": lambda path: nx.MultiDiGraph(nx.read_pajek(path)),
}
FILES = {
    "igraph": """<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
        <key id="v_name" for="node" attr.name="name" attr.type="string"/>
        <key id="v_bias" for="node" attr.name="bias" attr.type="double"/>
        <key id="e_delay" for="edge" attr.name="delay" attr.type="double"/>
        <key id="e_plastic" for="edge" attr.name="plastic" attr.type="boolean"/>
        <graph id="G" edgedefault="directed">
        <node id="n0"><data key="v_name">S1</data><data key="v_bias">NaN</data></node>
        <node id="n1"><data key="v_name">I1</data><data key="v_bias">0</data></node>
        <node id="n2"><data key="v_name">M1</data><data key="v_bias">1</data></node>
        <edge source="n0" target="n1"><data key="e_delay">NaN</data></edge>
        <edge source="n1" target="n1"><data key="e_delay">1</data></edge>
        <edge source="n1" target="n2"><data key="e_delay">0</data><data key="e_plastic">false</data></edge>
        </graph></graphml>""",
    "DOT": """digraph { node [shape=box]
        S1 [shape=ellipse, role="sensory"]; I1 [shape=box3d, role="inter", bias="0"]; M1 [role=motor, label="M 1"]
        S1 -> I1 [weight=2.5]; I1 -> I1 [delay="1"]; I1 -> M1 [delay=0, plastic=0] }""",
    "GML": """graph [ directed 1
        node [ id 0 label "S1" shape "circle" ] node [ id 1 label "I1" bias 0 ] node [ id 2 label "M1" role "motor" ]
        edge [ source 0 target 1 delay 0.0 ] edge [ source 1 target 1 delay 1.0 ]
        edge [ source 1 target 2 plastic "no" ] ]""",
    "Pajek": """*Vertices 3
1 "S1" 0.1 0.2 ellipse
2 "I1" 0.3 0.4 0.5 bias off
3 "M1" 0.1 0.2 box
*Arcs
1 2 1.5
2 2 1 delay 1
2 3 2 plastic false
""",
}


@pytest.mark.parametrize("tool", FILES)
def test_the_files_of_other_tools_are_read_as_meant(tool: str, tmp_path: Path) -> None:
    if tool == "DOT":
        pytest.importorskip("pydot")
    wiring = written_by(tool, tmp_path)
    ends = ["n0", "n2"] if tool == "igraph" else ["S1", "M1"]
    net = blurc.from_networkx(wiring, genome=RULE, inputs=ends[:1], outputs=ends[1:])
    assert lines(net) == [
        "input inputs[1]",
        "hidden h1[1] { bias = off }",
        "output outputs[1]",
        "inputs -> h1",
        "h1 -> h1 [delay = 1]",
        "h1 -> outputs [fixed]",
    ]


def test_a_node_can_be_found_by_what_another_tool_calls_it(tmp_path: Path) -> None:
    wiring = written_by("igraph", tmp_path)
    assert codes(wiring, inputs=["S1"], outputs=["n2"]) == ["E913"]
    assert "`S1` is the `name` of the node 'n0': write that instead" in message(wiring, inputs=["S1"], outputs=["n2"])


def test_the_roles_of_another_tool_matter_where_the_caller_lists_no_nodes() -> None:
    wiring = nx.DiGraph([("AWC", "AIY"), ("AIY", "M")])
    nx.set_node_attributes(wiring, {"AWC": "sensory", "AIY": "interneuron", "M": "motor"}, "role")
    assert "`role` is 'sensory'" in message(wiring)
    assert "list the nodes, inputs=[..] and outputs=[..]" in message(wiring)
    assert "`role` is 'interneuron'" in message(wiring, inputs=["AWC"])
    assert lines(blurc.from_networkx(wiring, genome=RULE, inputs=["AWC"], outputs=["M"]))[0] == "input inputs[1]"
    nx.set_node_attributes(wiring, {"AWC": '"Input"', "AIY": "", "M": "OUTPUT"}, "role")
    assert lines(blurc.from_networkx(wiring, genome=RULE))[2] == "output outputs[1]"


@pytest.mark.parametrize("shape", ["8x8", "8 x 8", "(8, 8)", "[8,8]", '"8x8"', (8.0, 8.0), np.array([8, 8])])
def test_sizes_are_read_in_many_ways(shape: Any) -> None:
    assert "output y[8, 8]" in written(shaped(shape=shape), Wishes()).lines


@pytest.mark.parametrize("shape", ["box", "Mrecord", "box3d", '"ellipse"', "^", None, float("nan"), ""])
def test_how_to_draw_a_node_is_not_a_size(shape: Any) -> None:
    wiring = chain()
    nx.set_node_attributes(wiring, shape, "shape")
    assert lines(blurc.from_networkx(wiring, genome=RULE, **ENDS))[0] == "input inputs[1]"
    assert codes(wiring) == ["E912", "E912"]  # neurons, without inputs and outputs


@pytest.mark.parametrize("delay", [0.0, 0, "0", "0.0", '"0"', np.float32(0), None, float("nan"), ""])
def test_no_delay_is_written_in_many_ways(delay: Any) -> None:
    wiring = chain()
    wiring.edges[0, 1]["delay"] = delay
    assert "inputs -> h1" in lines(blurc.from_networkx(wiring, genome=RULE, **ENDS))


@pytest.mark.parametrize("delay", [1.5, "1.5", -1, "late", float("inf"), True, "1e999", [1]])
def test_a_delay_is_a_whole_number_of_steps(delay: Any) -> None:
    wiring = chain()
    wiring.edges[0, 1]["delay"] = delay
    assert codes(wiring, **ENDS) == ["E914"]
    assert f"`delay` is {delay!r}, expected a whole number of steps" in message(wiring, **ENDS)


@pytest.mark.parametrize("value", [0, 0.0, "0", "false", "No", '"off"', np.False_, np.int64(0)])
def test_a_switch_is_off_in_many_ways(value: Any) -> None:
    wiring = chain()
    wiring.edges[0, 1]["plastic"] = wiring.nodes[1]["bias"] = value
    assert lines(blurc.from_networkx(wiring, genome=RULE, **ENDS))[1:4:2] == [
        "hidden h1[1] { bias = off }",
        "inputs -> h1 [fixed]",
    ]


def test_the_value_of_a_bias_is_told_its_place() -> None:
    wiring = chain()
    wiring.nodes[0]["bias"] = 0.3  # of an input, which has none
    assert blurc.from_networkx(wiring, genome=RULE, **ENDS)
    wiring.nodes[1]["bias"] = 0.3
    assert codes(wiring, **ENDS) == ["E914"]
    assert 'write True; the value has its place in the state, `state.synapses["unit->POPULATION"]`' in message(
        wiring, **ENDS
    )


@pytest.mark.parametrize(
    ("found", "help"),
    [
        (np.eye(2), "networkx.from_numpy_array"),
        (scipy.sparse.eye_array(2), "networkx.from_scipy_sparse_array"),
        (scipy.sparse.csr_matrix((2, 2)), "networkx.from_scipy_sparse_array"),
        ("worm.graphml", "networkx.read_graphml(path)"),
        (Path("worm.graphml"), "networkx.read_graphml(path)"),
        ([(0, 1)], "networkx.DiGraph(edges)"),
    ],
)
def test_other_graphs_are_told_how_networkx_reads_them(found: Any, help: str) -> None:
    assert codes(found) == ["E912"]
    assert help in message(found)


# ---------------------------------------------------------------- parallel edges and weights


def multapse() -> nx.MultiDiGraph[str]:
    wiring: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    wiring.add_edge("x", "a", weight=1.0, type="C")
    wiring.add_edge("x", "a", weight=3.0, type="E")
    wiring.add_edge("x", "b", weight=5.0)
    wiring.add_edge("a", "y", weight=2.0)
    wiring.add_edge("b", "y", weight=4.0, plastic=False)
    return wiring


def test_parallel_edges_that_differ_are_synapses_of_their_own() -> None:
    net = blurc.from_networkx(multapse(), genome=RULE, inputs=["x"], outputs=["y"])
    assert lines(net)[3:] == [
        "inputs -> h1",
        'inputs -> h1 [edges("inputs-h1.csv")]',
        'h1 -> outputs [fixed, edges("h1-outputs.csv")]',
        'h1 -> outputs [edges("h1-outputs-2.csv")]',
    ]
    assert net.neurons is not None
    assert net.neurons.edges == {
        "inputs->h1": (("x", "a", 0), ("x", "b", 0)),
        "inputs->h1#2": (("x", "a", 1),),
        "h1->outputs": (("b", "y", 0),),
        "h1->outputs#2": (("a", "y", 0),),
    }


def test_the_weights_of_a_graph_go_into_the_state_and_come_back() -> None:
    wiring = multapse()
    net = blurc.from_networkx(wiring, genome=FIXED, inputs=["x"], outputs=["y"])
    assert net.neurons is not None
    genome = net.init_genome(jax.random.key(0))
    state = net.init(jax.random.key(1), genome)
    synapses = {name: dict(channels) for name, channels in state.synapses.items()}
    for name, edges in net.neurons.edges.items():
        weights = np.array([wiring.edges[edge]["weight"] for edge in edges], np.float32)
        synapses[name]["w"] = weights.reshape(synapses[name]["w"].shape)
    back = {
        edge: float(w)
        for name, edges in net.neurons.edges.items()
        for edge, w in zip(edges, synapses[name]["w"].reshape(-1), strict=True)
    }
    assert back == {(a, b, key): data["weight"] for a, b, key, data in wiring.edges(keys=True, data=True)}
    bias = [np.asarray(synapses[name]["w"])[0] for name in ("unit->h1", "unit->outputs")]
    out = net.predict(genome, state._replace(synapses=synapses), np.ones((1, 1), np.float32))
    assert_allclose(out[0], np.tanh(np.tanh(np.array([4, 5]) + bias[0]) @ np.array([2, 4]) + bias[1]), rtol=1e-5)


def test_the_example_of_the_page_places_weights_and_reads_them_back() -> None:
    page = (Path(__file__).parents[2] / "docs/GRAPHS.md").read_text()
    (code,) = re.findall(r"^```python\n(worm = .*?)^```", page, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {"nx": nx, "jax": jax, "jnp": jnp, "blurc": blurc}
    exec(code, names)
    learned = {edge: round(float(w), 6) for edge, w in names["learned"].items()}
    assert learned == {("AWC", "AIY", 0): 0.5, ("AWC", "AIY", 1): 0.1, ("AIY", "RIM", 0): 2.0}


def test_parallel_edges_with_nothing_to_tell_them_apart_are_the_callers_choice() -> None:
    wiring = nx.MultiDiGraph([(0, 1), (0, 1), (1, 2)])
    assert "pass `networkx.DiGraph(graph)`, which keeps one of them" in message(wiring, **ENDS)
    assert len(lines(blurc.from_networkx(nx.DiGraph(wiring), genome=RULE, **ENDS))) == 5
    for i, (*_, data) in enumerate(wiring.edges(data=True)):
        data["number"] = i
    assert len(lines(blurc.from_networkx(wiring, genome=RULE, **ENDS))) == 6
