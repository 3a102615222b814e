"""Experiment files: what they say, what is refused and where, values from outside, and the way back to YAML."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blurc.diagnostics import BlurError, Diagnostic, Source
from blurc.meta.experiment import schema
from blurc.meta.experiment.experiment import Cma, Curriculum, Evaluation, Experiment, Gradient, Inner, Network, Pes
from blurc.tasks.choice import Augment, TaskChoice

LEAST = "name: e\nspec: rules/blur.blur\ntasks: [xor]\n"
FULL = """
name: full
spec: networks/mnist.blur
network: mnist
rule: blur
parameters: {k: 4, side: 10, rate: 0.5, phi: tanh}
tasks:
- {data: mnist, crop: 20, resize: 10, classes: [0, 1, 2], augment: {permute_labels: true}}
- digits
inner: {steps: 10, batch: 64, query: 32, judge_every: 5}
method: {name: gradient, steps: 5000, rate: 1e-4}
curriculum: {add: 5, every: 1000, until: 50}
replicas: 4
evaluation: {steps: [10, 20], networks: [{spec: networks/mnist.blur, parameters: {side: 28}}], tasks: [xor]}
write: runs/full
"""


def parsed(text: str, **overrides: str) -> Experiment:
    return schema.parse(Source("e.yaml", text), {k.replace("__", "."): v for k, v in overrides.items()})


def refused(text: str, overrides: dict[str, str] | None = None) -> list[Diagnostic]:
    with pytest.raises(BlurError) as caught:
        schema.parse(Source("e.yaml", text), overrides or {})
    return list(caught.value.diagnostics)


def places(found: list[Diagnostic]) -> list[str]:
    assert all(d.span for d in found)
    return [f"{d.code} {d.span.line}:{d.span.column}" for d in found if d.span]


# ----------------------------------------------------------------- reading


def test_name_spec_and_tasks_are_enough() -> None:
    expected = Experiment("e", Network("rules/blur.blur"), (TaskChoice("xor"),))
    assert parsed(LEAST) == expected


def test_every_key_arrives() -> None:
    parameters = {"k": 4, "side": 10, "rate": 0.5, "phi": "tanh"}
    task = TaskChoice("mnist", crop=20, resize=10, classes=(0, 1, 2), augment=Augment(permute_labels=True))
    assert parsed(FULL) == Experiment(
        "full",
        Network("networks/mnist.blur", "mnist", "blur", parameters),
        (task, TaskChoice("digits")),
        Inner(10, 64, 32, 5),
        Gradient(5000, rate=1e-4),
        Curriculum(5, 1000, 50),
        replicas=4,
        evaluation=Evaluation(
            (10, 20), networks=(Network("networks/mnist.blur", parameters={"side": 28}),), tasks=(TaskChoice("xor"),)
        ),
        write="runs/full",
    )


@pytest.mark.parametrize(
    ("text", "method"),
    [
        ("cma", Cma()),
        ("{name: cma, sigma: 1}", Cma(sigma=1.0)),
        ("{name: pes, population: 4}", Pes(population=4)),
        ("{rate: 1}", Gradient(rate=1.0)),
    ],
)
def test_a_method_is_chosen_by_name(text: str, method: object) -> None:
    assert parsed(LEAST + f"method: {text}").method == method


def test_null_is_nothing() -> None:
    assert parsed(LEAST + "curriculum: null\nstart:\nnetwork: ~\nchunk: null") == parsed(LEAST)
    assert parsed(LEAST + "chunk: 3", chunk="") == parsed(LEAST)


# ------------------------------------------------------------ other files


def test_files_beside_the_experiment_come_first(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    for name in ("rules/blur.blur", "start.yaml", "own.npz"):
        (tmp_path / name).write_text("")
    (tmp_path / "e.yaml").write_text("name: e\nspec: rules/blur.blur\nstart: start.yaml\ntasks: [own.npz]")
    e = schema.read(tmp_path / "e.yaml")
    assert [e.network.spec, e.start] == [str(tmp_path / "rules/blur.blur"), str(tmp_path / "start.yaml")]
    assert e.tasks == (TaskChoice(str(tmp_path / "own.npz"), name="own"),)


def test_other_files_are_of_the_library(tmp_path: Path) -> None:
    (tmp_path / "e.yaml").write_text(LEAST)
    assert schema.read(tmp_path / "e.yaml").network.spec == "rules/blur.blur"


def test_an_override_is_seen_from_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "e.yaml").write_text(LEAST)
    (tmp_path / "here/own.blur").write_text("")
    monkeypatch.chdir(tmp_path / "here")
    spec = schema.read(tmp_path / "e.yaml", {"spec": "own.blur"}).network.spec
    assert spec == str(tmp_path / "here/own.blur")


# ---------------------------------------------------------------- mistakes

WRONG = {
    "[name]": ["E605 1:1"],
    "spec: rules/blur.blur": ["E606 1:1"],
    LEAST + "seed: 1\nseed: 2": ["E604 5:1"],
    LEAST + "sed: 1": ["E607 4:1"],
    LEAST.replace("name", "nam"): ["E607 1:1"],
    LEAST.replace("rules/blur", "rules/blr"): ["E103 2:7"],
    LEAST + "start: none.yaml": ["E601 4:8"],
    LEAST.replace("name: e", "name: a/b"): ["E612 1:7"],
    LEAST.replace("name: e", "name: 3"): ["E605 1:7"],
    LEAST.replace("[xor]", "xor"): ["E605 3:8"],
    LEAST.replace("[xor]", "[]"): ["E612 3:8"],
    LEAST.replace("[xor]", "[3]"): ["E605 3:9"],
    LEAST.replace("[xor]", "[{crop: 3}]"): ["E606 3:9"],
    LEAST.replace("[xor]", "[{data: xor, weight: 0}]"): ["E612 3:29"],
    LEAST.replace("[xor]", "[{data: mnist, classes: [1, -1]}]"): ["E612 3:32"],
    LEAST.replace("[xor]", "[{data: mnist, classes: [1, x]}]"): ["E605 3:36"],
    LEAST.replace("[xor]", "[{data: mnist, augment: {projekt: 3}}]"): ["E607 3:33"],
    LEAST.replace("[xor]", "[{data: mnist, center: 1}]"): ["E605 3:31"],
    LEAST.replace("[xor]", "[xor, {data: xor}]"): ["E613 3:14"],
    LEAST + "parameters: {k: [1], j: .nan}": ["E605 4:17", "E605 4:25"],
    LEAST + "inner: {steps: 0, batch: 1.5, query: many}": ["E612 4:16", "E605 4:26", "E605 4:38"],
    LEAST + "inner: {judge_every: 11}": ["E613 4:22"],
    LEAST + "method: {name: cmaes}": ["E612 4:16"],
    LEAST + "method: {name: cma, rate: 1}": ["E607 4:21"],
    LEAST + "method: {objective: accuracy}": ["E613 4:21"],
    LEAST + "method: {objective: accurcy}": ["E612 4:21"],
    LEAST + "method: {rate: .inf}": ["E605 4:16"],
    LEAST + "method: {name: pes, population: 5}": ["E612 4:33"],
    LEAST + "method: {name: pes, truncation: 11}": ["E613 4:33"],
    LEAST + "method: pes\ncurriculum: {}": ["E613 5:13"],
    LEAST + "curriculum: {until: 9}": ["E613 4:21"],
    LEAST + "seed: 4294967296": ["E612 4:7"],
    LEAST + "evaluation: {steps: [20, 10]}": ["E612 4:21"],
    LEAST + "evaluation: {networks: [{rule: blur}]}": ["E606 4:25"],
    LEAST + "evaluation: {networks: [{spec: x}]}": ["E103 4:32"],
    "name: &x e\nspec: *x\ntasks: [xor]": ["E603 2:7"],
}


@pytest.mark.parametrize("text", WRONG)
def test_each_mistake_is_told_where_it_is_and_once(text: str) -> None:
    assert places(refused(text)) == WRONG[text]


def test_all_mistakes_of_a_file_come_at_once() -> None:
    text = LEAST.replace("xor", "{data: xor, crop: -1}") + "sed: 1\nreplicas: 0\ninner: {steps: ten}"
    assert places(refused(text)) == ["E612 3:27", "E607 4:1", "E612 5:11", "E605 6:16"]


def test_nothing_is_concluded_from_wrong_values() -> None:
    assert places(refused(LEAST + "inner: {steps: 0, judge_every: 5}\ncurriculum: {until: 1}")) == ["E612 4:16"]


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("tasks_per_stp: 2", "did you mean `tasks_per_step`?"),
        ("method: {name: gradeint}", "did you mean `gradient`?"),
        ("method: {objective: acuracy}", "did you mean `accuracy`?"),
        ("start: 3", "put it in quotes"),
        ("evaluation: {steps: 10}", "write [10]"),
    ],
)
def test_help_says_what_to_write(text: str, help: str) -> None:
    assert [d.help for d in refused(LEAST + text)] == [help]


def test_found_and_expected_are_named() -> None:
    (found,) = refused(LEAST + "inner: {batch: 0}")
    assert found.message == "`inner.batch` must be from 1 to 2147483647, found `0`"


@pytest.mark.parametrize(
    "key", ["inner.batch", "method.population", "seed", "tasks.0.crop", "replicas", "evaluation.seeds", "chunk"]
)
def test_a_number_that_no_array_can_have_is_refused(key: str) -> None:
    (found,) = refused(LEAST + "method: cma", {key: str(10**12)})
    assert found.code == "E612"
    assert found.message.endswith("found `1000000000000`")


def test_a_list_of_too_great_numbers_is_refused() -> None:
    assert places(refused(LEAST + "evaluation: {steps: [1, 2147483648]}")) == ["E612 4:21"]
    assert places(refused(LEAST + "method: {name: pes, population: 2147483648}")) == ["E612 4:33"]


def test_a_list_of_a_setting_is_shown_with_its_brackets() -> None:
    (found,) = refused(LEAST, {"evaluation.steps": "10, 20"})
    assert found.help == "write [10, 20]"


def test_a_genome_file_is_told_in_one_message() -> None:
    (found,) = refused("name: g\nrule: blur\nvalues: {eta: 0.1}\n")
    assert (found.code, "`e.yaml` is a genome file: `blurc eval e.yaml" in found.message) == ("E605", True)


def test_changes_are_those_that_a_run_folder_did_not_make_itself() -> None:
    first = parsed(FULL, method__steps="10", curriculum="")
    written = schema.dump(replace(first, write="elsewhere", network=replace(first.network, hash="sha256:0")))
    found = schema.changes(written, parsed(FULL, tasks__0__crop="18"))
    assert found == [
        "tasks.0.crop: 20 there, 18 now",
        "method.steps: 10 there, 5000 now",
        "curriculum.add: nothing there, 5 now",
        "curriculum.every: nothing there, 1000 now",
        "curriculum.until: nothing there, 50 now",
    ]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BlurError) as caught:
        schema.read(tmp_path / "none.yaml")
    assert caught.value.diagnostics[0].code == "E601"


# --------------------------------------------------------------- overrides


@pytest.mark.parametrize("text", ["[]", "- name: x", "x"])
def test_where_the_file_is_not_a_mapping_that_is_all_that_is_said(text: str) -> None:
    assert places(refused(text, {"inner.steps": "3"})) == ["E605 1:1"]


@pytest.mark.parametrize("path", ["inner.steps", "parameters.k", "tasks.0.crop"])
def test_a_plain_value_in_place_of_a_mapping_is_reported_once(path: str) -> None:
    key = path.split(".")[0]
    text = "\n".join(line for line in LEAST.splitlines() if not line.startswith(key)) + f"\n{key}: 5\n"
    assert len(refused(text, {path: "3"})) == 1


def test_overrides_reach_every_depth() -> None:
    e = parsed(FULL, method__steps="7", tasks__0__crop="0", tasks__0__augment__brightness="0.5", parameters__k="8")
    expected = parsed(
        FULL.replace("steps: 5000", "steps: 7")
        .replace("crop: 20", "crop: 0")
        .replace("permute_labels: true", "permute_labels: true, brightness: 0.5")
        .replace("k: 4", "k: 8")
    )
    assert e == expected


def test_overrides_make_what_the_file_leaves_out() -> None:
    e = parsed(LEAST, inner__steps="3", curriculum__until="5", tasks="[moons, {data: xor, weight: 2}]")
    assert (e.inner, e.curriculum) == (Inner(steps=3), Curriculum(until=5))
    assert e.tasks == (TaskChoice("moons"), TaskChoice("xor", weight=2.0))


def test_overrides_reach_into_short_forms() -> None:
    e = parsed(LEAST + "method: cma", tasks__0__weight="2", method__sigma="1")
    assert (e.tasks, e.method) == ((TaskChoice("xor", weight=2.0),), Cma(sigma=1.0))


def test_overrides_reach_into_what_the_file_leaves_empty() -> None:
    assert parsed(LEAST + "curriculum: null", curriculum__until="20").curriculum == Curriculum(until=20)


def test_an_override_replaces_what_was_there_with_its_places() -> None:
    text = LEAST.replace("[xor]", "[{data: xor, weight: 2}]")
    (found,) = refused(text, {"tasks": "[moons, {weight: 1}]"})
    assert (found.code, found.span and found.span.text) == ("E606", "{weight: 1}")


def test_an_empty_override_takes_a_value_away() -> None:
    assert parsed(FULL, curriculum="").curriculum is None


BAD_OVERRIDES = {
    "method.stpes": ("3", "E607 1:8"),
    "tasks.1": ("moons", "E607 1:7"),
    "tasks.first": ("moons", "E607 1:7"),
    "seed.x": ("1", "E607 1:6"),
    "inner.steps": ("many", "E605 1:13"),
    "inner.batch": ("0", "E612 1:13"),
    "replicas": ("[1", "E602 1:12"),
    "name": ("", "E605 1:6"),
    "inner": ("{steps: 1, steps: 2}", "E604 1:18"),
    "tasks." + "9" * 5000: ("moons", "E607 1:7"),
}


@pytest.mark.parametrize("path", BAD_OVERRIDES)
def test_a_wrong_override_is_pointed_at(path: str) -> None:
    text, place = BAD_OVERRIDES[path]
    (found,) = refused(LEAST + "seed: 1", {path: text})
    assert found.span
    assert places([found]) == [place]
    assert found.span.source.text == f"{path}={text}"


def test_an_override_may_mend_a_file() -> None:
    assert parsed(LEAST + "seed: -1", seed="3").seed == 3


# ------------------------------------------------------------ the way back

COUNTS = st.integers(1, 2**31 - 1)
RATES = st.floats(1e-30, 1e30)
WORDS = st.from_regex(r"[a-z]{3}\w*", fullmatch=True)
PARAMETERS = st.dictionaries(
    WORDS, st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False))
)
AUGMENTS = st.builds(Augment, st.booleans(), st.booleans(), COUNTS, RATES)
TASKS = st.builds(
    TaskChoice,
    st.text(min_size=1).filter(lambda t: not t.lower().endswith(".npz")),
    st.text(),
    RATES,
    classes=st.lists(COUNTS).map(tuple),
    center=st.booleans(),
    scale=st.floats(-1e30, -1e-30),
    augment=AUGMENTS,
)
TASK_LISTS = st.lists(TASKS, min_size=1, max_size=3, unique_by=lambda t: t.name or t.data).map(tuple)
NETWORKS = st.builds(Network, st.just("rules/blur.blur"), st.none() | WORDS, st.none() | WORDS, PARAMETERS)
METHODS = st.one_of(
    st.builds(Gradient, COUNTS, rate=RATES, decay=st.booleans()),
    st.builds(Cma, COUNTS, st.sampled_from(["accuracy", "cross_entropy"]), sigma=RATES),
    st.builds(Pes, COUNTS, population=st.integers(1, 99).map(lambda n: 2 * n)),
)
EXPERIMENTS = st.builds(
    Experiment,
    WORDS,
    NETWORKS,
    TASK_LISTS,
    method=METHODS,
    evaluation=st.builds(
        Evaluation,
        st.lists(COUNTS, min_size=1, unique=True).map(lambda steps: tuple(sorted(steps))),
        networks=st.lists(NETWORKS, max_size=2).map(tuple),
        tasks=TASK_LISTS,
    ),
    write=st.text(),
)


@settings(deadline=None, max_examples=50)
@given(EXPERIMENTS)
def test_what_is_written_reads_back_equal(e: Experiment) -> None:
    assert schema.parse(Source("<text>", schema.dump(e))) == e


@settings(deadline=None, max_examples=50)
@given(EXPERIMENTS)
def test_what_can_be_written_is_right_in_python_too(e: Experiment) -> None:
    assert schema.checked(e) == e


def test_an_experiment_made_in_python_is_checked_as_values() -> None:
    inner, network = Inner(0, 1.5), Network("rules/blr.blur", parameters={"k": [1]})  # type: ignore[arg-type]
    e = Experiment("a/b", network, "xor", inner, method="cmaes")  # type: ignore[arg-type]
    with pytest.raises(BlurError) as caught:
        schema.checked(e)
    assert [(d.code, d.message.split("`")[1], d.span) for d in caught.value.diagnostics] == [
        ("E612", "name", None),
        ("E605", "parameters.k", None),
        ("E605", "tasks", None),
        ("E612", "inner.steps", None),
        ("E605", "inner.batch", None),
        ("E612", "method.name", None),
        ("E103", "rules/blr.blur", None),
    ]


def test_a_list_of_tasks_and_numbers_of_numpy_are_fine_in_python() -> None:
    e = Experiment("e", Network("rules/blur.blur"), [TaskChoice("xor")], seed=np.int64(3))  # type: ignore[arg-type]
    assert schema.checked(e) == replace(e, tasks=(TaskChoice("xor"),), seed=3)


def test_a_task_may_be_a_word_in_python_as_in_a_file() -> None:
    e = Experiment("e", Network("rules/blur.blur"), ("xor",))  # type: ignore[arg-type]
    assert schema.checked(e) == replace(e, tasks=(TaskChoice("xor"),))


def test_a_curriculum_and_a_start_read_back_equal(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("")
    e = replace(parsed(FULL), start=str(tmp_path / "s.yaml"))
    assert schema.parse(Source("<text>", schema.dump(e))) == e


def test_what_is_written_names_every_value_but_empty_ones() -> None:
    text = schema.dump(parsed(LEAST))
    assert "inner: {steps: 10, batch: 128, query: 128, judge_every: 0, online: false}\n" in text
    assert "curriculum" not in text
