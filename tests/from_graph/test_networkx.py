"""Networks from networkx graphs: graphs of populations, graphs of neurons, and mistakes in them."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import networkx as nx
import numpy as np
import pytest
from graphs import ENDS, FIXED, RULE, chain, codes, lines, message, shaped, text
from numpy.testing import assert_allclose

import blurc
from blurc import graph
from blurc.from_graph.from_graph import written
from blurc.from_graph.given import Wishes
from blurc.model.model import Network
from blurc.model.topology import Edges
from blurc.reference import Reference
from blurc.spec import select_model

# ---------------------------------------------------------------- populations


def without_names(network: Network) -> Any:
    """Populations and projections by number, with the contents of edge files."""
    number = {p.name: i for i, p in enumerate(network.populations)}
    return (
        [replace(p, name="") for p in network.populations],
        [
            replace(
                e,
                name="",
                source=number[e.source],
                target=number[e.target],
                topology=replace(e.topology, file="") if isinstance(e.topology, Edges) else e.topology,
            )
            for e in network.projections
        ],
    )


PLAIN = {
    "two ways": "input x[2]  hidden h[3]  output y[2]  x -> h  h -> y [forward]  h -> y [backward, label = back]",
    "parallel": "input x[2]  output y[2] { phi = linear, bias = off }  x -> y  x -> y [fixed]  x -> y",
    "order": "input x[2]  output y[2]  hidden b[3]  hidden a[3]  a -> y  x -> b  b -> a  x -> a  b -> y [label = skip]",
    "recurrent": "input x[4]  hidden h[4]  output y[2]  x -> h [one_to_one]  h -> h [delay = 1]  h -> y [delay = 3]",
    "images": "input x[8, 8]  hidden c[4, 4, 3] { bias = shared }  hidden p[2, 2, 3]  output y[2]  "
    "x -> c [conv(3, 3, stride = 2)]  c -> p [pool(max, 2, 2)]  p -> y",
    "sparse": "input x[9]  hidden h[9]  output y[9]  x -> h [sparse(p = 0.123456789, seed = 3, form = gather)]  "
    "x -> h [sparse(fan_in = 2)]  h -> y [identity]",
    "several": "input x[2]  input z[2, 2]  output y[1]  output v[3]  x -> y  z -> y  z -> v",
}


@pytest.mark.parametrize("body", PLAIN.values(), ids=PLAIN)
def test_the_graph_of_a_network_comes_back_as_it_was(body: str) -> None:
    net = blurc.compile(f"{RULE}\nnetwork n uses rule {{ {body} }}")
    again = blurc.from_networkx(net.graph, genome=RULE)
    assert again.plan == net.plan
    assert again.model == net.model


def test_kinds_come_back() -> None:
    rule = RULE.replace(
        "forward", "forward of inhibitory { a <- incoming[soma](w * pre.a) }  update of axon { }  forward"
    )
    body = "input x[2]  hidden h[3] { kind = inhibitory }  output y[2]  x -> h -> y [kind = axon]  x -> y [kind = soma]"
    net = blurc.compile(f"{rule}\nnetwork n uses rule {{ {body} }}")
    assert blurc.from_networkx(net.graph, genome=rule).model == net.model


def test_a_network_of_blocks_comes_back_up_to_names() -> None:
    net = blurc.compile(
        RULE
        + """
        block residual(width = 4) {
          input x[width]  hidden a[width]  output y[width]
          x -> a  a -> y  x -> y [identity]
        }
        network n uses rule {
          input x[4]  r1 = residual(x = x)  for i in 2..3 { r{i} = residual(x = r{i-1}.y) }  output y[2]  r3.y -> y
        }
        """
    )
    again = blurc.from_networkx(net.graph, genome=RULE)
    assert without_names(again.model.network) == without_names(net.model.network)
    assert "r3_a" in again.graph


def test_an_edge_file_comes_back_with_its_pairs(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text("0,1\n1,0\n1,2\n")
    (tmp_path / "n.blur").write_text(
        RULE + 'network n uses rule { input x[2]  output y[3]  x -> y [edges("w.csv", form = masked)] }'
    )
    net = blurc.compile(tmp_path / "n.blur")
    again = blurc.from_networkx(net.graph, genome=RULE)
    assert list(net.graph.edges["x", "y", "x->y"]["pairs"]) == [(1, 0), (0, 1), (1, 2)]
    assert without_names(again.model.network) == without_names(net.model.network)


@pytest.mark.parametrize("body", PLAIN.values(), ids=PLAIN)
def test_graphml_holds_all_that_a_network_is(body: str) -> None:
    network = select_model(f"{RULE}\nnetwork n uses rule {{ {body} }}").network
    read = nx.parse_graphml(graph.graphml(graph.build(network)), force_multigraph=True)
    found = written(read, Wishes())
    assert found == written(graph.build(network), Wishes())


def test_graphml_holds_pairs() -> None:
    model = select_model(
        f'{RULE}\nnetwork n uses rule {{ input x[2]  output y[2]  x -> y [edges("w.csv")] }}',
        files={"w.csv": "0,1\n1,0"},
    )
    read = nx.parse_graphml(graph.graphml(graph.build(model.network)), force_multigraph=True)
    assert read.edges["x", "y", "x->y"]["pairs"] == "1,0 0,1"
    assert written(read, Wishes()).files == {"x-y.csv": "pre,post\n1,0\n0,1\n"}


def test_a_plain_graph_of_populations_needs_shapes_alone() -> None:
    wiring = nx.DiGraph([("in", "h 1"), ("h 1", 7)])
    nx.set_node_attributes(wiring, {"in": (8, 8), "h 1": np.int64(5), 7: [3]}, "shape")
    wiring.nodes["in"]["role"], wiring.nodes[7]["role"] = "input", "output"
    wiring.nodes[7]["slots"] = {"phi": "linear"}
    wiring.edges["h 1", 7]["topology"] = "sparse(fan_in = 2)"
    net = blurc.from_networkx(wiring, genome=RULE)
    assert lines(net) == [
        "input in[8, 8]",
        "hidden h_1[5]",
        "output _7[3] { phi = linear }",
        "in -> h_1",
        "h_1 -> _7 [sparse(fan_in = 2)]",
    ]


def test_an_edited_graph_is_compiled_as_edited() -> None:
    net = blurc.compile(RULE + "network n uses rule { input x[2]  hidden h[3]  output y[2]  x -> h  h -> y }")
    wiring = nx.MultiDiGraph(net.graph)
    wiring.add_edge("h", "h", delay=2)
    wiring.add_edge("x", "y", key="skip", plastic=False)
    again = blurc.from_networkx(wiring, genome=RULE)
    assert lines(again)[3:] == ["x -> h", "h -> y", "x -> y [fixed, label = skip]", "h -> h [delay = 2]"]


def test_a_topology_that_is_changed_goes_before_the_pairs_that_it_had() -> None:
    net = blurc.compile(RULE + "network n uses rule { input x[4]  output y[4]  x -> y [sparse(p = 0.5)] }")
    wiring = nx.MultiDiGraph(net.graph)
    pairs = wiring.edges["x", "y", "x->y"]["pairs"]
    wiring.edges["x", "y", "x->y"]["topology"] = "dense"
    assert lines(blurc.from_networkx(wiring, genome=RULE))[-1] == "x -> y"
    del wiring.edges["x", "y", "x->y"]["topology"]
    again = blurc.from_networkx(wiring, genome=RULE)
    assert list(again.graph.edges["x", "y", "x->y"]["pairs"]) == list(pairs)


def test_names_that_become_equal_are_told_apart() -> None:
    wiring = nx.DiGraph([("a.b", "a b"), ("a b", "unit")])
    nx.set_node_attributes(wiring, 2, "shape")
    wiring.nodes["a.b"]["role"], wiring.nodes["unit"]["role"] = "input", "output"
    assert lines(blurc.from_networkx(wiring, genome=RULE))[:3] == ["input a_b[2]", "hidden a_b_2[2]", "output _unit[2]"]


# ---------------------------------------------------------------- genomes


def test_a_genome_is_named_or_a_text_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "own.blur").write_text(RULE)
    for genome, name in (("backprop", "backprop"), ("backprop3_mse", "backprop3_mse"), (RULE, "rule"),
                         (tmp_path / "own.blur", "rule"), (str(tmp_path / "own.blur"), "rule"),
                         ("networks/digits.blur", "backprop")):  # fmt: skip
        net = blurc.from_networkx(chain(), genome=genome, inputs=[0], outputs=[2])
        assert net.model.genome.name == name


def test_parameters_go_to_the_genome() -> None:
    net = blurc.from_networkx(chain(), genome="backprop", inputs=[0], outputs=[2], rate=0.5, network="mine")
    assert dict(net.model.genome.params) == {"rate": 0.5}
    assert net.model.network.name == "mine"


@pytest.mark.parametrize(
    ("genome", "code"),
    [
        ("bakcprop", "E211"),
        ("nowhere.blur", "E103"),
        ("rules/backprop3.blur", "E215"),
        ("network n { input x[2]  output y[1]  x -> y }", "E215"),
        ("genome g { state", "E101"),
        (None, "E215"),
        (["backprop"], "E215"),
    ],
)
def test_a_genome_that_is_not_there_is_said_so(genome: Any, code: str) -> None:
    with pytest.raises(blurc.BlurError) as error:
        blurc.from_networkx(chain(), genome=genome, inputs=[0], outputs=[2])
    assert [d.code for d in error.value.diagnostics] == [code]


# ---------------------------------------------------------------- neurons


def weights(net: blurc.Net, state: Any) -> tuple[dict[tuple[Any, Any], float], dict[Any, float]]:
    """The weight of every edge between nodes, and the bias of every node, from the network's text and the arrays,
    without the compiler's bookkeeping."""
    assert net.neurons is not None
    nodes = net.neurons.populations
    edge: dict[tuple[Any, Any], float] = {}
    bias: dict[Any, float] = {}
    for name, channels in state.synapses.items():
        source, target = name.split("#")[0].split("->")
        w = np.asarray(channels["w"])
        if source == "unit":
            bias |= dict(zip(nodes[target], w[0], strict=True))
        elif w.ndim == 2:
            edge |= {(a, b): w[i, j] for i, a in enumerate(nodes[source]) for j, b in enumerate(nodes[target])}
        else:
            edge |= {(nodes[source][i], nodes[target][j]): x for (i, j), x in zip(listed(net, name), w, strict=True)}
    return edge, bias


