"""NIR files: what both can say comes back as it was, the rest is refused with the reason."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import jax
import networkx as nx
import numpy as np
import pytest
from numpy.testing import assert_allclose

import blurc

nir = pytest.importorskip("nir")
h5py = pytest.importorskip("h5py")

RULE = """
genome rule {
  state   a
  synapse w ~ normal(1 / sqrt(fan_in))
  fn      phi = tanh
  sense   { a <- input }
  forward { a <- phi(incoming(w * pre.a)) }
  update  { w <- w + 0.01 * batch_mean(pre.a * post.a) }
  readout a
}
"""
BODIES = {
    "layers": "input x[3]  hidden h[4]  output y[2]  x -> h  h -> y",
    "without a bias": "input x[3]  hidden h[4] { bias = off }  output y[2]  x -> h  h -> y",
    "several ways": "input x[3]  input z[2, 2]  hidden h[4]  output y[4] { bias = off }  "
    "x -> h  z -> h  h -> y [one_to_one]  h -> y [identity]  x -> y",
    "several outputs": "input x[3]  hidden h[4]  output y[2]  output v[4]  x -> h  h -> y  h -> v",
}


def lif(*shape: int) -> Any:
    each = np.ones(shape)
    return nir.LIF(tau=each, r=each, v_leak=each, v_threshold=each, v_reset=each)


def started(net: blurc.Net) -> tuple[Any, Any]:
    genome = net.init_genome(jax.random.key(0))
    return genome, net.init(jax.random.key(1), genome, batch=1)


def placed(net: blurc.Net, wiring: nx.MultiDiGraph[str]) -> tuple[Any, Any]:
    genome, state = started(net)
    for a, b, key, data in net.graph.edges(keys=True, data=True):
        if a == "unit":
            weight = wiring.nodes[b]["bias_value"]
        elif "pairs" in data:
            weight = wiring.edges[a, b, key]["weight"]
        else:
            continue
        state.synapses[key]["w"] = weight.reshape(state.synapses[key]["w"].shape)
    return genome, state


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("marked", [False, True])
def test_a_network_comes_back_as_it_was(tmp_path: Path, body: str, marked: bool) -> None:
    net = blurc.compile(f"{RULE}\nnetwork n uses rule {{ {body} }}")
    genome, state = started(net)
    hidden = {p.name: lif(*p.shape) for p in net.model.network.populations if p.role == "hidden"}
    outputs = {p.name: lif(*p.shape) if marked else None for p in net.model.network.with_role("output")}
    blurc.write_nir(tmp_path / "n.nir", net, state, neurons=hidden | outputs)
    wiring = blurc.read_nir(tmp_path / "n.nir")
    again = blurc.from_networkx(wiring, genome=RULE, network="n")
    assert without_order(again) == without_order(net)
    assert isinstance(wiring.nodes["h"]["nir"], nir.LIF)
    xs = {name: np.ones((2, *shape), np.float32) for name, shape in net.signature.inputs.items()}
    got, expected = again.predict(*placed(again, wiring), xs), net.predict(genome, state, xs)
    jax.tree.map(lambda a, b: assert_allclose(a, b, rtol=1e-5), got, expected)


def without_order(net: blurc.Net) -> Any:
    """HDF5 sorts by name."""
    populations, projections = net.model.network.populations, net.model.network.projections
    return {p.name: p for p in populations}, {e.name: e for e in projections}


def sequence(*nodes: Any) -> Any:
    return nir.NIRGraph.from_list(*nodes, type_check=False)


def test_a_file_of_another_simulator_is_read(tmp_path: Path) -> None:
    """As snnTorch and Norse write it: numbered nodes, an affine map before every layer of neurons, a recurrent map."""
    w, v = np.arange(12.0).reshape(4, 3), np.arange(16.0).reshape(4, 4)
    nodes = {
        "input": nir.Input(np.array([3])),
        "0": nir.Affine(w, np.arange(4.0)),
        "1": lif(4),
        "1.rec": nir.Linear(v),
        "2": nir.Linear(v[:2]),
        "3": nir.LI(tau=np.ones(2), r=np.ones(2), v_leak=np.zeros(2)),
        "output": nir.Output(np.array([2])),
    }
    edges = [("input", "0"), ("0", "1"), ("1", "1.rec"), ("1.rec", "1"), ("1", "2"), ("2", "3"), ("3", "output")]
    nir.write(tmp_path / "n.nir", nir.NIRGraph(nodes, edges))
    wiring = blurc.read_nir(tmp_path / "n.nir")
    wiring.edges["_1", "_1", "_1_rec"]["delay"] = 1
    net = blurc.from_networkx(wiring, genome=RULE)
    assert {(a, b, key) for a, b, key in net.graph.edges(keys=True) if a != "unit"} == {
        ("input", "_1", "_0"), ("_1", "_1", "_1_rec"), ("_1", "_3", "_2")
    }  # fmt: skip
    _, state = placed(net, wiring)
    assert_allclose(state.synapses["_0"]["w"], w.T)
    assert_allclose(state.synapses["unit->_1"]["w"], [np.arange(4.0)])
    assert net.model.network.population("_3").role == "output"


CONV = (nir.Conv2d((4, 4), np.ones((2, 1, 3, 3)), 1, 1, 1, 1, np.zeros(2)), "`conv2d` is a Conv2d: NIR counts channels")
UNSAID = {
    "convolution": ([nir.Input(np.array([1, 4, 4])), CONV[0]], CONV[1]),
    "delay": ([nir.Input(np.array([2])), nir.Delay(np.ones(2))], "`delay` is a Delay: its delay is in seconds"),
    "maps in a row": ([nir.Input(np.array([2])), nir.Linear(np.eye(2)), nir.Linear(np.eye(2))], "no neurons stand"),
    "sizes": ([nir.Input(np.array([3])), nir.Linear(np.eye(2)), lif(2)], "leads from 3 to 2 neurons"),
    "graph": (
        [nir.Input(np.array([2])), sequence(nir.Input(np.array([2])), nir.Linear(np.eye(2))), lif(2)],
        "it is a graph within the graph",
    ),
}


@pytest.mark.parametrize("kind", UNSAID)
def test_what_blurc_cannot_say_is_refused(tmp_path: Path, kind: str) -> None:
    nodes, said = UNSAID[kind]
    nodes = [*nodes, nir.Output(np.array([2]))]
    nir.write(tmp_path / "n.nir", sequence(*nodes))
    with pytest.raises(blurc.BlurError, match=r"E920.*" + said):
        blurc.read_nir(tmp_path / "n.nir")


def refused_to_write(folder: Path, body: str, neurons: dict[str, Any], **given: Any) -> str:
    net = blurc.compile(f"{RULE}\nnetwork n uses rule {{ {body} }}")
    with pytest.raises(blurc.BlurError) as error:
        blurc.write_nir(folder / "n.nir", net, started(net)[1], neurons=neurons, **given)
    assert not (folder / "n.nir").exists()
    assert {d.code for d in error.value.diagnostics} == {"E920"}
    return str(error.value)


@pytest.mark.parametrize(
    ("body", "neurons", "said"),
    [
        ("hidden h[3]  x -> h  h -> y", {"y": None}, "NIR has no node for the neurons of `rule`"),
        ("hidden h[3]  x -> h  h -> y", {"h": None, "y": None}, "pass neurons={'h': nir.LIF(..), ..}"),
        ("hidden h[3]  x -> h  h -> y", {"h": lif(4), "y": None}, "has shape [4], expected [3]"),
        ("hidden h[3]  x -> h  h -> y", {"h": "LIF", "y": None}, "`neurons` has str for `h`, expected a NIR node"),
        ("x -> y", {"y": None, "z": None}, "`neurons` names `z`"),
        ("x -> y [sparse(p = 0.5)]", {"y": None}, "synapses for some pairs only"),
        ("x -> y [one_to_one]", {"y": None}, "which NIR cannot say with a bias"),
        ("x -> y  y -> y [delay = 1]", {"y": lif(3)}, "has a delay"),
    ],
)
def test_what_nir_cannot_say_is_refused(tmp_path: Path, body: str, neurons: Any, said: str) -> None:
    assert said in refused_to_write(tmp_path, f"input x[3]  output y[3]  {body}", neurons)


def test_a_channel_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "one of w" in refused_to_write(tmp_path, "input x[3]  output y[3]  x -> y", {"y": None}, channel="v")


def linked(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["node"] = h5py.ExternalLink("/etc/passwd", "/")


def huge(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("node/weight", shape=(2**20, 2**20), dtype="f8", chunks=(16, 16))


def circular(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["node/again"] = file.create_group("node")


def missing(path: Path) -> None:
    nir.write(path, sequence(nir.Input(np.array([2])), nir.Linear(np.eye(2)), nir.Output(np.array([2]))))
    with h5py.File(path, "a") as file:
        del file["node/nodes/linear/weight"]


def strange(path: Path) -> None:
    nir.write(path, nir.NIRGraph({"input": nir.Input(np.array([2]))}, [("input", "h")], type_check=False))


def round_in_a_circle(path: Path) -> None:
    flat = nir.Flatten({"input": np.array([2])}, 0, -1)
    nodes = {"f": flat, "g": flat, "y": lif(2)}
    nir.write(path, nir.NIRGraph(nodes, [("f", "g"), ("g", "f"), ("g", "y")], type_check=False))


def with_texts(path: Path, **how: Any) -> None:
    nodes = {"a": nir.Input({"input": np.array([1])}), "b": nir.Output({"output": np.array([1])})}
    nir.write(path, nir.NIRGraph(nodes, [("a", "b")]))
    with h5py.File(path, "a") as file:
        del file["node/edges"]
        file["node"].create_dataset("edges", data=[["a", "b"]], dtype=h5py.string_dtype(), **how)


def compressed(path: Path) -> None:
    with_texts(path, compression="gzip")


def outside(path: Path) -> None:
    with_texts(path)
    path.with_suffix(".raw").write_bytes(b"12345678")
    with h5py.File(path, "a") as file:
        elsewhere = [(str(path.with_suffix(".raw")), 0, 8)]
        file["node/nodes/a"].create_dataset("other", (8,), "u1", external=elsewhere)


def virtual(path: Path) -> None:
    with_texts(path)
    layout = h5py.VirtualLayout((8,), "u1")
    layout[:] = h5py.VirtualSource(str(path.with_suffix(".h5")), "x", (8,))
    with h5py.File(path, "a") as file:
        file["node/nodes/a"].create_virtual_dataset("other", layout)


def words(path: Path) -> None:
    path.write_text("root:x:0:0")


@pytest.mark.parametrize("damage", [linked, huge, circular, missing, strange, round_in_a_circle, words])
def test_what_is_not_nir_is_refused(tmp_path: Path, damage: Any) -> None:
    damage(tmp_path / "n.nir")
    with pytest.raises(blurc.BlurError, match=r"E920.*is not a NIR graph"):
        blurc.read_nir(tmp_path / "n.nir")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (compressed, "its texts are compressed"),
        (outside, "it has arrays that lie elsewhere"),
        (virtual, "it has arrays that lie elsewhere"),
    ],
)
def test_what_cannot_be_looked_at_first_is_not_read(tmp_path: Path, damage: Any, said: str) -> None:
    damage(tmp_path / "n.nir")
    with pytest.raises(blurc.BlurError, match=said):
        blurc.read_nir(tmp_path / "n.nir")


def test_only_files_of_nir_are_read(tmp_path: Path) -> None:
    for name in ("no.nir", "/dev/zero"):
        with pytest.raises(blurc.BlurError, match=r"E920.*cannot read"):
            blurc.read_nir(tmp_path / name)


def test_without_the_package_the_error_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "n.nir").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "nir", None)
    with pytest.raises(blurc.BlurError, match=r"E921.*\n.*pip install 'blurc\[nir\]'"):
        blurc.read_nir(tmp_path / "n.nir")


@pytest.mark.parametrize("where", ["node/nodes/a/type", "node/edges"])
def test_a_text_that_claims_more_than_the_file_has_takes_no_memory(tmp_path: Path, where: str) -> None:
    path = tmp_path / "a.nir"
    with_texts(path, chunks=(1, 1))
    assert set(blurc.read_nir(path).nodes) == {"a", "b"}
    with h5py.File(path) as file:
        found = file[where].id
        at = found.get_chunk_info(1).byte_offset if file[where].chunks else found.get_offset()
    data = bytearray(path.read_bytes())
    data[at : at + 4] = b"\xff\xff\xff\x7f"
    path.write_bytes(data)
    with pytest.raises(blurc.BlurError, match="its texts claim more bytes than it has"):
        blurc.read_nir(path)
