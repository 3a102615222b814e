"""What to say of a piece of text that does not parse: what was found, what could stand there, what to
write.

`explain` asks the finders in turn, from the most particular slip to any unexpected text. A finder answers
None where the slip is not its own. Some mistakes come with a repair: one token that was meant to be
another.

    piece.py      a piece of text, its failure, words for tokens
    tokens.py     what is no token            signs.py    a sign for another one
    words.py      words, and what is left     elsewhere.py    as it is written in other languages
"""

from __future__ import annotations

from collections.abc import Sequence

from blurc.diagnostics import Source
from blurc.language.repair.outline import Lexeme
from blurc.language.repair.slips import elsewhere, signs, tokens, words
from blurc.language.repair.slips.piece import Failure, Finder, Mistake, Piece, Start
from blurc.language.repair.slips.tokens import unknown_character

__all__ = ["Failure", "Mistake", "Start", "explain", "unknown_character"]


def explain(source: Source, start: Start, lexemes: Sequence[Lexeme], failure: Failure) -> Mistake:
    piece = Piece(source, start, lexemes, failure.index, failure.expected)
    return next(mistake for finder in FINDERS if (mistake := finder(piece)))


FINDERS: tuple[Finder, ...] = (
    tokens.unknown,
    tokens.open_string,
    words.no_quotes,
    elsewhere.axes,
    tokens.malformed_number,
    signs.other_arrow,
    signs.double_star,
    signs.change,
    signs.equal_for_arrow,
    signs.arrow_for_equal,
    signs.comparison,
    signs.assign_for_project,
    signs.equal_for_project,
    signs.unnamed_argument,
    signs.colon_for_range,
    signs.chain,
    words.misspelt,
    words.condition,
    words.string,
    words.label_without_sign,
    words.misplaced_mark,
    words.missing_comma,
    words.no_genome_name,
    words.block_uses,
    words.no_count,
    words.repeat_in_phase,
    elsewhere.returned,
    words.no_let,
    words.assign_to_other,
    words.state_start,
    elsewhere.options_elsewhere,
    elsewhere.option_without_name,
    words.missing_shape,
    words.no_default,
    elsewhere.keyword,
    elsewhere.role,
    elsewhere.uses,
    elsewhere.single_quotes,
    elsewhere.attributes_elsewhere,
    elsewhere.several_ends,
    elsewhere.python_range,
    elsewhere.for_without_in,
    elsewhere.several_readouts,
    elsewhere.named_argument,
    elsewhere.module,
    words.misplaced,
    words.unexpected,
)
