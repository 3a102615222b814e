"""Long sums and products as trees that are not deep.

`a + b + c` is `(a + b) + c`. Later stages walk trees recursively, so from `SHORT` terms on a sum is halved, and its
halves again: `(a + .. + h) + (i + .. + p)`, for thousands of terms a dozen levels. Behind a minus the signs are turned,
as in `a - b - c = a - (b + c)`. Of a product, what `*` joins is halved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from blurc.language import syntax as s

SHORT = 32  # terms: the longest chain that is a plain tree
TURNED: dict[s.Operator, s.Operator] = {"+": "-", "-": "+"}


def chained(terms: Sequence[s.Expr], signs: Sequence[s.Operator]) -> s.Expr:
    """The tree of terms with the signs between them, all `+` and `-`, or all `*`, `/` and `@`."""
    if len(terms) <= SHORT:
        return _plain(terms, signs)
    if signs[0] in TURNED:
        return _counted(_halved(terms, signs, False), len(terms))
    found, at = terms[0], 1
    for sign, group in groupby(signs):
        run: list[s.Operator] = [*group]
        behind, at = terms[at : at + len(run)], at + len(run)
        if sign == "*" and found is terms[0]:
            found = _halved([found, *behind], run, False)
        elif sign == "*" and len(run) > 1:
            found = _joined("*", found, _halved(behind, run[1:], False), len(run))
        else:
            found = _plain([found, *behind], run)
    return _counted(found, len(terms))


def _counted(whole: s.Expr, terms: int) -> s.Expr:
    return replace(whole, terms=terms) if isinstance(whole, s.Binary) else whole


def _plain(terms: Sequence[s.Expr], signs: Sequence[s.Operator]) -> s.Expr:
    found = terms[0]
    for sign, term in zip(signs, terms[1:], strict=True):
        found = s.Binary(sign, found, term, span=found.span.to(term.span))
    return found


def _halved(terms: Sequence[s.Expr], signs: Sequence[s.Operator], turned: bool) -> s.Expr:
    """`turned`: whether the whole stands behind a minus."""
    if len(terms) <= SHORT:
        return _plain(terms, [TURNED[sign] if turned else sign for sign in signs])
    half = len(terms) // 2
    sign = TURNED[signs[half - 1]] if turned else signs[half - 1]
    left = _halved(terms[:half], signs[: half - 1], turned)
    right = _halved(terms[half:], signs[half:], turned != (sign == "-"))
    return _joined(sign, left, right, len(terms) - half)


def _joined(sign: s.Operator, left: s.Expr, right: s.Expr, terms: int) -> s.Expr:
    part = replace(right, terms=terms, half=True) if isinstance(right, s.Binary) else right
    return s.Binary(sign, left, part, span=left.span.to(right.span))
