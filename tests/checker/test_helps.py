"""Every help of a wrong spec, followed to the letter, gives a spec without a mistake that means what the repair of the
case means: one of the texts that it quotes stands in place of what it is about, or is declared in the genome; or what
the diagnostic points at goes. A name or a number of one's choice is one of the repair.

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
from blurc.editor.repairs import repaired

BY_HAND = Path(__file__).with_name("helps_by_hand.txt")


def test_every_help_can_be_followed_to_the_letter_or_is_known_to_need_more() -> None:
    needs_more = sorted(name for name, case in read_all().items() if not _is_followed(case))
    if os.environ.get("BLURC_WRITE_CASES"):
        BY_HAND.write_text("\n".join(needs_more) + "\n", encoding="utf-8")
    assert needs_more == BY_HAND.read_text(encoding="utf-8").split()


def _is_followed(case: Case) -> bool:
    (d,) = case.diagnose()
    texts = (_with_text(case, text) for text in dict.fromkeys(_repaired(case, d)))
    mended = [found for found in texts if _is_mended(found, d.code)]
    return bool(mended) and case.meaning(repaired=True) in [found.meaning() for found in mended]


def _is_mended(case: Case, code: str) -> bool:
    return not any(d.severity == "error" or d.code == code for d in case.diagnose())


def _with_text(case: Case, text: str) -> Case:
    lines = [f"  {line}" for line in text.splitlines()]
    return replace(case, main=Part(case.main.name, case.main.option, lines))


def _repaired(case: Case, d: Diagnostic) -> Iterator[str]:
    if d.span is None or d.span.source.name != f"{case.name}.blur":
        return
    yield from repaired(d)
    new = re.findall(r"[\w.]+", " ".join(line[2:] for line in case.main.lines if line[:1] == "+"))
    whole, start, stop = d.span.source.text, d.span.start, d.span.stop
    if re.match("(rename|choose another name|give the kind another name)", d.help or ""):
        for name in dict.fromkeys(w for w in new if w not in re.findall(r"\w+", whole)):
            yield from _renamed(whole, start, stop, name)
    if re.match("(use|write) (a number|[0-9])", d.help or ""):
        yield from (whole[:start] + number + whole[stop:] for number in dict.fromkeys(new) if number[0].isdigit())


def _renamed(whole: str, start: int, stop: int, new: str) -> Iterator[str]:
    """With another name at a place: once or everywhere there, and perhaps from there on, or on the lines below."""
    below = max(whole.find("\n", stop), stop)
    for old in dict.fromkeys(re.findall(r"\w+", whole[start:stop])):
        word = re.compile(rf"\b{old}\b")
        for count in (1, 0):
            here = whole[:start] + word.sub(new, whole[start:stop], count=count)
            yield here + whole[stop:]
            yield here + whole[stop:below] + word.sub(new, whole[below:])
            yield here + word.sub(new, whole[stop:])
