"""A word that is misspelt, missing, or good elsewhere: and last, any text that is not expected."""

from __future__ import annotations

from dataclasses import replace

from blurc.diagnostics import did_you_mean
from blurc.language import functions
from blurc.language.repair.outline import DECLARATIONS, PHASES, ROLES, WORDS
from blurc.language.repair.slips.piece import NOUN, STARTERS, Mistake, Piece


def misspelt(piece: Piece) -> Mistake | None:
    """A word where only keywords may stand, or in front of something that only follows a keyword."""
    at, keywords = piece.found, piece.expected & (WORDS | {"LET"})
    if piece.index == 1 and piece.found.kind in WORDS and piece.start in STARTERS:
        at, keywords = piece.first, STARTERS[piece.start]
    if at.kind != "NAME" or "NAME" in keywords:
        return None
    near = did_you_mean(at.text.lower(), [kind.lower() for kind in keywords])
    if near is None:
        return None
    message = f"found `{at.text}`, expected `{near}`"
    return piece.mistake(message, at=at, help=f"did you mean `{near}`?", repair=near)


def condition(piece: Piece) -> Mistake | None:
    if piece.start != "statement" or piece.found.text not in ("if", "else") or "NAME" in piece.expected:
        return None
    help = "the language has no conditions; `sign`, `min`, `max` and `clip` may serve"
    return replace(piece.unexpected(help=help), whole=True)


def string(piece: Piece) -> Mistake | None:
    if piece.found.kind != "STRING" or "NAME" not in piece.expected:
        return None
    name = piece.found.text.strip('"')
    return piece.unexpected(help=unquoted(name))


def unquoted(name: str) -> str:
    if name == "softmax":
        return f"{functions.NO_SOFTMAX}write `linear`"
    bare = f"write `{name}`" if name.isidentifier() else "write a number or a name"
    return f"only file names stand in quotes: {bare}"


def label_without_sign(piece: Piece) -> Mistake | None:
    if piece.text(piece.index - 1, piece.index) != "label" or "EQUAL" not in piece.expected:
        return None
    if piece.found.kind not in WORDS:
        return None
    return piece.unexpected(help=f"write `label = {piece.found.text}`")


def misplaced_mark(piece: Piece) -> Mistake | None:
    """`persistent seen`, on a line of its own or after `state`."""
    if piece.index < 1 or piece.lexemes[piece.index - 1].kind != "PERSISTENT" or piece.found.kind != "NAME":
        return None
    return piece.unexpected(help=f"write `state {piece.found.text} persistent`")


def missing_comma(piece: Piece) -> Mistake | None:
    listing = piece.start == "genome_item" and piece.first.kind in DECLARATIONS
    if not listing or "COMMA" not in piece.expected or piece.found.kind != "NAME":
        return None
    return piece.unexpected(help=f"write `{piece.text(0, piece.index)}, {piece.found.text}`")


def no_genome_name(piece: Piece) -> Mistake | None:
    if piece.found.kind != "LPAR" or piece.lexemes[piece.index - 1].kind != "USES":
        return None
    return piece.unexpected(help="name the genome: `uses GENOME(...)`")


def block_uses(piece: Piece) -> Mistake | None:
    if piece.first.kind != "BLOCK" or piece.found.kind != "USES":
        return None
    return piece.unexpected(help="a block has no rule of its own: leave `uses` to the network")


def no_count(piece: Piece) -> Mistake | None:
    """`repeat { ... }`"""
    if piece.first.kind != "REPEAT" or piece.index != 1 or piece.found.kind != "LBRACE":
        return None
    return piece.unexpected(help="say how often: `repeat 20 { ... }`")


def repeat_in_phase(piece: Piece) -> Mistake | None:
    if piece.start != "statement" or piece.first.kind != "REPEAT" or piece.index != 1:
        return None
    if piece.found.kind not in WORDS | {"NUMBER"}:
        return None
    help = "`repeat` stands in the genome and holds whole phases: `repeat 20 { forward { ... } }`"
    return replace(piece.unexpected(help=help), whole=True)


def no_let(piece: Piece) -> Mistake | None:
    if piece.start != "statement" or piece.index != 1 or piece.found.kind not in WORDS:
        return None
    return piece.unexpected(help=f"a value gets a name by `let {piece.found.text} = ...`")


def missing_shape(piece: Piece) -> Mistake | None:
    if piece.start != "network_item" or piece.first.kind not in ROLES or piece.index < 2:
        return None
    if "LSQB" in piece.kinds(0, piece.index):
        return None
    options = (
        piece.lexemes[2:3] and piece.lexemes[2].kind == "LBRACE" and piece.found.kind in ("EQUAL", "RBRACE")
    )
    if not options and ("LSQB" not in piece.expected or "NUMBER" in piece.expected):
        return None
    end = 2 if options else piece.index
    size = piece.found.text if piece.found.kind == "NUMBER" else "64"
    size = piece.inside(piece.index) if piece.found.kind == "LPAR" else size
    help = f"give the population its shape: `{piece.text(0, end)}[{size}]`"
    at = piece.lexemes[2] if options else piece.found
    found = f"`{at.text}`" if at.text else f"the end of the {NOUN[piece.start]}"
    return piece.mistake(f"found {found}, expected `[`", at=at, help=help)


def assign_to_other(piece: Piece) -> Mistake | None:
    if piece.start != "statement" or piece.found.kind != "DOT" or piece.index != 1:
        return None
    own = piece.text(2, 3)
    return piece.unexpected("`<-`", help=f"equations assign only to what is their own: `{own} <- ...`")


def state_start(piece: Piece) -> Mistake | None:
    if piece.found.kind not in ("EQUAL", "TILDE") or piece.first.kind not in ("STATE", "SIGNAL"):
        return None
    if piece.first.kind == "SIGNAL":
        return piece.unexpected(help="signals are fed at every step: leave the value out")
    return piece.unexpected(help="states start at 0: leave the value out, or assign it in the first phase")


def no_default(piece: Piece) -> Mistake | None:
    if piece.start != "file" or piece.found.kind not in ("COMMA", "RPAR") or "EQUAL" not in piece.expected:
        return None
    name = piece.lexemes[piece.index - 1].text
    return piece.unexpected(help=f"a parameter has a default: `{name} = 1`")


def no_quotes(piece: Piece) -> Mistake | None:
    if piece.first.kind != "IMPORT" or piece.index != 1 or piece.found.kind in ("END", "OPEN_STRING"):
        return None
    path = piece.text(1).split()[0].strip("'")
    return piece.unexpected(help=f'write `import "{path}"`')


def misplaced(piece: Piece) -> Mistake | None:
    """Something that is good, but not here."""
    if piece.index != 0:
        return None
    kinds = {lexeme.kind for lexeme in piece.lexemes}
    first = piece.first.kind
    if piece.start in ("genome_item", "phase") and (kinds & {"ASSIGN", "LET"}):
        return piece.unexpected(help="statements stand in a phase: `forward { act <- ... }`")
    if piece.start == "file" and first in PHASES | DECLARATIONS | {"REPEAT"}:
        return piece.unexpected(help="this belongs in a genome: `genome NAME { ... }`")
    if piece.start == "file" and (first in ROLES | {"FOR"} or "PROJECT" in kinds):
        return piece.unexpected(help="this belongs in a network: `network NAME { ... }`, or in a block")
    return None


def unexpected(piece: Piece) -> Mistake:
    return piece.unexpected()
