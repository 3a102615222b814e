"""The tokens by their names in the grammar: words, signs, brackets."""

from __future__ import annotations

from dataclasses import dataclass

from blurc.diagnostics import Source, Span

TOP = frozenset({"GENOME", "NETWORK", "BLOCK"})
PHASES = frozenset({"SENSE", "FORWARD", "FEEDBACK", "BACKWARD", "UPDATE"})
DECLARATIONS = frozenset({"STATE", "SIGNAL", "SYNAPSE", "LEARN", "CONST", "FN", "READOUT"})
ROLES = frozenset({"INPUT", "HIDDEN", "OUTPUT"})
OTHERS = frozenset(
    {"NAME", "IMPORT", "USES", "EXTENDS", "PERSISTENT", "PER", "SLOPE", "REPEAT", "FOR", "IN", "OF", "IDS"}
)
WORDS = TOP | PHASES | DECLARATIONS | ROLES | OTHERS  # usable as names: everything but `let`

FOREIGN = frozenset(
    {"DOUBLE_SLASH", "DOUBLE_STAR", "DOUBLE_EQUAL", "CHANGE", "MALFORMED_NUMBER", "OPEN_STRING", "UNKNOWN"}
)  # fmt: skip - no rule of the grammar mentions these

# In the order that messages list them.
SIGNS = {
    "ASSIGN": "<-", "EQUAL": "=", "PROJECT": "->", "RANGE": "..", "TILDE": "~", "LBRACE": "{", "COLON": ":",
    "COMMA": ",", "RPAR": ")", "RSQB": "]", "RBRACE": "}", "LPAR": "(", "LSQB": "[", "CARET": "^",
}  # fmt: skip
PARTNER = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
OPENER = {closing: opening for opening, closing in PARTNER.items()}
OPERATORS = frozenset({"PLUS", "MINUS", "PRODUCT_SIGN", "CARET", "COMPARISON"})


@dataclass(frozen=True, slots=True)
class Lexeme:
    """A token; `kind` is its name in the grammar."""

    kind: str
    text: str
    start: int
    stop: int
    first: bool = False  # on its line

    def span(self, source: Source) -> Span:
        return Span(source, self.start, self.stop)
