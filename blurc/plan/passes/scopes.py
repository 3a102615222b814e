"""Scopes: what a name means for a neuron, in the sums over its synapses, and for a synapse."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from blurc import model as m
from blurc.language import functions
from blurc.model import Dense, Inseparable, Over, Partial, Pool, Product, Separated, Total, separate
from blurc.plan.passes.expressions import Known, Scope
from blurc.plan.passes.site_scope import SiteScope
from blurc.plan.passes.versions import without_array
from blurc.plan.plan import EVERYWHERE, Attr, Factors, Space, Type


def end(projection: m.Projection, side: str) -> str:
    return projection.source if side == "pre" else projection.target


@dataclass
class NeuronScope(Scope):
    """One neuron of a population, in a phase. Inside its sums, as the presynaptic or postsynaptic end of a
    `projection`, its states are called `pre.x` or `post.x`, and are read from `delay` steps ago."""

    population: str
    projection: m.Projection | None = None
    delay: int = 0
    phase: str = ""
    lets: dict[str, int] = field(default_factory=dict[str, int])
    moved: set[int] = field(default_factory=set[int])  # the running statistics that have moved at this visit

    def slot(self, name: str, arg: m.Expr) -> str:
        if self.projection:
            return SynapseScope(self.now, self.projection).slot(name, arg)
        return self.now.model.slot(self.population, name)

    def apply(self, name: str, args: tuple[int, ...], e: m.Expr, attr: Attr = False) -> int:
        if name in functions.POPULATION:
            args = (self.of_neurons(args[0], self.population, e),)
        if name in functions.PLACES:
            return self._over_places(name, args[0], e)
        return super().apply(name, args, e, attr)

    def _over_places(self, name: str, z: int, e: m.Expr) -> int:
        """At one place it is z itself, and of one channel a function of the population."""
        places = self.now.places[self.population]
        if places == 1:
            return z
        if places == self.now.model.network.population(self.population).size:
            return super().apply(name.replace("place", "population"), (z,), e)
        return self.builder.emit(name, (z,), (places,), self.builder.type(z), e.span)

    def leaf(self, e: m.Expr) -> int:
        b = self.builder
        match e:
            case m.State(name=name):
                return self.now.before(self.population, self.now.model.genome.state(name), self.delay)
            case m.Let(name=name):
                return self.lets[name]
            case m.Modulator():
                return self.modulator(e, self.population)
            case m.Noise() | m.Uniform():
                return self.drawn(e, self.population, self.phase, Space("neurons", self.population, True, True))
            case m.Running():
                return self.running(e)
            case m.Signal(name=name):
                type_ = Type((), Space("neurons", self.population, True, True))
                return b.emit(name, (), (self.population,), type_, e.span)
            case m.Meta(per="projection" | "synapse") if self.projection:
                return self.now.meta(e, self.projection.keeper if e.per == "synapse" else self.projection.name)
            case m.Meta(side="pre" | "post" as side) if self.projection:
                # One `per population` may belong to the other end.
                return self.now.meta(e, end(self.projection, side))
            case m.Meta():
                return self.now.meta(e, self.population)
            case m.Fan() if self.projection:
                return self.of_projection(e, self.projection)
            case Total():
                return self.total(e)
            case _:
                raise AssertionError(f"{e.span}: not of a neuron: {e}")

    def running(self, e: m.Running) -> int:
        b = self.builder
        z = self.of_neurons(self.value(e.arg), self.population, e)
        if self.now.learns and e.number not in self.moved:
            self.moved.add(e.number)
            self._move(e, z)
        kept = [self.now.statistic(self.population, name, e) for name in e.kept]
        if e.function != "standardize":
            return kept[-1]
        mean, var = kept
        eps = b.literal(functions.STANDARDIZE_EPS, Type((), EVERYWHERE), e.span)
        deviation = b.elementwise("sqrt", (b.elementwise("add", (var, eps), e.span),), e.span)
        return b.elementwise("div", (b.elementwise("sub", (z, mean), e.span), deviation), e.span)

    def _move(self, e: m.Running, z: int) -> None:
        """The mean and the variance of a mixture: a share `rate` of the batch, the rest as before. With d = z - mean,
        the mean moves by rate * E(d), and the variance becomes
        (1 - rate) * var + rate * E((d - E(d))^2) + rate * (1 - rate) * E(d)^2, a sum of what is not negative."""
        b = self.builder

        def times(number: float, value: int) -> int:
            return b.elementwise("mul", (b.literal(number, Type((), EVERYWHERE), e.span), value), e.span)

        def of_batch(value: int) -> int:
            found = b.type(value)
            type_ = Type(found.dims, replace(found.space, first=False))
            return b.emit("batch_mean", (value,), (), type_, e.span)

        def squared(value: int) -> int:
            return b.emit("power", (value,), (2,), b.type(value), e.span)

        old = [self.now.statistic(self.population, name, e) for name in e.kept]
        distance = b.elementwise("sub", (z, old[0]), e.span)
        way = of_batch(distance)
        new = [b.elementwise("add", (old[0], times(e.rate, way)), e.span)]
        if len(old) > 1:
            spread = times(e.rate, of_batch(squared(b.elementwise("sub", (distance, way), e.span))))
            parts = (times(1 - e.rate, old[1]), spread, times(e.rate * (1 - e.rate), squared(way)))
            new.append(self.sum(list(parts), e))
        for name, value in zip(e.kept, new, strict=True):
            self.now.statistics[self.population, name] = value

    def total(self, e: Total) -> int:
        """The sum of the weighted sums of all projections, equations (5) and (6) of the paper."""
        separated = None if Over.BUILT in e.body.over else separate(e)
        assert not isinstance(separated, Inseparable)
        forward = e.direction == "incoming"
        projections = (self.now.into if forward else self.now.out_of)[self.population]
        sums = [WeightedSum(self.now, p, e).of(separated) for p in projections if e.runs_over(p)]
        if not sums:
            return self.builder.literal(0.0, Type(e.shape, Space("neurons", self.population)), e.span)
        return self.sum(sums, e)


@dataclass
class WeightedSum(Scope):
    """One projection's part of `incoming` or `outgoing`."""

    projection: m.Projection
    total: Total

    def __post_init__(self) -> None:
        p = self.projection
        self.forward = self.total.direction == "incoming"
        self.near, self.far = (p.target, p.source) if self.forward else (p.source, p.target)
        self.neuron = NeuronScope(self.now, self.far, p, p.delay)
        self.synapse = SynapseScope(self.now, p)

    def of(self, separated: Separated | None) -> int:
        """None: it reads a channel `per example`, and is computed site by site."""
        if separated is not None:
            return self.combine(separated, self._term, self.total)
        near = NeuronScope(self.now, self.near, self.projection)
        ends = (self.neuron, near) if self.forward else (near, self.neuron)
        sites = SiteScope(self.now, self.projection, *ends, self.synapse, update=False)
        return sites.total(self.total, self.near, self._gate())

    def leaf(self, e: m.Expr) -> int:
        """What is the same for all terms: the totals of the neuron that sums, signals, meta-parameters and fans."""
        if isinstance(e, m.Modulator):
            return self.modulator(e, self.near)
        return NeuronScope(self.now, self.near).total(e) if isinstance(e, Total) else self.synapse.leaf(e)

    def slot(self, name: str, arg: m.Expr) -> str:
        return self.synapse.slot(name, arg)

    def _term(self, p: Product) -> int:
        b, e = self.builder, self.total
        far = p.pre or p.post
        synapse = self.synapse.value(p.synapse) if p.synapse else None
        # A factor that mentions a neuron may still be the same everywhere: an empty product, an override of a slot.
        neuron = self.of_neurons(self.neuron.value(far), self.far, e) if far else None
        gate = self._gate()
        args = tuple(a for a in (synapse, neuron, gate) if a is not None)
        dense = isinstance(self.projection.topology, Dense)
        factors = Factors(synapse is not None, neuron is not None, gate is not None, p.mixes, dense)
        type_ = Type(self._dims(p, synapse, neuron), Space("neurons", self.near))
        name = "to_post" if self.forward else "to_pre"
        total = b.emit(name, args, (self.projection.name, factors), type_, e.span)
        still = [self.value(p.still)] if p.still else []
        return self.product([*still, total], p.sign, e)

    def _gate(self) -> int | None:
        """The value by which a max pool chooses a neuron in each window: the first component of the first state."""
        p, state = self.projection, self.now.model.genome.states[0]
        if not isinstance(p.topology, Pool) or p.topology.kind != "max":
            return None
        value = self.now.before(p.source, state, p.delay)
        if not state.shape:
            return value
        type_ = Type((), self.builder.type(value).space)
        return self.builder.emit("pick", (value,), ((0,) * len(state.shape),), type_, state.span)

    def _dims(self, p: Product, synapse: int | None, neuron: int | None) -> m.Shape:
        factors = [v for v in (synapse, neuron) if v is not None]
        if p.mixes:
            rows, vectors = (self.builder.type(v).dims for v in factors)
            return (rows[0], *vectors[1:])
        return self.builder.dims(*factors)


