"""What values show in a notebook."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

import blurc
from blurc import notebooks
from blurc.diagnostics import BlurError
from blurc.genome import GenomeFile

ROOT = Path(__file__).parent.parent
XOR = "networks/xor.blur"


@pytest.fixture(scope="module")
def net() -> blurc.Net:
    return blurc.compile(XOR)


def test_a_network_shows_its_picture(net: blurc.Net) -> None:
    svg = net._repr_svg_()
    assert svg == net.draw().svg == net.draw()._repr_svg_()
    assert svg is not None
    assert ElementTree.fromstring(svg).tag.endswith("svg")


def test_a_picture_is_written_in_the_form_of_its_suffix(net: blurc.Net, tmp_path: Path) -> None:
    heads = {"n.svg": b"<?xml", "n.png": b"\x89PNG", "n.dot": b'digraph "xor"'}
    for name in heads:
        net.draw(tmp_path / name)
    assert {name: (tmp_path / name).read_bytes().startswith(head) for name, head in heads.items()} == dict.fromkeys(
        heads, True
    )


@pytest.mark.parametrize(
    ("name", "why"), [("n.gif", "its name must end in .svg, .png, .dot"), ("no/n.svg", "no such file")]
)
def test_a_picture_that_cannot_be_written_is_said(net: blurc.Net, tmp_path: Path, name: str, why: str) -> None:
    with pytest.raises(BlurError, match=why) as caught:
        net.draw(tmp_path / name)
    assert caught.value.diagnostics[0].code == "E907"


def test_without_matplotlib_a_network_is_still_shown_in_words(net: blurc.Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blurc.guards.packages.find_spec", lambda name: None)
    assert net._repr_svg_() is None
    with pytest.raises(BlurError, match="E921"):
        net.draw()


def test_a_genome_shows_its_matrices() -> None:
    values = {
        "nu": np.array([[0.5, -1.0], [0.0, 2.0]], np.float32),
        "eta": np.float32(0.25),
        "wide": np.ones((100, 2), np.float32),
        "gate": {"a->b": np.arange(3.0)},
    }
    page = ElementTree.fromstring(f"<div>{GenomeFile('mine <1>', 'blur', values)._repr_html_()}</div>")
    assert [head.text for head in page.iter("th")] == ["nu", "eta", "wide", "gate of a->b"]
    cells = {(cell.text, re.sub(";.*", "", cell.get("style", ""))) for cell in page.iter("td") if cell.text}
    assert ("2", "background:rgba(59,120,181,1.00)") in cells  # blue, and the largest
    assert ("-1", "background:rgba(200,112,42,0.50)") in cells
    assert any((text or "").startswith("100 × 2 numbers from 1 to 1") for text, _ in cells)


def test_a_line_is_broken_where_there_is_no_value() -> None:
    svg = ElementTree.fromstring(notebooks.line([0.0, 1.0, None, 0.5]))
    assert [line.get("points") for line in svg] == ["2.0,34.0 107.3,2.0", "318.0,18.0"]


def test_the_example_runs_and_shows_what_it_says(tmp_path: Path) -> None:
    notebook = nbformat.read(ROOT / "examples/notebook.ipynb", as_version=4)
    codes = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.outputs for cell in codes] == [[]] * len(codes)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    net, random, run, found, values = (cell.outputs for cell in codes)
    assert net[0].data["image/svg+xml"].startswith("<svg")
    assert "for the rule pairs" in random[0].data["text/html"]
    assert "60 of 60 meta-steps" in run[0].data["text/html"]
    assert "<polyline" in run[0].data["text/html"]
    less, more = map(float, re.findall("title='(.*?)'", found[0].data["text/html"]))
    assert less < 0 < more
    start, value = map(float, values[0].text.split())
    assert value > start + 0.2
