"""Keeps what can be kept of text that does not parse.

Before:  the tokens of a file with syntax errors
After:   the tokens of a file that parses, and a diagnostic for each mistake

`outline.py` splits the text. Each item and each block header is then parsed separately; if that fails, `slips.py`
explains why. A mistake with an obvious meaning (`=` for `<-`) is repaired; other items are dropped, and their genome,
network or block is marked as damaged. Pieces that parse separately also parse together, because every list in the
grammar is a plain repetition.

An item is parsed again for each mistake in it: quadratic, hence the limit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from blurc.diagnostics import Report, Source
from blurc.language.repair.blocks import Block, BlockKind, Item, brace, opens, top_kind
from blurc.language.repair.characters import unknown_character
from blurc.language.repair.outline import outline
from blurc.language.repair.piece import Failure, Mistake, Start
from blurc.language.repair.slips import explain
from blurc.language.tokens import FOREIGN, TOP, WORDS, Lexeme

Judge = Callable[[Start, Sequence[Lexeme]], Failure | None]

MAX_REPAIRS = 20  # of one item
WRONG_ANYWHERE = FOREIGN - {"DOUBLE_EQUAL"} | {"OTHER_ARROW"}  # `==` may be meant for another sign
NEAR = 3  # tokens: an error this soon after a repair is the same mistake
PART_OF: dict[BlockKind, Start] = {
    "file": "file",
    "genome": "genome_item",
    "repeat": "repeat_item",
    "phase": "statement",
    "network": "network_item",
    "block": "network_item",
    "for": "network_item",
}
FILE = -1  # in the place of an offset


def recover(
    source: Source, lexemes: Sequence[Lexeme], judge: Judge, report: Report
) -> tuple[list[Lexeme], frozenset[int]]:
    """The tokens to keep, and the offsets at which damaged genomes, networks and blocks begin; FILE if something else
    was left out."""
    recovery = Recovery(source, judge, report)
    text = [lexeme for lexeme in lexemes if not recovery.is_comment(lexeme)]
    kept = recovery.parts(outline(source, text, report))
    return kept, frozenset(recovery.damaged)


class Recovery:
    def __init__(self, source: Source, judge: Judge, report: Report) -> None:
        self.damaged: set[int] = set()
        self._source = source
        self._judge = judge
        self._report = report
        self._top = 0  # where the genome or network at hand begins

    def is_comment(self, lexeme: Lexeme) -> bool:
        """Whether it is one by intention; `//` goes on to the end of its line, and spoils nothing."""
        if lexeme.kind == "DOUBLE_SLASH":
            sign = Lexeme("DOUBLE_SLASH", "//", lexeme.start, lexeme.start + 2)
            comment = "# " + lexeme.text[2:].strip()
            self._report.error(
                "E101", "found `//`, which does not start a comment", sign.span(self._source), help=f"write `{comment}`"
            )
        return lexeme.kind == "DOUBLE_SLASH"

    def parts(self, block: Block) -> list[Lexeme]:
        kept: list[Lexeme] = []
        for part in block.parts:
            if block.kind == "file":
                self._top = part.header[0].start if isinstance(part, Block) else FILE
            kept += self._block(part, block.kind) if isinstance(part, Block) else self._item(part, block.kind)
        return kept

    def _item(self, item: Item, inside: BlockKind) -> list[Lexeme]:
        if item.reported:
            self._report_unknown(item.lexemes)
        elif repaired := self._repair(item.lexemes, PART_OF[inside]):
            return repaired
        return self._named(item.lexemes) if inside == "file" else self._drop()

    def _named(self, junk: Sequence[Lexeme]) -> list[Lexeme]:
        """For `model x { ... }` at top level: an empty genome or network `x`, so that references to it resolve."""
        kinds = [lexeme.kind for lexeme in junk]
        if len(junk) < 3 or not WORDS.issuperset(kinds[:2]) or "LBRACE" not in kinds:
            return self._drop()
        self.damaged.add(junk[0].start)
        kind = "network" if "PROJECT" in kinds or "USES" in kinds else "genome"
        end = junk[-1].stop
        return [_keyword(kind, junk[0]), junk[1], brace("LBRACE", end), brace("RBRACE", end)]

    def _block(self, block: Block, inside: BlockKind) -> list[Lexeme]:
        header = self._header(block, inside)
        parts = self.parts(block)
        if block.lenient or not block.closing.text:
            self.damaged.add(self._top)
        return [*header, block.opening, *parts, block.closing] if header else self._drop()

    def _header(self, block: Block, inside: BlockKind) -> list[Lexeme] | None:
        """The repaired header; if it cannot be repaired, just enough to name the block."""
        opening = block.opening
        if block.reported:
            self._report_unknown(block.header)
        else:
            end = brace("RBRACE", opening.stop)
            repaired = self._repair([*block.header, opening, end], PART_OF[inside])
            if repaired and opens(block.kind, repaired[0]):  # `yinput in[8] {` looked like `for` before its repair
                return repaired[:-2]
        self._drop()
        kinds = [lexeme.kind for lexeme in block.header]
        uses = next((i for i, kind in enumerate(kinds) if i > 1 and kind in ("USES", "EXTENDS")), 0)
        plain = [*block.header[:uses], opening, brace("RBRACE", opening.stop)]
        if inside == "file" and uses and self._judge("file", plain) is None:
            return plain[:-2]  # the parameters are fine, so items can still use them
        kind = top_kind(block.header[0])
        if inside == "file" and kind and len(block.header) > 1 and block.header[1].kind in WORDS:
            return [_keyword(kind, block.header[0]), block.header[1]]
        return None

    def _repair(self, lexemes: Sequence[Lexeme], start: Start) -> list[Lexeme] | None:
        """The repaired tokens, or None if they cannot be repaired. Reports each mistake."""
        text, repaired_at = list(lexemes), -NEAR
        for _ in range(MAX_REPAIRS):
            failure = self._judge(start, text)
            if failure is None:
                return text
            wrong = failure.index < len(text) and text[failure.index].kind in WRONG_ANYWHERE
            if failure.index < repaired_at + NEAR and not wrong:
                return None  # the repair did not help
            mistake = explain(self._source, start, text, failure)
            self._tell(mistake)
            if mistake.repair is None:
                # Stray text outside all blocks is one mistake, however long it is.
                if not mistake.whole and (start != "file" or text[0].kind in TOP):
                    self._report_unknown(text[failure.index + 1 :])
                return None
            repaired_at, better = mistake.repair
            text[repaired_at] = better
        return None

    def _report_unknown(self, lexemes: Sequence[Lexeme]) -> None:
        for lexeme in lexemes:
            if lexeme.kind == "UNKNOWN":
                self._tell(unknown_character(self._source, lexeme))

    def _tell(self, mistake: Mistake) -> None:
        self._report.error(mistake.code, mistake.message, mistake.span, help=mistake.help)

    def _drop(self) -> list[Lexeme]:
        self.damaged.add(self._top)
        return []


def _keyword(kind: str, at: Lexeme) -> Lexeme:
    return Lexeme(kind.upper(), kind, at.start, at.stop)
