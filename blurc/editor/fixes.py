"""Quick fixes: what a help says to write, offered where it mends the mistake."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from blurc.diagnostics import Diagnostic
from blurc.editor.analysis import Analysis
from blurc.editor.repairs import repaired

SECONDS = 1.0  # to look for one
Check = Callable[[str], Analysis]  # of a text in place of the file's


@dataclass(frozen=True)
class Fix:
    """`text` for `[start, stop)` of the file."""

    title: str
    start: int
    stop: int
    text: str


def fix(analysis: Analysis, diagnostic: Diagnostic, check: Check) -> Fix | None:
    """The first text that the help may mean with which the mistake is gone and none is new."""
    if not diagnostic.span or diagnostic.span.source is not analysis.root or not diagnostic.help:
        return None
    whole, end = analysis.root.text, time.monotonic() + SECONDS
    same = [d.code for d in analysis.diagnostics].count(diagnostic.code)
    for text in dict.fromkeys(repaired(diagnostic)):
        if text != whole:
            found = check(text)
            codes = [d.code for d in found.diagnostics]
            if codes.count(diagnostic.code) < same and len(codes) < len(analysis.diagnostics):
                return _change(diagnostic.help, whole, text)
        if time.monotonic() > end:
            return None
    return None


def _change(help: str, old: str, new: str) -> Fix:
    """The part in which two texts differ."""
    start = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    same = 0
    while same < min(len(old), len(new)) - start and old[-1 - same] == new[-1 - same]:
        same += 1
    return Fix(help[0].upper() + help[1:], start, len(old) - same, new[start : len(new) - same])
