"""What is written so in Python, NumPy and other tools: `return act`, `range(3)`, `[phi = relu]`."""

from __future__ import annotations

import re
from dataclasses import replace

from blurc.language import functions
from blurc.language.repair.outline import DECLARATIONS, OPENER, ROLES, WORDS
from blurc.language.repair.slips.piece import Mistake, Piece
from blurc.language.repair.slips.words import unquoted

KEYWORDS = {
    "return": "readout", "output": "readout", "predict": "readout", "parameter": "learn", "function": "fn",
    "activation": "fn", "var": "state", "variable": "state", "neuron": "state", "weight": "synapse",
    "channel": "synapse",
}  # fmt: skip
AXES = ("axis", "dim", "keepdims", "keepdim")


def keyword(piece: Piece) -> Mistake | None:
    """`return act`"""
    word = KEYWORDS.get(piece.first.text)
    if piece.start != "genome_item" or piece.index != 0 or word is None or len(piece.lexemes) < 2:
        return None
    return piece.unexpected(help=f"write `{word} {piece.text(1)}`", repair=word)


def role(piece: Piece) -> Mistake | None:
    """`layer h[16]`"""
    if piece.start != "network_item" or piece.index != 1 or piece.first.kind != "NAME":
        return None
    if piece.found.kind not in WORDS or piece.kinds(2, 3) != ["LSQB"]:
        return None
    message = f"found `{piece.first.text}`, expected `input`, `hidden` or `output`"
    return piece.mistake(message, at=piece.first, help=f"write `hidden {piece.text(1)}`")


def uses(piece: Piece) -> Mistake | None:
    """`network n using g`, `network n: g`, `network n g`."""
    if piece.first.kind != "NETWORK" or "USES" not in piece.expected:
        return None
    if set(piece.kinds(piece.index + 1, piece.index + 2)) & WORDS:
        name = piece.lexemes[piece.index + 1].text
        return piece.unexpected(help=f"write `uses {name}`", repair="uses")
    return piece.unexpected(help=f"write `uses {piece.found.text}`") if piece.found.kind in WORDS else None


def axes(piece: Piece) -> Mistake | None:
    """`pixels[8 x 8]`, `pixels[8x8]` or `pixels[8 8]`."""
    opening = piece.open_bracket()
    if opening is None or piece.first.kind not in ROLES | DECLARATIONS or piece.found.kind in OPENER:
        return None
    if piece.lexemes[opening].kind != "LSQB" or piece.lexemes[opening - 1].kind not in WORDS | {"RBRACE"}:
        return None
    sizes = re.split(r"\s*,\s*|\s+x\s+|\s+|(?<=[0-9])x(?=[0-9])", piece.inside(opening))
    if len(sizes) < 2 or not all(re.fullmatch(r"\w+", size) for size in sizes):
        return None
    name = piece.text(1 if piece.first.kind in ROLES else opening - 1, opening)
    return piece.unexpected("`,`", help=f"write `{name}[{', '.join(sizes)}]`")


def _option(piece: Piece, text: str, before: str) -> str | None:
    """What to write for an option of a population that stands in other brackets, in none, or without its name."""
    if text == "softmax":
        return f"{functions.NO_SOFTMAX}write `{before}{{ phi = linear }}`"
    named = f"phi = {text}" if text in functions.UNARY else text
    return f"write `{before}{{ {named} }}`" if re.match(r"\w+ ?=", named) else None


def options_elsewhere(piece: Piece) -> Mistake | None:
    """`hidden h[4] relu`, `hidden h[4] (phi = relu)`."""
    declared = piece.first.kind in ROLES and piece.kinds(piece.index - 1, piece.index) == ["RSQB"]
    if piece.start != "network_item" or not declared or piece.open_bracket() is not None:
        return None
    found, before = piece.found.kind, piece.text(0, piece.index)
    after = piece.inside(piece.index) if found in ("LSQB", "LPAR") else piece.text(piece.index)
    if found == "COMMA":
        after = piece.text(piece.index + 1)
    help = _option(piece, after, f"{before} ")
    if help is None and found == "LSQB":
        help = f"write `{before[:-1]}, {after}]`"
    elif help is None and found == "COMMA":
        help = f"declare each population by itself: `{before}` and `{piece.first.text} {after}`"
    return piece.unexpected(help=help) if help else None


def option_without_name(piece: Piece) -> Mistake | None:
    """`hidden h[4] { relu }`"""
    if piece.start != "network_item" or piece.first.kind not in ROLES or "EQUAL" not in piece.expected:
        return None
    help = _option(piece, piece.lexemes[piece.index - 1].text, "")
    return piece.unexpected(help=help) if help else None


def single_quotes(piece: Piece) -> Mistake | None:
    closing = next(
        (i for i in range(piece.index + 1, len(piece.lexemes)) if piece.lexemes[i].kind == "PRIME"), None
    )
    if piece.found.kind != "PRIME" or "NAME" not in piece.expected or closing is None:
        return None
    text = piece.source.text[piece.found.stop : piece.lexemes[closing].start]
    if "STRING" in piece.expected:
        return piece.unexpected(help=f'write `"{text}"`')
    return piece.unexpected(help=unquoted(text))


