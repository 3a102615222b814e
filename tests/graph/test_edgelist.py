"""Edge files: the pairs that they list, where they are found, what is stored of them."""

from __future__ import annotations

import os
import random
import struct
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
import scipy.io
import scipy.sparse

from blurc.diagnostics import BlurError
from blurc.model.model import Model
from blurc.model.topology import Edges
from blurc.spec import check, select, select_model

SPEC = """
import "rules/backprop.blur"
network n uses backprop {{
  input  x[2, 2]
  output y[3]
  x -> y [edges("{}")]
}}
"""


def topology(model: Model, name: str = "x->y") -> Edges:
    found = next(p.topology for p in model.network.projections if p.name == name)
    assert isinstance(found, Edges)
    return found


def pairs(edges: Edges) -> list[tuple[int, int]]:
    pre, post = (struct.unpack(f"<{edges.count}i", data) for data in (edges.pre, edges.post))
    return list(zip(pre, post, strict=True))


def read(name: str, text: str) -> list[tuple[int, int]]:
    return pairs(topology(select_model(SPEC.format(name), files={name: text})))


def refused(name: str, text: str) -> str:
    with pytest.raises(BlurError) as caught:
        select_model(SPEC.format(name), files={name: text})
    (d,) = caught.value.diagnostics
    assert d.span is not None
    assert d.span.text == f'edges("{name}")'
    return f"{d.code} {d.message}"


def graphml(edges: list[tuple[str, str]], **nodes: Any) -> str:
    wiring = nx.DiGraph()
    for node, data in nodes.items():
        wiring.add_node(node, **data)
    wiring.add_edges_from(edges)
    return "\n".join(nx.generate_graphml(wiring))


NODES: dict[str, dict[str, Any]] = {
    **{f"x{i}": {"population": "x", "index": i} for i in range(4)},
    **{f"y{i}": {"population": "y", "index": i} for i in range(3)},
}


