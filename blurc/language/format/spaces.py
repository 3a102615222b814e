"""The blank between two tokens of a line."""

from __future__ import annotations

from blurc.language.format.pieces import COMPACT, INDEXED, Piece

OPERATORS = frozenset({"PLUS", "MINUS", "PRODUCT_SIGN"})
NEVER_BEFORE = frozenset({"RPAR", "RSQB", "COMMA", "DOT", "PRIME"})
NEVER_AFTER = frozenset({"LPAR", "LSQB", "DOT"})


def blank(left: Piece, right: Piece) -> str:
    return "" if _touch(left, right) else " "


def _touch(left: Piece, right: Piece) -> bool:
    if "RANGE" in (left.kind, right.kind):  # in `1. .. .5` the points would run together
        return not (right.text.startswith(".") if left.kind == "RANGE" else left.text.endswith("."))
    if left.kind in NEVER_AFTER or right.kind in NEVER_BEFORE:
        return True
    if (left.kind == "MINUS" and left.rule == "negate") or _is_tight(left) or _is_tight(right):
        return True
    if right.kind == "LPAR":
        return right.rule != "parentheses"
    if right.kind == "LSQB":
        return right.rule not in ("attrs", "vector")
    braces = (right.kind in ("LBRACE", "RBRACE") and right.rule in INDEXED) or (
        left.kind == "LBRACE" and left.rule in INDEXED
    )
    return braces or (left.text + right.text == "{}")


def _is_tight(piece: Piece) -> bool:
    """On both sides: an operator in an index, the colon of a short slice."""
    return (piece.rule == COMPACT and piece.kind in OPERATORS) or (piece.kind == "COLON" and piece.rule == "slice")
