"""The outline of a text that does not parse: its blocks, the items in them, brackets without a partner.

Every item then stands for itself, so that one mistake spoils one item. The outline needs no correct text.
It goes by brackets, and by `anchors`: beginnings of lines that can only be one thing, such as `readout
act` or `z <- ...`. An anchor where it cannot stand shows that a bracket is missing before it, or one too
many.

Where items are correct it finds them, up to two oddities of layout: a keyword used as a name that begins
a line inside its item, and closing braces that are badly indented in a text with too few of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from blurc.diagnostics import Report, Source, did_you_mean
from blurc.language.tokens import DECLARATIONS, OPENER, PARTNER, PHASES, ROLES, SIGNS, TOP, WORDS, Lexeme

BlockKind = Literal["file", "genome", "repeat", "phase", "network", "block", "for"]
WIRING: tuple[BlockKind, ...] = ("network", "block", "for")  # blocks that hold populations and projections

# After these an item goes on: a name or a value has to follow.
UNFINISHED = frozenset(
    {"COMMA", "EQUAL", "TILDE", "PLUS", "MINUS", "PRODUCT_SIGN", "CARET", "DOT", "ASSIGN", "PROJECT", "RANGE"}
)
MAX_BLOCKS = 100
LONGEST_INDEX = 100  # tokens
INSIDE_PHASE = "a phase holds statements; declarations and phases stand in the genome, side by side"
INSIDE_REPEAT = "a `repeat` holds phases and nothing else; write this in the genome, beside the `repeat`"
TOO_EARLY = "take that `}` out, or move this into the braces"


@dataclass(slots=True)
class Item:
    lexemes: list[Lexeme]
    reported: bool = False  # its brackets are wrong, which has been said


@dataclass(slots=True)
class Block:
    kind: BlockKind
    header: list[Lexeme]  # up to the opening brace
    opening: Lexeme
    closing: Lexeme
    reported: bool = False  # of its header
    lenient: bool = False  # a brace of it has been complained about
    parts: list[Item | Block] = field(default_factory=list["Item | Block"])


def outline(source: Source, lexemes: Sequence[Lexeme], report: Report) -> Block:
    """The file as a block. Reports what is wrong with its brackets (E101) and nothing else."""
    return _Outliner(source, lexemes, report).run()


def top_kind(lexeme: Lexeme) -> Literal["genome", "network", "block"] | None:
    """What a word at the beginning of a block of a file means, if need be misspelt."""
    kinds: tuple[Literal["genome", "network", "block"], ...] = ("genome", "network", "block")
    near = did_you_mean(lexeme.text.lower(), kinds)
    return next((kind for kind in kinds if kind == near), None)


def brace(kind: str, at: int) -> Lexeme:
    """A brace that the text lacks."""
    return Lexeme(kind, "", at, at)


class _Outliner:
    def __init__(self, source: Source, lexemes: Sequence[Lexeme], report: Report) -> None:
        self._source = source
        self._lexemes = lexemes
        self._report = report
        self._end = brace("RBRACE", lexemes[-1].stop if lexemes else 0)
        kinds = [lexeme.kind for lexeme in lexemes]
        self._lacking = kinds.count("LBRACE") - kinds.count("RBRACE")
        self._at = 0
        self._blocks = [Block("file", [], brace("LBRACE", 0), self._end)]
        self._item: list[Lexeme] = []
        self._brackets: list[Lexeme] = []  # open in the item
        self._reported = False  # of the item

    def run(self) -> Block:
        for at, lexeme in enumerate(self._lexemes):
            self._at = at
            if level := self._anchor():
                self._return_to(level, lexeme)
            self._take(lexeme)
        self._unwind(0, None)
        return self._blocks[0]

    # ------------------------------------------------ one token

    def _take(self, lexeme: Lexeme) -> None:
        if lexeme.kind == "RBRACE" and lexeme.first and self._lacking > 0:
            self._believe_indentation(lexeme)
        inside = lexeme.kind == "LBRACE" and self._brackets and self._brackets[-1].kind != "LBRACE"
        if inside and not self._indexes_name():
            self._unclosed(self._brackets[-1], lexeme)  # no expression contains a brace
            self._brackets.clear()
        if self._opens_nothing(lexeme):
            self._say("found a `{` that opens nothing", lexeme, [], "take it out")
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
        """Whether a brace begins an item, which none may, in a text that has too many of them."""
        first = lexeme.kind == "LBRACE" and not self._item and len(self._blocks) > 1
        return first and self._lacking > 0 and self._kind(-2) != "LBRACE"

    def _indexes_name(self) -> bool:
        """Whether a brace indexes a name: `[label = skip{i}`, `[label = skip{i}{j}`, `(x = r{i}.y{j}`.

        Also `residual(h{i}`, which is wrong, but not because of its brace.
        """
        kinds = [lexeme.kind for lexeme in self._item[-2:]]
        before = ("EQUAL", "DOT", "LPAR", "COMMA") if self._in_instance() else ("EQUAL", "DOT")
        return kinds[-1] == "RBRACE" or (kinds[0] in before and kinds[-1] in WORDS)

    def _in_instance(self) -> bool:
        kinds = [lexeme.kind for lexeme in self._item]
        before = kinds[: kinds.index("EQUAL")] if "EQUAL" in kinds else []
        return self._blocks[-1].kind in WIRING and bool(before) and not {"LPAR", "LSQB"} & {*before}

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
            case _:
                if self._lacks_brace():
                    self._open_missing(lexeme)
                elif self._starts_item():
                    self._end_item()
                elif self._starts_options():
                    self._say(f"found `{lexeme.text}`, expected `{{`", lexeme, [], "write `{` before it")
                    self._brackets.append(brace("LBRACE", lexeme.start))
                    self._reported = True
                self._item.append(lexeme)

    # ------------------------------------------------ items

    def _kind(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._lexemes[at].kind if 0 <= at < len(self._lexemes) else "END"

    def _kind_after_brackets(self, opening: str) -> str:
        return self._kind(self._after_brackets(opening))

    def _after_brackets(self, opening: str, start: int = 0) -> int:
        """How far ahead the token after one is, or the token after all brackets of a kind that open there."""
        ahead, depth = start + 1, 0
        while ahead < start + LONGEST_INDEX and (depth or self._kind(ahead) == opening):
            kind = self._kind(ahead)
            depth += (kind in PARTNER) - (kind in OPENER)
            ahead += 1
        return ahead

    def _anchor(self) -> BlockKind | None:
        """The kind of block that surely holds what begins here."""
        here, after, third = self._kind(), self._kind(1), self._kind(2)
        if here not in WORDS | {"LET"} or not self._lexemes[self._at].first:
            return None
        if (here in TOP and after in WORDS and third in ("LPAR", "LBRACE", "USES")) or (
            here == "IMPORT" and after == "STRING"
        ):
            return "file"
        if (here in PHASES and after == "LBRACE") or (here in DECLARATIONS and after in WORDS):
            return "genome"
        if here == "REPEAT" and after in WORDS | {"NUMBER"}:
            return "genome"
        if here == "LET" or self._kind_after_brackets("LSQB") == "ASSIGN":
            return "phase"
        if (here in ROLES or (here == "FOR" and third == "IN")) and after in WORDS:
            return "network"
        return "network" if self._starts_projection() else None

    def _starts_item(self) -> bool:
        """Whether the token, outside all brackets, begins another item of the block."""
        if not self._item:
            return False
        here, first, last = self._lexemes[self._at], self._item[0], self._item[-1]
        if last.kind in UNFINISHED:
            instance = self._blocks[-1].kind in WIRING and here.first and self._starts_instance()
            return instance or self._anchor() is not None
        match self._blocks[-1].kind:
            case "phase":
                return self._starts_statement()
            case "genome" | "repeat":
                starts = DECLARATIONS | PHASES | {"REPEAT"}
                unnamed = len(self._item) == 1 and first.kind in starts
                new = here.kind in starts or (here.kind == "NAME" and here.first)
                return new and not unnamed and last.kind != "PER"
            case "network" | "block" | "for":
                return here.kind in WORDS and self._starts_wiring(first)
            case "file":
                unnamed = (len(self._item) == 1 and first.kind in TOP) or last.kind == "USES"
                return here.kind in TOP | {"IMPORT"} and not unnamed

    def _starts_statement(self) -> bool:
        if self._kind() == "LET":
            return True
        if self._kind() not in WORDS:
            return False
        after = self._kind_after_brackets("LSQB")
        if after == "DOT" and self._kind(3) == "ASSIGN":
            return True  # `pre.x <- ...`, which nothing but a statement can mean
        if after in ("EQUAL", "DOUBLE_EQUAL", "CHANGE", "PROJECT", "OTHER_ARROW"):
            # `=` for `<-` is a common slip; but after one word the word is `let`, or would be.
            return len(self._item) > 1
        return after == "ASSIGN" and self._item[-1].kind != "LET"

    def _starts_wiring(self, first: Lexeme) -> bool:
        if first.kind == "FOR" and self._item[-1] is not first:
            return self._anchor() is not None or self._starts_instance()
        if len(self._item) == 1 and first.kind in ROLES | {"FOR"}:
            return False
        here, after = self._lexemes[self._at], self._kind(1)
        if here.first or self._starts_projection() or self._starts_instance():
            return True
        return here.kind in ROLES | {"FOR"} and after in WORDS

    def _starts_projection(self) -> bool:
        """Whether `a ->`, `a{i} ->` or `r{i}.y ->` begins here."""
        at = self._after_brackets("LBRACE")
        if self._kind(at) == "DOT":
            at = self._after_brackets("LBRACE", at + 1)
        return self._kind(at) == "PROJECT"

    def _starts_instance(self) -> bool:
        """Whether `r = residual(` begins here, or `r{i} = residual(`."""
        at = self._after_brackets("LBRACE")
        return [self._kind(at), self._kind(at + 2)] == ["EQUAL", "LPAR"] and self._kind(at + 1) in WORDS

    def _end_item(self) -> None:
        if self._item:
            self._blocks[-1].parts.append(Item(self._item, self._reported))
        self._item, self._reported = [], False
        self._brackets.clear()

    # ------------------------------------------------ blocks

    def _opens_block(self) -> BlockKind | None:
        """The kind of block that a brace opens after the item so far."""
        if self._brackets or not self._item or len(self._blocks) > MAX_BLOCKS:
            return None
        first = self._item[0]
        match self._blocks[-1].kind:
            case "file":
                return top_kind(first)
            case "genome" | "repeat":
                alone = len(self._item) == 1 and first.kind in WORDS - DECLARATIONS
                repeats = first.kind == "NAME" and self._opens_phases()  # misspelt
                if first.kind == "REPEAT" or repeats:
                    return "repeat" if self._blocks[-1].kind == "genome" or self._reported else None
                return "phase" if alone or first.kind in PHASES else None
            case "network" | "block" | "for":
                loops = any(lexeme.kind in ("RANGE", "IN") for lexeme in self._item[1:])
                return "for" if loops and first.kind in WORDS else None
            case "phase":  # a phase has none, but somebody may think so
                if self._reported and first.kind in PHASES | {"REPEAT"}:
                    return "repeat" if self._opens_phases() else "phase"
                return None

    def _opens_phases(self) -> bool:
        """Whether a phase begins after the brace at hand."""
        return self._kind(1) in PHASES and self._kind(2) == "LBRACE"

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
                return  # the end of what stands outside everything, which is complained about
            notes = (
                [f"{_title(last)} was closed {self._place(last.closing)}"] if isinstance(last, Block) else []
            )
            self._say("found a `}` that closes nothing", closing, notes, "take it out")
            return
        self._blocks.pop().closing = closing

    def _lacks_brace(self) -> bool:
        """Whether what belongs into a block follows the header of a phase or a `for`."""
        if not self._item:
            return False
        match self._blocks[-1].kind:
            case "genome" | "repeat":
                if self._item[0].kind == "REPEAT":
                    return len(self._item) > 1 and self._kind() in PHASES and self._kind(1) == "LBRACE"
                statement = self._kind() == "LET" or self._kind_after_brackets("LSQB") == "ASSIGN"
                return statement and self._item[0].kind in PHASES
            case "network" | "block" | "for":
                return self._item[0].kind == "FOR" and self._opens_block() == "for" and self._starts_item()
            case _:
                return False

    def _starts_options(self) -> bool:
        """Whether `phi = linear` follows a population without its brace."""
        wiring = self._blocks[-1].kind in WIRING and self._kind(1) == "EQUAL"
        return wiring and bool(self._item) and self._item[0].kind in ROLES and self._item[-1].kind == "RSQB"

    def _open_missing(self, found: Lexeme) -> None:
        self._say(f"found `{found.text}`, expected `{{`", found, [], "write `{` before it")
        self._open_block(brace("LBRACE", found.start))
        self._blocks[-1].lenient = True

    # ------------------------------------------------ where brackets are wrong

    def _return_to(self, level: BlockKind, found: Lexeme) -> None:
        """An item of that kind of block begins: ends all that it cannot be part of."""
        levels = self._levels(level, found)
        target = max((i for i, block in enumerate(self._blocks) if block.kind in levels), default=None)
        if target is None:
            if not self._brackets:
                self._return_outside(level, levels, found)
        elif level == "genome" and self._inside_other(target):
            self._end_item()
            self._reported = True
            help = INSIDE_PHASE if self._blocks[-1].kind == "phase" else INSIDE_REPEAT
            self._say(f"found `{found.text}` inside {_title(self._blocks[-1])}", found, [], help)
        elif self._brackets or target < len(self._blocks) - 1:
            self._unwind(target, found)

    def _levels(self, level: BlockKind, found: Lexeme) -> tuple[BlockKind, ...]:
        """The kinds of blocks that may hold what begins here."""
        if level == "genome":
            return ("genome", "repeat") if found.kind in PHASES else ("genome",)
        return WIRING if level == "network" else (level,)

    def _inside_other(self, target: int) -> bool:
        """Whether something of the genome was written into a phase or a `repeat`: no brace is missing."""
        inside = target < len(self._blocks) - 1 and not self._blocks[-1].lenient
        return inside and not self._brackets and self._lacking <= 0

    def _return_outside(self, level: BlockKind, levels: tuple[BlockKind, ...], found: Lexeme) -> None:
        """The item has no block: its brace is missing, or a brace before has closed it too early."""
        block = self._blocks[-1]
        if block.kind == "file" and self._item and self._opens_block() in levels:
            self._open_missing(found)
            return
        last = block.parts[-1] if block.parts and not self._item else None
        if isinstance(last, Block) and last.kind in levels:
            note = f"{_title(last)} was closed {self._place(last.closing)}"
            self._say(f"found `{found.text}` outside {_article(level)}", found, [note], TOO_EARLY)
            last.lenient = True
            self._blocks.append(last)

    def _believe_indentation(self, closing: Lexeme) -> None:
        """Where braces are missing, one that stands further left than a block does not close that block."""
        column = self._source.position(closing.start)[1]
        inner = [lexeme for lexeme in self._brackets if lexeme.kind == "LBRACE"]
        target = len(self._blocks) - 1
        while target > 0 and self._indent(self._blocks[target].opening) > column:
            target -= 1
        if target < len(self._blocks) - 1 or (inner and self._indent(inner[-1]) > column):
            self._unwind(target, closing)

    def _indent(self, lexeme: Lexeme) -> int:
        """The column at which the line of a token begins."""
        line = self._source.line(self._source.position(lexeme.start)[0])
        return len(line) - len(line.lstrip()) + 1

    def _unwind(self, target: int, found: Lexeme | None) -> None:
        """Ends the item and the blocks inside the target; each bracket of theirs was never closed."""
        if self._brackets:
            self._unclosed(self._brackets[-1], found)
        self._end_item()
        while len(self._blocks) - 1 > target:
            block = self._blocks.pop()
            block.closing = brace("RBRACE", found.start if found else self._end.start)
            if not block.lenient:
                self._missing(block.opening, found, f"the `{{` of {_title(block)}")

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
            self._say(message, closing, [], f"take it out, or write the `{opening}` that it closes")
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
        self._say(
            f"found {text}, expected `{expected}`",
            found or self._end,
            [note],
            f"write `{expected}` before it",
        )

    def _place(self, lexeme: Lexeme) -> str:
        line, column = self._source.position(lexeme.start)
        return f"on line {line}, column {column}"

    def _say(self, message: str, at: Lexeme, notes: Sequence[str], help: str | None) -> None:
        self._report.error("E101", message, at.span(self._source), notes=notes, help=help)


def _title(block: Block) -> str:
    words = block.header[:1] if block.kind == "phase" else block.header[:2]
    return f"`{' '.join(lexeme.text for lexeme in words)}`"


def _article(level: BlockKind) -> str:
    return {"genome": "a genome", "network": "a network or block", "phase": "a phase"}.get(level, level)