@dataclass
class SynapseScope(Scope):
    """One synapse of a projection, in an update `phase`; nothing here varies over the batch."""

    projection: m.Projection
    phase: str = ""

    def slot(self, name: str, arg: m.Expr) -> str:
        ends = arg.over & (Over.PRE | Over.POST | Over.SYNAPSE)
        if ends == Over.PRE:
            return self.now.model.slot(self.projection.source, name)
        if ends == Over.POST:
            return self.now.model.slot(self.projection.target, name)
        return dict(self.now.model.genome.slots)[name]

    def leaf(self, e: m.Expr) -> int:
        match e:
            case Known():  # pyright: ignore[reportUnnecessaryComparison]
                return e.value
            case m.Channel(name=name):
                return self.now.synapses[self.projection.name, name]
            case m.Meta(per="population" | "neuron", side=side):
                return self._seen(self.now.meta(e, end(self.projection, side)), side, e)
            case m.Meta(per="synapse") if not self.projection.topology.has_synapses:
                value = without_array(self.projection.topology, e.shape)
                return self.builder.literal(value, Type(e.shape, EVERYWHERE), e.span)
            case m.Meta():
                return self.now.meta(e, self.projection.keeper if e.per == "synapse" else self.projection.name)
            case m.Modulator():
                return self.modulator(e, self.projection.target)
            case m.Fan():
                return self.of_projection(e, self.projection)
            case Total(side=side):
                return self._seen(self._end(side).total(e), side, e)
            case m.Noise() | m.Uniform():
                return self.drawn(e, self.projection.name, self.phase, self._each_synapse)
            case m.Until():
                # A running total of something that does not vary over the batch.
                type_ = Type(e.shape, self._each_synapse)
                return self.builder.emit("until", (self.value(e.body),), (self.projection.name,), type_, e.span)
            case m.Reduce(body=body) if Over.BUILT in body.over:
                return self.sites.reduced(e)
            case m.Reduce():
                separated = separate(e)
                assert not isinstance(separated, Inseparable)
                return self.combine(separated, lambda p: self._reduced(p, e), e)
            case m.Across(function=function, body=body):
                type_ = Type(e.shape, Space("synapses", self.projection.keeper))
                return self.builder.emit(function, (self.value(body),), (), type_, e.span)
            case _:
                raise AssertionError(f"{e.span}: not of a synapse: {e}")

    @property
    def sites(self) -> SiteScope:
        return SiteScope(self.now, self.projection, self._end("pre"), self._end("post"), self, update=True)

    @property
    def _each_synapse(self) -> Space:
        return Space("synapses", self.projection.keeper, True, True)

    def _end(self, side: str) -> NeuronScope:
        """The presynaptic or postsynaptic neuron. Its own sums are in its own scope."""
        delay = self.projection.delay if side == "pre" else 0
        return NeuronScope(self.now, end(self.projection, side), self.projection, delay)

    def _seen(self, value: int, side: str, e: m.Expr) -> int:
        """A neuron's value as seen by its synapses. Only the totals of a max pool still vary over the batch, as it
        chooses other neurons for every example: they are averaged."""
        b = self.builder
        type_ = b.type(value)
        if type_.space.kind != "neurons":
            return value
        if type_.space.first:
            mean = Type(type_.dims, replace(type_.space, first=False))
            value, type_ = b.emit("batch_mean", (value,), (), mean, e.span), mean
        topology, source = self.projection.topology, self.now.model.network.population(self.projection.source)
        idle = topology.shares and topology.idles(source.shape)
        attrs = (self.projection.name, "idle" if idle else isinstance(topology, Dense))
        seen = Type(type_.dims, Space("synapses", self.projection.keeper))
        return b.emit(f"at_{side}", (value,), attrs, seen, e.span)

    def _reduced(self, p: Product, e: m.Reduce) -> int:
        """A product of a presynaptic and a postsynaptic factor, reduced over the batch: equation (7)."""
        b = self.builder
        ends = {side: self._end(side).value(f) for side, f in (("pre", p.pre), ("post", p.post)) if f}
        factors = [self.value(p.still)] if p.still else []
        if p.until:
            return self.product([*factors, self._reduced_until(p.until, ends.get("post"), e)], p.sign, e)
        if self.projection.topology.shares:
            return self.product([*factors, self._outer(ends, e)], p.sign, e)
        batched = {side: v for side, v in ends.items() if b.type(v).space.first}
        if len(batched) == 2:
            factors.append(self._outer(ends, e))
        else:
            factors += [self._alone(v, side, e, side in batched) for side, v in ends.items()]
            if not batched and e.kind == "batch_sum":
                factors.append(b.emit("batch_size", (), (), Type((), EVERYWHERE), e.span))
        return self.product(factors, p.sign, e)

    def _outer(self, ends: dict[str, int], e: m.Reduce) -> int:
        """Shared synapses also sum over the places where they act, so a missing end is 1 at each place."""
        b = self.builder
        args = tuple(self._at_places(ends.get(side), end(self.projection, side), e) for side in ("pre", "post"))
        type_ = Type(b.dims(*args), self._each_synapse)
        return b.emit("outer", args, (self.projection.name, e.kind), type_, e.span)

    def _at_places(self, value: int | None, population: str, e: m.Reduce) -> int:
        if value is None:
            return self.builder.literal(1.0, Type((), Space("neurons", population)), e.span)
        return self.of_neurons(value, population, e)

    def _reduced_until(self, until: Partial, post: int | None, e: m.Reduce) -> int:
        """`sum_b post_j * sum_{k <= j} synapse_ik * until_k`, for the synapse from i to j."""
        b = self.builder
        one = b.literal(1.0, Type((), EVERYWHERE), e.span)
        synapse = self.value(until.synapse) if until.synapse else one
        there = self._end("post").value(until.post) if until.post else one
        here = one if post is None else post
        ends = tuple(self.of_neurons(v, self.projection.target, e) for v in (there, here))
        args = (synapse, *ends)
        type_ = Type(b.dims(*args), self._each_synapse)
        return b.emit("outer_until", args, (self.projection.name, e.kind), type_, e.span)

    def _alone(self, value: int, side: str, e: m.Reduce, batched: bool) -> int:
        b = self.builder
        if batched:
            found = b.type(value)
            value = b.emit(e.kind, (value,), (), Type(found.dims, replace(found.space, first=False)), e.span)
        return self._seen(value, side, e)
