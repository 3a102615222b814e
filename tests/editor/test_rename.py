"""Renaming in a workspace: when it is refused, without a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from blurc.editor import workspace
from blurc.editor.workspace import CannotRename, Workspace

RULE = "genome own(rate = 0.1) { state a\n sense { a <- input * rate } forward { a <- 1 } readout a }\n"
NETWORK = """\
import "rule.blur"
network n(own2 = 1) uses own { input x[2]; output y[1]; x -> y }
"""


def files(folder: Path, **texts: str) -> Workspace:
    for name, text in texts.items():
        (folder / f"{name}.blur").write_text(text)
    return Workspace([folder])


def test_a_rename_is_refused_if_not_every_file_is_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = files(tmp_path, rule=RULE, net=NETWORK)
    rule = (tmp_path / "rule.blur").resolve()
    assert len(found.rename(rule, RULE.index("own"), "mine")) == 2
    monkeypatch.setattr(workspace, "MOST_FILES", 1)
    with pytest.raises(CannotRename, match="more than 1 files"):
        found.rename(rule, RULE.index("own"), "mine")


def test_a_rename_is_refused_if_it_clashes_in_another_file(tmp_path: Path) -> None:
    found = files(tmp_path, rule=RULE, net=NETWORK + RULE.replace("own", "mine"))
    with pytest.raises(CannotRename, match="clash"):
        found.rename((tmp_path / "rule.blur").resolve(), RULE.index("own"), "mine")