def listed(net: blurc.Net, name: str) -> list[tuple[int, int]]:
    source, target = name.split("->")
    pairs = net.graph.edges[source, target, name].get("pairs")
    if pairs is None:  # one_to_one
        return [(i, i) for i in range(len(net.neurons.populations[source]))]
    return list(pairs)


def layered(count: int, width: int, edges: int, seed: int = 0) -> nx.DiGraph[str]:
    """Nodes in layers, each with edges from the three layers before, at least one from the last. The names and order of
    nodes do not reveal the layers."""
    rng = random.Random(seed)
    layer = [[f"n{7919 * (i * width + j) % 100_003}" for j in range(width)] for i in range(count)]
    wiring: nx.DiGraph[str] = nx.DiGraph()
    nodes = [n for nodes in layer for n in nodes]
    rng.shuffle(nodes)
    wiring.add_nodes_from(nodes)
    for i in range(1, count):
        wiring.add_edges_from((rng.choice(layer[i - 1]), node) for node in layer[i])
        wiring.add_edges_from((node, rng.choice(layer[i])) for node in layer[i - 1])
    while wiring.number_of_edges() < edges:
        i = rng.randrange(1, count)
        wiring.add_edge(rng.choice(layer[max(0, i - rng.randint(1, 3))]), rng.choice(layer[i]))
    nx.set_node_attributes(wiring, dict.fromkeys(layer[0], "input"), "role")
    nx.set_node_attributes(wiring, dict.fromkeys(layer[-1], "output"), "role")
    return wiring


