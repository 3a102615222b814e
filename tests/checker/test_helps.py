"""Every help of a wrong spec, followed to the letter, gives a spec without a mistake: one of the texts that it quotes
stands in place of what it is about, or is declared in the genome; or what the diagnostic points at goes.

Helps that leave a choice or ask for more are listed in `helps_by_hand.txt`, which `BLURC_WRITE_CASES=1` writes anew. A
name may join it only for a help that cannot be said as what to write.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from cases import Case, Part, read_all

from blurc.diagnostics import Diagnostic

BY_HAND = Path(__file__).with_name("helps_by_hand.txt")
QUOTED = re.compile(r"`([^`]+)`")
REMOVE = re.compile(r"remove|keep one|leave it out|drop one")
OF_GENOME = re.compile(r"(state|synapse|learn|const|fn|signal|readout|sense)\b")
OF_NETWORK = re.compile(r"(input|hidden|output)\b|[\w.]+ -> ")
WORD = re.compile(r"\w+")
TOKEN = re.compile(r"\w+|\S")


def test_every_help_can_be_followed_to_the_letter_or_is_known_to_need_more() -> None:
    needs_more = sorted(name for name, case in read_all().items() if not _is_followed(case))
    if os.environ.get("BLURC_WRITE_CASES"):
        BY_HAND.write_text("\n".join(needs_more) + "\n", encoding="utf-8")
    assert needs_more == BY_HAND.read_text(encoding="utf-8").split()


def _is_followed(case: Case) -> bool:
    (d,) = case.diagnose()
    return any(_is_mended(_with_text(case, text), d.code) for text in dict.fromkeys(_repaired(case, d)))


def _is_mended(case: Case, code: str) -> bool:
    return not any(d.severity == "error" or d.code == code for d in case.diagnose())


def _with_text(case: Case, text: str) -> Case:
    lines = [f"  {line}" for line in text.splitlines()]
    return replace(case, main=Part(case.main.name, case.main.option, lines))


def _repaired(case: Case, d: Diagnostic) -> Iterator[str]:
    """The texts that the help may mean."""
    if d.span is None or d.span.source.name != f"{case.name}.blur" or not d.help:
        return
    whole, start, stop = d.span.source.text, d.span.start, d.span.stop
    if REMOVE.match(d.help):
        yield from _without(whole, start, stop)
    for quoted in QUOTED.findall(d.help):
        for low in _starts(whole, start, quoted):
            for high in _stops(whole, stop, quoted):
                yield whole[:low] + quoted + whole[high:]
        if d.help.startswith("did you mean"):
            for word in WORD.finditer(whole, start, stop):
                yield whole[: word.start()] + quoted + whole[word.end() :]
        yield from _declared(whole, quoted)


def _without(whole: str, start: int, stop: int) -> Iterator[str]:
    """Without a part, and without what goes with it: a comma, or the keyword before the last of its kind."""
    before, after = whole[:start], whole[stop:]
    yield before + after
    yield before + re.sub(r"^\s*,", "", after)
    yield re.sub(r",\s*$", "", before) + after
    yield re.sub(r"\w+\s*$", "", before) + after
    yield re.sub(r"\(\s*$", "", before) + re.sub(r"^\s*\)", "", after)


def _declared(whole: str, quoted: str) -> Iterator[str]:
    """With a declaration or a projection in the genome or network, or with a declaration instead of another."""
    if OF_GENOME.match(quoted):
        yield re.sub(r"(genome [^{]*\{)", lambda found: f"{found[1]} {quoted}\n", whole, count=1)
    if OF_NETWORK.match(quoted):
        yield re.sub(r"(network [^{]*\{)", lambda found: f"{found[1]} {quoted}\n", whole, count=1)
    if declared := re.fullmatch(r"(\w+ )?(\w+)\[.*", quoted):
        role = f"{declared[1].strip()}\\s+" if declared[1] else ""
        yield re.sub(rf"\b{role}{declared[2]}\b(\[[^\]]*\])?", lambda _: quoted, whole, count=1)


def _starts(whole: str, start: int, quoted: str) -> list[int]:
    """Where the quoted text may begin: at the span, or before it on its line, where its first token stands."""
    line = whole.rfind("\n", 0, start) + 1
    first = TOKEN.findall(quoted)[0]
    return [start, *(found.start() + line for found in re.finditer(re.escape(first), whole[line:start]))]


def _stops(whole: str, stop: int, quoted: str) -> list[int]:
    """Where what it replaces may end: with the span, or behind it on its line, at the quoted text's last token or at
    the end of a statement."""
    end = whole.find("\n", stop)
    last = TOKEN.findall(quoted)[-1]
    behind = rf"(?={re.escape(last)})(?:{re.escape(last)})|(?= *[;}}])|$"
    return [stop, *(found.end() + stop for found in re.finditer(behind, whole[stop : end if end >= 0 else None]))]
