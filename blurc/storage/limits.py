"""What the values of a record must be besides their type. The names with a capital first are types of fields:
`steps: Count = 10`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Annotated, Any, NamedTuple, TypeAlias

MOST = 2**31 - 1  # of sizes and counts that arrays can have


class Limit(NamedTuple):
    """What a value must be, in words that follow "must be". choices: all that it can be, where these are words."""

    words: str
    holds: Callable[[Any], bool]
    choices: tuple[str, ...] = ()

    @classmethod
    def whole(cls, least: int, most: int = MOST) -> Limit:
        def holds(n: int) -> bool:
            return least <= n <= most

        return cls(f"from {least} to {most}", holds)

    @classmethod
    def one_of(cls, *words: str) -> Limit:
        return cls(f"{', '.join(words[:-1])} or {words[-1]}", words.__contains__, words)


def _rising(numbers: Sequence[int]) -> bool:
    return bool(numbers) and all(a < b for a, b in pairwise((0, *numbers, MOST + 1)))


def _are_sizes(numbers: Sequence[int]) -> bool:
    return all(0 <= n <= MOST for n in numbers)


def _is_even(n: int) -> bool:
    return 2 <= n <= MOST and n % 2 == 0


def _is_positive(x: float) -> bool:
    return x > 0


def _is_not_zero(x: float) -> bool:
    return x != 0


def _is_not_negative(x: float) -> bool:
    return x >= 0


def _is_label(text: str) -> bool:
    return bool(re.fullmatch(r"\w[\w.-]*", text))


SOME = Limit("a list with at least one entry", bool)
LABEL = "letters, digits, `-`, `_` and `.`, for a folder is called so"

Count: TypeAlias = Annotated[int, Limit.whole(1)]
Size: TypeAlias = Annotated[int, Limit.whole(0)]
Sizes: TypeAlias = Annotated[tuple[int, ...], Limit(f"a list of numbers from 0 to {MOST}", _are_sizes)]
Even: TypeAlias = Annotated[int, Limit(f"an even number from 2 to {MOST}", _is_even)]
Seed: TypeAlias = Annotated[int, Limit.whole(0, 2**32 - 1)]
Positive: TypeAlias = Annotated[float, Limit("above 0", _is_positive)]
NotZero: TypeAlias = Annotated[float, Limit("a number other than 0", _is_not_zero)]
Noise: TypeAlias = Annotated[float, Limit("at least 0", _is_not_negative)]
Word: TypeAlias = Annotated[str, Limit("a text that is not empty", bool)]
Rising: TypeAlias = Annotated[tuple[int, ...], Limit(f"a rising list of numbers from 1 to {MOST}", _rising)]
Label: TypeAlias = Annotated[str, Limit(LABEL, _is_label)]