def agrees_node_by_node(wiring: nx.DiGraph[Any], net: blurc.Net) -> None:
    """A step of the compiled network against one of the interpreter, and the readout against a walk over the nodes."""
    neurons = net.neurons
    assert neurons is not None
    genome = net.init_genome(jax.random.key(0))
    state = net.init(jax.random.key(1), genome)
    x = np.random.default_rng(0).normal(size=(2, len(neurons.populations["inputs"]))).astype(np.float32)
    y = np.zeros((2, len(neurons.populations["outputs"])), np.float32)
    new, out = net.step(genome, state, x, y)

    edge, bias = weights(net, state)
    assert edge.keys() == set(wiring.edges)
    act: dict[Any, Any] = {}
    for node in nx.topological_sort(wiring):
        population, i = neurons[node]
        before = list(wiring.predecessors(node))
        total = sum((edge[p, node] * act[p] for p in before), np.zeros(2))
        act[node] = x[:, i] if population == "inputs" else np.tanh(total + bias[node])
    assert_allclose(out, np.stack([act[n] for n in neurons.populations["outputs"]], axis=1), atol=2e-5)

    ref = Reference(net.model)
    started = ref.state({name: dict(c) for name, c in state.synapses.items()}, batch=2)
    expected, _ = ref.step(genome, started, {"inputs": x}, {"outputs": y})
    for name, channels in new.synapses.items():
        assert_allclose(channels["w"], expected.synapses[name]["w"], atol=2e-5)


