"""The outline of text that does not parse: its blocks, their items, and unmatched brackets.

Items are then handled separately, so one mistake spoils only one item. The outline works on broken text: it follows
brackets and `anchors`, line starts that can only mean one thing, such as `readout act` or `z <- ...`. An anchor in the
wrong place means that there is a bracket missing before it, or one too many.

Correct items are always found, with two exceptions: a keyword used as a name at the start of a line inside its item,
and badly indented closing braces if some are missing.
"""

from __future__ import annotations

from collections.abc import Sequence

from blurc.diagnostics import Report, Source
from blurc.language.repair.beginnings import Beginnings, indexes_name
from blurc.language.repair.blocks import WIRING, Block, BlockKind, Item, brace
from blurc.language.tokens import OPENER, PARTNER, PHASES, SIGNS, Lexeme

MAX_BLOCKS = 100
INSIDE_PHASE = "a phase contains only statements; declarations and phases go side by side in the genome"
INSIDE_REPEAT = "a `repeat` contains only phases; write this in the genome, next to the `repeat`"
TOO_EARLY = "remove that `}`, or move this inside the braces"


def outline(source: Source, lexemes: Sequence[Lexeme], report: Report) -> Block:
    """The file as a block. Reports only bracket errors (E101)."""
    return Outliner(source, lexemes, report).run()


