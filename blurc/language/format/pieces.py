"""The tokens of a text, each with what the grammar says about its place, and the comments before it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lark import Token, Tree

from blurc.language.tree import start_of, stop_of

TOP = frozenset({"import_line", "genome", "network", "block", "functions"})
ITEMS = TOP | {
    "states",
    "signals",
    "synapses",
    "learns",
    "consts",
    "fns",
    "phase",
    "again",
    "repeat",
    "readout",
    "let",
    "assign",
    "population",
    "projection",
    "instance",
    "loop",
}  # fmt: skip - they may be joined by `;`
TIGHT = frozenset({"indexed_name", "attr_indexed", "binding_indexed", "loop"})  # the expressions in them
INDEXED = frozenset({"indexed_name", "attr_indexed", "binding_indexed"})  # their braces hold an index

COMPACT, WIDE_SLICE = "compact", "wide_slice"  # of operators in an index, of a colon between long expressions


class Piece(NamedTuple):
    """A token; the last piece of a file has no text.

    rule: of the grammar, that the token is directly a part of.
    opens: the rule of the item, statement or option that begins with it, or "".
    ends: how many ends the projection has that begins with it.
    trailing: the comment on the line of the token before.
    above: the lines between that line and its own: comments, and "" for blank lines.
    """

    text: str
    kind: str = ""
    rule: str = ""
    opens: str = ""
    ends: int = 0
    trailing: str = ""
    above: tuple[str, ...] = ()
    breaks: bool = False  # it begins a line

    @property
    def commented(self) -> bool:
        return bool(self.trailing or any(self.above))


def pieces(text: str, tree: Tree[Token]) -> list[Piece]:
    """Without the signs that separate items: they follow from the lines."""
    found: list[Piece] = []
    stop, skipped = 0, False
    kept = ""  # what stands between the last piece and the next
    for token, piece in (*_walk(tree), (Token("", "", start_pos=len(text), end_pos=len(text)), Piece(""))):
        kept += text[stop : start_of(token)]
        stop = stop_of(token)
        skipped = piece.kind == "SEMICOLON" or (piece.kind == "COMMA" and piece.rule == "options")
        if not skipped:
            found.append(_after(piece, kept, first=not found))
            kept = ""
    return found


def _after(piece: Piece, gap: str, first: bool) -> Piece:
    """The piece with what stands before it: blanks and comments."""
    trailing, *above = (line.strip() for line in gap.split("\n"))
    if first:
        trailing, above = "", [trailing, *above]
    return piece._replace(trailing=trailing, above=tuple(above[:-1]), breaks="\n" in gap or first)


def _walk(tree: Tree[Token]) -> Iterator[tuple[Token, Piece]]:
    """Without recursion: long expressions are deep."""
    waiting: list[tuple[Tree[Token] | Token, str, str, int, bool]] = [(tree, "", "", 0, False)]
    while waiting:
        node, rule, opens, ends, in_index = waiting.pop()
        if isinstance(node, Token):
            compact = in_index and rule == "chain"
            yield node, Piece(str(node), node.type, COMPACT if compact else rule, opens, ends)
            continue
        name = str(node.data)
        if name in ITEMS or (name == "option" and rule == "options"):
            opens, ends = name, _ends(node)
        own = WIDE_SLICE if name == "slice" and _is_wide(node) else name
        for i, child in reversed(list(enumerate(node.children))):
            inside = in_index or (name in TIGHT and isinstance(child, Tree) and child.data not in ITEMS)
            waiting.append((child, own, "" if i else opens, 0 if i else ends, inside))


def _ends(node: Tree[Token]) -> int:
    return 1 + sum(isinstance(child, Token) and child.type == "PROJECT" for child in node.children)


def _is_wide(node: Tree[Token]) -> bool:
    return any(isinstance(side, Tree) and len(side.children) > 1 for side in node.children)