def test_a_thousand_neurons_become_few_products() -> None:
    wiring = layered(20, 50, 10_000)
    net = blurc.from_networkx(wiring, genome=RULE)
    assert net.neurons is not None
    assert len(net.neurons) == 1000
    assert len(net.neurons.populations) == 20
    assert sum("->" in line for line in lines(net)) <= 19 * 3


def test_a_graph_of_neurons_means_what_its_nodes_and_edges_say() -> None:
    wiring = layered(4, 8, 90)
    agrees_node_by_node(wiring, blurc.from_networkx(wiring, genome=RULE))


@pytest.mark.slow
def test_a_thousand_neurons_mean_what_their_nodes_and_edges_say() -> None:
    wiring = layered(20, 50, 10_000)
    agrees_node_by_node(wiring, blurc.from_networkx(wiring, genome=RULE))


def test_complete_and_matching_edges_need_no_file() -> None:
    wiring = nx.DiGraph()
    wiring.add_edges_from((f"x{i}", f"a{j}") for i in range(2) for j in range(3))
    wiring.add_edges_from((f"a{i}", f"b{i}") for i in range(3))
    wiring.add_edges_from([("b0", "y"), ("b1", "y"), ("b2", "y"), ("x1", "y")])
    net = blurc.from_networkx(wiring, genome=RULE, inputs=["x0", "x1"], outputs=["y"])
    assert lines(net) == [
        "input inputs[2]",
        "hidden h1[3]",
        "hidden h2[3]",
        "output outputs[1]",
        "inputs -> h1",
        "h1 -> h2 [one_to_one]",
        'inputs -> outputs [edges("inputs-outputs.csv")]',
        "h2 -> outputs",
    ]
    assert net.sources.texts[-1] == ("inputs-outputs.csv", "pre,post\n1,0\n")


def test_neurons_are_found_by_node_and_by_place() -> None:
    net = blurc.from_networkx(chain(5), genome=RULE, inputs=[0], outputs=[4])
    assert net.neurons is not None
    assert dict(net.neurons) == {0: ("inputs", 0), 1: ("h1", 0), 2: ("h2", 0), 3: ("h3", 0), 4: ("outputs", 0)}
    assert all(net.neurons.populations[name][i] == node for node, (name, i) in net.neurons.items())


def test_inputs_and_outputs_keep_the_order_of_the_caller() -> None:
    wiring = nx.complete_bipartite_graph(3, 2).to_directed()
    wiring.remove_edges_from([(a, b) for a, b in wiring.edges if a > b])
    net = blurc.from_networkx(wiring, genome=RULE, inputs=[2, 0, 1], outputs=[4, 3])
    assert net.neurons is not None
    assert net.neurons.populations == {"inputs": (2, 0, 1), "outputs": (4, 3)}


def test_nodes_with_other_options_are_other_populations() -> None:
    wiring = nx.complete_multipartite_graph(1, 3, 1).to_directed()
    wiring.remove_edges_from([(a, b) for a, b in wiring.edges if a > b])
    wiring.nodes[2]["slots"], wiring.nodes[3]["bias"] = {"phi": "relu"}, False
    wiring.edges[0, 4]["plastic"] = False
    net = blurc.from_networkx(wiring, genome=RULE, inputs=[0], outputs=[4])
    assert lines(net)[1:4] == ["hidden h1[1]", "hidden h2[1] { phi = relu }", "hidden h3[1] { bias = off }"]
    assert "inputs -> outputs [fixed]" in lines(net)


def test_outputs_are_one_population_where_none_leads_to_another() -> None:
    wiring = nx.DiGraph([("x", "y1"), ("x", "h"), ("h", "y2"), ("y1", "k"), ("k", "h")])
    ends = {"inputs": ["x"], "outputs": ["y1", "y2"]}
    split = blurc.from_networkx(wiring, genome=RULE, **ends)
    wiring.remove_edge("y1", "k")
    wiring.add_edge("x", "k")
    whole = blurc.from_networkx(wiring, genome=RULE, **ends)
    assert split.neurons is not None
    assert whole.neurons is not None
    assert (split.neurons["y1"], split.neurons["y2"]) == (("outputs1", 0), ("outputs2", 0))
    assert whole.neurons.populations["outputs"] == ("y1", "y2")


