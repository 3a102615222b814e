"""Where a place in a text is, found from its tokens alone: what is being written rarely parses."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from blurc.editor.meanings import PHASES

TOKEN = re.compile(r'#[^\n]*|"[^"\n]*"?|[A-Za-z_]\w*|<-|->|\.\.|[0-9][\w.]*|\S|\n')
BLOCKS = {*PHASES, "repeat", "for"}
UNFINISHED = frozenset("+-*/@^=,([:~<>") | {"<-", "->", ".."}  # a line break after these ends nothing


@dataclass(frozen=True)
class Cursor:
    """
    top: what is around: "genome", "network", "block", or "" in the file itself; `name` is its name.
    block: the innermost phase, "repeat", "for", or "options" of a population; "" if there is none.
    before: the tokens of the item or statement before the place, without the word that is being written.
    calls: the functions whose parentheses are open, outermost first; "[" for a bracket.
    lets: what the phase has named before.
    typed: the word that is being written, from its beginning.
    """

    top: str = ""
    name: str = ""
    block: str = ""
    before: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    lets: tuple[str, ...] = ()
    typed: str = ""
    in_comment: bool = False

    @property
    def last(self) -> str:
        return self.before[-1] if self.before else ""


@dataclass
class _Brace:
    kind: str  # of `Cursor.block` or `Cursor.top`; "index" in `h{i}`
    name: str
    lets: list[str] = field(default_factory=list[str])
    outer: list[str] = field(default_factory=list[str])  # the tokens before it


def cursor(text: str, offset: int) -> Cursor:
    braces: list[_Brace] = []
    brackets: list[str] = []
    item: list[str] = []
    end = 0
    last = ""
    for found in TOKEN.finditer(text, 0, offset):
        last, glued, end = found[0], found.start() == end, found.end()
        if last == "\n":
            if not brackets and not (item and item[-1] in UNFINISHED):
                item = []
        elif last == "{":
            kind = "index" if glued and re.search(r"[\w}]$", text[: found.start()]) else _kind(item)
            braces.append(_Brace(kind, item[1] if len(item) > 1 else "", outer=[*item]))
            item = [*item, "{"] if kind in ("index", "options") else []
        elif last == "}":
            closed = braces.pop() if braces else None
            item = [*closed.outer, "}"] if closed and closed.kind in ("index", "options") else []
        elif last == ";" and (not braces or braces[-1].kind != "options"):
            item = []
        elif last[0] != "#":
            if last in "([":
                brackets.append((item[-1] if item and last == "(" else "") if last == "(" else "[")
            elif last in ")]" and brackets:
                brackets.pop()
            if item[-1:] == ["let"] and braces:
                braces[-1].lets.append(last)
            item.append(last)
    typed = last if end == offset and re.fullmatch(r"\w+", last) and not last[0].isdigit() else ""
    return _cursor(braces, brackets, item[:-1] if typed and item else item, typed, last[:1] == "#" and end == offset)


def _kind(item: list[str]) -> str:
    first = item[0] if item else ""
    return first if first in ("genome", "network", "block") or first in BLOCKS else "options"


def _cursor(braces: list[_Brace], brackets: list[str], item: list[str], typed: str, in_comment: bool) -> Cursor:
    top = next((b for b in braces if b.kind in ("genome", "network", "block")), _Brace("", ""))
    inner = [b for b in braces if b.kind in BLOCKS or b.kind == "options"]
    block = inner[-1] if inner else _Brace("", "")
    lets = tuple(block.lets) if block.kind in PHASES else ()
    return Cursor(top.kind, top.name, block.kind, tuple(item), tuple(brackets), lets, typed, in_comment)
