"""New candidates from old ones: random trees, and what mutation and crossover make of others (Koza 1992)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from blurc.symbolic.space import Space, Trees
from blurc.symbolic.trees import Alphabet, Tree, constant

CONSTANT = 0.25  # how many of the leaves that are drawn are constants
CROSSED = 0.35  # how many candidates have a subtree of another one; the rest are mutated
SMALLEST = 0.003  # a new constant is log-uniform from here to 1, of either sign
FIRST = 8  # symbols of a random tree, at most


@dataclass(frozen=True, eq=False)
class Variation:
    """`most`: symbols of a candidate, over all sites."""

    space: Space
    most: int
    draws: np.random.Generator

    def fresh(self) -> Trees:
        room = max(1, min(FIRST, self.most // len(self.space.sites)))
        return self.space.simplified(tuple(self._random(a, self._whole(1, room)) for a in self.space.alphabets))

    def child(self, parents: Sequence[Trees]) -> Trees:
        """Of one or two of the parents, which are drawn."""
        one, other = (parents[self._whole(0, len(parents) - 1)] for _ in range(2))
        site = int(self.draws.integers(len(one)))
        if self.draws.random() < CROSSED:
            new = self._crossed(one[site], other[site])
        else:
            new = self._mutated(one[site], self.space.alphabets[site])
        return self.space.simplified((*one[:site], new, *one[site + 1 :]))

    # ------------------------------------------------------------- one tree

    def _crossed(self, one: Tree, other: Tree) -> Tree:
        given = [*other.walk()][self.draws.integers(other.length)]
        return one.replaced(int(self.draws.integers(one.length)), lambda _: given)

    def _mutated(self, tree: Tree, alphabet: Alphabet) -> Tree:
        ways: list[Callable[[Tree], Tree]] = [
            lambda t: self._random(alphabet, self._whole(1, 5)),
            lambda t: self._other_symbol(t, alphabet),
            lambda t: self._wrapped(t, alphabet),
            lambda t: t.args[self.draws.integers(len(t.args))] if t.args else self._leaf(alphabet),
            lambda t: without_constant(t, alphabet),
        ]
        way = ways[self.draws.integers(len(ways))]
        return tree.replaced(int(self.draws.integers(tree.length)), way)

    def _other_symbol(self, tree: Tree, alphabet: Alphabet) -> Tree:
        if not tree.args:
            return self._leaf(alphabet)
        return replace(tree, symbol=self._one_of(alphabet.of_arity(len(tree.args))))

    def _wrapped(self, tree: Tree, alphabet: Alphabet) -> Tree:
        """Under a new operation, beside a new leaf if that takes two."""
        operations = (*alphabet.of_arity(1), *alphabet.of_arity(2))
        symbol = self._one_of(operations)
        if alphabet.arities[symbol] == 1:
            return Tree(symbol, (tree,))
        pair = [tree, self._leaf(alphabet)]
        self.draws.shuffle(pair)  # pyright: ignore[reportArgumentType]
        return Tree(symbol, tuple(pair))

    def _random(self, alphabet: Alphabet, size: int) -> Tree:
        unary, binary = alphabet.of_arity(1), alphabet.of_arity(2)
        if size == 1:
            return self._leaf(alphabet)
        if size == 2 or (unary and self.draws.random() < 0.2):
            if not unary:
                return self._leaf(alphabet)
            return Tree(self._one_of(unary), (self._random(alphabet, size - 1),))
        left = self._whole(1, size - 2)
        args = (self._random(alphabet, left), self._random(alphabet, size - 1 - left))
        return Tree(self._one_of(binary), args)

    def _leaf(self, alphabet: Alphabet) -> Tree:
        if self.draws.random() < CONSTANT or not alphabet.leaves:
            size = SMALLEST ** self.draws.random()
            return constant(float(np.float32(size * self.draws.choice([-1.0, 1.0]))))
        return Tree(1 + int(self.draws.integers(len(alphabet.leaves))))

    def _one_of(self, symbols: Sequence[int]) -> int:
        return symbols[self._whole(0, len(symbols) - 1)]

    def _whole(self, low: int, high: int) -> int:
        return int(self.draws.integers(low, high + 1))


def without_constant(tree: Tree, alphabet: Alphabet) -> Tree:
    """What is left when a constant is taken to be 1, -1 or, in a sum, 0: c * x becomes x, c - x becomes -x, and
    a + c * x becomes a + x or a - x."""
    if len(tree.args) != 2:
        return tree
    name, (a, b) = alphabet.operation(tree.symbol), tree.args
    if name == "+" and "-" in alphabet.operators:
        for one, other in ((a, b), (b, a)):
            if (factor := alphabet.factor(other)) is not None:
                sign = "+" if [*other.walk()][factor].value > 0 else "-"
                return Tree(alphabet.symbol(sign), (one, alphabet.without_factor(other)))
    if name == "-" and a.symbol == 0 and "*" in alphabet.operators:
        return Tree(alphabet.symbol("*"), (constant(-1.0), b))
    if name in ("+", "*"):
        return b if a.symbol == 0 else a if b.symbol == 0 else tree
    return tree