def test_nodes_with_room_to_move_stand_where_they_make_fewer_projections() -> None:
    """b can join the generation of 1 or of 2. With 2, it needs no new projection, as x already projects there."""
    wiring = nx.DiGraph([("x", 1), (1, 2), (2, 3), (3, "y"), ("x", "b"), ("b", 3)])
    early = blurc.from_networkx(wiring, genome=RULE, inputs=["x"], outputs=["y"])
    wiring.add_edge("x", 2)
    late = blurc.from_networkx(wiring, genome=RULE, inputs=["x"], outputs=["y"])
    assert early.neurons is not None
    assert late.neurons is not None
    assert (early.neurons["b"][0], late.neurons["b"][0]) == ("h1", "h2")
    assert sum("->" in line for line in lines(late)) == 5


def test_the_order_of_edges_says_nothing() -> None:
    wiring = layered(4, 10, 120)
    shuffled = nx.DiGraph()
    shuffled.add_nodes_from(wiring.nodes(data=True))
    edges = list(wiring.edges)
    random.Random(1).shuffle(edges)
    shuffled.add_edges_from(edges)
    first, second, other = (blurc.from_networkx(g, genome=RULE) for g in (wiring, wiring, shuffled))
    assert text(first) == text(second) == text(other)
    assert first.plan == second.plan == other.plan


# ---------------------------------------------------------------- cycles and delays


def test_a_ring_with_delay_follows_the_dense_recurrence() -> None:
    """h(t) = tanh(W h(t-1) + U x(t) + b), with the synapses of step t."""
    wiring = nx.watts_strogatz_graph(24, 4, 0.3, seed=5)
    inputs, outputs = [0, 1, 2], [20, 21]
    net = blurc.from_networkx(wiring, genome=FIXED, inputs=inputs, outputs=outputs, delay=1)
    assert net.neurons is not None
    assert len(net.neurons.populations) == 3
    genome = net.init_genome(jax.random.key(0))
    state = net.init(jax.random.key(1), genome, batch=2)
    edge, bias = weights(net, state)
    w, late = np.zeros((24, 24)), np.zeros((24, 24), bool)
    for (a, b), value in edge.items():
        w[a, b], late[a, b] = value, a not in inputs
    b = np.array([bias.get(n, 0.0) for n in range(24)])

    xs = np.random.default_rng(0).normal(size=(6, 2, 3)).astype(np.float32)
    act, expected = np.zeros((2, 24)), []
    for x in xs:
        now = np.zeros((2, 24))
        now[:, inputs] = x
        total = act @ (w * late) + now @ (w * ~late) + b
        now = np.tanh(total)
        now[:, inputs] = x
        act = now
        expected.append(act[:, outputs])
    state, outs = net.train(genome, state, xs)
    assert_allclose(outs, np.stack(expected), atol=1e-5)


def test_edges_of_cycles_alone_get_the_delay() -> None:
    wiring = nx.DiGraph([("x", "a"), ("a", "b"), ("b", "a"), ("b", "c"), ("c", "c"), ("c", "y"), ("y", "a")])
    wiring.edges["y", "a"]["delay"] = 3
    net = blurc.from_networkx(wiring, genome=RULE, inputs=["x"], outputs=["y"], delay=2)
    assert net.neurons is not None
    where = {node: name for node, (name, _) in net.neurons.items()}
    delays = {(a, b): d for a, b, d in net.graph.edges(data="delay")}
    assert [delays[where[a], where[b]] for a, b in wiring.edges] == [0, 2, 2, 0, 2, 0, 3]


def test_a_delay_may_be_of_numpy() -> None:
    wiring = nx.DiGraph([("x", "a"), ("a", "a"), ("a", "y")])
    net = blurc.from_networkx(wiring, genome=RULE, inputs=["x"], outputs=["y"], delay=np.int64(2))
    assert ("a", "a", 2) in node_edges(net)


