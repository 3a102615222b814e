"""Quick fixes: what a help says to write, offered where it mends the mistake."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from blurc.diagnostics import Diagnostic
from blurc.editor.analysis import Analysis
from blurc.editor.repairs import repaired

SYNTAX = ("E101", "E102")
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
    """The first text that the help may mean with which the mistake is gone and nothing is wrong instead. A mistake of
    syntax and a misspelt name may have hidden others: if there is no such text, the first with which only that is gone.
    """
    if not diagnostic.span or diagnostic.span.source is not analysis.root or not diagnostic.help:
        return None
    whole, end = analysis.root.text, time.monotonic() + SECONDS
    code, only_that = diagnostic.code, None
    hides = code in SYNTAX or diagnostic.help.startswith("did you mean")
    for text in dict.fromkeys(repaired(diagnostic)):
        one = _change(diagnostic.help, whole, text)
        if text != whole and (code in SYNTAX or _brackets(one.text) == _brackets(whole[one.start : one.stop])):
            found = check(text)
            gone = found.count(code) < analysis.count(code) and found.count(*SYNTAX) <= analysis.count(*SYNTAX)
            if gone and _mistakes(found) < _mistakes(analysis):
                return one
            only_that = only_that or (one if gone and hides else None)
        if time.monotonic() > end:
            break
    return only_that


def _mistakes(analysis: Analysis) -> tuple[int, int]:
    return analysis.errors, len(analysis.diagnostics)


def _brackets(text: str) -> list[int]:
    """How many of each kind are open at its end: a fix that takes one away leaves a text without its partner."""
    return [text.count(opening) - text.count(closing) for opening, closing in ("()", "[]", "{}")]


def _change(help: str, old: str, new: str) -> Fix:
    """The part in which two texts differ."""
    start = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    same = 0
    while same < min(len(old), len(new)) - start and old[-1 - same] == new[-1 - same]:
        same += 1
    return Fix(help[0].upper() + help[1:], start, len(old) - same, new[start : len(new) - same])
