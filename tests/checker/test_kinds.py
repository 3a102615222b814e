"""Kinds of projections and populations: which sums, phases and biases are for which."""

from __future__ import annotations

import numpy as np
import pytest

from blurc.diagnostics import BlurError
from blurc.model.model import Model
from blurc.reference import Reference, ReferenceState
from blurc.spec import check, select, select_model

GENOME = """
genome g {{
  state   a
  synapse w ~ ones
  sense   {{ a <- input }}
  {phases}
  readout a
}}
"""
NETWORK = """
network n uses g {
  input  x[2]
  hidden h[2] { kind = inhibitory }
  hidden k[2]
  output y[1]
  x -> h -> y [kind = dendrite]
  x -> h [kind = soma]
  x -> k -> y
}
"""
KNOWN = "forward of inhibitory { a <- incoming[dendrite](w * pre.a) + incoming[soma](w * pre.a) }"


def model(phases: str, network: str = NETWORK) -> Model:
    return select_model(GENOME.format(phases=phases) + network)


def phases(text: str) -> list[tuple[str, list[str]]]:
    """The names of phases, and what their variants are for."""
    return [(p.name, [v.of for v in p.variants]) for p in model(text + KNOWN).genome.phases[1:]]


def started(rule: Model) -> tuple[Reference, ReferenceState]:
    """All synapses are 1."""
    sizes = {p.name: p.size for p in rule.network.populations}
    synapses = {p.name: {"w": np.ones((sizes[p.source], sizes[p.target]))} for p in rule.network.projections}
    reference = Reference(rule)
    return reference, reference.state(synapses, 1)


def values(rule: Model) -> dict[str, dict[str, np.ndarray]]:
    """The states after each phase, where the data are 1 and 2."""
    reference, state = started(rule)
    trace = reference.trace({}, state, {"x": [[1, 2]]}, {"y": [[0]]})
    return {phase: {of: states["a"][0] for of, states in found.items()} for phase, found in trace.items()}


def test_the_unit_neuron_projects_once_for_each_kind_that_leads_to_a_population() -> None:
    found = [(p.name, p.kind) for p in model(KNOWN).network.projections if p.source == "unit"]
    assert found == [
        ("unit->h#dendrite", "dendrite"),
        ("unit->h#soma", "soma"),
        ("unit->k", ""),
        ("unit->y#dendrite", "dendrite"),
        ("unit->y", ""),
    ]


def test_a_projection_that_carries_feedback_alone_brings_no_bias() -> None:
    found = model(KNOWN, NETWORK.replace("x -> h [kind = soma]", "x -> h [kind = soma, backward]")).network
    assert "unit->h#soma" not in [p.name for p in found.projections]


def test_a_sum_over_a_kind_leaves_the_others_out() -> None:
    own = "forward of inhibitory { a <- incoming[dendrite](w * pre.a) - 3 * incoming[soma](w * pre.a) }"
    after = values(model("forward { a <- incoming(w * pre.a) }" + own))["forward"]
    kind = 1 + 2 + 1  # the data and the bias
    np.testing.assert_allclose(after["h"], kind - 3 * kind)
    np.testing.assert_allclose(after["k"], kind)
    np.testing.assert_allclose(after["y"], (-8 - 8 + 1) + (4 + 4 + 1))


def test_a_population_has_its_own_statements_at_the_same_visit() -> None:
    text = "forward { a <- 1 + incoming(w * pre.a) } forward of output { a <- incoming(w * pre.a) }"
    after = values(model(text + KNOWN))["forward"]
    np.testing.assert_allclose(after["h"], 8)
    np.testing.assert_allclose(after["k"], 1 + 4)
    np.testing.assert_allclose(after["y"], (8 + 8 + 1) + (5 + 5 + 1))


def test_a_kind_goes_before_a_role() -> None:
    text = "forward of hidden { a <- 3 } forward { a <- 1 }"
    after = values(model(text + KNOWN))["forward"]
    np.testing.assert_allclose([after["h"][0], after["k"][0], after["y"][0]], [8, 3, 1])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("forward { a <- 1 }", [("forward", ["inhibitory"])]),
        ("forward of output { a <- 1 } forward { a <- 2 }", [("forward", ["output", "inhibitory"])]),
        ("forward { a <- 1 } feedback { a <- 2 }", [("forward", []), ("feedback", []), ("forward#2", ["inhibitory"])]),
        ("forward { a <- 1 } forward { a <- 2 }", [("forward", []), ("forward#2", ["inhibitory"])]),
        (KNOWN, [("forward", ["inhibitory"]), ("forward#2", ["inhibitory"])]),
        (
            "repeat 2 { forward { a <- 1 } forward of output { a <- 2 } }",
            [("forward@1", ["output"]), ("forward@2", ["output"]), ("forward#2", ["inhibitory"])],
        ),
        ("repeat 1 { forward { a <- 1 } } repeat 1 { forward { a <- 1 } }",
         [("forward@1", []), ("forward#2@1", []), ("forward#3", ["inhibitory"])]),
    ],
)  # fmt: skip
def test_phases_next_to_each_other_run_as_one(text: str, found: list[tuple[str, list[str]]]) -> None:
    assert phases(text) == found


def after_a_step(updates: str) -> dict[str, float]:
    """A synapse of each projection, which starts at 1."""
    reference, state = started(model(f"forward {{ a <- 1 }} {KNOWN} {updates}"))
    after, _ = reference.step({}, state, {"x": [[1, 2]]}, {"y": [[0]]})
    return {p: channels["w"].max() for p, channels in after.synapses.items()}


def test_a_kind_with_updates_of_its_own_learns_by_no_other() -> None:
    after = after_a_step("update { w <- 2 * w } update of dendrite { w <- 3 * w } sense { } update { w <- 5 * w }")
    assert (after["x->h"], after["unit->h#dendrite"]) == (3, 3)
    assert (after["x->h#2"], after["unit->h#soma"], after["unit->k"]) == (10, 10, 10)


def test_updates_next_to_each_other_run_at_once() -> None:
    after = after_a_step("update { w <- 100 * w } update of dendrite { w <- post.incoming[soma](w) }")
    assert after["x->h"] == 3  # two synapses and a bias, all of them still 1


def test_another_rule_than_the_one_used_need_not_know_the_kinds() -> None:
    other = GENOME.format(phases="forward { a <- incoming(w * pre.a) }").replace("genome g", "genome other")
    text = GENOME.format(phases="forward { a <- 1 } " + KNOWN) + other + NETWORK
    assert select_model(text, genome="other").network.population("h").kind == "inhibitory"
    with pytest.raises(BlurError) as error:
        select_model(text.replace("uses g", "uses other"), genome="other")
    assert {d.code for d in error.value.diagnostics} == {"E407", "E408"}


def test_sums_of_another_rule_that_find_no_projection_are_warned_of() -> None:
    plain = "network n { input x[2]  hidden h[2]  output y[1]  x -> h -> y }"
    found = select(plain, genome="gru")[2]
    assert {d.code for d in found} == {"W508"}
    assert [d.message.split("`")[-2] for d in found] == ["keep", "reset", "old", "new"]
    assert select(plain, genome="backprop")[2] == []


def test_kinds_may_have_indices() -> None:
    network = NETWORK.replace("x -> h [kind = soma]", "for i in 1..2 { x -> h [kind = d{i}] }")
    text = GENOME.format(phases=KNOWN.replace("[soma]", "[d1]") + " update of d2 { }") + network
    assert check(text) == []