BACKWARD: dict[str, tuple[list[tuple[str, str]], list[tuple[str, str]], list[str]]] = {
    "within a generation": ([("x", "a1"), ("x", "a2"), ("a1", "y"), ("a2", "y")], [("a1", "a2")], ["y"]),
    "between generations": (
        [("x", "a1"), ("x", "a2"), ("a1", "b1"), ("a2", "b2"), ("b1", "y"), ("b2", "y")],
        [("b1", "a2")],
        ["y"],
    ),
    "between outputs": ([("x", "y1"), ("x", "y2")], [("y1", "y2")], ["y1", "y2"]),
    "against forward edges alone": ([("x", "a"), ("a", "y"), ("x", "b"), ("b", "y")], [("a", "b")], ["y"]),
}


@pytest.mark.parametrize(("both", "backward", "outputs"), BACKWARD.values(), ids=BACKWARD)
def test_edges_that_carry_feedback_alone_make_no_circles_of_populations(
    both: list[tuple[str, str]], backward: list[tuple[str, str]], outputs: list[str]
) -> None:
    wiring = nx.DiGraph(both)
    wiring.add_edges_from(backward, forward=False)
    net = blurc.from_networkx(wiring, genome=RULE, inputs=["x"], outputs=outputs)
    assert node_edges(net) == {(a, b, 0) for a, b in wiring.edges}


def test_random_feedback_makes_no_circles_of_populations() -> None:
    rng = random.Random(3)
    for _ in range(30):
        wiring: nx.DiGraph[int] = nx.DiGraph((i, rng.randrange(i + 1, 10)) for i in range(9) for _ in range(2))
        wiring.add_edges_from((0, i) for i in range(1, 10))
        order = rng.sample(range(1, 10), 9)
        places = [sorted(rng.sample(range(9), 2)) for _ in range(6)]
        backward = {(order[i], order[j]) for i, j in places} - {*wiring.edges}
        nx.set_edge_attributes(wiring, False, "feedback")
        wiring.add_edges_from(backward, forward=False)
        found = written(wiring, Wishes(inputs=[0], outputs=[9]))
        text = f"{RULE}\nnetwork n uses rule {{ {'  '.join(found.lines)} }}"
        assert select_model(text, files=found.files).network.projections


def test_an_undirected_edge_leads_both_ways_or_with_the_order() -> None:
    wiring = nx.path_graph(4)
    both = blurc.from_networkx(wiring, genome=RULE, inputs=[0], outputs=[3], delay=1)
    order = blurc.from_networkx(wiring, genome=RULE, inputs=[0], outputs=[3], orient="order")
    last_first = blurc.from_networkx(nx.path_graph(3), genome=RULE, inputs=[2], outputs=[0], orient="order")
    assert node_edges(both) == {(0, 1, 0), (1, 2, 1), (2, 1, 1), (2, 3, 1), (3, 2, 1)}
    assert node_edges(order) == {(0, 1, 0), (1, 2, 0), (2, 3, 0)}
    assert node_edges(last_first) == {(2, 1, 0), (1, 0, 0)}


def node_edges(net: blurc.Net) -> set[tuple[Any, Any, int]]:
    """Source, target, delay."""
    assert net.neurons is not None
    nodes = net.neurons.populations
    found: set[tuple[Any, Any, int]] = set()
    for source, target, data in net.graph.edges(data=True):
        if source != "unit":
            pairs = data.get("pairs")
            if data["topology"] == "dense":
                pairs = [(i, j) for i in range(len(nodes[source])) for j in range(len(nodes[target]))]
            elif data["topology"] == "one_to_one":
                pairs = [(i, i) for i in range(len(nodes[source]))]
            found |= {(nodes[source][i], nodes[target][j], data["delay"]) for i, j in pairs}
    return found


def test_a_connectome_comes_from_graphml(tmp_path: Path) -> None:
    wiring = nx.DiGraph([("ASEL", "AIYL"), ("ASEL", "AIYR"), ("AIYL", "AIYR"), ("AIYR", "AIYL"), ("AIYR", "RMEV")])
    nx.set_node_attributes(wiring, {"ASEL": "input", "RMEV": "output", "AIYL": "hidden"}, "role")
    nx.set_edge_attributes(wiring, {("AIYR", "AIYL"): 1}, "delay")
    nx.set_edge_attributes(wiring, 0.5, "weight")
    nx.write_graphml(wiring, tmp_path / "worm.graphml")
    net = blurc.from_networkx(nx.read_graphml(tmp_path / "worm.graphml"), genome=RULE)
    assert node_edges(net) == {(a, b, d or 0) for a, b, d in wiring.edges(data="delay")}


