"""Source text -> syntax tree.

Correct text is parsed once. Otherwise `recover.py` decides what can be kept, using `_failure` to test pieces of text,
and the parser builds a tree from that.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from lark import Token, Tree, UnexpectedToken

from blurc.diagnostics import Report, Source, Span
from blurc.language import syntax
from blurc.language.repair.piece import Failure, Start
from blurc.language.repair.recover import FILE, recover
from blurc.language.tables import blur_parser
from blurc.language.tokens import Lexeme
from blurc.language.tree import TreeBuilder, start_of, stop_of

MAX_DEPTH = 100  # of a declaration's tree, which later stages walk recursively
MOST_BRACKETS = 2 * MAX_DEPTH  # one in the other
MOST_TOKENS = 2**16  # of a spec with all that it imports: 1.5 s of a processor
LONGEST = 1000  # characters of a token
OPENING, CLOSING = frozenset("([{"), frozenset(")]}")

SPLIT = "split it up; in a phase, name parts with `let`"

Declaration = TypeVar("Declaration", syntax.Genome, syntax.Network, syntax.Block)
AnyNode = TypeVar("AnyNode", bound=syntax.Node)


@dataclass
class Left:
    """How many tokens the files of a spec may still have."""

    tokens: int = MOST_TOKENS


class Read(NamedTuple):
    """A text, and what it was made into.

    tokens: of the whole text.
    grammar: the tokens by the rules of the grammar, if it allows all of them.
    """

    file: syntax.File
    tokens: Sequence[Token]
    grammar: Tree[Token] | None


def parse(source: Source, report: Report, left: Left | None = None) -> syntax.File:
    """The tree of a text. Broken parts are left out, and their genome, network or block is marked as damaged."""
    return read(source, report, left).file


def read(source: Source, report: Report, left: Left | None = None) -> Read:
    """`parse`, with the tokens that the tree was made of."""
    left = left or Left()
    tokens = tokens_of(source.text, left.tokens)
    too_much = _has_too_much(tokens, left.tokens, source, report)
    left.tokens -= min(left.tokens, len(tokens))
    if too_much:
        return Read(syntax.File((), (), (), damaged=True, span=Span(source, 0, 0)), tokens, None)
    tree = _feed("file", tokens)
    return Read(_file(source, tokens, tree, report), tokens, tree if isinstance(tree, Tree) else None)


def _file(source: Source, tokens: Sequence[Token], tree: Tree[Token] | int, report: Report) -> syntax.File:
    damaged = frozenset[int]()
    file = TreeBuilder(source).transform(tree) if isinstance(tree, Tree) else None
    if file is None or _stray_words(file):
        kept, damaged = recover(source, _lexemes(source.text, tokens), _failure, report)
        rest = _feed("file", [_token(lexeme) for lexeme in kept])
        assert isinstance(rest, Tree), "recovery keeps only text that parses"
        file = TreeBuilder(source).transform(rest)
    return dataclasses.replace(
        file,
        genomes=tuple(_finish(genome, damaged, report) for genome in file.genomes),
        networks=tuple(_finish(network, damaged, report) for network in file.networks),
        blocks=tuple(_finish(block, damaged, report) for block in file.blocks),
        functions=_shallow(file.functions, report),
        damaged=FILE in damaged,
    )


def _stray_words(file: syntax.File) -> bool:
    """Whether a name of a phase stands behind something else on its line, such as a misspelt keyword."""
    items = [item for genome in file.genomes for item in genome.items]
    items += [run for item in items if isinstance(item, syntax.Repeat) for run in item.phases]
    return any(isinstance(item, syntax.Again) and not _begins(item.span) for item in items)


def _begins(at: Span) -> bool:
    before = at.source.text[: at.start].rstrip(" \t")
    return before[-1:] in ("", "\n", "\r", "{", "}", ";")


def _at_start(start: Start, text: str = "") -> Any:
    """lark's InteractiveParser."""
    return blur_parser().parse_interactive(text, start=start)


def tokens_of(text: str, most: int = MOST_TOKENS) -> list[Token]:
    parser = _at_start("file", text)
    tokens: list[Token] = list(islice(parser.lexer_thread.lex(parser.parser_state), most + 1))
    return [token.update(type="MALFORMED_NUMBER") if _too_large(token) else token for token in tokens]


