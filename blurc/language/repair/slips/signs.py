"""A sign that was meant to be another one: `=` for `<-`, `**` for `^`, `:` for `..`."""

from __future__ import annotations

from dataclasses import replace

from blurc.language.repair.outline import ROLES
from blurc.language.repair.slips.piece import SIGNS, Mistake, Piece


def other_arrow(piece: Piece) -> Mistake | None:
    """`:=`, `=>`, or an arrow that is one character."""
    if piece.found.kind != "OTHER_ARROW":
        return None
    kinds = ("ASSIGN", "PROJECT", "EQUAL")
    sign = next((SIGNS[kind] for kind in kinds if kind in piece.expected), None)
    if sign is None:
        return piece.unexpected()
    help = f"write `{piece.text(0, piece.index)} {sign} {piece.text(piece.index + 1) or '...'}`"
    if piece.found.text.isascii():
        return piece.unexpected(f"`{sign}`", help=help, repair=sign)
    mistake = piece.mistake(
        f"found `{piece.found.text}`, which is not part of the language", help=help, repair=sign
    )
    return replace(mistake, code="E102")


def double_star(piece: Piece) -> Mistake | None:
    if piece.found.kind != "DOUBLE_STAR":
        return None
    return piece.unexpected("`^`", help="a power is written `x ^ 2`", repair="^")


def change(piece: Piece) -> Mistake | None:
    found = piece.found
    if found.kind != "CHANGE":
        return None
    left, right = piece.text(0, piece.index), piece.text(piece.index + 1)
    return piece.unexpected(help=f"write `{left} <- {left} {found.text[0]} {right}`")


def equal_for_arrow(piece: Piece) -> Mistake | None:
    kind = piece.found.kind
    if piece.start != "statement" or "ASSIGN" not in piece.expected:
        return None
    if kind not in ("EQUAL", "DOUBLE_EQUAL", "PROJECT"):
        return None
    right = f"{piece.text(0, piece.index)} <- {piece.text(piece.index + 1)}"
    named = (
        f", or `let {piece.first.text} = ...` for a new name" if piece.index == 1 and kind == "EQUAL" else ""
    )
    # Who writes `a -> b` may mean either way.
    repair = "<-" if kind != "PROJECT" else None
    return piece.unexpected("`<-`", help=f"write `{right}`{named}", repair=repair)


def arrow_for_equal(piece: Piece) -> Mistake | None:
    if piece.found.kind not in ("ASSIGN", "DOUBLE_EQUAL", "COLON") or "EQUAL" not in piece.expected:
        return None
    if "PROJECT" in piece.expected:
        return _arrow_for_instance(piece)
    name = piece.lexemes[piece.index - 1].text
    word = f"{piece.first.text} " if piece.start != "file" and piece.index == 2 else ""
    value = "..." if piece.open_bracket() is None else piece.text(piece.index + 1, piece.index + 2)
    return piece.unexpected("`=`", help=f"write `{word}{name} = {value}`", repair="=")


def _arrow_for_instance(piece: Piece) -> Mistake | None:
    """`r <- residual(x = a)`."""
    if [lexeme.kind for lexeme in piece.lexemes[piece.index + 2 : piece.index + 3]] != ["LPAR"]:
        return None
    help = f"write `{piece.text(0, piece.index)} = {piece.text(piece.index + 1)}`"
    return piece.unexpected("`=`", help=help, repair="=")


def comparison(piece: Piece) -> Mistake | None:
    if piece.found.kind != "DOUBLE_EQUAL":
        return None
    return piece.unexpected(help="the language has no comparisons")


def assign_for_project(piece: Piece) -> Mistake | None:
    if piece.found.kind not in ("ASSIGN", "EQUAL") or "PROJECT" not in piece.expected:
        return None
    if piece.found.kind == "EQUAL":
        return piece.unexpected(help="the name of a block in use has no dot")
    return piece.unexpected("`->`", help="a projection is written `a -> b`, from `a` to `b`")


def equal_for_project(piece: Piece) -> Mistake | None:
    """`a = b`, which is no block in use yet."""
    kinds = [lexeme.kind for lexeme in piece.lexemes[: piece.index]]
    if piece.start != "network_item" or "LPAR" not in piece.expected or kinds.count("EQUAL") != 1:
        return None
    if kinds[-2] != "EQUAL" or piece.first.kind in ROLES or "PROJECT" in kinds:
        return None
    left, right = piece.text(0, piece.index - 2), piece.lexemes[piece.index - 1].text
    help = f"a projection is written `{left} -> {right}`, a block in use `{left} = {right}(x = ...)`"
    return piece.unexpected(help=help)


def unnamed_argument(piece: Piece) -> Mistake | None:
    """`residual(h)`"""
    kinds = [lexeme.kind for lexeme in piece.lexemes[: piece.index]]
    if (
        piece.start != "network_item"
        or "EQUAL" not in piece.expected
        or kinds[-2:-1] not in (["LPAR"], ["COMMA"])
    ):
        return None
    if "EQUAL" not in kinds or "PROJECT" in kinds:
        return None
    return piece.unexpected(help=f"say what it is for: `x = {piece.lexemes[piece.index - 1].text}`")


def colon_for_range(piece: Piece) -> Mistake | None:
    if piece.found.kind != "COLON" or "RANGE" not in piece.expected:
        return None
    return piece.unexpected("`..`", help="a range is written `1..n`, both ends included", repair="..")


def chain(piece: Piece) -> Mistake | None:
    if piece.start != "network_item" or piece.found.kind != "PROJECT" or piece.index < 3:
        return None
    return piece.unexpected(help="write each projection by itself: `a -> b` and `b -> c`")