def test_a_network_of_neurons_is_saved_with_its_text_and_files(tmp_path: Path) -> None:
    net = blurc.from_networkx(layered(3, 6, 40), genome=RULE)
    net.save(tmp_path / "n.blurx", platforms=("cpu",))
    assert blurc.load(tmp_path / "n.blurx").predict is not None
    assert {name for name, _ in net.sources.texts} >= {"<text>", "inputs-h1.csv"}


# ---------------------------------------------------------------- what is wrong


@pytest.mark.parametrize(
    ("wiring", "given", "code", "said"),
    [
        (nx.DiGraph(), {}, "E912", "the graph has no nodes"),
        ([(0, 1)], {}, "E912", "expected a networkx graph, found list"),
        (chain(), {"inputs": [0]}, "E912", 'outputs=[0]`, or give nodes the attribute role="output"'),
        (chain(), {"inputs": [0], "outputs": []}, "E912", "the graph has no outputs"),
        (chain(), {"inputs": [7], "outputs": [2]}, "E913", "`inputs` contains `7`, which the graph does not have"),
        (chain(), {"inputs": ["0"], "outputs": [2]}, "E913", "did you mean 0?"),
        (chain(), {"inputs": [[0]], "outputs": [2]}, "E913", "each a int"),
        (chain(), {"inputs": [0, 0], "outputs": [2]}, "E913", "`inputs` contains `0` twice"),
        (chain(), {"inputs": [0, 2], "outputs": [2]}, "E913", "`2`: both input and output"),
        (shaped(shape="2x"), {}, "E914", "the node `y`: `shape` is '2x', expected sizes such as (8, 8)"),
        (shaped(shape=0), {}, "E914", "the node `y`: `shape` is 0"),
        (shaped(shape=2.5), {}, "E914", "`shape` is 2.5"),
        (shaped(role="out"), {}, "E914", '`role` is \'out\', expected "input", "hidden" or "output"'),
        (shaped(bias="of"), {}, "E914", "`bias` is 'of', expected True, False or \"shared\""),
        (shaped(slots=["relu"]), {}, "E914", 'expected a dict such as {"phi": "linear"}'),
        (nx.Graph(shaped()), {}, "E914", "the graph is undirected"),
        (nx.compose(shaped(), nx.MultiDiGraph([("x", "z")])), {}, "E914", "`z`: `shape` is missing"),
        (shaped(), {"inputs": ["x"]}, "E916", "`inputs` is for graphs of neurons"),
        (chain(), {**ENDS, "orient": "order"}, "E916", "but this graph is directed"),
        (nx.path_graph(3), {**ENDS, "orient": "ordr"}, "E916", 'write orient="order"'),
        (nx.path_graph(3), {"input": [0], "outputs": [2]}, "E916", "write inputs="),
        (chain(), {**ENDS, "delay": 0}, "E916", "at least 1, found 0"),
        (chain(), {"inputs": [1], "outputs": [2]}, "E915", "the edge from `0` to `1` leads into an input"),
        (nx.DiGraph([(0, 1), (1, 1), (1, 2)]), ENDS, "E915", "leads back to the neuron itself without a delay"),
        (nx.MultiDiGraph([(0, 1), (0, 1), (1, 2)]), ENDS, "E915", "`0` to `1` appears twice"),
        (nx.DiGraph([(0, 1), (1, 2), (2, 1)]), ENDS, "E403", "a cycle of nodes: 1 -> 2 -> 1"),
        (nx.path_graph(4), {"inputs": [0], "outputs": [3]}, "E403", 'or orient="order"'),
        (nx.DiGraph([(0, 2), (1, 2)]), ENDS, "E404", "no input reaches the node `1`"),
        (chain(), {"inputs": 0, "outputs": [2]}, "E913", "`inputs` must be a list of nodes, found 0"),
        (chain(), {"inputs": [0], "outputs": 2.5}, "E913", "`outputs` must be a list of nodes, found 2.5"),
        (
            nx.grid_2d_graph(1, 2),
            {"inputs": (0, 0), "outputs": [(0, 1)], "orient": "order"},
            "E913",
            "write inputs=[(0, 0)]",
        ),
        (chain(), {**ENDS, "delay": True}, "E916", "at least 1, found True"),
        (shaped(shape=()), {}, "E914", "`shape` is ()"),
        (shaped(shape=np.array(3)), {}, "E914", "`shape` is array(3)"),
        (shaped(bias=np.array([1, 2])), {}, "E914", "`bias` is array([1, 2])"),
        (shaped(role=np.array([1, 2])), {}, "E914", "`role` is array([1, 2])"),
        (shaped(slots={"bias": "off"}), {}, "E914", "`bias` is a separate attribute"),
        (shaped(slots="bias=off"), {}, "E914", "`bias` is a separate attribute"),
        (shaped(slots={"let": "tanh"}), {}, "E914", "`slots` is {'let': 'tanh'}"),
    ],
)
def test_a_mistake_gives_its_diagnostic(wiring: Any, given: dict[str, Any], code: str, said: str) -> None:
    assert codes(wiring, **given) == [code]
    assert said in message(wiring, **given)


