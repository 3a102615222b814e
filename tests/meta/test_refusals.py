"""What a run refuses, before anything is written."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny import EXPERIMENT, METHODS, SPEC, codes, experiment, made, refused

from blurc import genome, meta
from blurc.diagnostics import BlurError, Diagnostic
from blurc.guards import memory
from blurc.meta.experiment import schema
from blurc.meta.experiment.experiment import Experiment, Gradient
from blurc.meta.run import checkpoint, resuming
from blurc.runtime import versions

pytestmark = pytest.mark.usefixtures("compiled_fast")


def test_a_folder_with_something_in_it_is_left_alone(shared: None) -> None:
    Path("run").mkdir()
    Path("run/mine.txt").write_text("mine")
    assert codes(lambda: meta.run(experiment(), "run")) == ["E615"]
    assert [p.name for p in Path("run").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("found", ["nothing", "an empty folder", "another folder"])
def test_where_nothing_began_nothing_is_resumed(found: str, shared: None) -> None:
    if found != "nothing":
        Path("run").mkdir()
    if found == "another folder":
        Path("run/mine.txt").write_text("mine")
    assert codes(lambda: meta.run(experiment(), "run", resume=True)) == ["E615"]


def test_a_genome_that_no_file_could_hold_is_refused(shared: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(genome, "MOST_NUMBERS", 2)
    assert codes(lambda: meta.run(experiment(), "run")) == ["E611"]
    assert not Path("run").exists()


SIZED = SPEC.replace("network tiny uses delta {", "network tiny(hidden = 2, rate = 1) uses delta {").replace(
    "x -> class", "hidden h[hidden]\n  hidden g[rate]\n  x -> h\n  x -> g\n  h -> class\n  g -> class"
)
HUGE = "2147483646"
HUGE_SIZES: dict[str, tuple[str, str, dict[str, str]]] = {
    "replicas": ("gradient", "", {"replicas": HUGE}),
    "population of cma": ("cma", "", {"method.population": HUGE}),
    "population of pes": ("pes", "", {"method.population": HUGE}),
    "pieces": ("pes", "", {"inner.steps": "1000000", "method.truncation": "1", "method.population": "10000"}),
    "tasks per step": ("gradient", "", {"tasks_per_step": HUGE}),
    "steps": ("gradient", "", {"inner.steps": HUGE}),
    "batch": ("gradient", "", {"inner.batch": HUGE}),
    "query": ("gradient", "", {"inner.query": HUGE}),
    "steps of a task that decides": ("gradient", f"validation: [xor]\nby_task: {{xor: {{steps: {HUGE}}}}}", {}),
    "curriculum": ("gradient", f"curriculum: {{until: {HUGE}}}", {}),
    "evaluation": ("gradient", "", {"evaluation.batch": HUGE}),
    "candidates times tasks": ("pes", "", {"method.population": "1000000", "tasks_per_step": "10000"}),
    "candidates times batch": ("cma", "chunk: 0", {"method.population": "1000000", "inner.batch": "100000"}),
    "replicas times batch": ("gradient", "chunk: 0", {"replicas": "1000000", "inner.batch": "100000"}),
    "steps times batch": ("gradient", "", {"inner.steps": "1000000", "inner.batch": "10000"}),
    "tasks times query": ("cma", "", {"tasks_per_step": "1000000", "inner.query": "10000"}),
}


@pytest.mark.parametrize("kind", HUGE_SIZES)
def test_what_cannot_fit_into_memory_is_refused_before_it_is_made(
    kind: str, shared: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "available", lambda: 2**34)
    method, more, sizes = HUGE_SIZES[kind]
    asked = experiment(METHODS[method], more, **sizes)
    tracemalloc.start()
    assert codes(lambda: meta.run(asked, "run")) == ["E919"]
    assert tracemalloc.get_traced_memory()[1] < 2**26
    tracemalloc.stop()
    assert not Path("run").exists()


def test_a_folder_that_cannot_be_made_is_told(shared: None) -> None:
    Path("file").write_text("")
    assert codes(lambda: meta.run(experiment(), "file/run")) == ["E618"]


@pytest.fixture
def begun(stopped: Callable[..., None], shared: None) -> Path:
    """The checkpoint of a run that was stopped after 5 meta-steps, with one at 3."""
    stopped(experiment(), 4)
    return Path("run/checkpoint.npz")


def resumed(e: Experiment | None = None) -> list[Diagnostic]:
    return refused(lambda: meta.run(e or experiment(), "run", resume=True))


@pytest.mark.parametrize("kept", [0, 1, 30, 0.5, 0.99])
def test_a_half_written_checkpoint_is_refused(begun: Path, kept: float) -> None:
    data = begun.read_bytes()
    begun.write_bytes(data[: int(kept * len(data)) if isinstance(kept, float) else kept])
    (found,) = resumed()
    assert (found.code, str(begun) in found.message) == ("E616", True)


def test_no_byte_of_a_checkpoint_changes_unnoticed(begun: Path) -> None:
    """Or it is one that does not matter, as the time in a zip file."""
    data, like = begun.read_bytes(), checkpoint.about(begun)
    for at in range(0, len(data), 41):
        begun.write_bytes(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
        try:
            found = checkpoint.about(begun)
        except BlurError as error:
            assert [d.code for d in error.diagnostics] == ["E616"]  # noqa: PT017 - it may be raised, and need not
        else:
            assert found == like


@pytest.mark.parametrize("text", ["text", "npy", "npz", "a pickle"])
def test_a_foreign_checkpoint_is_refused(begun: Path, text: str) -> None:
    with begun.open("wb") as file:
        match text:
            case "text":
                file.write(b"mine")
            case "npy":
                np.save(file, np.ones(3))
            case "npz":
                np.savez(file, w=np.ones(3))
            case _:
                np.save(file, np.asarray([{}], object))
    assert [d.code for d in resumed()] == ["E616"]


def test_a_checkpoint_of_another_experiment_is_refused(begun: Path) -> None:
    (found,) = resumed(experiment(seed="1"))
    assert (found.code, "run/experiment.yaml" in (found.help or "")) == ("E617", True)


@pytest.mark.parametrize("name", versions())
def test_a_checkpoint_of_other_versions_is_refused(name: str, begun: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resuming, "versions", lambda: {**versions(), name: "0.0.1"})
    (found,) = resumed(experiment(seed="1"))  # another version may write the same experiment in other words
    assert (found.code, found.message) == (
        "E617",
        f"`run/checkpoint.npz` was made with other versions: {name} {versions()[name]} there, 0.0.1 here",
    )


def test_a_checkpoint_of_another_format_is_not_called_damaged(begun: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "KIND", replace(checkpoint.KIND, format=checkpoint.KIND.format + 1))
    (found,) = resumed()
    assert (found.code, "was made with another version of blurc" in found.message) == ("E617", True)


CHANGES = [
    ("- softmax", SPEC.replace("softmax(act) - target", "act - target"), True),
    ("a parameter", SPEC.replace("0.4", "0.3"), True),
    ("wiring", SPEC.replace("x -> class", "x -> class [sparse(p = 0.9)]"), True),
    ("a comment", SPEC.replace("state act, err", "state act, err  # of a neuron"), False),
    ("layout", SPEC.replace("  ", " "), False),
    ("the order of declarations", SPEC.replace("spread = 0.5, blast = -1", "blast = -1, spread = 0.5"), False),
]


@pytest.mark.parametrize(("text", "refusal"), [change[1:] for change in CHANGES], ids=[c[0] for c in CHANGES])
def test_a_checkpoint_is_of_what_the_spec_means(text: str, refusal: bool, begun: Path) -> None:
    meta.run(experiment(), "whole")
    Path("tiny.blur").write_text(text)
    if refusal:
        (found,) = resumed()
        assert (found.code, found.message) == ("E617", f"the spec is not the one that `{begun}` was made with")
    else:
        meta.run(experiment(), "run", resume=True)
        assert made("run") == made("whole")


def test_a_spec_under_another_name_is_the_same(begun: Path) -> None:
    e = experiment()
    Path("tiny.blur").rename("other.blur")
    assert meta.run(replace(e, network=replace(e.network, spec="other.blur")), "run", resume=True).steps == 11


def test_a_checkpoint_of_other_data_is_refused(stopped: Callable[..., None]) -> None:
    def write(seed: int) -> None:
        x = np.random.default_rng(seed).normal(size=(60, 2)).astype(np.float32)
        np.savez("mine.npz", x=x, y=np.arange(60) % 2)

    e = experiment(tasks="[mine.npz]")
    write(0)
    stopped(e, 4)
    write(1)
    (found,) = resumed(e)
    assert found.code == "E617"
    assert "the examples of `mine` are not those" in found.message
    write(0)
    assert meta.run(e, "run", resume=True).steps == 11


def test_a_run_folder_of_a_version_that_hashed_texts_says_so(begun: Path) -> None:
    path = Path("run/experiment.yaml")
    lines = path.read_text().splitlines()
    path.write_text("\n".join("hash: sha256:5a0c" if line.startswith("hash:") else line for line in lines))
    (found,) = resumed(schema.read(path))
    assert (found.code, "is of another version of blurc" in found.message) == ("E617", True)


def test_a_checkpoint_with_other_arrays_is_refused(begun: Path) -> None:
    about = checkpoint.about(begun)
    checkpoint.save(begun, [np.ones(3)], about)
    assert [d.code for d in resumed()] == ["E617"]


def test_metrics_that_lost_lines_are_refused(begun: Path) -> None:
    Path("run/metrics.jsonl").write_text("")
    assert [d.code for d in resumed()] == ["E616"]


def test_another_experiment_does_not_begin_in_a_folder_without_checkpoint(
    shared: None, stopped: Callable[..., None]
) -> None:
    stopped(experiment(), 1)
    assert [d.code for d in resumed(experiment(seed="1"))] == ["E617"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"spec": "none.blur"}, "E103"),
        ({"network": "smal"}, "E211"),
        ({"tasks": "[digits]"}, "E807"),
        ({"tasks": "[none.npz]"}, "E802"),
        ({"tasks": "[mnis]"}, "E810"),
        ({"tasks": "[{data: moons, ways: 3}]"}, "E811"),
        ({"start": "none.yaml"}, "E601"),
        ({"start": "other.yaml"}, "E902"),
        ({"parameters": "{k: 3}"}, "E210"),
        ({"method.objective": "accuracy"}, "E613"),
        ({"method": "{name: cma}"}, "E613"),
        ({"method": "{name: pes, truncation: 1}", "replicas": "1"}, "E613"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_told_before_anything_is_written(change: dict[str, str], expected: str) -> None:
    Path("e.yaml").write_text(f"{EXPERIMENT}method: {METHODS['gradient']}\n")
    Path("other.yaml").write_text(
        "name: o\nrule: delta\ndtype: float32\nvalues: {rate: [1.0, 2.0], spread: 0.5, blast: 0.0}\n"
    )
    found = refused(lambda: meta.run(schema.read("e.yaml", change), "run"))
    assert {d.code for d in found} == {expected}
    assert not Path("run").exists()


def test_an_experiment_from_python_is_checked_like_a_file() -> None:
    wrong = replace(experiment(), method=Gradient(objective="accurracy"))
    assert codes(lambda: meta.run(wrong, "run")) == ["E612"]


@pytest.mark.parametrize(
    ("parameters", "given"),
    [
        ("{hidden: 0}", "`hidden = 0`"),
        ("{hidden: 1.5}", "`hidden = 1.5`"),
        ("{hidden: 3, rate: -1}", "`hidden = 3`, `rate = -1`"),
    ],
)
def test_a_mistake_that_only_its_parameters_make_says_who_gives_them(parameters: str, given: str, shared: None) -> None:
    Path("sized.blur").write_text(SIZED)
    asked = experiment(spec="sized.blur", parameters=parameters)
    found = refused(lambda: meta.run(asked, "run"))
    assert all(f"the experiment gives {given}" in d.notes for d in found)


def test_a_rule_without_meta_parameters_has_nothing_to_learn() -> None:
    text = SPEC.replace("learn rate ~ uniform(0.05, 0.4), spread = 0.5, blast = -1\n", "")
    Path("tiny.blur").write_text(text.replace("rate", "0.1").replace("spread", "0.5").replace("blast", "0"))
    assert codes(lambda: meta.run(experiment(), "run")) == ["E613"]
