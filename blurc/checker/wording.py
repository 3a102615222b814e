"""How messages show pieces of a spec: code, shapes, numbers, near names."""

from __future__ import annotations

from collections.abc import Mapping

from blurc.diagnostics import Span, did_you_mean
from blurc.model import Shape, dims

MOST_CODE = 60


def code(span: Span) -> str:
    """The text on one line, without parentheses around the whole, not too long."""
    return _line(bare(span).text)


def edited(span: Span, parts: Mapping[Span, str]) -> str:
    """The same, with other texts for some parts of it, which do not overlap."""
    whole = bare(span)
    text = whole.text
    for part in sorted(parts, key=lambda part: -part.start):
        text = text[: part.start - whole.start] + parts[part] + text[part.stop - whole.start :]
    return _line(text)


def _line(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MOST_CODE else f"{text[: MOST_CODE - 3]}..."


def bare(span: Span) -> Span:
    """Without parentheses around the whole, which the parser counts as part of what they hold."""
    while _in_parentheses(span.text):
        inner = span.text[1:-1]
        start = span.start + 1 + len(inner) - len(inner.lstrip())
        span = Span(span.source, start, start + len(inner.strip()))
    return span


def head(span: Span, name: str) -> Span:
    """The name that a call begins with."""
    start = bare(span).start
    return Span(span.source, start, start + len(name))


def _in_parentheses(text: str) -> bool:
    if not text.startswith("("):
        return False
    depth = 0
    for i, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if depth == 0:
            return i == len(text) - 1
    return False


def shape_text(shape: Shape) -> str:
    return ("a number", f"a vector {dims(shape)}", f"a matrix {dims(shape)}")[len(shape)]


def number_text(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def listed(names: list[str]) -> str:
    return ", ".join(names) or "none"


def near_names(name: str, known: list[str]) -> list[str]:
    """The known names that may be meant. `hc` is near to `ha` and `hb`; `h3` is not near to `h2`."""
    near = did_you_mean(name, known)
    return [near] if near else [other for other in known if _one_letter_off(name, other)]


def _one_letter_off(a: str, b: str) -> bool:
    if len(a) != len(b) or len(a) < 2:
        return False
    changed = [x + y for x, y in zip(a, b, strict=True) if x != y]
    return len(changed) == 1 and changed[0].isalpha()