@pytest.mark.parametrize(
    "pairs", [[(0.5, 0)], np.array([[0.5, 1.0]]), [(True, 0)], [(0, 1, 1)], ["01"], "0,1.5", "0", 3]
)
def test_pairs_are_whole_numbers(pairs: Any) -> None:
    wiring = shaped()
    wiring.edges["x", "y", 0]["pairs"] = pairs
    assert codes(wiring) == ["E914"]
    assert "expected pairs of integers" in message(wiring)


@pytest.mark.parametrize(
    "pairs", [[(0, 1), [1, 0]], np.array([[0, 1], [1, 0]]), np.array([[0.0, 1], [1, 0]]), "0,1 1,0", '"0,1 1,0"']
)
def test_pairs_come_in_many_types(pairs: Any) -> None:
    wiring = shaped()
    wiring.edges["x", "y", 0]["pairs"] = pairs
    assert written(wiring, Wishes()).files == {"x-y.csv": "pre,post\n0,1\n1,0\n"}


@pytest.mark.parametrize(
    "topology",
    [
        "dense] } network z {",
        "sparse(p = 0.5)] } network z { input a[2",
        "conv(2), fixed",
        "conv(2) (3)",
        "conv(2",
        "conv(2])",
        "conv 2",
        "fixed",
        "delay = 1",
        "sparse(p = 0.5) # a half",
        'edges("w.csv)',
        "(3)",
        "let",
    ],
)
def test_a_topology_is_one_attribute(topology: str) -> None:
    wiring = shaped()
    wiring.edges["x", "y", 0]["topology"] = topology
    assert codes(wiring) == ["E914"]
    assert "expected a single topology" in message(wiring)


@pytest.mark.parametrize(
    ("topology", "line"),
    [
        (" one_to_one ", "x -> y [one_to_one]"),
        ("sparse(p = min(0.5, (1)), seed = 1)", "x -> y [sparse(p = min(0.5, (1)), seed = 1)]"),
        ("conv(3, stride = [1])", "x -> y [conv(3, stride = [1])]"),
        ("dense", "x -> y"),
    ],
)
def test_a_topology_stands_as_it_is_given(topology: str, line: str) -> None:
    wiring = shaped()
    wiring.edges["x", "y", 0]["topology"] = topology
    assert written(wiring, Wishes()).lines[-1] == line


def test_a_kind_of_mistake_is_said_once() -> None:
    wiring = chain(300)
    nx.set_node_attributes(wiring, "grey", "bias")
    assert codes(wiring, inputs=[0], outputs=[299]) == ["E914"]
    assert "there are 298 more like it" in message(wiring, inputs=[0], outputs=[299])


def test_several_mistakes_are_said_at_once() -> None:
    wiring = chain(4)
    wiring.nodes[1]["bias"], wiring.edges[1, 2]["delay"] = "grey", "late"
    assert codes(wiring, inputs=[9], outputs=[3, 3]) == ["E913", "E913", "E914", "E914"]


def test_a_node_that_leads_nowhere_is_a_warning() -> None:
    wiring = nx.DiGraph([(0, 1), (1, 2), (1, 3), (3, 4)])
    net = blurc.from_networkx(wiring, genome=RULE, inputs=[0], outputs=[2])
    assert [(d.code, d.message) for d in net.warnings] == [("W503", "the nodes `3` and `4` lead to no output")]


def test_a_mistake_in_a_topology_shows_the_line() -> None:
    wiring = shaped()
    wiring.edges["x", "y", 0]["topology"] = "spares(p = 0.1)"
    assert "x -> y [spares(p = 0.1)]" in message(wiring)
