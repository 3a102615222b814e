"""The figures of a report: inline SVGs with captions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

from matplotlib.figure import Figure

from blurc.pictures import figures

FORM = "svg"
MOST_POINTS = 400  # on a line; beyond that, meta-steps are averaged
WIDE = 11.6  # inches of a figure as wide as the page


@dataclass(frozen=True)
class Picture:
    """An SVG and its caption. wide: as wide as the page. natural: never larger than it was drawn."""

    svg: bytes
    caption: str
    wide: bool = False
    natural: bool = False


def picture(figure: Figure, caption: str, *, wide: bool = False) -> Picture:
    return Picture(figures.to_bytes(figure, FORM), caption, wide)


def inline(shown: Picture, mark: str) -> str:
    """The SVG for inlining. `mark` prefixes its ids, which would otherwise clash with those of other figures."""
    text = shown.svg.decode()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.S)
    text = re.sub(r'\bid="', f'id="{mark}-', text)
    text = re.sub(r'(href="|url\()#', rf"\1#{mark}-", text)
    return text.replace("<svg", f'<svg role="img" aria-label="{escape(shown.caption)}"', 1)
