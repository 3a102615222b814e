"""The parser. Lark takes 0.2 s to build its tables from `blur.lark`, so `blur.tables.json` next to it has them ready;
`python -m blurc.language.tables` writes that file.

The tables are valid only for the grammar and lark version that the file names. If either differs or there is no file,
the parser is built from the grammar.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import lark
from lark.grammar import Rule
from lark.lark import PostLex
from lark.lexer import TerminalDef, Token

from blurc.language.packaged import grammar_path
from blurc.language.repair.piece import Start
from blurc.language.tokens import FOREIGN

STARTS: tuple[Start, ...] = ("file", "genome_item", "repeat_item", "statement", "network_item")

SHIFT = 0  # lark's code for it
WIDEST = 2**16

Lark: Any = lark.Lark  # only partially typed


class _KeepForeign(PostLex):
    """Keeps the terminals that no rule mentions; lark would drop them."""

    always_accept = FOREIGN

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        return stream


@cache
def blur_parser() -> Any:
    """Uses the basic lexer, not the contextual one: recovery needs tokens that do not depend on the parser's state."""
    grammar = grammar_path().read_text(encoding="utf-8")
    return _ready(grammar) or built(grammar)


def _ready(grammar: str) -> Any:
    try:
        found = json.loads(tables_path().read_bytes())
    except (OSError, ValueError):
        return None
    if (found["lark"], found["grammar"]) != (lark.__version__, grammar):
        return None
    table = found["data"]["parser"]["parser"]
    table["states"] = _by_number(table["states"])
    return Lark._load_from_dict(found["data"], _by_number(found["memo"]), postlex=_KeepForeign())


def _by_number(items: list[Any]) -> dict[int, Any]:
    """Lark keeps these as dicts by number."""
    return dict(enumerate(items))


def built(grammar: str) -> Any:
    return Lark(
        grammar,
        parser="lalr",
        lexer="basic",
        start=list(STARTS),
        keep_all_tokens=True,  # for exact spans
        maybe_placeholders=False,
        postlex=_KeepForeign(),
    )


def written() -> str:
    """The tables as JSON."""
    grammar = grammar_path().read_text(encoding="utf-8")
    data, memo = built(grammar).memo_serialize([TerminalDef, Rule])
    data["options"]["postlex"] = None  # passed again on loading
    data["parser"]["parser"] = _in_order(data["parser"]["parser"])
    tables = {"lark": lark.__version__, "grammar": grammar, "data": data, "memo": [*map(_in_any_python, memo.values())]}
    return json.dumps(tables, separators=(",", ":")) + "\n"


def _in_any_python(entry: dict[str, Any]) -> dict[str, Any]:
    """An unbounded pattern has the largest width that this Python's `re` knows, which varies: cap it."""
    pattern = entry.get("pattern", {})
    if "_width" in pattern:
        pattern["_width"] = [min(width, WIDEST) for width in pattern["_width"]]
    return entry


def _in_order(table: dict[str, Any]) -> dict[str, Any]:
    """Lark's numbering of tokens and states depends on the order of Python's sets. Here tokens go by name, and states
    are numbered in the order they are reached from the starts."""
    tokens, starts, ends = table["tokens"], table["start_states"], table["end_states"]
    states = {
        state: {tokens[token]: action for token, action in sorted(row.items(), key=lambda i: tokens[i[0]])}
        for state, row in table["states"].items()
    }
    found = [starts[start] for start in STARTS]
    for state in found:
        found += [to for kind, to in states[state].values() if kind == SHIFT and to not in found]
    number = {state: i for i, state in enumerate(found)}
    rows = (
        {token: (kind, number[to] if kind == SHIFT else to) for token, (kind, to) in states[s].items()} for s in found
    )
    return {
        "tokens": {token: token for token in sorted(tokens.values())},
        "states": list(rows),
        "start_states": {start: number[starts[start]] for start in STARTS},
        "end_states": {start: number[ends[start]] for start in STARTS},
    }


def tables_path() -> Path:
    return grammar_path().with_name("blur.tables.json")


if __name__ == "__main__":
    tables_path().write_text(written(), encoding="utf-8")
