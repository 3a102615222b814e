"""The common part of all scopes: how expressions become operations, whatever their names mean."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import cast

from blurc import model as m
from blurc.language import functions
from blurc.model import Mixed, Plus, Product, Separated, Stacked, Terms
from blurc.plan.passes.builder import Builder
from blurc.plan.passes.fixed import fixed
from blurc.plan.passes.versions import Versions
from blurc.plan.plan import EVERYWHERE, Attr, Space, Type


@dataclass(frozen=True)
class Known(m.Typed):
    """An expression that is already computed: the version of a channel seen by an update statement."""

    value: int


@dataclass
class Scope(ABC):
    """Turns expressions into operations. Subclasses define what names mean."""

    now: Versions

    @property
    def builder(self) -> Builder:
        return self.now.builder

    def value(self, e: m.Expr) -> int:
        if 0 in e.shape:  # an empty slice: there is nothing to compute
            return self.builder.literal(0.0, Type(e.shape, EVERYWHERE), e.span)
        if self.now.model.genome.constants and (number := fixed(e, self._constant)) is not None:
            return self.constant(number, e)
        match e:
            case m.Literal(value=value):
                return self.builder.literal(value, Type(e.shape, EVERYWHERE), e.span)
            case m.Apply(function=function, args=args):
                return self.apply(function, tuple(self.value(a) for a in args), e, e.prime)
            case m.Slot(name=name, arg=arg):
                function = self.slot(name, arg)
                if own := self.now.model.genome.function(function):
                    return self.value(m.call(own, (arg,), e.span, e.prime))
                return self.apply(function, (self.value(arg),), e, e.prime)
            case m.Sloped(value=value, arg=arg, slope=slope):
                return self.apply("sloped", (self.value(value), self.value(arg), self.value(slope)), e)
            case m.Pick(arg=m.Constant() as arg, items=items):
                return self.constant(m.picked(self._constant(arg), items), e)
            case m.Pick(arg=arg, items=items):
                return self.apply("pick", (self.value(arg),), e, items)
            case m.Stack(items=items):
                return self.apply("stack", tuple(self.value(i) for i in items), e)
            case _:
                return self.leaf(e)

    def apply(self, name: str, args: tuple[int, ...], e: m.Expr, attr: Attr = False) -> int:
        space = self.builder.space(*args)
        if name in functions.WHOLE and space.kind == "neurons":
            space = Space("neurons", space.of, space.first, False)
        return self.builder.emit(name, args, (attr,) if attr is not False else (), Type(e.shape, space), e.span)

    @abstractmethod
    def slot(self, name: str, arg: m.Expr) -> str:
        """The function that a slot has here, for this argument."""

    @abstractmethod
    def leaf(self, e: m.Expr) -> int:
        """A name, or a sum over synapses or over the batch."""

    def _constant(self, e: m.Constant) -> m.Nested:
        return cast(m.Nested, self.builder.ops[self.leaf(e)].attrs[0])

    def constant(self, value: m.Nested, e: m.Expr) -> int:
        return self.builder.literal(m.uniform(value), Type(e.shape, EVERYWHERE), e.span)

    def of_projection(self, e: m.Fan, projection: m.Projection) -> int:
        network = self.now.model.network
        pre, post = network.population(projection.source).shape, network.population(projection.target).shape
        fan_in, fan_out = projection.topology.fans(pre, post)
        learns = projection.plastic and projection.topology.has_synapses
        number = {"fan_in": fan_in, "fan_out": fan_out, "plastic": learns}[e.name]
        return self.builder.literal(float(number), Type((), EVERYWHERE), e.span)

    def drawn(self, e: m.Noise | m.Uniform, of: str, phase: str, space: Space) -> int:
        """Random numbers for every place of a space; `of`: the population or projection that draws."""
        b, name = self.builder, "noise" if isinstance(e, m.Noise) else "uniform"
        draw = b.emit(name, (), (of, phase, e.number), Type(e.shape, space), e.span)
        if isinstance(e, m.Noise):
            return b.emit("mul", (self.value(e.std), draw), (), Type(e.shape, space), e.span)
        low = self.value(e.low)
        width = b.elementwise("sub", (self.value(e.high), low), e.span)
        scaled = b.emit("mul", (width, draw), (), Type(e.shape, space), e.span)
        return b.emit("add", (low, scaled), (), Type(e.shape, space), e.span)

    def modulator(self, e: m.Modulator, population: str) -> int:
        """A signal, as the neurons of a population see it."""
        space = Space("neurons", population, first=True) if m.Over.EXAMPLE in e.over else EVERYWHERE
        return self.builder.emit("modulator", (), (e.name,), Type(e.shape, space), e.span)

    def of_neurons(self, value: int, population: str, e: m.Expr) -> int:
        """A value that is the same everywhere, as a value of a population's neurons."""
        type_ = self.builder.type(value)
        if type_.space.kind != "everywhere":
            return value
        return self.builder.emit("spread", (value,), (), Type(type_.dims, Space("neurons", population)), e.span)

    def product(self, factors: list[int], sign: int, e: m.Expr) -> int:
        """The product of values of one space, times the sign."""
        result = reduce(lambda a, b: self.builder.elementwise("mul", (a, b), e.span), factors)
        return result if sign > 0 else self.builder.elementwise("neg", (result,), e.span)

    def combine(self, separated: Separated, term: Callable[[Product], int], e: m.Expr) -> int:
        """A separated value, given a way to compute each product."""
        b = self.builder
        match separated:
            case Terms(products=products):
                return self.sum([term(p) for p in products], e)
            case Plus(items=items):
                return self.sum([self.combine(i, term, e) for i in items], e)
            case Mixed(matrix=matrix, body=body):
                left, right = self.value(matrix), self.combine(body, term, e)
                dims = (b.type(left).dims[0], *b.type(right).dims[1:])
                return b.emit("matmul", (left, right), (), Type(dims, b.space(left, right)), e.span)
            case Stacked(items=items):
                values = tuple(self.combine(i, term, e) for i in items)
                dims = (len(values), *b.type(values[0]).dims)
                return b.emit("stack", values, (), Type(dims, b.space(*values)), e.span)

    def sum(self, values: list[int], e: m.Expr) -> int:
        if not values:
            return self.builder.literal(0.0, Type((), EVERYWHERE), e.span)
        return reduce(lambda a, b: self.builder.elementwise("add", (a, b), e.span), values)
