"""A text full of habits from elsewhere becomes one that compiles by quick fixes alone, and means what was meant."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from blurc.diagnostics import Diagnostic
from blurc.editor import workspace
from blurc.editor.analysis import Analysis
from blurc.editor.fixes import Check, Fix, fix
from blurc.editor.server import Server
from blurc.editor.workspace import Workspace

# what is written, and what the fixes make of it
HABITS = {
    "python": (
        """\
rule mine {
  neuron act
  weights w ~ normal(0, 0.1)
  param eta = 0.1
  sense:
    act = input

  forward:
    act = relu(w * pre.act + b)

  update:
    w -= eta * pre.act
  return act
}
net n uses mine {
  x[2]
  output y[2]
  x -> y
}
""",
        """\
genome mine {
  state act
  synapse w ~ normal(0.1)
  learn eta = 0.1
  sense {
    act <- input
  }

  forward {
    act <- relu(incoming(w * pre.act))
  }

  update {
    w <- w - batch_mean(eta * pre.act)
  }
  readout act
}
network n uses mine {
  input x[2]
  output y[2]
  x -> y
}
""",
    ),
    "spikes": (
        """\
genome spikes {
  state v, s, trace persistant
  synapse w ~ normal(0.1), c
  learn a_plus: 0.01
  const thresh = 1
  sense { s <- input }
  forward {
    v <- v + (incoming(w * pre.s) - v) / 20
    s <- v >= thresh ? 1 : 0
    trace <- trace * 0.9 + s
  }
  update {
    w <- np.clip(w + a_plus * c, -1, 1)
    c <- mean(pre.trace * post.s)
  }
}
""",
        """\
genome spikes {
  state v, s, trace persistent
  synapse w ~ normal(0.1), c ~ normal(1 / sqrt(fan_in))
  learn a_plus= 0.01
  const thresh = 1
  sense { s <- input }
  forward {
    v <- v + (incoming(w * pre.s) - v) / 20
    s <- where(v >= thresh, 1, 0)
    trace <- trace * 0.9 + s
  }
  update {
    w <- clip(w + a_plus * c, -1, 1)
    c <- batch_mean(pre.trace * post.s)
  }
  readout v
}
""",
    ),
    "wiring": (
        """\
import rules/backprop.blur

network mine uses backprop(lr = 0.1) {
  input pixels(8, 8)
  hidden h1[hidden] { activation = relu }
  hidden h2[32], phi = relu
  output class[10] { phi = softmax }
  pixels => h1
  h1 -> h2 -> clas
  pixels -> class (skip)
  for i in range(3) { hidden k{i}[4]; pixels -> k{i} -> class }
}
""",
        """\
import "rules/backprop.blur"

network mine(hidden = 1) uses backprop() {
  input pixels[8, 8]
  hidden h1[hidden] { phi = relu }
  hidden h2[32] { phi = relu }
  output class[10] { phi = linear }
  pixels -> h1
  h1 -> h2 -> class
  pixels -> class [label = skip]
  for i in 0..2 { hidden k{i}[4]; pixels -> k{i} -> class }
}
""",
    ),
}


def mended(text: str, path: Path) -> tuple[str, Analysis]:
    """All that the fixes make of it, and what is wrong with that."""
    files = Workspace()
    while True:
        files.change(path, text)
        analysis = files.analysis(path)
        found = (files.fix(path, which) for which in range(len(analysis.diagnostics)))
        one = next((found for found in found if found), None)
        if one is None:
            return text, analysis
        text = text[: one.start] + one.text + text[one.stop :]


@pytest.mark.parametrize("name", HABITS)
def test_habits_are_mended(name: str, tmp_path: Path) -> None:
    written, meant = HABITS[name]
    text, analysis = mended(written, tmp_path / "mine.blur")
    assert text == meant
    assert [d for d in analysis.diagnostics if d.severity == "error"] == []


def test_a_fix_never_takes_half_of_a_pair_of_brackets(tmp_path: Path) -> None:
    text = (
        'import "rules/backprop.blur"\nnetwork n uses backprop { input x[1]; output y[1] { phi = softmax }\n x => y }\n'
    )
    assert "output y[1] { phi = linear }" in mended(text, tmp_path / "n.blur")[0]


def test_fixes_are_there_before_they_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server, path, looked = Server(), tmp_path / "n.blur", list[str]()

    def look(analysis: Analysis, diagnostic: Diagnostic, check: Check) -> Fix | None:
        looked.append(diagnostic.code)
        return fix(analysis, diagnostic, check)

    monkeypatch.setattr(workspace, "fix", look)
    text = 'import "rules/backprop.blur"\nnetwork n uses backprop { input x[1]; output y[1]; x -> yy }\n'
    asyncio.run(server.changed(path.as_uri(), text, 0))
    wrong = len(server.files.analysis(path).diagnostics)
    fixes = [server.files.fix(path, which) for which in range(wrong)]
    assert any(found and found.text == "" for found in fixes)
    assert len(looked) == wrong
