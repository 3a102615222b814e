"""Every script in examples/ runs and prints what it promises."""

from __future__ import annotations

import contextlib
import functools
import io
import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@functools.cache
def printed(script: str) -> str:
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out):
        patch.setattr("sys.argv", [script])
        patch.syspath_prepend(str(EXAMPLES))  # as `python examples/SCRIPT` does
        runpy.run_path(str(EXAMPLES / script), run_name="__main__")
    return out.getvalue()


@pytest.mark.parametrize("script", sorted(p.name for p in EXAMPLES.glob("*.py")))
def test_the_example_runs(script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert printed(script).strip()


def test_the_digits_are_learned() -> None:
    assert float(printed("digits.py").split()[-1]) > 0.93


def test_a_rule_for_rewards_is_among_the_algorithms_for_bandits() -> None:
    paid = {line.rsplit(None, 5)[0]: float(line.split()[-5]) for line in printed("bandit.py").splitlines()}
    assert paid["any arm"] + 0.15 < paid["policy_gradient"] < paid["the best arm"]
