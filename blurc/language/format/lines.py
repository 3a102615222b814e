"""Tokens -> lines, with the places where columns may begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import dropwhile

from blurc.language.format.pieces import ITEMS, TOP, Piece
from blurc.language.format.spaces import blank

BLOCKS = frozenset({"genome", "network", "block", "phase", "repeat", "loop", "options"})  # their braces hold items
INDENT, CONTINUED = 2, 4
JOINED = ";  "  # between statements of a line

# The items whose first word is a column of its own.
HEADS = frozenset({"states", "signals", "synapses", "learns", "consts", "fns", "readout", "population", "phase"})

COLUMNS = {  # a token, and the item that it is in, to the name of the column that it begins
    ("assign", "ASSIGN"): ("assign", "arrow"),
    ("options", "LBRACE"): ("population", "options"),
    ("projection", "PROJECT"): ("projection", "arrow between"),
    ("attrs", "LSQB"): ("projection", "attributes"),
}


@dataclass(slots=True)
class Line:
    """Without parts it is a comment, or blank.

    block: the number of the block that it is part of.
    head: the rule of the item that begins on it, or "".
    parts: each begins a column, or is the first.
    """

    block: int
    indent: int
    head: str = ""
    parts: list[Snippet] = field(default_factory=list["Snippet"])
    comment: str = ""

    @property
    def is_blank(self) -> bool:
        return not self.parts and not self.comment

    def code(self) -> str:
        return (" " * self.indent + "".join(part.text for part in self.parts)).rstrip()


@dataclass(slots=True)
class Snippet:
    stop: str  # the name of the column
    text: str


@dataclass(frozen=True, slots=True)
class _Block:
    number: int
    inside: int  # the indentation of its items
    open: bool  # has its items on lines of their own


def lines(pieces: Sequence[Piece]) -> list[Line]:
    return _Writer(pieces).written()


class _Writer:
    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces
        self._open = _with_breaks(pieces)
        self._lines: list[Line] = []
        self._blocks = [_Block(0, 0, open=True)]
        self._count = 1  # of blocks
        self._ends_columns = False  # of this line

    def written(self) -> list[Line]:
        last = Piece("")
        for i, piece in enumerate(self._pieces):
            if piece.kind == "RBRACE" and piece.rule in BLOCKS:
                self._close(last, piece)
            elif self._begins_line(last, piece):
                self._begin(last, piece)
            else:
                self._go_on(last, piece)
            if piece.kind == "LBRACE" and piece.rule in BLOCKS:
                block = self._blocks[-1]
                self._blocks.append(_Block(self._count, block.inside + INDENT, i in self._open))
                self._count += 1
            last = piece
        return self._lines

    def _begins_line(self, last: Piece, piece: Piece) -> bool:
        """Whether what begins here is an item on a line of its own."""
        if not piece.text or piece.opens in TOP:
            return True
        after_brace = last.kind == "LBRACE" and last.rule in BLOCKS
        return self._blocks[-1].open and (after_brace or (bool(piece.opens) and piece.breaks))

    def _close(self, last: Piece, piece: Piece) -> None:
        closed, around = self._blocks[-1], self._blocks[-2]
        self._blocks.pop()
        if closed.open:
            self._comment(piece.trailing)
            self._above(_without_leading_blanks(piece.above) if last.kind == "LBRACE" else piece.above, closed)
            self._drop_blanks()
            self._lines.append(Line(around.number, around.inside, "", [Snippet("", piece.text)]))
        else:
            self._append("", piece.text, blank(last, piece))

    def _begin(self, last: Piece, piece: Piece) -> None:
        block, above = self._blocks[-1], piece.above
        if piece.opens == "option" and last.kind != "LBRACE":
            self._append("", ",")
        if last.kind == "LBRACE" or not self._lines:
            above = _without_leading_blanks(above)
        elif len(self._blocks) == 1 and piece.text and "" not in above and not self._may_touch(piece):
            above = ("", *above)
        self._comment(piece.trailing)
        self._above(above, block)
        if piece.text:
            self._lines.append(Line(block.number, block.inside, piece.opens, [Snippet("", piece.text)]))
            self._ends_columns = piece.ends > 2  # a chain has none
        else:
            self._drop_blanks()

    def _may_touch(self, piece: Piece) -> bool:
        """Whether a blank line before an item of a file is the author's choice."""
        before = next(line.head for line in reversed(self._lines) if line.head in TOP)
        return before == piece.opens and before in ("import_line", "functions")

    def _go_on(self, last: Piece, piece: Piece) -> None:
        block = self._blocks[-1]
        opens_block = piece.kind == "LBRACE" and piece.rule in BLOCKS
        if piece.opens in ITEMS and last.kind != "LBRACE":
            self._append("", JOINED + piece.text)
            self._ends_columns = True
        elif piece.opens == "option" and last.kind != "LBRACE":
            self._append("", ", " + piece.text)
        elif piece.breaks and last.kind == "COMMA" and last.rule in HEADS and last.rule == self._item().head:
            keyword = self._item().parts[0].text
            self._comment(piece.trailing)
            self._above([comment for comment in piece.above if comment], block)
            below = [Snippet("", " " * len(keyword)), Snippet("head", piece.text)]  # below its first name
            self._lines.append(Line(block.number, block.inside, "", below))
        elif piece.breaks and not opens_block:
            indent = block.inside + (0 if piece.kind in ("RPAR", "RSQB") else CONTINUED)
            self._comment(piece.trailing)
            self._above([comment for comment in piece.above if comment], block, indent)
            self._lines.append(Line(block.number, indent, "", [Snippet("", piece.text)]))
        else:
            for comment in (piece.trailing, *piece.above):  # before a brace: behind it
                self._comment(comment)
            self._append(self._stop(last, piece), piece.text, blank(last, piece))

    def _item(self) -> Line:
        """The line that the last item began on."""
        return next(line for line in reversed(self._lines) if line.head)

    def _append(self, stop: str, text: str, blank: str = "") -> None:
        parts = self._lines[-1].parts
        parts[-1].text += blank
        if stop and blank:
            parts.append(Snippet(stop, text))
        else:
            parts[-1].text += text

    def _stop(self, last: Piece, piece: Piece) -> str:
        """The column that begins with this piece, or ""."""
        line = self._lines[-1]
        if self._ends_columns:
            return ""
        if last.opens in HEADS and len(line.parts) == 1 and last.opens == line.head:
            return "" if last.opens == "phase" and piece.kind != "LBRACE" else "head"
        head, stop = COLUMNS.get((piece.rule, piece.kind), ("", ""))
        return stop if line.head == head and all(part.stop != stop for part in line.parts) else ""

    def _comment(self, comment: str) -> None:
        """Behind the code of the last line."""
        if comment:
            line = self._lines[-1]
            line.comment = f"{line.comment}  {comment}".lstrip()

    def _above(self, comments: Sequence[str], block: _Block, indent: int | None = None) -> None:
        """Lines of comments, and of every run of blank lines one."""
        for comment in comments:
            if comment:
                self._lines.append(Line(block.number, block.inside if indent is None else indent, comment=comment))
            elif not self._lines[-1].is_blank:
                self._lines.append(Line(block.number, 0))

    def _drop_blanks(self) -> None:
        while self._lines and self._lines[-1].is_blank:
            self._lines.pop()


def _without_leading_blanks(above: Sequence[str]) -> tuple[str, ...]:
    return tuple(dropwhile(lambda line: not line, above))


def _with_breaks(pieces: Sequence[Piece]) -> set[int]:
    """Where the braces open that have a line break inside, and something to hold."""
    found: set[int] = set()
    opened: list[int] = []
    breaks = [0]
    for piece in pieces:
        breaks.append(breaks[-1] + piece.breaks)
    for i, piece in enumerate(pieces):
        if piece.rule not in BLOCKS:
            continue
        if piece.kind == "LBRACE":
            opened.append(i)
        elif piece.kind == "RBRACE":
            start = opened.pop()
            is_empty = i == start + 1 and not piece.commented
            if breaks[i + 1] > breaks[start + 1] and not is_empty:
                found.add(start)
    return found
