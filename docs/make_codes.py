"""Writes docs/CODES.md, the catalogue of diagnostics: `python docs/make_codes.py`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from blurc.codes import CODES, SECTIONS
from blurc.spec import Example, examples

PAGE = Path(__file__).with_name("CODES.md")
HEAD = """# Codes

Every diagnostic has a code, and a code keeps its meaning. E1 to E4 are errors in a spec, and W5 are warnings. The
others come from files, data and calls. `blurc explain E306` shows an entry of this page, with the whole message.

In the examples, lines marked `-` are wrong, and lines marked `+` are right instead. Some are lines of a small genome,
where `act` is a state, `w` a synapse and `eta` a meta-parameter; some are lines of a small network, where `x` is the
input, `h` is hidden and `y` is the output.

*This page is generated, by `python docs/make_codes.py`.*
"""


def page() -> str:
    return "\n".join([HEAD, *_sections()])


def _sections() -> Iterator[str]:
    for section, about in SECTIONS.items():
        yield f"## {section}: {about}\n"
        for code, title in CODES.items():
            if code.startswith(section):
                yield f"### {code}\n\n{title[0].upper()}{title[1:]}.\n"
                if example := examples().get(code):
                    yield _fence(example)


def _fence(example: Example) -> str:
    place = f"In a {example.spec.place}:\n\n" if example.setting else ""
    return "\n".join([f"{place}```diff", *example.lines(), "```\n"])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
