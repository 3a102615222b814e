"""Finds repetitions in a sequence of tokens, in O(n log n).

    A B C  A B C  A B C  D      a stretch from 0, of period 3, 3 times

A window of w tokens inside a stretch of period p <= w / 2 occurs again after p tokens and not before. So windows of 2,
4, 8, .. tokens are numbered, equal ones alike, and a stretch is where the distance to the next equal window stays
constant.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stretch:
    """`count` equal segments of `period` tokens, followed by `spare` tokens of one more segment."""

    start: int
    period: int
    count: int
    spare: int = 0

    @property
    def length(self) -> int:
        return self.period * self.count + self.spare

    def widened(self, n: int) -> Stretch:
        """With segments that are `n` of these."""
        period = n * self.period
        return Stretch(self.start, period, self.length // period, self.length % period)

    def cut(self, offset: int) -> Stretch:
        """With segments that begin at `offset`."""
        length = self.length - offset
        return Stretch(self.start + offset, self.period, length // self.period, length % self.period)


def stretches(tokens: Sequence[int], least: int, but: frozenset[Stretch] = frozenset()) -> list[Stretch]:
    """Stretches of at least `least` segments, in order, disjoint, short periods first, except those in `but`."""
    free = bytearray(b"\1" * len(tokens))
    found: list[Stretch] = []
    for window, numbers in _windows(tokens, least):
        for start, end, period in _steady(numbers, window):
            for a, b in _free(free, start, end):
                stretch = Stretch(a, period, (b - a) // period, (b - a) % period)
                if stretch.count >= least and stretch not in but:
                    found.append(stretch)
                    free[a:b] = bytes(b - a)
    return sorted(found, key=lambda s: s.start)


def _windows(tokens: Sequence[int], least: int) -> Iterator[tuple[int, list[int]]]:
    """Windows of 2, 4, 8 .. tokens as numbers, while a stretch of half that period may fit."""
    numbers, window = _numbered(itertools.pairwise(tokens)), 2
    while window // 4 * least <= len(tokens):
        yield window, numbers
        numbers = _numbered(zip(numbers, numbers[window:], strict=False))
        window *= 2


def _numbered(pairs: Iterator[tuple[int, int]] | zip[tuple[int, int]]) -> list[int]:
    known: dict[tuple[int, int], int] = {}
    return [known.setdefault(pair, len(known)) for pair in pairs]


def _steady(numbers: Sequence[int], window: int) -> Iterator[tuple[int, int, int]]:
    """(start, end, period) of tokens: maximal, with window / 4 < period <= window / 2."""
    distance = _distances(numbers)
    i = 0
    while i < len(distance):
        j, period = i + 1, distance[i]
        while j < len(distance) and distance[j] == period:
            j += 1
        if window < 4 * period <= 2 * window:
            yield i, j - 1 + period + window, period
        i = j


def _distances(numbers: Sequence[int]) -> list[int]:
    """The distance to the next equal number, or 0."""
    distance, last = [0] * len(numbers), dict[int, int]()
    for i in range(len(numbers) - 1, -1, -1):
        distance[i] = last.get(numbers[i], i) - i
        last[numbers[i]] = i
    return distance


def _free(free: bytearray, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of an interval that no stretch has taken."""
    while start < end:
        a = free.find(1, start, end)
        if a < 0:
            return
        b = free.find(0, a, end)
        start = end if b < 0 else b
        yield a, start
