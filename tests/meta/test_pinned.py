"""The experiment of a run folder has all values in it, and stays the one that the run began with."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tiny import SPEC, codes, experiment, made

import blurc
from blurc import meta
from blurc.evaluation import label
from blurc.meta.experiment import schema
from blurc.meta.experiment.experiment import Network
from blurc.meta.run import pinned

pytestmark = pytest.mark.usefixtures("compiled_fast", "shared")

WITH_PARAMETERS = (
    SPEC.replace("genome delta {", "genome delta(gain = 1) {")
    .replace("incoming(w * pre.act)", "incoming(gain * w * pre.act)")
    .replace("tiny uses delta {", "tiny(inputs = 2) uses delta(gain = 2) {")
    .replace("x[2]", "x[inputs]")
)


@pytest.fixture(autouse=True)
def parametrized(here: None) -> None:
    Path("tiny.blur").write_text(WITH_PARAMETERS)


def test_it_names_network_rule_and_parameters() -> None:
    meta.run(experiment(method__steps="1"), "run")
    found = schema.read("run/experiment.yaml").network
    assert (found.network, found.rule, found.parameters) == ("tiny", "delta", {"inputs": 2, "gain": 2})


def test_it_repeats_the_run() -> None:
    meta.run(experiment(method__steps="2"), "run")
    meta.run(schema.read("run/experiment.yaml"), "again")
    assert made("again") == made("run")


@pytest.mark.parametrize("at", [0, 4])
def test_the_first_file_and_that_of_the_folder_go_on_alike(at: int, stopped: Callable[..., None]) -> None:
    """Before the first checkpoint, and after."""
    meta.run(experiment(), "whole")
    stopped(experiment(), at)
    stopped(schema.read("run/experiment.yaml"), at + 1, resume=True)
    meta.run(experiment(more="rule: delta\nparameters: {gain: 2}"), "run", resume=True)
    assert made("run") == made("whole")


@pytest.mark.parametrize("at", [0, 4])
def test_another_parameter_is_another_experiment(at: int, stopped: Callable[..., None]) -> None:
    stopped(experiment(), at)
    other = experiment(more="parameters: {gain: 3}")
    assert codes(lambda: meta.run(other, "run", resume=True)) == ["E617"]


def test_what_was_measured_is_called_as_before(no_report: None) -> None:
    meta.run(experiment(method__steps="1"), "run")
    meta.finish("run")
    rows = json.loads(Path("run/evaluation.json").read_text())["rows"]
    assert {row["network"] for row in rows} == {"tiny"}


@pytest.mark.parametrize(("a", "b", "shown"), [(2, 3, "n"), (3, 4, "n(a = 3)"), (2, 5, "n(b = 5)")])
def test_a_label_has_what_is_no_default(a: int, b: int, shown: str) -> None:
    wiring = "network n(a = 2, b = a + 1) uses hebb { input x[a]  output y[b]  x -> y }"
    net = blurc.compile(f'import "rules/hebb.blur"\n{wiring}', a=a, b=b)
    assert label(net, {"a": a, "b": b}) == shown


def test_names_that_network_and_rule_share_are_left_out_where_they_differ() -> None:
    text = SPEC.replace("genome delta", "genome delta(n = 2)").replace("(spread)", "(spread * n)")
    net = blurc.compile(text.replace("network tiny", "network tiny(n = 3)").replace("x[2]", "x[n]"))
    e = pinned.resolved(replace(experiment(), network=Network("tiny.blur")), net)
    assert e.network.parameters == {}
