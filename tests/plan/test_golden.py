"""The printed output of every stage for a small network: tests/plan/golden/NETWORK.RULE.STAGE.txt.

After a change that is meant, `BLURC_WRITE_GOLDEN=1 pytest tests/plan/test_golden.py` writes them anew; read the
difference.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from blurc.cli import cli

GOLDEN = Path(__file__).parent / "golden"
CASES = [("xor", "backprop"), ("xor", "blur"), ("direct_feedback", "feedback_alignment")]


@pytest.mark.parametrize("stage", ["tree", "model", "graph", "plan"])
@pytest.mark.parametrize(("network", "rule"), CASES)
def test_a_stage_prints_what_it_printed(network: str, rule: str, stage: str) -> None:
    run = CliRunner().invoke(cli, ["compile", f"networks/{network}.blur", "--rule", rule, "--emit", stage])
    assert run.exit_code == 0, run.output
    expected = GOLDEN / f"{network}.{rule}.{stage}.txt"
    if os.environ.get("BLURC_WRITE_GOLDEN"):
        expected.write_text(run.stdout)
    assert run.stdout == expected.read_text()