def _has_too_much(tokens: Sequence[Token], most: int, source: Source, report: Report) -> bool:
    """What is looked at before a parser pays for it."""
    depth = 0
    for count, token in enumerate(tokens, 1):
        depth += (token in OPENING) - (token in CLOSING)
        if count > most:
            message = f"found more than {MOST_TOKENS:,} names, numbers and signs in a spec and what it imports"
            help = "write what is repeated as a loop or a block, and import only what is needed"
        elif len(token) > LONGEST:
            message = f"found a name, a number or a text of {len(token):,} characters, at most {LONGEST:,}"
            help = "write it shorter"
        elif depth > MOST_BRACKETS:
            message, help = f"found brackets more than {MOST_BRACKETS} levels deep", SPLIT
        else:
            continue
        report.error("E101", message, Span(source, start_of(token), start_of(token) + 1), help=help)
        return True
    return False


def _too_large(token: Token) -> bool:
    return token.type == "NUMBER" and math.isinf(float(token))


def _feed(start: Start, tokens: Iterable[Token]) -> Tree[Token] | int:
    """The tree, or the index of the first unexpected token."""
    parser = _at_start(start)
    index = 0
    try:
        for token in tokens:
            parser.feed_token(token)
            index += 1
        return parser.feed_eof()
    except UnexpectedToken:
        return index


def _failure(start: Start, lexemes: Sequence[Lexeme]) -> Failure | None:
    """Where a piece of text fails to parse, and the kinds of tokens expected there."""
    tokens = [_token(lexeme) for lexeme in lexemes]
    index = _feed(start, tokens)
    if not isinstance(index, int):
        return None
    # The failed parser has already reduced because of the bad token, so ask a fresh one.
    parser = _at_start(start)
    for token in tokens[:index]:
        parser.feed_token(token)
    return Failure(index, frozenset(parser.accepts()))


def _token(lexeme: Lexeme) -> Token:
    return Token(lexeme.kind, lexeme.text, start_pos=lexeme.start, end_pos=lexeme.stop)


def _lexemes(text: str, tokens: Sequence[Token]) -> list[Lexeme]:
    lexemes: list[Lexeme] = []
    before = 0
    for token in tokens:
        start, stop = start_of(token), stop_of(token)
        first = not lexemes or "\n" in text[before:start]
        glued = start == before and lexemes and lexemes[-1].text + str(token) in (":=", "=>")
        if glued or str(token) in ("←", "→"):
            at = lexemes.pop() if glued else Lexeme("", "", start, stop, first)
            lexemes.append(Lexeme("OTHER_ARROW", at.text + str(token), at.start, stop, at.first))
        elif token.type == "UNKNOWN" and start == before and lexemes and lexemes[-1].kind == "UNKNOWN":
            last = lexemes.pop()  # strange characters in a row are one mistake
            lexemes.append(dataclasses.replace(last, text=last.text + str(token), stop=stop))
        else:
            lexemes.append(Lexeme(token.type, str(token), start, stop, first))
        before = stop
    return lexemes


def _finish(node: Declaration, damaged: frozenset[int], report: Report) -> Declaration:
    """Marks damage, and drops parts that are nested too deeply for later stages."""
    flat = dataclasses.replace(node, params=_shallow(node.params, report), items=_shallow(node.items, report))
    if isinstance(flat, syntax.Network) and flat.uses and not _shallow((flat.uses,), report):
        flat = dataclasses.replace(flat, uses=None)
    if node.span.start in damaged or _size(flat) < _size(node):
        flat = dataclasses.replace(flat, damaged=True)
    return flat


def _size(node: syntax.Genome | syntax.Network | syntax.Block) -> int:
    uses = isinstance(node, syntax.Network) and node.uses is not None
    return len(node.params) + len(node.items) + uses


def _shallow(parts: tuple[AnyNode, ...], report: Report) -> tuple[AnyNode, ...]:
    kept: list[AnyNode] = []
    for part in parts:
        if deep := _too_deep(part):
            message = f"found nesting more than {MAX_DEPTH} levels deep"
            report.error("E101", message, deep, help=SPLIT)
        else:
            kept.append(part)
    return tuple(kept)


def _too_deep(part: syntax.Node) -> Span | None:
    """The first place deeper than `MAX_DEPTH`."""
    level, depth = [part], 1
    while level and depth <= MAX_DEPTH:
        level, depth = [child for node in level for child in syntax.children(node)], depth + 1
    return level[0].span if level else None
