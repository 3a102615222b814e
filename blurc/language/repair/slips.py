"""Slips: typos and habits from Python, NumPy and other tools, and what to write instead.

A row gives the kind of piece, the pattern of tokens around the failure, and the help (`pattern.py`). Rows go from
specific to general; the first match wins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

from blurc.diagnostics import Source, did_you_mean
from blurc.language import functions
from blurc.language.repair.blocks import CALLED
from blurc.language.repair.characters import open_string, unknown_character
from blurc.language.repair.pattern import Slip, Texts, mistake, said
from blurc.language.repair.piece import Failure, Mistake, Piece, Start
from blurc.language.tokens import DECLARATIONS, PARTNER, PHASES, ROLES, SIGNS, WORDS, Lexeme

SHAPE = "give the population its shape: "
READOUT = "the prediction is defined in the genome, next to the phases: "
EQUAL_BY_MISTAKE = "ASSIGN|DOUBLE_EQUAL|COLON"
KEYWORDS = {
    "return|output|predict": "readout", "parameter|param": "learn", "function|activation": "fn",
    "var|variable|neuron": "state", "weight|weights|channel": "synapse",
}  # fmt: skip
KEYWORD_FIRST: dict[Start, frozenset[str]] = {
    "genome_item": DECLARATIONS | PHASES | {"REPEAT"}, "repeat_item": PHASES,
}  # fmt: skip
STARTERS: dict[Start, frozenset[str]] = {"statement": frozenset({"LET"}), "network_item": ROLES | {"FOR"}}


def explain(source: Source, start: Start, lexemes: Sequence[Lexeme], failure: Failure) -> Mistake:
    piece = Piece(source, start, lexemes, failure.index, failure.expected)
    if start in KEYWORD_FIRST and piece.index == 1 and lexemes[0].kind == "NAME":
        # Alone it would be the name of a phase; with more behind it, it was meant to be a keyword.
        piece = replace(piece, index=0, expected=KEYWORD_FIRST[start])
    if piece.found.kind == "UNKNOWN":
        return unknown_character(source, piece.found)
    if piece.found.kind == "OPEN_STRING":
        return open_string(source, piece.found)
    found = (mistake(row, piece) if isinstance(row, Slip) else row(piece) for row in SLIPS)
    return next((one for one in found if one), None) or said(piece, piece.found)


def misspelt(piece: Piece) -> Mistake | None:
    """A word where only keywords may stand, or in front of something that only follows a keyword."""
    at, keywords = piece.found, piece.expected & (WORDS | {"LET"})
    if piece.index == 1 and piece.found.kind in WORDS and piece.start in STARTERS:
        at, keywords = piece.lexemes[0], STARTERS[piece.start]
    if at.kind != "NAME" or "NAME" in keywords:
        return None
    near = did_you_mean(at.text.lower(), [kind.lower() for kind in keywords])
    return said(piece, at, help=f"did you mean `{near}`?", repair=near) if near else None


def _import(piece: Piece, texts: Texts) -> str | None:
    path = texts["rest"].split()[0].strip("'")
    return f'write `import "{path}"`'


def _axes(piece: Piece, texts: Texts) -> str | None:
    sizes = re.split(r"\s*,\s*|\s+x\s+|\s+|(?<=[0-9])x(?=[0-9])", texts["inside"])
    name = texts.get("name") or texts["called"]
    if len(sizes) < 2 or not name.isidentifier() or not all(re.fullmatch(r"\w+", size) for size in sizes):
        return None
    return f"write `{name}[{', '.join(sizes)}]`"


def _unquoted(piece: Piece, texts: Texts) -> str:
    name = texts["name"]
    if name == "softmax":
        return f"{functions.NO_SOFTMAX}write `linear`"
    return f"only file names are quoted: write {f'`{name}`' if name.isidentifier() else 'a number or a name'}"


def _ids_of_shape(piece: Piece, texts: Texts) -> str:
    """For `input item[100] ids` and `input item[100] ids 100`."""
    sizes = " * ".join(size.strip() for size in texts["sizes"].split(","))
    return f"write `input {texts['name']} ids {sizes}`"


def _option(text: str, before: str) -> str | None:
    """What to write for an option of a population that stands in other brackets, in none, or without its name."""
    if text == "softmax":
        return f"{functions.NO_SOFTMAX}write `{before}{{ phi = linear }}`"
    named = f"phi = {text}" if text in functions.UNARY else text
    return f"write `{before}{{ {named} }}`" if re.match(r"\w+ ?=", named) else None


def _nameless_option(piece: Piece, texts: Texts) -> str | None:
    return _option(texts["previous"], "")


def _option_elsewhere(piece: Piece, texts: Texts) -> str | None:
    """Also sizes (`h[4][4]`) and populations (`h[4], g[4]`) that are written as options might be."""
    kind, before = piece.found.kind, texts["before"]
    after = texts["inside"] if kind in PARTNER else texts["after"] if kind == "COMMA" else texts["rest"]
    if help := _option(after, f"{before} "):
        return help
    if kind == "LSQB":
        return f"write `{before[:-1]}, {after}]`"
    each = f"declare each population separately: `{before}` and `{texts['role']} {after}`"
    return each if kind == "COMMA" else None


def _option_in_shape(piece: Piece, texts: Texts) -> str | None:
    return _option(f"{texts['name']} = {texts['after'].rstrip('] ')}", f"{texts['shaped']}] ")


def _each_projection(piece: Piece, texts: Texts) -> str | None:
    """For `x, y -> h [fixed]` and `x -> h [fixed] -> y`."""
    parts = [end.strip().partition("[") for end in piece.text(0).split("->")]
    ends = [[name.strip() for name in names.split(",")] for names, _, _ in parts]
    attrs = [f" [{inside}" if bracket else "" for _, bracket, inside in parts]
    of_all = "" if any(attrs[:-1]) else attrs[-1]
    links = zip(pairwise(ends), attrs[1:], strict=True)
    pairs = [(s, t, own or of_all) for (left, right), own in links for s in left for t in right]
    if any("" in pair[:2] for pair in pairs):
        return None
    each = (f"`{source} -> {target}{own}`" for source, target, own in pairs)
    return f"write each projection separately: {' and '.join(each)}"


def _new_default(piece: Piece, texts: Texts) -> str:
    before = texts["params"].removeprefix("(").removesuffix(")")
    params = ", ".join(text.strip() for text in (before, texts["inside"]) if text.strip())
    return f"new defaults go in front: `genome {texts['name']}({params}) extends {texts['base']}`"


def _names_of_phases(piece: Piece, texts: Texts) -> str | None:
    row = f"{texts['found']}; {texts['next']}"
    help = f"a phase runs again by its name on a line of its own, or with `;`: `{row}`"
    return help if _is_phase(texts["found"], piece) else None


def _is_phase(name: str, piece: Piece) -> bool:
    return bool(re.search(rf"\b(?:sense|forward|feedback|backward|update)\s+{name}\b[^{{}}\n]*{{", piece.source.text))


def _phase_called(piece: Piece, texts: Texts) -> str | None:
    known = _is_phase(texts["found"], piece)
    return f"a phase runs again by its name alone: write `{texts['found']}`" if known else None


def _phase_in_phase(piece: Piece, texts: Texts) -> str:
    name = texts["name"]
    if _is_phase(name, piece):
        return f"a phase does not run inside another: write `{name}` next to the phases, on a line of its own"
    return f"say what becomes of the value: `let z = {name}(..)`, or `act <- {name}(..)`"


def _derivative(piece: Piece, texts: Texts) -> str | None:
    """`sigmoid'` without its argument, for a function of the language or of the text."""
    name = texts["name"]
    known = name in functions.ELEMENTWISE or re.search(rf"\bfn\b[^{{}}]*\b{name}\s*[(=]", piece.source.text)
    return f"write `{name}'(x)`: a derivative has its argument, like the function" if known else None


def _range(piece: Piece, texts: Texts) -> str | None:
    low, high = "1", texts["high"]
    if high.startswith("range"):
        ends = re.fullmatch(r"range ?\( ?([^,]+?)(?:, ?([^,]+))? ?\)", high)
        if ends is None:
            return None  # there are no steps
        low, high = (ends[1], ends[2]) if ends[2] else ("0", ends[1])
        high = str(int(high) - 1) if high.isdigit() else f"{high} - 1"
    return f"write `for {texts['name']} in {low}..{high}`: both ends are included"


def _named_argument(piece: Piece, texts: Texts) -> str | None:
    function, name = texts["called"], texts["previous"]
    if function in ("mean", "sum"):
        return (
            f"in `update`, write `batch_{function}(..)`; in other phases `population_{function}(..)`, or "
            "`incoming(..)` for the sum over synapses"
        )
    if name in ("axis", "dim", "keepdims", "keepdim"):
        return f"there is no `{name}`: functions work element by element"
    values = re.sub(r"\w+ ?= ?", "", texts["inside"])
    return f"arguments have no names: write `{function}({values})`" if function.isidentifier() else None


def _start_first(piece: Piece, texts: Texts) -> str | None:
    start = re.match(r"[^,(]+(\(.*?\))?", texts["after"])
    return start and f"the start comes first: `{texts['name']} {texts['found']} {start[0]} per {texts['scope']}`"


def _without_marks(piece: Piece, texts: Texts) -> str:
    return f"write `{texts['found'].replace('_', '')}`"


def _where(piece: Piece, texts: Texts) -> str:
    parts = re.fullmatch(r"(.+?) then (.+?) else (.+)", texts["rest"])
    condition, yes, no = parts.groups() if parts else ("a > b", "x", "y")
    return f"a condition is part of an expression: `where({condition}, {yes}, {no})`"


def _without_module(piece: Piece, texts: Texts) -> str:
    opening = next(at for at in range(piece.index, len(piece.lexemes)) if piece.lexemes[at].kind == "LPAR")
    return f"write `{piece.text(opening - 1, piece.closing(opening) + 1)}`"


SLIPS: tuple[Slip | Callable[[Piece], Mistake | None], ...] = (
    Slip("file", "IMPORT !ANY", _import),
    Slip("file", "!WORD COLON",
         "a spec is a .blur file; a genome file is given by `--genome`, an experiment to `blurc meta`",
         needs="GENOME -NAME", whole=True, expected="`import`, `genome`, `network`, `block` or `fn`"),
    Slip("genome_item", "DECLARATION ... !ANY", _axes, bracket="[", expected="`,`"),
    Slip("network_item", "ROLE {name} LSQB ... !ANY", _axes, bracket="[", expected="`,`"),
    Slip("", "... !MALFORMED_NUMBER", "the largest number is about 1.8e308",
         text=r"[0-9.]+([eE][+-]?[0-9]+)?", expected="a number"),
    Slip("", "... !MALFORMED_NUMBER", _without_marks, text=r"[0-9]+(_[0-9]+)+(\.[0-9]*)?", expected="a number"),
    Slip("", "... !MALFORMED_NUMBER", "write `$factor * $name`",
         text=r"(?P<factor>[0-9.]+)(?P<name>[A-Za-z_]\w*)", expected="a number"),
    Slip("", "... !MALFORMED_NUMBER", None, expected="a number"),
    Slip("", "... PLUS|MINUS|PRODUCT_SIGN|CARET !PLUS|PRODUCT_SIGN|CARET", "leave out `$previous` or `$found`"),
    # a sign for another one
    *(Slip("", "... !OTHER_ARROW", f"write `$before {SIGNS[kind]} $after`", needs=kind, repair=SIGNS[kind])
      for kind in ("ASSIGN", "PROJECT", "EQUAL")),
    Slip("", "... !DOUBLE_STAR", "a power is written `$previous ^ $next`", repair="^"),
    Slip("", "... !CHANGE", "write `$before <- $before $sign $after`", text="(?P<sign>.)="),
    Slip("statement", "WORD !EQUAL", "write `$before <- $after`, or `let $before = ...` for a new name",
         needs="ASSIGN", repair="<-"),
    Slip("statement", "... !EQUAL|DOUBLE_EQUAL", "write `$before <- $after`", needs="ASSIGN", repair="<-"),
    Slip("statement", "... !PROJECT", "write `$before <- $after`", needs="ASSIGN", expected="`<-`"),
    Slip("network_item", f"... !{EQUAL_BY_MISTAKE} ANY LPAR", "write `$before = $after`",
         needs="EQUAL PROJECT", repair="="),
    Slip("genome_item statement", f"{{word:ANY}} ANY !{EQUAL_BY_MISTAKE}", "write `$word $previous = ...`",
         needs="EQUAL", repair="="),
    Slip("", f"... !{EQUAL_BY_MISTAKE}", "write `$previous = ...`", needs="EQUAL -PROJECT", bracket="",
         repair="="),
    Slip("", f"... !{EQUAL_BY_MISTAKE}", "write `$previous = $next`", needs="EQUAL -PROJECT", repair="="),
    Slip("", "... !DOUBLE_EQUAL", "numbers are compared by `<`, `<=`, `>` and `>=`"),
    Slip("", "... !ASSIGN", "a projection is written `a -> b`, from `a` to `b`", needs="PROJECT", expected="`->`"),
    Slip("network_item", "-PROJECT {left} EQUAL {right:ANY} !ANY|END",
         "a projection is written `$left -> $right`, a block in use `$left = $right(x = ...)`",
         needs="LPAR", bracket=""),
    Slip("network_item", "-PROJECT ... EQUAL ... LPAR|COMMA ANY !ANY", "say what it is for: `x = $previous`",
         needs="EQUAL"),
    Slip("", "... !COLON", "a range is written `$previous..$next`, both ends included", needs="RANGE", repair=".."),
    Slip("network_item", "... PROJECT ... RSQB !PROJECT", _each_projection),
    Slip("network_item", "... PROJECT ... same EQUAL WORD !PROJECT WORD",
         "label that projection, `[label = shared]`, and write `same = shared`"),
    Slip("network_item", "... PROJECT ... kind|label|delay !WORD|NUMBER", "write `$previous = $found`", needs="EQUAL",
         bracket="[", expected="`=`"),
    Slip("", "... {sum:incoming|outgoing} LSQB ... RSQB !LPAR",
         "the brackets name one kind of projections: `$sum[dendrite](..)`", expected="an operator"),
    Slip("genome_item", "STATE ... !PER example", "write `$before`: a state has a value for every example anyway"),
    Slip("genome_item", "... {name} PER {scope} !TILDE|EQUAL", _start_first),
    # a word that is misspelt, missing, or good elsewhere
    Slip("genome_item repeat_item", "PHASE @off|fo !WORD", "did you mean `of`?", repair="of"),
    Slip("genome_item repeat_item", "PHASE NAME !WORD", "write `$before of $found`"),
    misspelt,
    Slip("statement", "... !if|else", "a condition is part of an expression: `where(a > b, x, y)`",
         needs="-NAME", whole=True),
    Slip("statement", "... @if !ANY", _where, expected="a value", whole=True),
    Slip("", "... {name:NAME} PRIME !PRIME",
         "a second derivative is that of a function of your own: `fn d(x) = $name'(x)`, and then `d'(x)`",
         needs="LPAR"),
    Slip("", "... {name:NAME} PRIME !ANY|END", _derivative, needs="LPAR"),
    Slip("", "... {name:NAME} PRIME !ANY|END",
         "`$name'(x)` is a derivative; there is no transpose, but `outgoing($name * post.x)` reads synapses backward",
         needs="LPAR"),
    Slip("", "... !STRING", _unquoted, needs="NAME", text='"(?P<name>.*)"'),
    Slip("genome_item", "DECLARATION ... !NAME", "write `$before, $found`", needs="COMMA"),
    Slip("file", "BLOCK ... !USES", "a block has no rule of its own: leave `uses` to the network"),
    *(Slip("file", f"GENOME ... !{sign} WORD", "a genome builds on another by `extends $next`", needs="EXTENDS",
           repair="extends") for sign in ("USES", "COLON")),
    Slip("file", "GENOME {name:WORD} {params} EXTENDS {base:WORD} !LPAR", _new_default),
    Slip("file", "NETWORK ... !EXTENDS", "a network `uses` a genome; only genomes extend each other"),
    Slip("genome_item", "REPEAT !LBRACE", "say how many times: `repeat 20 { ... }`"),
    Slip("statement", "REPEAT !WORD|NUMBER",
         "`repeat` goes in the genome and contains whole phases: `repeat 20 { forward { ... } }`", whole=True),
    Slip("statement", "... !return NAME", READOUT + "`readout $after`", whole=True),
    Slip("statement", "... return !NAME", READOUT + "`readout $rest`", whole=True),
    Slip("statement", "ANY !WORD", "name a value with `let $found = ...`"),
    Slip("statement", "ANY !DOT ANY", "equations assign only to their own variables: `$next <- ...`", expected="`<-`"),
    Slip("genome_item", "STATE ... !EQUAL|TILDE",
         "states start at 0: leave the value out, or assign it in the first phase"),
    Slip("genome_item", "SIGNAL ... !EQUAL|TILDE", "signals are fed at every step: leave the value out"),
    Slip("network_item", "ROLE {name:WORD} LSQB {sizes} RSQB !IDS", _ids_of_shape, whole=True),
    Slip("network_item", "ROLE {name:WORD} IDS !EQUAL", "write `input $name ids $after`", expected="a number"),
    Slip("network_item", "ROLE {name:WORD} IDS ... !COMMA",
         "ids count one axis: write their number, `input $name ids 1000`", expected="the end of the line"),
    Slip("network_item", "ROLE {name:WORD} IDS !END", "say how many there are: `input $name ids 1000`",
         expected="a number"),
    Slip("network_item", "{role:ROLE} ... RSQB !ANY", _option_elsewhere, bracket=""),
    Slip("network_item", "ROLE ... !ANY", _nameless_option, needs="EQUAL"),
    Slip("network_item", "{shaped} COMMA {name:WORD} !EQUAL ANY RSQB END", _option_in_shape, bracket="["),
    Slip("network_item", "-LSQB {role:ROLE} {name:ANY} @LBRACE ... !EQUAL|RBRACE", SHAPE + "`$role $name[64]`",
         expected="`[`"),
    *(Slip("network_item", f"-LSQB ROLE ANY ... !{kinds}", f"{SHAPE}`$before[{size}]`", needs="LSQB -NUMBER",
           expected="`[`") for kinds, size in (("NUMBER", "$found"), ("LPAR", "$inside"), ("ANY|END", "64"))),
    Slip("file", "... !COMMA|RPAR", "a parameter has a default: `$previous = 1`", needs="EQUAL"),
    # as it is written elsewhere
    *(Slip("file", f"!{words} WORD", f"write `{word} $next`", repair=word) for word, words in CALLED.items()),
    *(Slip("genome_item", f"!{words} ANY", f"write `{word} $after`", repair=word) for words, word in KEYWORDS.items()),
    Slip("network_item", "@NAME !WORD LSQB", "write `hidden $rest`", expected="`input`, `hidden` or `output`"),
    Slip("network_item", "@NAME !LSQB",
         "say what it is: `input $before$rest`, `hidden $before$rest` or `output $before$rest`",
         expected="`input`, `hidden` or `output`"),
    Slip("file", "NETWORK ... !ANY WORD", "write `uses $next`", needs="USES -NAME", repair="uses"),
    Slip("file", "NETWORK ... !WORD", "write `uses $found`", needs="USES -NAME"),
    Slip("", "... !PRIME {name} PRIME", 'write `"$name"`', needs="NAME STRING"),
    Slip("", "... !PRIME {name} PRIME", _unquoted, needs="NAME"),
    Slip("network_item", "-LSQB {source} PROJECT {target} LBRACE WORD !EQUAL", "write `$source -> $target [$inside]`",
         bracket="{"),
    Slip("network_item", "-LSQB ... PROJECT ANY ... !LPAR", "write `$before [$inside]`", bracket=""),
    Slip("network_item", "-LSQB ... PROJECT ANY ... !ATTRIBUTE", "write `$before [$rest]`", bracket=""),
    Slip("network_item", "-LSQB ... PROJECT ANY ... !COMMA ATTRIBUTE", "write `$before [$after]`", bracket=""),
    Slip("network_item", "... PROJECT ... END", _each_projection, text=",", bracket=""),
    Slip("network_item", "FOR {name:ANY} IN {high} !LBRACE", _range, needs="RANGE"),
    Slip("network_item", "FOR ANY !EQUAL|COLON", "write `$before in ...`", needs="IN", repair="in"),
    Slip("genome_item file", "FN {name:WORD} ... EQUAL !END", "write its value: `fn $name(x) = x / 2`"),
    Slip("genome_item", "READOUT ... !COMMA", "a prediction is one number of a neuron: write `$before`", bracket=""),
    Slip("genome_item statement", "... !EQUAL", _named_argument, bracket="("),
    Slip("", "... DOT ANY !DOT NAME LPAR", _without_module),
    Slip("", "... DOT ANY !DOT NAME DOT NAME LPAR", _without_module),
    Slip("genome_item repeat_item", "!NAME NAME", _names_of_phases),
    Slip("genome_item repeat_item", "!NAME LPAR RPAR", _phase_called),
    Slip("statement", "{name:WORD} !LPAR", _phase_in_phase),
    # good, but not here
    Slip("file", "FN {name:WORD} !EQUAL",
         "a slot belongs in a genome: `genome g { $before = $after }`; here a function may stand, `fn $name(x) = ..`"),
    Slip("genome_item repeat_item", "!LET|ASSIGN", "statements go in a phase: `forward { act <- ... }`"),
    Slip("genome_item repeat_item", "!ANY ... ASSIGN|LET", "statements go in a phase: `forward { act <- ... }`"),
    Slip("file", "!PHASE|DECLARATION|REPEAT", "this belongs in a genome: `genome NAME { ... }`"),
    Slip("file", "!ROLE|FOR|PROJECT", "this belongs in a network: `network NAME { ... }`, or in a block"),
    Slip("file", "!ANY ... PROJECT", "this belongs in a network: `network NAME { ... }`, or in a block"),
)  # fmt: skip