# ---------------------------------------------------------------- what is read


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("e.csv", "3,1\n0,0\n1,0\n"),
        ("e.csv", "pre, post\r\n3, 1\r\n0, 0\r\n\r\n1, 0"),
        ("e.csv", '"source","target"\n3,1\n0,0\n1,0\n'),
        ("E.CSV", "# from, to\n3,1\n0,0\n1,0\n"),
        ("e.txt", "# from to\n3 1\n  0\t0 # the corner\n\n1 0\n"),
        ("e.edgelist", "3 1\n0 0\n1 0\n"),
        ("e.tsv", "source\ttarget\n3\t1\n0\t0\n1\t0\n"),
        ("e.csv", "3,1\r0,0\r1,0\r"),
        ("e.csv", '"3","1"\n"0","0"\n"1","0"\n'),
        ("e.csv", "3.0,1.0\n0.0,0\n1.000000000000000000e+00,0.000000000000000000e+00\n"),
        ("e.graphml", graphml([("x3", "y1"), ("x0", "y0"), ("x1", "y0"), ("y1", "y2")], **NODES)),
    ],
)
def test_pairs_come_sorted_by_postsynaptic_neuron(name: str, text: str) -> None:
    assert read(name, text) == [(0, 0), (1, 0), (3, 1)]


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [("\ufeff", "utf-8"), ("\ufeff", "utf-16-le"), ("\ufeff", "utf-16-be"), ("", "utf-16-le"), ("", "utf-16-be"),
     ("\ufeff", "utf-32-le")],
)  # fmt: skip
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_file_means_what_it_means_in_an_editor(tmp_path: Path, mark: str, encoding: str, end: str) -> None:
    (tmp_path / "n.blur").write_text(SPEC.format("e.csv"))
    (tmp_path / "e.csv").write_bytes((mark + end.join(["pre,post", "3,1", "0,0", "1,0", ""])).encode(encoding))
    assert pairs(topology(select_model(tmp_path / "n.blur"))) == [(0, 0), (1, 0), (3, 1)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252"])
def test_xml_may_declare_its_encoding(tmp_path: Path, encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>\n' + graphml([("x3", "Süd")], **NODES, Süd=NODES["y1"])
    (tmp_path / "n.blur").write_text(SPEC.format("e.graphml"))
    (tmp_path / "e.graphml").write_bytes(text.encode(encoding))
    assert pairs(topology(select_model(tmp_path / "n.blur"))) == [(3, 1)]


def test_a_graphml_file_may_wire_several_projections() -> None:
    text = graphml([("x3", "y1"), ("y0", "y2"), ("y1", "y0")], **NODES)
    spec = SPEC.format("e.graphml").replace("\n}", '\n  y -> y [edges("e.graphml", form = gather), delay = 1]\n}')
    model = select_model(spec, files={"e.graphml": text})
    assert pairs(topology(model)) == [(3, 1)]
    assert pairs(topology(model, "y->y")) == [(1, 0), (0, 2)]
    assert [topology(model).form, topology(model, "y->y").form] == [None, "gather"]


def test_a_graphml_file_in_a_block_names_populations_as_the_block_does() -> None:
    spec = """
    import "rules/backprop.blur"
    block b { input x[4]  output y[3]  x -> y [edges("e.graphml")] }
    network n uses backprop { input pixels[4]  part = b(x = pixels)  output z[1]  part.y -> z }
    """
    model = select_model(spec, files={"e.graphml": graphml([("x3", "y1")], **NODES)})
    assert pairs(topology(model, "pixels->part.y")) == [(3, 1)]


def test_fans_of_edges_are_means() -> None:
    edges = topology(select_model(SPEC.format("e.csv"), files={"e.csv": "0,0\n1,0\n3,1\n"}))
    assert edges.fans((2, 2), (3,)) == (1, 0.75)


def test_a_hundred_thousand_edges() -> None:
    drawn = random.Random(0).sample(range(1000 * 1000), 100_000)
    text = "".join(f"{n // 1000},{n % 1000}\n" for n in drawn)
    spec = SPEC.format("e.csv").replace("x[2, 2]", "x[1000]").replace("y[3]", "y[1000]")
    edges = topology(select_model(spec, files={"e.csv": text}))
    assert edges.count == 100_000


# ---------------------------------------------------------------- where it is looked for


def test_a_file_is_looked_for_beside_the_spec_that_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "n.blur").write_text(SPEC.format("e.csv"))
    (tmp_path / "specs" / "e.csv").write_text("0,0\n")
    (tmp_path / "e.csv").write_text("1,1\n")
    assert pairs(topology(select_model("specs/n.blur"))) == [(0, 0)]
    assert pairs(topology(select_model('import "specs/n.blur"\n', network="n"))) == [(0, 0)]
    assert pairs(topology(select_model(SPEC.format("e.csv")))) == [(1, 1)]
    assert pairs(topology(select_model(SPEC.format("specs/e.csv")))) == [(0, 0)]
    assert pairs(topology(select_model("specs/n.blur", files={"e.csv": "2,2\n"}))) == [(2, 2)]


def test_a_network_can_be_compiled_again_from_its_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("first", "second"):
        (tmp_path / folder / "specs").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "first")
    Path("specs/n.blur").write_text(SPEC.format("e.csv"))
    Path("specs/e.csv").write_text("\ufeff0,0\n3,2\n", encoding="utf-8")
    model, sources, _ = select("specs/n.blur")
    assert [name for name, _ in sources.texts] == ["specs/n.blur", "rules/backprop.blur", "specs/e.csv"]
    monkeypatch.chdir(tmp_path / "second")
    for name, text in sources.texts:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text)
    assert select_model("specs/n.blur") == model


