"""What a symbolic search found: the front of length against value, and its equations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from blurc.meta.report import style
from blurc.meta.report.contents import Rule
from blurc.pictures import figures


def picture(rules: Sequence[Rule], objective: str) -> style.Picture:
    figure = figures.figure(height=3.2)
    axes = figure.subplots()  # pyright: ignore[reportUnknownMemberType]
    known = [(r.length, r.value) for r in rules if r.value is not None]
    lengths, values = zip(*known, strict=True) if known else ((), ())
    axes.plot(lengths, values, color=figures.COLOURS[0], marker="o", markersize=5, linewidth=1.2)
    figures.dress(axes, "Rules found", "symbols", objective)
    return style.picture(figure, "What each more symbol buys, on episodes the search never sees.")


def table(rules: Sequence[Rule], objective: str) -> Iterator[tuple[str, ...]]:
    yield "symbols", objective, "rule", "file"
    for r in rules:
        value = "diverged" if r.value is None else f"{r.value:.4g}"
        yield str(r.length), value, ";  ".join(r.equations), r.file
