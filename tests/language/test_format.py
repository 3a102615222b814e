"""The layout of `.blur` text: one for all blanks, with the author's line breaks and comments, and the same meaning."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from generate import cases, rules
from hypothesis import given, settings
from hypothesis import strategies as st

from blurc.diagnostics import Report, Source
from blurc.language import format as layout
from blurc.language import formatted, parse, specs_path

SPECS = sorted(specs_path().rglob("*.blur"))

UGLY = """\

  # A rule.
# Of two lines.
genome  a( rate=0.1 ){  # its head

  state act,err   # what neurons keep
  synapse w~normal( 1/sqrt(fan_in) )# and synapses


  learn  eta=rate,
    beta [2]=[ 1,2 ]; fn phi=tanh,
  psi=relu
  # phases
  sense{act<-input}
  forward of inhibitory {act<- -phi( incoming [dendrite] (w*pre . act) )}
  forward
  { let z=incoming(w*pre.act)   act<-phi (z) err  <- phi ' (z)
      long_one[ 0 ]<-act  +
   err   # the rest
 }
  update{w<-w-eta*batch_mean( pre.act*post.err [1 : ] )+z[ 2*k : ]^-2
  # nothing more

  } readout act }
network n(depth=2)uses a{
  input x[ 2 ];hidden h{ 1 }[3]{phi=relu bias=off}
  output class[2]   {phi = linear;  }
  for i in 2 .. depth-1 { h{ i - 1 }->h{i}[label=skip{i}] }
  x->h{1}
  h{depth}->class[conv( 3,3,stride=2 )]
  x->class [ fixed ]
  x->h{1}->class [fixed]
}   # the end
"""

NEAT = """\
# A rule.
# Of two lines.
genome a(rate = 0.1) {  # its head
  state   act, err                      # what neurons keep
  synapse w ~ normal(1 / sqrt(fan_in))  # and synapses

  learn   eta = rate,
          beta[2] = [1, 2];  fn phi = tanh,
      psi = relu
  # phases
  sense   { act <- input }
  forward of inhibitory { act <- -phi(incoming[dendrite](w * pre.act)) }
  forward {
    let z = incoming(w * pre.act);  act <- phi(z);  err <- phi'(z)
    long_one[0] <- act +
        err  # the rest
  }
  update  {
    w <- w - eta * batch_mean(pre.act * post.err[1:]) + z[2 * k :] ^ -2
    # nothing more
  };  readout act
}

network n(depth = 2) uses a {
  input  x[2];  hidden h{1}[3] { phi = relu, bias = off }
  output class[2] { phi = linear }
  for i in 2..depth-1 { h{i-1} -> h{i} [label = skip{i}] }
  x        -> h{1}
  h{depth} -> class [conv(3, 3, stride = 2)]
  x        -> class [fixed]
  x -> h{1} -> class [fixed]
}  # the end
"""


def laid_out(text: str) -> str:
    report = Report()
    found = formatted(Source("a.blur", text), report)
    assert found is not None, report.errors
    return found


def test_a_text_gets_the_layout() -> None:
    assert laid_out(UGLY) == NEAT


def test_the_layout_stays() -> None:
    assert laid_out(NEAT) == NEAT


def test_a_text_without_anything_has_no_lines() -> None:
    assert laid_out(" \n\n") == ""
    assert laid_out("\n# note  \n\n\n") == "# note\n"


def test_text_that_does_not_parse_is_left_alone() -> None:
    report = Report()
    assert formatted(Source("a.blur", "genome a { state }"), report) is None
    assert [d.code for d in report.errors] == ["E101"]


def test_a_layout_that_would_change_the_text_is_an_error_under_every_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "align", lambda lines: "genome a { readout b }\n")
    with pytest.raises(AssertionError, match="change its meaning"):
        formatted(Source("a.blur", NEAT), Report())


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
def test_the_library_has_the_layout_whatever_its_blanks(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert laid_out(text) == text
    assert laid_out(with_other_blanks(text, random.Random(0))) == text


def with_other_blanks(text: str, random: random.Random) -> str:
    """Lines with any number of blanks where code has one."""
    lines = (line.partition("#") for line in text.split("\n"))
    many = [(re.sub(" +", lambda _: " " * random.randint(1, 5), code), sign, note) for code, sign, note in lines]
    return "\n".join(f"{code}{sign}{note}" if code.strip() else f"{sign}{note}" for code, sign, note in many)


@settings(max_examples=15, deadline=None)
@given(st.one_of(rules(), cases().map(lambda case: case.source)), st.integers(0, 2**32))
def test_generated_files_keep_meaning_and_comments(text: str, seed: int) -> None:
    untidy = with_comments(text, random.Random(seed))
    neat = laid_out(untidy)
    assert tree(neat) == tree(text)
    assert re.findall("#[0-9]+", neat) == re.findall("#[0-9]+", untidy)
    assert laid_out(neat) == neat


def with_comments(text: str, random: random.Random) -> str:
    """A text with numbered comments, line breaks and blanks where it has blanks."""
    count = iter(range(10**6))

    def more(blanks: re.Match[str]) -> str:
        kept = "\n" if "\n" in blanks[0] else " "
        return random.choice((kept, kept, kept * 3, f"{kept}#{next(count)}\n", "\n", f"\n\n#{next(count)}\n\n"))

    return re.sub(r"\s+", more, re.sub("#.*", "", text))


def tree(text: str) -> object:
    return parse(Source("a.blur", text), Report())