def test_virtual_files_stand_among_the_texts() -> None:
    _, sources, _ = select(SPEC.format("e.csv"), files={"e.csv": "0,0\n", "other.csv": "1,1\n"})
    assert sources.texts[-1] == ("e.csv", "0,0\n")
    assert len(sources.texts) == 3


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("e.csv", "0,0\n0,1,0.5\n", "E415 e.csv:2: expected two integers, found a third column `0.5`"),
        ("e.csv", "pre,post,weight\n0,0,1\n", "E415 e.csv:1: expected two integers, found a third column `weight`"),
        (
            "e.edgelist",
            "0 0 {'weight': 0.5}\n",
            "E415 e.edgelist:1: expected two integers, found a third column `{'weight': 0.5}`",
        ),
        ("e.csv", "0,0,\n", "E415 e.csv:1: expected two integers, found `0,0,`"),
        ("e.csv", "0,0\n1.5,1\n", "E415 e.csv:2: expected two integers, found `1.5,1`"),
        ("e.csv", "1.5,1\n0,0\n", "E415 e.csv:1: expected two integers, found `1.5,1`"),
        ("e.csv", "0,0\nnan,1\n", "E415 e.csv:2: expected two integers, found `nan,1`"),
        ("e.csv", "0,0\n1e30,1\n", "E415 e.csv:2: expected two integers, found `1e30,1`"),
        ("e.csv", "pre,post\npre,post\n0,0", "E415 e.csv:2: expected two integers, found `pre,post`"),
        ("e.csv", "0 0\n", "E415 e.csv:1: expected two integers, found `0 0`"),
        ("e.csv", "0,1_0\n", "E415 e.csv:1: expected two integers, found `0,1_0`"),
        ("e.txt", "0, 0\n", "E415 e.txt:1: expected two integers, found `0, 0`"),
        ("e.csv", "pre,post\n", "E415 `e.csv` lists no edges"),
        ("e.csv", "0,0\n4,0\n", "E416 e.csv:2: `x` has 4 neurons, found neuron 4"),
        ("e.csv", "0,0\n-1,0\n", "E416 e.csv:2: `x` has 4 neurons, found neuron -1"),
        ("e.csv", "0,0\n\n0,3\n", "E416 e.csv:3: `y` has 3 neurons, found neuron 3"),
        ("e.csv", "0,0\n1,1\n0,0\n", "E417 e.csv:3: the edge from 0 to 0 is listed twice"),
        ("e.json", "[[0, 0]]", "E418 cannot read edges from `.json` files"),
        ("e", "0,0", "E418 cannot read edges from a file without a suffix"),
        ("e.graphml", graphml([("y0", "y1")], **NODES), "E415 `e.graphml` has no edges from `x` to `y`"),
        (
            "e.graphml",
            graphml([("x0", "z")], **NODES, z={"population": "z", "index": 0}),
            "E419 e.graphml, node `z`: there is no population `z`",
        ),
        (
            "e.graphml",
            graphml([("x0", "z")], **NODES, z={"index": 0}),
            "E419 e.graphml, node `z`: the attribute `population` is missing",
        ),
        (
            "e.graphml",
            graphml([("x0", "z")], **NODES, z={"population": "y", "index": 0.5}),
            "E419 e.graphml, node `z`: the index must be an integer, found `0.5`",
        ),
        *(
            (
                "e.graphml",
                graphml([("x0", "z")], **NODES, z={"population": "y", "index": index}),
                f"E419 e.graphml, node `z`: the index must be an integer, found `{index}`",
            )
            for index in (float("nan"), float("inf"), float("-inf"), True)
        ),
        (
            "e.graphml",
            graphml([("x0", "z")], **NODES, z={"population": "y", "index": 3}),
            "E416 e.graphml, edge from `x0` to `z`: `y` has 3 neurons, found neuron 3",
        ),
        (
            "e.graphml",
            graphml([("x0", "y1")], **NODES).replace('"directed"', '"undirected"'),
            "E420 the graph of `e.graphml` is undirected",
        ),
    ],
)
def test_a_wrong_file_is_refused_at_its_attribute(name: str, text: str, said: str) -> None:
    assert refused(name, text) == said


@pytest.mark.parametrize(("suffix", "comma"), [("edgelist", {}), ("csv", {"delimiter": ","})])
def test_what_networkx_writes_by_itself_is_refused_with_the_way_out(
    tmp_path: Path, suffix: str, comma: dict[str, str]
) -> None:
    wiring: nx.DiGraph[int] = nx.DiGraph([(0, 0), (1, 2)])
    file = tmp_path / f"e.{suffix}"
    nx.write_edgelist(wiring, file, **comma)
    with pytest.raises(BlurError, match=r"third column `\{\}`[^$]*data=False"):
        select_model(SPEC.format(file.name), files={file.name: file.read_text()})
    nx.write_edgelist(wiring, file, data=False, **comma)
    assert read(file.name, file.read_text()) == [(0, 0), (1, 2)]