def attributes_elsewhere(piece: Piece) -> Mistake | None:
    """`a -> b (label = skip)`, `a -> b { label = skip }`, `a -> b label = skip` or `a -> b, fixed`."""
    opening, at = piece.open_bracket(), piece.index
    if piece.start != "network_item" or "PROJECT" not in piece.kinds(0, at) or "LSQB" in piece.kinds(0, at):
        return None
    if (
        opening is not None
        and piece.kinds(opening, opening + 1) == ["LBRACE"]
        and piece.found.kind == "EQUAL"
    ):
        at, attributes = opening, piece.inside(opening)
    elif opening is not None or at < 3:
        return None
    elif piece.found.kind == "LPAR":
        attributes = piece.inside(at)
    else:
        attributes = piece.text(at + (piece.found.kind == "COMMA"))
        if not re.match(r"(forward|backward|fixed)\b|\w+ ?[=(]", attributes):
            return None
    return piece.unexpected(help=f"write `{piece.text(0, at)} [{attributes}]`")


def several_ends(piece: Piece) -> Mistake | None:
    """`a, b -> c`"""
    kinds = piece.kinds()
    if piece.start != "network_item" or piece.found.kind != "COMMA" or kinds.count("PROJECT") != 1:
        return None
    if piece.first.kind in ROLES or piece.open_bracket() is not None:
        return None
    middle, end = kinds.index("PROJECT"), kinds.index("LSQB") if "LSQB" in kinds else len(kinds)
    attributes = f" {piece.text(end)}" if end < len(kinds) else ""
    sources, targets = (side.split(",") for side in (piece.text(0, middle), piece.text(middle + 1, end)))
    pairs = [f"`{a.strip()} -> {b.strip()}{attributes}`" for a in sources for b in targets]
    return piece.unexpected(help=f"write each projection by itself: {' and '.join(pairs)}")


def python_range(piece: Piece) -> Mistake | None:
    """`for i in range(3)`, `for i in 3`."""
    if piece.first.kind != "FOR" or "RANGE" not in piece.expected or piece.found.kind != "LBRACE":
        return None
    text = piece.text(3, piece.index)
    low, high = "1", text
    if text.startswith("range") and piece.lexemes[4].kind == "LPAR":
        *lows, high = piece.inside(4).split(",")
        if len(lows) > 1 or not high.strip():
            return None  # there are no steps
        low, high = (lows or ["0"])[0], high.strip()
        high = str(int(high) - 1) if high.isdigit() else f"{high} - 1"
    return piece.unexpected(help=f"write `{piece.text(0, 3)} {low}..{high}`: both ends are included")


def for_without_in(piece: Piece) -> Mistake | None:
    """`for i = 1..3`"""
    if (
        piece.first.kind != "FOR"
        or piece.expected != frozenset({"IN"})
        or piece.found.kind not in ("EQUAL", "COLON")
    ):
        return None
    return piece.unexpected(help=f"write `{piece.text(0, piece.index)} in ...`", repair="in")


def returned(piece: Piece) -> Mistake | None:
    """`return act` in a phase."""
    at = piece.index if piece.found.text == "return" else piece.index - 1
    if (
        piece.start != "statement"
        or piece.kinds(at + 1, at + 2) != ["NAME"]
        or piece.text(at, at + 1) != "return"
    ):
        return None
    help = f"what a prediction is stands in the genome, beside the phases: `readout {piece.text(at + 1)}`"
    return replace(piece.unexpected(help=help), whole=True)


def several_readouts(piece: Piece) -> Mistake | None:
    if piece.first.kind != "READOUT" or piece.found.kind != "COMMA" or piece.open_bracket() is not None:
        return None
    return piece.unexpected(
        help=f"a prediction is one number of a neuron: write `{piece.text(0, piece.index)}`"
    )


def named_argument(piece: Piece) -> Mistake | None:
    """`mean(z, axis = 0)`, `clip(z, low = 0, high = 1)`."""
    opening = piece.open_bracket()
    if piece.start not in ("statement", "genome_item") or piece.found.kind != "EQUAL" or not opening:
        return None
    if piece.lexemes[opening].kind != "LPAR" or piece.lexemes[opening - 1].kind not in WORDS:
        return None
    function, name = piece.lexemes[opening - 1].text, piece.lexemes[piece.index - 1].text
    if function in ("mean", "sum"):
        help = f"in `update`, write `batch_{function}(..)`; in other phases `population_{function}(..)`, or "
        help += "`incoming(..)` for the sum over synapses"
    elif name in AXES:
        help = f"there is no `{name}`: functions work element by element"
    else:
        call = piece.text(opening - 1, piece.closing(opening) + 1)
        help = "arguments have no names: write `" + re.sub(r"\w+ ?= ?", "", call) + "`"
    return piece.unexpected(help=help)


def module(piece: Piece) -> Mistake | None:
    """`jax.nn.relu(z)`"""
    rest = piece.kinds(piece.index)
    if (
        piece.found.kind != "DOT"
        or "LPAR" not in rest
        or piece.kinds(piece.index - 2, piece.index - 1) != ["DOT"]
    ):
        return None
    opening = piece.index + rest.index("LPAR")
    if rest[: rest.index("LPAR")] not in (["DOT", "NAME"], ["DOT", "NAME", "DOT", "NAME"]):
        return None
    return piece.unexpected(help=f"write `{piece.text(opening - 1, piece.closing(opening) + 1)}`")
