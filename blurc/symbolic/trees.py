"""Expressions as small trees, which a search takes apart and puts together.

A tree is over the symbols of an `Alphabet`: a constant, the leaves of a site, functions of one number, operators. In
a checkpoint it is a row of numbers, postfix, with the values of its constants beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from blurc.language import syntax
from blurc.reference import arithmetic
from blurc.symbolic.sites import NOWHERE, Leaf

OPERATORS: Mapping[str, str] = {"+": "add", "-": "sub", "*": "mul", "/": "div"}  # and their names in the model
COMMUTES = ("+", "*")
NOTHING = -1  # fills the rows of a checkpoint


@dataclass(frozen=True)
class Tree:
    """`value`: of a constant, whose symbol is 0; 0 for all others."""

    symbol: int
    args: tuple[Tree, ...] = ()
    value: float = 0.0

    @cached_property
    def length(self) -> int:
        """The number of symbols."""
        return 1 + sum(a.length for a in self.args)

    @cached_property
    def constants(self) -> tuple[float, ...]:
        """From left to right."""
        own = () if self.symbol else (self.value,)
        return own + tuple(value for a in self.args for value in a.constants)

    def walk(self) -> Iterator[Tree]:
        yield self
        for a in self.args:
            yield from a.walk()

    def with_constants(self, values: Iterator[float]) -> Tree:
        """With other constants, from left to right."""
        if not self.symbol:
            return replace(self, value=next(values))
        return replace(self, args=tuple(a.with_constants(values) for a in self.args))

    def replaced(self, at: int, new: Callable[[Tree], Tree]) -> Tree:
        """With another subtree at a place, counted as `walk` goes."""
        if at == 0:
            return new(self)
        args, at = [*self.args], at - 1
        for i, a in enumerate(args):
            if 0 <= at < a.length:
                args[i] = a.replaced(at, new)
            at -= a.length
        return replace(self, args=tuple(args))


def constant(value: float) -> Tree:
    return Tree(0, (), value)


@dataclass(frozen=True)
class Alphabet:
    """The symbols: 0 is a constant, then come the leaves, the functions and the operators."""

    leaves: tuple[Leaf, ...]
    functions: tuple[str, ...]
    operators: tuple[str, ...]

    @cached_property
    def arities(self) -> tuple[int, ...]:
        return (0, *(0 for _ in self.leaves), *(1 for _ in self.functions), *(2 for _ in self.operators))

    def of_arity(self, arity: int) -> tuple[int, ...]:
        return tuple(i for i, n in enumerate(self.arities) if n == arity)

    def leaf(self, symbol: int) -> Leaf:
        return self.leaves[symbol - 1]

    def operation(self, symbol: int) -> str:
        """A function or an operator."""
        return (*self.functions, *self.operators)[symbol - 1 - len(self.leaves)]

    def symbol(self, operation: str) -> int:
        return 1 + len(self.leaves) + (*self.functions, *self.operators).index(operation)

    # ------------------------------------------------------------- one form

    def simplified(self, tree: Tree) -> Tree:
        """In one order, with constants gathered: what is left has no constant that another one could do without."""
        args = tuple(map(self.simplified, tree.args))
        if not args:
            return tree
        name = self.operation(tree.symbol)
        if all(a.symbol == 0 for a in args):
            return constant(float(self._value(name, [np.float64(a.value) for a in args])))
        if name in COMMUTES:
            return self._gathered(replace(tree, args=args))
        if name == "-" and (factor := self.factor(args[1])) is not None:
            negative = args[1].replaced(factor, lambda c: constant(-c.value))
            return self._gathered(Tree(self.symbol("+"), (args[0], negative)))
        return replace(tree, args=args)

    def without_factor(self, tree: Tree) -> Tree:
        """A product without its constant, which comes first."""
        left, right = tree.args
        if left.symbol == 0:
            return right
        return replace(tree, args=(self.without_factor(left), right))

    def factor(self, tree: Tree) -> int | None:
        """Where the constant of a product stands, as `walk` counts; None if it has none."""
        at = 0
        while tree.args and self.operation(tree.symbol) == "*":
            tree, at = tree.args[0], at + 1
        return at if at and not tree.symbol else None

    def _gathered(self, tree: Tree) -> Tree:
        """A sum or product: its constant first, then the rest by their text, as a chain to the left."""
        parts = [*self._chain(tree, tree.symbol)]
        numbers = [p.value for p in parts if p.symbol == 0]
        others = sorted((p for p in parts if p.symbol), key=self.text)
        if numbers:
            of = math.prod if self.operation(tree.symbol) == "*" else sum
            others.insert(0, constant(float(of(numbers))))
        whole = others[0]
        for part in others[1:]:
            whole = Tree(tree.symbol, (whole, part))
        return whole

    def _chain(self, tree: Tree, symbol: int) -> Iterator[Tree]:
        if tree.symbol != symbol:
            yield tree
            return
        for a in tree.args:
            yield from self._chain(a, symbol)

    # ------------------------------------------------------------- numbers

    def evaluated(self, tree: Tree, leaves: NDArray[np.float64], constants: Iterator[float]) -> NDArray[np.float64]:
        """The values of a tree for values [leaves, points], its constants given from left to right."""
        if tree.symbol == 0:
            return np.full(leaves.shape[1], next(constants))
        if not tree.args:
            return leaves[tree.symbol - 1]
        args = [self.evaluated(a, leaves, constants) for a in tree.args]
        return self._value(self.operation(tree.symbol), args)

    def _value(self, name: str, args: Sequence[NDArray[np.float64] | np.float64]) -> NDArray[np.float64]:
        with np.errstate(all="ignore"):
            if name in OPERATORS:
                return np.asarray(arithmetic.NARY[OPERATORS[name]](*args))
            return np.asarray(arithmetic.UNARY[name][0](args[0]))  # pyright: ignore[reportArgumentType]

    # ------------------------------------------------------------- the language

    def written(self, tree: Tree, constants: Iterator[syntax.Expr]) -> syntax.Expr:
        """In the language; constants as they are given, from left to right."""
        if tree.symbol == 0:
            return next(constants)
        if not tree.args:
            return self.leaf(tree.symbol).tree
        name, args = self.operation(tree.symbol), tuple(self.written(a, constants) for a in tree.args)
        if len(args) == 1:
            return syntax.Call(name, args, span=NOWHERE)
        return syntax.Binary(name, *args, span=NOWHERE)  # pyright: ignore[reportArgumentType]

    def text(self, tree: Tree) -> str:
        """For order alone: fully bracketed, constants without values."""
        if tree.symbol == 0:
            return "0"
        if not tree.args:
            return self.leaf(tree.symbol).text
        return f"{self.operation(tree.symbol)}({', '.join(map(self.text, tree.args))})"

    # ------------------------------------------------------------- rows

    def row(self, tree: Tree, width: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The symbols, postfix, and the values of constants, both [width]."""
        symbols, values = np.full(width, NOTHING, np.int32), np.zeros(width, np.float32)
        for i, part in enumerate(_postfix(tree)):
            symbols[i], values[i] = part.symbol, part.value
        return symbols, values

    def tree(self, symbols: NDArray[np.int32], values: NDArray[np.float32]) -> Tree:
        stack: list[Tree] = []
        for symbol, value in zip(symbols.tolist(), values.tolist(), strict=True):
            if symbol == NOTHING:
                break
            n = self.arities[symbol]
            args = tuple(stack[len(stack) - n :])
            stack[len(stack) - n :] = [Tree(symbol, args, value)]
        (whole,) = stack
        return whole


def _postfix(tree: Tree) -> Iterator[Tree]:
    for a in tree.args:
        yield from _postfix(a)
    yield tree