def test_names_of_neurons_are_told_where_they_are_read(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("AWC,AIY\nAIY,RIM\n")
    (tmp_path / "n.blur").write_text(SPEC.format("e.csv"))
    (d,) = check(tmp_path / "n.blur")
    assert d.help is not None
    read = d.help.split("from_networkx(")[1].removesuffix(", ..)`")
    assert list(eval(read, {"networkx": nx}).edges) == [("AWC", "AIY"), ("AIY", "RIM")]


@pytest.mark.parametrize("text", ["1,1\n4,3\n", "1,1\n3,3\n", "1,1\n4,2\n"])
def test_a_file_that_counts_from_one_is_recognised(text: str) -> None:
    with pytest.raises(BlurError, match="seem to be counted from 1: subtract 1 from each"):
        select_model(SPEC.format("e.csv"), files={"e.csv": text})


@pytest.mark.parametrize("text", ["0,1\n4,3\n", "1,1\n5,3\n"])
def test_other_files_out_of_range_do_not_count_from_one(text: str) -> None:
    with pytest.raises(BlurError) as caught:
        select_model(SPEC.format("e.csv"), files={"e.csv": text})
    assert "counted from 1" not in str(caught.value)


MATRICES: dict[str, Any] = {
    "m.csv": lambda path, m: np.savetxt(path, m, "%g", ","),
    "turned.csv": lambda path, m: np.savetxt(path, m.T, "%g", ","),
    "m.txt": np.savetxt,
    "m.npy": np.save,
    "m.npz": lambda path, m: scipy.sparse.save_npz(path, scipy.sparse.csr_array(m)),
    "m.mtx": lambda path, m: scipy.io.mmwrite(path, scipy.sparse.coo_array(m)),
}


@pytest.mark.parametrize("name", MATRICES)
def test_a_matrix_is_refused_with_a_way_that_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    matrix = np.array([[0.5, 0, 0], [2, 0, 0], [0, 0, 0], [0, 1, 0]])
    MATRICES[name](tmp_path / name, matrix)
    (tmp_path / "n.blur").write_text(SPEC.format(name))
    (d,) = check("n.blur")
    assert d.code == ("E415" if name.endswith(("csv", "txt")) else "E418")
    assert d.help is not None
    exec(d.help.split("`")[1], {"numpy": np, "scipy": scipy})
    assert read("edges.csv", (tmp_path / "edges.csv").read_text()) == [(0, 0), (1, 0), (3, 1)]


# ---------------------------------------------------------------- files that lie elsewhere


@pytest.mark.parametrize(
    "name", ["/dev/zero", "/dev/zero.csv", "link.csv", "pipe.csv", "large.csv", "/proc/self/environ"]
)
def test_what_is_not_a_plain_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("link.csv").symlink_to("/dev/zero")
    os.mkfifo("pipe.csv")
    with Path("large.csv").open("wb") as file:
        file.truncate(2**40)
    (d,) = check(SPEC.format(name))
    assert d.code in ("E414", "E418")


SECRET = "hunter2"
LEAKS = {
    "e.csv": [f"{SECRET}", f"0,0,{SECRET}", "0,0\n77777,0", "0,0\n0,77777", "2,2\n2,2", f"0,0\n{SECRET},0"],
    "e.graphml": [
        f"<graphml>{SECRET}",
        graphml([(SECRET, "y1")], **NODES),
        graphml([(SECRET, "y1")], **NODES, **{SECRET: {"population": "x", "index": 77777}}),
        graphml([(SECRET, "y1")], **NODES, **{SECRET: {"population": SECRET, "index": 0}}),
        graphml([(SECRET, "y1")], **NODES, **{SECRET: {"population": "x", "index": SECRET}}),
        graphml([(SECRET, "y1"), ("x1", "y1")], **NODES, **{SECRET: {"population": "x", "index": 1}}),
    ],
}


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in LEAKS.items() for text in texts])
def test_nothing_is_quoted_of_a_file_elsewhere(tmp_path: Path, name: str, text: str, linked: bool) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / name).write_text(text)
    (tmp_path / "specs" / name).symlink_to(tmp_path / name)
    (tmp_path / "specs/n.blur").write_text(SPEC.format(name if linked else f"../{name}"))
    (d,) = check(tmp_path / "specs/n.blur")
    assert not any(word in d.render() for word in (SECRET, "77777", "2 to 2"))


def test_nothing_is_listed_of_a_folder_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / f"{SECRET}.csv").write_text("0,0")
    (tmp_path / "specs/n.blur").write_text(SPEC.format(f"../{SECRET[:-1]}.csv"))
    assert SECRET not in check(tmp_path / "specs/n.blur")[0].render()


def test_a_file_elsewhere_is_read(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "e.csv").write_text("0,0")
    (tmp_path / "specs/n.blur").write_text(SPEC.format("../e.csv"))
    assert pairs(topology(select_model(tmp_path / "specs/n.blur"))) == [(0, 0)]


def test_a_wrong_file_is_reported_once_however_often_it_is_read(tmp_path: Path) -> None:
    spec = SPEC.format("e.csv").replace("\n}", '\n  x -> y [edges("e.csv")]\n}')
    again = spec.replace("network n", "network m").replace('import "rules/backprop.blur"', "")
    (tmp_path / "n.blur").write_text(spec + again)
    (tmp_path / "e.csv").write_text("0,0\nzero\n")
    (d,) = check(tmp_path / "n.blur")
    assert d.code == "E415"


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "n.blur").write_text(SPEC.format("e.csv"))
    (tmp_path / "e.csv").write_bytes(b"0,0\n\xff")
    (d,) = check(tmp_path / "n.blur")
    assert (d.code, d.message[-40:]) == ("E414", "e.csv`: byte 4 is 0xff, which is not UTF-8 text"[-40:])


def test_a_name_that_is_no_path_is_refused() -> None:
    (d,) = check(SPEC.format("\0.csv"))
    assert d.code == "E414"