class Outliner:
    def __init__(self, source: Source, lexemes: Sequence[Lexeme], report: Report) -> None:
        self._source = source
        self._lexemes = lexemes
        self._report = report
        self._end = brace("RBRACE", lexemes[-1].stop if lexemes else 0)
        kinds = [lexeme.kind for lexeme in lexemes]
        self._lacking = kinds.count("LBRACE") - kinds.count("RBRACE")
        self._here = Beginnings(lexemes)
        self._blocks = [Block("file", [], brace("LBRACE", 0), self._end)]
        self._item: list[Lexeme] = []
        self._brackets: list[Lexeme] = []  # open in the item
        self._reported = False  # of the item

    def run(self) -> Block:
        for at, lexeme in enumerate(self._lexemes):
            self._here.at = at
            if level := self._here.anchor():
                self._return_to(level, lexeme)
            self._take(lexeme)
        self._unwind(0, None)
        return self._blocks[0]

    # ------------------------------------------------ one token

    def _take(self, lexeme: Lexeme) -> None:
        if lexeme.kind == "RBRACE" and lexeme.first and self._lacking > 0:
            self._believe_indentation(lexeme)
        inside = lexeme.kind == "LBRACE" and self._brackets and self._brackets[-1].kind != "LBRACE"
        if inside and not indexes_name(self._blocks[-1].kind, self._item):
            self._unclosed(self._brackets[-1], lexeme)  # no expression contains a brace
            self._brackets.clear()
        if self._opens_nothing(lexeme):
            self._say("found a `{` that opens nothing", lexeme, [], "remove it")
            self._lacking -= 1
        elif self._brackets and lexeme.kind in OPENER:
            self._close_bracket(lexeme)
        elif lexeme.kind in ("LPAR", "LSQB") or (lexeme.kind == "LBRACE" and not self._opens_block()):
            self._brackets.append(lexeme)
            self._item.append(lexeme)
        elif self._brackets:
            self._item.append(lexeme)
        else:
            self._take_outside(lexeme)

    def _opens_nothing(self, lexeme: Lexeme) -> bool:
        """Whether a brace starts an item, which is never valid, in text with too many of them."""
        first = lexeme.kind == "LBRACE" and not self._item and len(self._blocks) > 1
        return first and self._lacking > 0 and self._here.kind(-2) != "LBRACE"

    def _take_outside(self, lexeme: Lexeme) -> None:
        match lexeme.kind:
            case "LBRACE":
                self._open_block(lexeme)
            case "RBRACE":
                self._close_block(lexeme)
            case "RPAR" | "RSQB":
                self._stray(lexeme)
            case "SEMICOLON":
                self._end_item()
            case "COLON" if self._opens_block() == "phase":
                help = f"a phase has braces: `{self._item[0].text} {{ ... }}`"
                self._say("found `:`, expected `{`", lexeme, [], help)
                self._open_block(brace("LBRACE", lexeme.stop))
                self._blocks[-1].lenient = True
                self._lacking += 1
            case _:
                block = self._blocks[-1].kind
                if self._opens_block() and self._here.body_without_brace(block, self._item):
                    self._open_missing(lexeme)
                elif self._here.another_item(block, self._item):
                    self._end_item()
                elif self._here.options_without_brace(block, self._item):
                    self._say(f"found `{lexeme.text}`, expected `{{`", lexeme, [], "write `{` before it")
                    self._brackets.append(brace("LBRACE", lexeme.start))
                    self._reported = True
                self._item.append(lexeme)

    def _end_item(self) -> None:
        if self._item:
            self._blocks[-1].parts.append(Item(self._item, self._reported))
        self._item, self._reported = [], False
        self._brackets.clear()

    # ------------------------------------------------ blocks

    def _may_nest(self) -> bool:
        return len(self._blocks) <= MAX_BLOCKS

    def _opens_block(self) -> BlockKind | None:
        """The kind of block that a brace would open after the current item."""
        if self._brackets or not self._may_nest():
            return None
        return self._here.body(self._blocks[-1].kind, self._item, self._reported)

    def _open_block(self, opening: Lexeme) -> None:
        kind = self._opens_block()
        assert kind is not None, "_take asks the same question"
        block = Block(kind, self._item, opening, self._end, self._reported)
        self._item, self._reported = [], False
        self._blocks[-1].parts.append(block)
        self._blocks.append(block)

    def _close_block(self, closing: Lexeme) -> None:
        self._end_item()
        if len(self._blocks) == 1:
            last = self._blocks[0].parts[-1] if self._blocks[0].parts else None
            if isinstance(last, Item) and last.lexemes[0].kind != "IMPORT":
                return  # the end of stray text outside all blocks, which is reported anyway
            notes = [f"{last.title} was closed {self._place(last.closing)}"] if isinstance(last, Block) else []
            self._say("found a `}` that closes nothing", closing, notes, "remove it")
            return
        self._blocks.pop().closing = closing

    def _open_missing(self, found: Lexeme) -> None:
        self._say(f"found `{found.text}`, expected `{{`", found, [], "write `{` before it")
        self._open_block(brace("LBRACE", found.start))
        self._blocks[-1].lenient = True

    # ------------------------------------------------ where brackets are wrong

    def _return_to(self, level: BlockKind, found: Lexeme) -> None:
        """An item for that kind of block starts here: ends every block that cannot contain it."""
        levels = self._levels(level, found)
        target = max((i for i, block in enumerate(self._blocks) if block.kind in levels), default=None)
        if target is None:
            if not self._brackets:
                self._return_outside(level, levels, found)
        elif level == "genome" and self._inside_other(target):
            self._end_item()
            self._reported = True
            help = INSIDE_PHASE if self._blocks[-1].kind == "phase" else INSIDE_REPEAT
            self._say(f"found `{found.text}` inside {self._blocks[-1].title}", found, [], help)
        elif self._brackets or target < len(self._blocks) - 1:
            self._unwind(target, found)

    def _levels(self, level: BlockKind, found: Lexeme) -> tuple[BlockKind, ...]:
        """The kinds of blocks that may contain what starts here."""
        if level == "genome":
            return ("genome", "repeat") if found.kind in PHASES else ("genome",)
        return WIRING if level == "network" else (level,)

    def _inside_other(self, target: int) -> bool:
        """Whether a genome item was written inside a phase or `repeat`, with no brace missing."""
        inside = target < len(self._blocks) - 1 and not self._blocks[-1].lenient
        return inside and not self._brackets and self._lacking <= 0

    def _return_outside(self, level: BlockKind, levels: tuple[BlockKind, ...], found: Lexeme) -> None:
        """The item has no block: its opening brace is missing, or the block was closed too early."""
        block = self._blocks[-1]
        if block.kind == "file" and self._item and self._opens_block() in levels:
            self._open_missing(found)
            return
        last = block.parts[-1] if block.parts and not self._item else None
        if isinstance(last, Block) and last.kind in levels:
            note = f"{last.title} was closed {self._place(last.closing)}"
            self._say(f"found `{found.text}` outside {_article(level)}", found, [note], TOO_EARLY)
            last.lenient = True
            self._blocks.append(last)

    def _believe_indentation(self, closing: Lexeme) -> None:
        """If braces are missing, one that is further left than a block does not close that block."""
        column = self._source.position(closing.start)[1]
        inner = [lexeme for lexeme in self._brackets if lexeme.kind == "LBRACE"]
        target = len(self._blocks) - 1
        while target > 0 and self._indent(self._blocks[target].opening) > column:
            target -= 1
        if target < len(self._blocks) - 1 or (inner and self._indent(inner[-1]) > column):
            self._unwind(target, closing)

    def _indent(self, lexeme: Lexeme) -> int:
        """The column where a token's line starts."""
        line = self._source.line(self._source.position(lexeme.start)[0])
        return len(line) - len(line.lstrip()) + 1

    def _unwind(self, target: int, found: Lexeme | None) -> None:
        """Ends the item and the blocks inside the target, reporting their unclosed brackets."""
        if self._brackets:
            self._unclosed(self._brackets[-1], found)
        self._end_item()
        while len(self._blocks) - 1 > target:
            block = self._blocks.pop()
            block.closing = brace("RBRACE", found.start if found else self._end.start)
            if not block.lenient:
                self._missing(block.opening, found, f"the `{{` of {block.title}")

    def _close_bracket(self, closing: Lexeme) -> None:
        top, opener = self._brackets[-1], OPENER[closing.kind]
        if top.kind != opener:
            if all(bracket.kind != opener for bracket in self._brackets):
                self._unclosed(top, closing)
                if closing.kind == "RBRACE" and self._lacking < 0:
                    self._lacking += 1  # one too many, so this is the one
                    self._item.append(closing)
                    return
                if closing.kind == "RBRACE":
                    self._end_item()
                    self._close_block(closing)
                    return
                self._brackets[-1] = closing  # the wrong sign, in the right place
            else:
                self._unclosed(top, closing)
                while self._brackets[-1].kind != opener:
                    self._brackets.pop()
        self._brackets.pop()
        self._item.append(closing)

    def _stray(self, closing: Lexeme) -> None:
        if not self._reported:
            opening = SIGNS[OPENER[closing.kind]]
            message = f"found a `{closing.text}` that closes nothing"
            self._say(message, closing, [], f"remove it, or write the `{opening}` that it closes")
        self._item.append(closing)
        self._reported = True

    def _unclosed(self, opening: Lexeme, found: Lexeme | None) -> None:
        if not self._reported:
            self._missing(opening, found, f"the `{opening.text}`")
        self._reported = True

    def _missing(self, opening: Lexeme, found: Lexeme | None, what: str) -> None:
        self._lacking -= opening.kind == "LBRACE"
        expected = SIGNS[PARTNER[opening.kind]]
        text = f"`{found.text}`" if found else "the end of the file"
        if found and found.text == expected:
            text = f"the `{expected}` of an outer block"
        note = f"{what} {self._place(opening)} is never closed"
        self._say(f"found {text}, expected `{expected}`", found or self._end, [note], f"write `{expected}` before it")

    def _place(self, lexeme: Lexeme) -> str:
        line, column = self._source.position(lexeme.start)
        return f"on line {line}, column {column}"

    def _say(self, message: str, at: Lexeme, notes: Sequence[str], help: str | None) -> None:
        self._report.error("E101", message, at.span(self._source), notes=notes, help=help)


def _article(level: BlockKind) -> str:
    return {"genome": "a genome", "network": "a network or block", "phase": "a phase"}.get(level, level)
