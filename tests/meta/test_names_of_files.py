"""A name that no file can have, wherever one may be given: a diagnostic, never an `OSError`.

Python up to 3.13 raises in `Path.exists` and its like for names that are too long, and for folders that may not be
entered; `os.path` answers.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import networkx as nx
import pytest
from tiny import experiment

import blurc
from blurc import genome, meta, tasks
from blurc.diagnostics import Source
from blurc.meta.experiment import schema
from blurc.meta.report import page

LONG = "a" * 300
WIRING = nx.path_graph(["x", "y"], create_using=nx.DiGraph)
ENDS = {"inputs": ["x"], "outputs": ["y"]}


def from_yaml(**given: str) -> object:
    return schema.parse(Source("e.yaml", "name: t\nspec: tiny.blur\ntasks: [moons]\n"), given)


PLACES: dict[str, Callable[[str], object]] = {
    "spec": lambda name: blurc.check(name + ".blur"),
    "import": lambda name: blurc.check(f'import "{name}.blur"'),
    "used genome": lambda name: blurc.check(f"network n uses {name} {{ input x[2]  output y[1]  x -> y }}"),
    "edges": lambda name: blurc.check(f'network n {{ input x[2]  output y[1]  x -> y [edges("{name}.txt")] }}'),
    "edges of a folder": lambda name: blurc.check(
        f'network n {{ input x[2]  output y[1]  x -> y [edges("{name}/e.txt")] }}'
    ),
    "genome of a graph": lambda name: blurc.from_networkx(WIRING, genome=name, **ENDS),
    "rule": lambda name: blurc.compile("networks/xor.blur", genome=name),
    "genome file": lambda name: genome.read(name + ".yaml"),
    "artifact": lambda name: blurc.load(name + ".blurx"),
    "data": lambda name: tasks.load(name + ".npz"),
    "experiment": lambda name: meta.read(name + ".yaml"),
    "spec of an experiment": lambda name: from_yaml(spec=name + ".blur"),
    "data of an experiment": lambda name: meta.run(experiment(tasks=f"[{{data: {name}.npz}}]")),
    "start of an experiment": lambda name: from_yaml(start=name + ".yaml"),
    "folder of a run": lambda name: meta.run(experiment(), name),
    "folder of a run to resume": lambda name: meta.run(experiment(), name, resume=True),
    "folder of a report": lambda name: page.write(Path(name)),
}


@pytest.mark.parametrize("name", [LONG, f"{LONG}/b", "/proc/1/fd/b"], ids=["long", "in a long folder", "closed"])
@pytest.mark.parametrize("place", PLACES)
def test_a_name_that_no_file_can_have_is_a_diagnostic(place: str, name: str) -> None:
    try:
        found = PLACES[place](name)
    except blurc.BlurError as error:
        found = error.diagnostics
    assert any(d.severity == "error" for d in found)
