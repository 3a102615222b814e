"""What starts at a token of possibly broken text: an item, the body of a block, or nothing."""

from __future__ import annotations

from collections.abc import Sequence

from blurc.language.repair.blocks import WIRING, BlockKind, top_kind
from blurc.language.tokens import DECLARATIONS, OPENER, OPERATORS, PARTNER, PHASES, ROLES, TOP, WORDS, Lexeme

# An item continues after these: a name or value must follow.
UNFINISHED = OPERATORS | {"COMMA", "EQUAL", "TILDE", "DOT", "ASSIGN", "PROJECT", "RANGE"}
LONGEST_INDEX = 100  # tokens

Item = Sequence[Lexeme]


class Beginnings:
    """Questions about the token at `at`, given the kind of block and the item so far where needed."""

    def __init__(self, lexemes: Sequence[Lexeme]) -> None:
        self.at = 0
        self._lexemes = lexemes

    def kind(self, ahead: int = 0) -> str:
        at = self.at + ahead
        return self._lexemes[at].kind if 0 <= at < len(self._lexemes) else "END"

    def _kind_after_brackets(self, opening: str) -> str:
        return self.kind(self._after_brackets(opening))

    def _after_brackets(self, opening: str, start: int = 0) -> int:
        """How far ahead the next token is, skipping all brackets of the given kind."""
        ahead, depth = start + 1, 0
        while ahead < start + LONGEST_INDEX and (depth or self.kind(ahead) == opening):
            kind = self.kind(ahead)
            depth += (kind in PARTNER) - (kind in OPENER)
            ahead += 1
        return ahead

    def anchor(self) -> BlockKind | None:
        """The only kind of block that can contain what starts here, if certain."""
        here, after, third = self.kind(), self.kind(1), self.kind(2)
        if here not in WORDS | {"LET"} or not self._lexemes[self.at].first:
            return None
        if (here in TOP and after in WORDS and third in ("LPAR", "LBRACE", "USES", "EXTENDS")) or (
            here == "IMPORT" and after == "STRING"
        ):
            return "file"
        if here == "FN" and third == "LPAR":
            return None  # a function may also stand in the file
        if (here in PHASES and self._heads_phase()) or (here in DECLARATIONS and after in WORDS):
            return "genome"
        if here == "REPEAT" and after in WORDS | {"NUMBER"}:
            return "genome"
        if self._equation():
            return "phase"
        if (here in ROLES or (here == "FOR" and third == "IN")) and after in WORDS:
            return "network"
        return "network" if self._projection() else None

    def _equation(self) -> bool:
        return self.kind() == "LET" or self._kind_after_brackets("LSQB") == "ASSIGN"

    def _projection(self) -> bool:
        """Whether `a ->`, `a{i} ->` or `r{i}.y ->` begins here."""
        at = self._after_brackets("LBRACE")
        if self.kind(at) == "DOT":
            at = self._after_brackets("LBRACE", at + 1)
        return self.kind(at) == "PROJECT"

    def _instance(self) -> bool:
        """Whether `r = residual(` begins here, or `r{i} = residual(`."""
        at = self._after_brackets("LBRACE")
        return [self.kind(at), self.kind(at + 2)] == ["EQUAL", "LPAR"] and self.kind(at + 1) in WORDS

    def _phases(self) -> bool:
        """Whether a phase begins after the brace at hand."""
        return self.kind(1) in PHASES and self._heads_phase(1)

    def _heads_phase(self, ahead: int = 0) -> bool:
        """Whether `forward {` or `forward free of excitatory {` goes on like that after its first word."""
        ahead += self.kind(ahead + 1) == "NAME"
        if self.kind(ahead + 1) == "OF":
            return self.kind(ahead + 2) in WORDS and self.kind(ahead + 3) == "LBRACE"
        return self.kind(ahead + 1) in ("LBRACE", "COLON")  # as Python begins a block

    def another_item(self, block: BlockKind, item: Item) -> bool:
        """Whether the token, outside all brackets, starts another item of the block."""
        if not item:
            return False
        here, first, last = self._lexemes[self.at], item[0], item[-1]
        if last.kind == "PROJECT" and self._projection():
            return False  # the chain goes on
        if last.kind in UNFINISHED:
            return (block in WIRING and here.first and self._instance()) or self.anchor() is not None
        match block:
            case "phase":
                return self._statement(item)
            case "genome" | "repeat":
                starts = DECLARATIONS | PHASES | {"REPEAT"}
                unnamed = len(item) == 1 and first.kind in starts
                new = here.kind in starts or (here.kind == "NAME" and here.first)
                return new and not unnamed and last.kind != "PER"
            case "network" | "block" | "for":
                return here.kind in WORDS and self._wiring(item)
            case "file":
                unnamed = (len(item) == 1 and first.kind in TOP) or last.kind in ("USES", "EXTENDS")
                return here.kind in TOP | {"IMPORT", "FN"} and not unnamed

    def _statement(self, item: Item) -> bool:
        if self.kind() == "LET":
            return True
        if self.kind() not in WORDS:
            return False
        if self._lexemes[self.at].first and self.kind(1) in WORDS:
            return True  # `return act`: an expression does not go on with two words
        after = self._kind_after_brackets("LSQB")
        if after == "DOT" and self.kind(3) == "ASSIGN":
            return True  # `pre.x <- ...` can only be a statement
        if after in ("EQUAL", "DOUBLE_EQUAL", "CHANGE", "PROJECT", "OTHER_ARROW"):
            # `=` for `<-` is a common slip; but a single word before it is `let`, or meant to be.
            return len(item) > 1
        return after == "ASSIGN" and item[-1].kind != "LET"

    def _wiring(self, item: Item) -> bool:
        here, first = self._lexemes[self.at], item[0]
        if first.kind == "FOR" and len(item) > 1:
            return self.anchor() is not None or self._instance()
        if len(item) == 1 and first.kind in ROLES | {"FOR"}:
            return False
        if here.first or self._projection() or self._instance():
            return True
        return here.kind in ROLES | {"FOR"} and self.kind(1) in WORDS

    def body(self, block: BlockKind, item: Item, reported: bool) -> BlockKind | None:
        """The kind of block that a brace would open after the current item."""
        if not item:
            return None
        first = item[0]
        match block:
            case "file":
                return top_kind(first)
            case "genome" | "repeat":
                alone = len(item) == 1 and first.kind in WORDS - DECLARATIONS
                repeats = first.kind == "NAME" and self._phases()  # misspelt
                if first.kind == "REPEAT" or repeats:
                    return "repeat" if block == "genome" or reported else None
                return "phase" if alone or first.kind in PHASES else None
            case "network" | "block" | "for":
                loops = any(lexeme.kind in ("RANGE", "IN") for lexeme in item[1:])
                return "for" if loops and first.kind in WORDS - ROLES else None  # `input in[8] { .. }` has options
            case "phase":  # nothing nests in a phase, but people try
                if reported and first.kind in PHASES | {"REPEAT"}:
                    return "repeat" if self._phases() else "phase"
                return None

    def body_without_brace(self, block: BlockKind, item: Item) -> bool:
        """Whether a body follows the header of a phase or `for` without a brace."""
        if not item:
            return False
        match block:
            case "genome" | "repeat":
                if item[0].kind == "REPEAT":
                    return len(item) > 1 and self.kind() in PHASES and self.kind(1) == "LBRACE"
                return self._equation() and item[0].kind in PHASES
            case "network" | "block" | "for":
                header = item[0].kind == "FOR" and self.body(block, item, False) == "for"
                return header and self.another_item(block, item)
            case _:
                return False

    def options_without_brace(self, block: BlockKind, item: Item) -> bool:
        """Whether `phi = linear` follows a population without its brace."""
        wiring = block in WIRING and self.kind(1) == "EQUAL"
        return wiring and bool(item) and item[0].kind in ROLES and item[-1].kind == "RSQB"


def indexes_name(block: BlockKind, item: Item) -> bool:
    """Whether a brace after an item indexes a name: `[label = skip{i}`, `[label = skip{i}{j}`, `(x = r{i}.y{j}`.

    Also `residual(h{i}`, which is wrong, but not because of its brace.
    """
    kinds = [lexeme.kind for lexeme in item]
    left = kinds[: kinds.index("EQUAL")] if "EQUAL" in kinds else []
    instance = block in WIRING and bool(left) and not {"LPAR", "LSQB"} & {*left}
    before = ("EQUAL", "DOT", "LPAR", "COMMA") if instance else ("EQUAL", "DOT")
    return kinds[-1] == "RBRACE" or (kinds[-2:-1] != [] and kinds[-2] in before and kinds[-1] in WORDS)
