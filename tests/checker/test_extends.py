"""Genomes that extend others: the same as those written out by hand."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from generate import rules
from hypothesis import given, settings
from hypothesis import strategies as st

from blurc import model
from blurc.checker import mentions
from blurc.diagnostics import Report, Source
from blurc.language import parse, syntax, unparse
from blurc.spec import Sources, check, select_model, written_out

BASE = """
genome base(rate = 0.1, keep = 0.9) {
  state   act, err
  synapse w ~ normal(1 / sqrt(fan_in))
  learn   eta = rate
  sense   { act <- input }
  repeat 3 {
    forward relax { act <- tanh(incoming(w * pre.act));  err <- act }
    update  { w <- keep * w + eta * batch_mean(pre.act * post.act) }
  }
  update  { w <- w / (1 + post.incoming(w ^ 2)) }
  readout act + err
}
"""
NETWORK = "network n uses g { input x[2]  output y[1]  x -> y }"


def phases(text: str) -> list[str]:
    return [phase.name for phase in select_model(BASE + text + NETWORK).genome.phases]


def equations(text: str) -> str:
    return model.show(select_model(BASE + text + NETWORK))


def test_what_is_not_replaced_is_inherited() -> None:
    found = select_model(BASE + "genome g extends base { }" + NETWORK).genome
    base = select_model(BASE + NETWORK.replace("uses g", "uses base")).genome
    assert replace(found, name="base") == base


def test_parameters_are_inherited_with_new_defaults_in_front() -> None:
    genome = select_model(BASE + "genome g(more = 2, rate = 0.2 * more) extends base { learn also = more }" + NETWORK)
    assert genome.genome.params == (("more", 2), ("rate", 0.4), ("keep", 0.9))


def test_a_declaration_stands_where_the_same_name_is_declared_whatever_it_is() -> None:
    shown = equations("genome g extends base { const eta = 0.5  learn late = 1  readout act + late }")
    assert "0.5 * batch_mean" in shown
    assert "learn   eta" not in shown


def test_what_nothing_reads_any_more_is_left_out() -> None:
    genome = select_model(BASE + "genome g extends base { update { w <- 0.5 * w } }" + NETWORK).genome
    assert genome.params == ()
    assert genome.metas == ()


def test_what_networks_may_fill_stays_also_where_nothing_reads_it() -> None:
    scopes = ("population", "projection", "neuron", "synapse")
    learned = ", ".join(f"{scope[:4]} = 1 per {scope}" for scope in scopes)
    product = " * ".join(scope[:4] for scope in ("projection", "synapse"))
    base = f"""genome all {{
      state   act
      synapse w ~ normal(1)
      learn   {learned}
      sense   {{ act <- input }}
      forward {{ act <- popu * neur * incoming({product} * w * pre.act) }}
      readout act
    }}"""
    variant = "genome g extends all { forward { act <- incoming(w * pre.act) } }"
    found = select_model(f"{base}\n{variant}\n{NETWORK}").genome
    assert [v.per for v in found.metas] == ["population", "projection"]


def test_a_phase_takes_the_place_of_the_one_of_its_kind_and_name() -> None:
    assert phases("genome g extends base { forward relax { act <- 1 } }") == phases("genome g extends base { }")
    shown = equations("genome g extends base { update { w <- w }  update { w <- 0.25 * w } }")
    assert shown.index("w <- w ") < shown.index("w <- 0.25 * w")


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("update late {}", "sense 3x(relax update) update#2 late"),
        ("sense {}  update early {}", "sense early 3x(relax update) update#2"),
        ("forward relax {}  update inner {}", "sense 3x(relax inner update) update#2"),
        ("repeat 2 { forward relax {} }", "sense 2x(relax) 3x(update) update#2"),
        ("repeat 2 { forward relax {}  update {} }  update late {}", "sense 2x(relax update) late update#2"),
        ("relax", "sense 3x(relax update) update#2 relax#2"),
    ],
)
def test_a_new_phase_runs_behind_the_one_before_it_or_at_the_end(own: str, expected: str) -> None:
    rounds = re.sub(r"(\d)x\((.*?)\)", lambda m: " ".join([m[2]] * int(m[1])), expected)
    assert [name.split("@")[0] for name in phases(f"genome g extends base {{ {own} }}")] == rounds.split()


def test_one_is_extended_across_imports_and_over_generations(tmp_path: Path) -> None:
    (tmp_path / "a.blur").write_text(BASE)
    (tmp_path / "b.blur").write_text('import "a.blur"\ngenome b(rate = 0.3) extends base { }')
    (tmp_path / "c.blur").write_text('import "b.blur"\ngenome g extends b { readout act }\n' + NETWORK)
    genome = select_model(tmp_path / "c.blur").genome
    assert genome.params == (("rate", 0.3), ("keep", 0.9))
    assert isinstance(genome.readout, model.State)
    assert check(tmp_path / "c.blur") == []


def test_a_rule_of_the_library_brings_along_what_it_extends() -> None:
    mine = "genome blur { state z  sense { z <- input }  readout z }\n"
    text = mine + NETWORK.replace("uses g", "uses blur")
    found = select_model(text, genome="blur_plain").genome
    assert [s.name for s in found.channels] == ["w", "v"]
    assert Sources.load(text, Report()).genomes["blur"].extends is None


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_a_genome_is_the_same_however_it_is_divided(data: st.DataObject) -> None:
    """Any declarations of a random genome, and its phases, may stand in the one that extends, and something else in
    their place in the other."""
    (whole,) = parse(Source("whole", data.draw(rules("whole"))), Report()).genomes
    phases = data.draw(st.booleans())
    own = [i for i in whole.items if (data.draw(st.booleans()) if isinstance(i, syntax.Declaration) else phases)]
    base = [part for item in whole.items for part in (_others(item) if item in own else [item])]
    extends = syntax.Extends("base", span=whole.span)
    trees = (replace(whole, name="base", items=tuple(base)), replace(whole, items=tuple(own), extends=extends))
    file = parse(Source("divided", "\n".join(map(unparse, trees))), Report())
    found = written_out([file], Report())["whole"]
    lost = [item for item in whole.items if item not in found.items]
    assert [item for item in whole.items if item not in lost] == list(found.items)
    assert not {item.name for item in lost if isinstance(item, syntax.Declaration)} & mentions.names(found.items)
    assert all(isinstance(item, syntax.Declaration) for item in lost)


def _others(item: syntax.GenomeItem) -> list[syntax.GenomeItem]:
    """Other declarations and phases of the same names and kinds."""
    match item:
        case syntax.Repeat(phases=runs):
            return [replace(run, statements=()) for run in runs if isinstance(run, syntax.Phase)]
        case syntax.Phase():
            return [replace(item, statements=())]
        case syntax.Readout():
            return []
        case _:
            return [syntax.State(item.name, (), span=item.span)]
