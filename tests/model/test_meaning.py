"""The hash of a rule or a model is that of its meaning: it is the same however a spec is written, and changes with
everything that a program does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from blurc import language, spec
from blurc import plan as plans
from blurc.cli.shared import stages
from blurc.diagnostics import Report
from blurc.language import specs_path
from blurc.model import Edges, Let, LetStatement, Model, Network, model_hash, rule_hash
from blurc.model.model import Typed

RULE = """
genome g(k = 2, rate = 0.1) {
  state   act[k], err
  state   past persistent
  synapse w ~ normal(spread / sqrt(fan_in)), m ~ zeros
  learn   spread = 0.5, leak ~ normal(0.1), nu[2, 2] = [[1, 0], [0, 1]]
  signal  reward
  fn      phi = tanh, psi = relu
  const   scale = 3 * 2

  sense   { act <- [input, 1] }
  forward {
    let z = incoming(w * pre.act) + noise(leak)
    let y = nu @ z
    act <- [phi(y[0]), psi(y[1])]
    past <- 0.5 * past + scale * act[0]
  }
  feedback { err <- target - act[0] }
  backward { err <- outgoing(w * post.err) }
  update {
    let gain = rate * reward
    m <- batch_mean(pre.act[0] * post.err)
    w <- w + gain * m
  }
  readout act[0]
}
"""
NETWORK = """
network n(size = 4) uses g {
  input x[size]
  hidden h[6] { phi = relu, psi = tanh }
  output y[2]
  x -> h
  h -> h [delay = 1, forward]
  h -> y [sparse(p = 0.5, seed = 1)]
}
"""
TEXT = RULE + NETWORK


def hashes(text: str | Path, **chosen: Any) -> tuple[str, str]:
    model = spec.select_model(text, **chosen)
    return rule_hash(model.genome), model_hash(model)


def but(*changes: tuple[str, str]) -> str:
    """The text with other words in it."""
    text = TEXT
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


CHANNELS = "synapse w ~ normal(spread / sqrt(fan_in)), m ~ zeros"
SAME = {
    "comments": but(("{\n", "{  # said again\n")),
    "layout": but(("\n  ", "\n\n\t   "), (" = ", "=")),
    "line ends": but(("\n", "\r\n")),
    "numbers": but(("0.5 * past", "5.0e-1 * past"), ("p = 0.5", "p = 0.50"), ("[size]", "[2 + size - 2]")),
    "names of values": but(("let z", "let sum"), ("nu @ z", "nu @ sum"), ("gain", "much")),
    "names of values, swapped": re.sub(r"\b[yz]\b(?!\[2)", lambda name: "zy"[name[0] == "z"], RULE) + NETWORK,
    "constants": but(("  const   scale = 3 * 2\n", ""), ("scale", "6")),
    "names of parameters": but(("k = 2", "kk = 2"), ("[k]", "[kk]"), ("rate = 0.1", "eta = 0.1"), ("rate *", "eta *")),
    "order of states": but(("act[k], err\n  state   past persistent", "act[k]\n state past persistent, err")),
    "order of channels": but((CHANNELS, "synapse m ~ zeros\n  " + CHANNELS.removesuffix(", m ~ zeros"))),
    "order of meta-parameters": but(("spread = 0.5, leak ~ normal(0.1),", "leak ~ normal(0.1), spread = 0.5,")),
    "order of slots": but(("phi = tanh, psi = relu", "psi = relu, phi = tanh")),
    "order of functions": but(("phi = relu, psi = tanh", "psi = tanh, phi = relu")),
    "order of declarations": but(("  signal  reward\n", ""), ("  const", "  signal  reward\n  const")),
    "order of genome and network": NETWORK + RULE,
    "names of genome and network": but(("genome g", "genome o"), ("uses g", "uses o"), ("network n(", "network m(")),
    "what else is in the file": TEXT + "genome unused { state a  sense { a <- input } readout a }\n",
    "what it is written from": TEXT.replace("uses g", "uses o") + "genome o extends g { }\n",
    "what is so anyway": but(("x -> h", "x -> h [dense]")),
}


@pytest.mark.parametrize("text", SAME.values(), ids=list(SAME))
def test_how_it_is_written_does_not_count(text: str) -> None:
    assert text != TEXT
    assert hashes(text, network="m" if "network m(" in text else "n") == hashes(TEXT)


@pytest.mark.parametrize("kind", [kind for kind in SAME if kind.startswith(("order of", "names of"))])
def test_models_of_one_hash_are_the_same_program(kind: str) -> None:
    """So that a run that goes on with one of them makes the same bits."""
    assert program(SAME[kind]) == program(TEXT)


@cache
def program(text: str) -> str:
    plan = plans.plan_of(spec.select_model(text))
    return stages.traced(plan, "step", 4).lower().as_text()


OTHER_RULE = {
    "an equation": but(("+ gain", "- gain")),
    "a constant": but(("3 * 2", "3 * 3")),
    "a default": but(("rate = 0.1", "rate = 0.2")),
    "a start of synapses": but(("sqrt(fan_in)", "fan_in")),
    "a function": but(("phi = tanh, psi", "phi = relu, psi")),
    "an order of phases": but(
        ("feedback {", "backward {"),
        ("backward { err <- outgoing(w * post.err) }", "feedback { err <- 0 }"),
        ("backward { err <- target - act[0] }", "backward { err <- outgoing(w * post.err) }"),
    ),
    "an order of statements": but(
        ("    m <- batch_mean(pre.act[0] * post.err)\n", ""),
        ("gain * m\n", "gain * m\n    m <- batch_mean(pre.act[0] * post.err)\n"),
    ),
    "rounds": but(("  forward {", "  repeat 2 {\n  forward {"), ("  feedback", "  }\n  feedback")),
    "a persistent state": but(("past persistent", "past")),
    "the name of a meta-parameter": but(("leak", "sigma")),
    "the scope of a meta-parameter": but(("leak ~ normal(0.1)", "leak ~ normal(0.1) per population")),
}


@pytest.mark.parametrize("text", OTHER_RULE.values(), ids=list(OTHER_RULE))
def test_what_a_rule_does_counts(text: str) -> None:
    here, there = hashes(TEXT), hashes(text)
    assert here[0] != there[0]
    assert here[1] != there[1]


OTHER_MODEL = {
    "sizes": but(("size = 4", "size = 5")),
    "wiring": but(("x -> h\n", "x -> h\n  x -> y\n")),
    "a topology": but(("p = 0.5", "p = 0.6")),
    "a seed": but(("seed = 1", "seed = 2")),
    "a delay": but(("delay = 1", "delay = 2")),
    "a direction": but((", forward]", "]")),
    "fixed synapses": but(("x -> h\n", "x -> h [fixed]\n")),
    "a bias": but(("psi = tanh }", "psi = tanh, bias = off }")),
    "a slot": but(("psi = tanh }", "psi = relu }")),
    "a name": but(("x[size]", "xx[size]"), ("x -> h", "xx -> h")),
    "the order of sums": but(
        ("  x -> h\n  h -> h [delay = 1, forward]\n", "  h -> h [delay = 1, forward]\n  x -> h\n")
    ),
    "how meta-parameters start": but(("spread = 0.5", "spread = 0.4")),
}


@pytest.mark.parametrize("text", OTHER_MODEL.values(), ids=list(OTHER_MODEL))
def test_what_is_wired_counts_for_a_model_alone(text: str) -> None:
    here, there = hashes(TEXT), hashes(text)
    assert here[0] == there[0]
    assert here[1] != there[1]


KINDS = """
fn spike(x) = step(x - 1) slope sigmoid'(x - 1)
fn slow(x) = x / (1 + x ^ 2)
genome g {
  state   act
  synapse w ~ normal(0.5)
  fn      low(x, y) = x + (y - x) / 2, phi = spike
  sense   { act <- input }
  forward { let z = incoming(w * pre.act);  act <- low(phi(z), z) }
  forward of inhibitory { let much = 2 * incoming(w * pre.act);  act <- much }
  forward of output { act <- incoming(w * pre.act) }
  update  { w <- w + batch_mean(pre.act * post.act) }
  readout act
}
network n uses g {
  input x[2]  hidden h[3]  hidden i[3] { kind = inhibitory }  output y[2] { phi = slow }
  x -> h  x -> i  h -> y  i -> y
}
"""
OF_KINDS = {
    "names of arguments": (KINDS.replace("low(x, y) = x + (y - x)", "low(y, z) = y + (z - y)"), "same"),
    "names of arguments in slots": (KINDS.replace("slow(x) = x / (1 + x ^ 2)", "slow(u) = u / (1 + u ^ 2)"), "same"),
    "an unused function": (KINDS + "fn unused(x) = 2 * x\n", "same"),
    "names of values": (KINDS.replace("much", "z"), "same"),
    "a body": (KINDS.replace("step(x - 1)", "step(x - 2)"), "rule"),
    "a slope": (KINDS.replace("sigmoid'", "tanh'"), "rule"),
    "a call": (KINDS.replace("(y - x) / 2", "(y - x) / 3"), "rule"),
    "a variant": (KINDS.replace("2 * incoming", "3 * incoming"), "rule"),
    "what a variant is for": (KINDS.replace("forward of output", "forward of hidden"), "rule"),
    "a function of a population": (KINDS.replace("1 + x ^ 2", "2 + x ^ 2"), "model"),
    "a kind": (KINDS.replace("hidden h[3]", "hidden h[3] { kind = inhibitory }"), "model"),
}


@pytest.mark.parametrize(("text", "other"), OF_KINDS.values(), ids=list(OF_KINDS))
def test_functions_and_kinds(text: str, other: str) -> None:
    assert text != KINDS
    here, there = hashes(KINDS), hashes(text)
    assert (here[0] != there[0], here[1] != there[1]) == (other == "rule", other != "same")


SHIPPED = sorted(specs_path().rglob("*.blur"))


def models(path: Path) -> Iterator[tuple[str, Model]]:
    for network in spec.Sources.load(path, Report()).files[0].networks:
        if network.uses:
            yield network.name, spec.select_model(path, network=network.name)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_a_file_that_is_printed_anew_elsewhere_keeps_its_hashes(path: Path, tmp_path: Path) -> None:
    """Without comments and layout, under another name, each import in its own file."""
    files = spec.Sources.load(path, Report()).files
    names = {file.span.source.name: f"{i}.blur" for i, file in enumerate(files)}
    for file in files:
        text = language.unparse(file)
        for name, new in names.items():
            text = text.replace(f'"{Path(name).name}"', f'"{new}"')
        (tmp_path / names[file.span.source.name]).write_text("\n\n" + text)
    for name, model in models(path):
        assert hashes(tmp_path / "0.blur", network=name) == (rule_hash(model.genome), model_hash(model))


def test_imports_in_another_order(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.blur").write_text(f"genome {name} {{ state s  sense {{ s <- input }} readout s }}\n")
    network = "network n uses b { input x[2]  output y[2]  x -> y }\n"
    for order in ("ab", "ba"):
        (tmp_path / f"{order}.blur").write_text("".join(f'import "{name}.blur"\n' for name in order) + network)
    assert hashes(tmp_path / "ab.blur") == hashes(tmp_path / "ba.blur")


def test_edges_count_by_the_pairs_that_they_list(tmp_path: Path) -> None:
    network = 'network n uses hebb {{ input x[2]  output y[2]  x -> y [edges("{}")] }}'
    found = []
    for name, edges in {"a.csv": "0,0\n1,1\n", "b.csv": "1,1\n\n0, 0\n", "c.csv": "0,1\n1,1\n"}.items():
        (tmp_path / name).write_text(edges)
        (tmp_path / "n.blur").write_text('import "rules/hebb.blur"\n' + network.format(name))
        found.append(hashes(tmp_path / "n.blur"))
    assert found[0] == found[1] != found[2]


# -------------------------------------------------- every field of a model


def changes(value: Any) -> Iterator[tuple[str, Any]]:
    """The value with one field in it changed, and which, for every field that tells models apart."""
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            if field.compare and not (isinstance(value, Let | LetStatement) and field.name == "name"):
                for where, changed in changes(getattr(value, field.name)):
                    yield where or f"{type(value).__name__}.{field.name}", replace(value, **{field.name: changed})
    elif isinstance(value, tuple):
        for i, part in enumerate(value):
            for where, changed in changes(part):
                yield where, (*value[:i], changed, *value[i + 1 :])
        if value and not isinstance(value[0], str | LetStatement):
            yield "", value[:-1]
    elif isinstance(value, bool):
        yield "", not value
    elif isinstance(value, int | float):
        yield "", value + 1
    elif isinstance(value, str):
        yield "", value + (value[:1] or "k")
    elif isinstance(value, bytes):
        yield "", value + value[:1]


DERIVED = {f"{kind.__name__}.{name}" for kind in Typed.__subclasses__() for name in ("shape", "over")}
FREE = {"Genome.name", "Genome.params", "Network.name", "Network.params", "Edges.file"}


def test_every_field_counts_but_for_those_that_are_listed() -> None:
    model = spec.select_model(TEXT)
    network = replace(model.network, projections=(*model.network.projections, edge(model.network)))
    model = replace(model, network=network)
    own = model_hash(model)
    same = {where for where, changed in changes(model) if model_hash(changed) == own}
    assert same <= DERIVED | FREE
    assert same >= FREE


def edge(network: Network) -> Any:
    return replace(network.projections[0], name="e", topology=Edges("e.csv", b"0000", b"1111"))


def test_every_field_of_a_rule_counts_but_for_how_meta_parameters_start() -> None:
    genome = spec.select_model(TEXT).genome
    drawn = replace(genome, metas=tuple(replace(v, init=genome.metas[0].init) for v in genome.metas))
    assert rule_hash(drawn) == rule_hash(genome)
    assert rule_hash(replace(genome, metas=genome.metas[1:])) != rule_hash(genome)


def test_other_processes_find_the_same_hashes() -> None:
    program = f"""
from blurc import model, spec
found = spec.select_model({TEXT!r})
print(model.rule_hash(found.genome), model.model_hash(found))
"""
    found = {
        subprocess.check_output([sys.executable, "-c", program], env={**os.environ, "PYTHONHASHSEED": seed}, text=True)
        for seed in "12"
    }
    assert found == {" ".join(hashes(TEXT)) + "\n"}


def test_hashes_are_those_in_the_files_of_users():
    model, _, _ = spec.select("networks/xor.blur", network="xor")
    assert rule_hash(model.genome) == "rule1:96edfa234010c9496104e0b5ccb4b9f106057d10c8f4ae7e9f8fae7d8ded22e3"
