"""Evaluates an expression in a scope."""

from __future__ import annotations

import numpy as np

from blurc import model
from blurc.language import STANDARDIZE_EPS
from blurc.model import Apply, Dense, Expr, Over, Pool, Projection
from blurc.reference.arithmetic import NARY, PLACES, POPULATION, PROJECTION, UNARY, Array
from blurc.reference.scopes import Moment, NeuronScope, Scope, SiteScope, SynapseScope, added

Items = tuple["int | tuple[int, int]", ...]  # as in `a[1:]`


def evaluate(e: Expr, at: Scope) -> Array:
    """The value of an expression, [*shape, *at.extent]."""
    if isinstance(at, SiteScope) and at.update and stands_outside(e, at.update):
        at_synapses = evaluate(e, at.update)
        return at_synapses[..., at.now.sites(at.projection).synapse]
    match e, at:
        case model.Total(), NeuronScope():
            return total(e, at.population, at.now)
        case model.Total(), _:
            return at.along(e.side, total(e, at.population(e.side), at.now))
        case model.Until(), SiteScope() | SynapseScope():
            return running(e, at)
        case model.Reduce(), SynapseScope():
            return reduced(e, at)
        case model.Across(), SynapseScope():
            return np.broadcast_to(PROJECTION[e.function](evaluate(e.body, at)), (*e.shape, *at.extent))
        case model.Slot(), _:
            return slot(e, at)
        case model.Sloped(), _:
            if isinstance(at, NeuronScope):
                evaluate(e.arg, at)  # its statistics move "at every visit", also if only the slope reads them
            return evaluate(e.value, at)
        case Apply(), _:
            return apply(e, at)
        case model.Pick(), _:
            return evaluate(e.arg, at)[part(e.items)]
        case model.Stack(), _:
            return np.stack([evaluate(item, at) for item in e.items])
        case _:
            return leaf(e, at)


def leaf(e: Expr, at: Scope) -> Array:
    """What is read or drawn, not computed from what stands below."""
    match e, at:
        case model.Literal(), _:
            return spread(e.value, e, at)
        case model.Meta(), _:
            return at.meta(e)
        case model.Modulator(), _:
            return signal(e, at)
        case model.Let(), NeuronScope():
            return at.lets[e.name]
        case model.Let(), _:
            return at.let(e.name)
        case model.State(), NeuronScope():
            return at.now.neurons[at.population][e.name]
        case model.State(), SiteScope():
            return at.state(e)
        case model.Channel(), SiteScope() | SynapseScope():
            return at.channel(e)
        case model.Signal(), NeuronScope():
            return at.now.signals[e.name][at.population]
        case model.Noise(), NeuronScope() | SynapseScope():
            return evaluate(e.std, at) * at.draw(e)
        case model.Uniform(), NeuronScope() | SynapseScope():
            low, high = evaluate(e.low, at), evaluate(e.high, at)
            return low + (high - low) * at.draw(e)
        case model.Running(), NeuronScope():
            return running_statistic(e, at)
        case model.Fan(), SiteScope() | SynapseScope():
            return spread(of_projection(e, at.projection, at.now), e, at)
        case _:
            raise AssertionError(f"{e.span}: the checker allows no {type(e).__name__} here")


def stands_outside(e: Expr, update: SynapseScope) -> bool:
    """For shared synapses: "inside a reducer, a (sub)expression that does not vary over the batch and is not purely
    presynaptic or purely postsynaptic is taken as if it stood outside; all else is taken place by place". The result of
    another reducer (from a let) or of a projection has no places left, so it also stands outside."""
    about = e.over & (Over.PRE | Over.POST | Over.SYNAPSE)
    of_one_end = about in (Over.PRE, Over.POST) and not holds_reducer(e, update)
    return Over.EXAMPLE not in e.over and not of_one_end


def holds_reducer(e: Expr, update: SynapseScope) -> bool:
    lets = [update.lets[x.name] for x in model.walk(e) if isinstance(x, model.Let)]
    return any(isinstance(x, model.Reduce | model.Across) for x in model.walk(e)) or any(
        let.holds_reducer for let in lets
    )


def running_statistic(e: model.Running, at: NeuronScope) -> Array:
    """They start at 0 and 1. "At every visit of a step they become those of a mixture: a share `rate` of the batch, the
    rest as before"."""
    z, kept = evaluate(e.arg, at), at.now.statistics.setdefault(at.population, {})
    one = np.ones((*e.shape, z.shape[-1]))
    mean, var = kept.get(e.kept[0], 0 * one), kept.get(e.kept[-1], one)
    if at.now.learns and e.number not in at.moved:
        at.moved.add(e.number)
        second = (1 - e.rate) * (var + mean**2) + e.rate * (z**2).mean(axis=-2)
        mean = (1 - e.rate) * mean + e.rate * z.mean(axis=-2)
        var = second - mean**2
        kept.update(zip(e.kept, (mean, var), strict=False))
    mean, var = (np.broadcast_to(value[..., None, :], z.shape) for value in (mean, var))
    if e.function == "standardize":
        return (z - mean) / np.sqrt(var + STANDARDIZE_EPS)
    return mean if e.function == "running_mean" else var


def spread(value: object, e: Expr, at: Scope) -> Array:
    """A value that is the same for all examples, neurons and synapses."""
    array = np.asarray(value, np.float64).reshape(*e.shape, *(1 for _ in at.extent))
    return np.broadcast_to(array, (*e.shape, *at.extent))


def signal(e: model.Modulator, at: Scope) -> Array:
    """A value of the step, or of each example, [batch, *shape]."""
    value = at.now.modulators[e.name]
    if Over.EXAMPLE not in e.over:
        return spread(value, e, at)
    return np.broadcast_to(np.moveaxis(np.asarray(value, np.float64), 0, -1)[..., None], (*e.shape, *at.extent))


def part(items: Items) -> tuple[int | slice, ...]:
    """`[0]`, `[1:]`, on the axes of the shape, which come first."""
    return tuple(i if isinstance(i, int) else slice(*i) for i in items)


def of_projection(e: model.Fan, p: Projection, now: Moment) -> float:
    if e.name == "plastic":
        return float(p.plastic and p.topology.has_synapses)
    network = now.model.network
    fan_in, fan_out = p.topology.fans(network.population(p.source).shape, network.population(p.target).shape)
    return fan_in if e.name == "fan_in" else fan_out


def slot(e: model.Slot, at: Scope) -> Array:
    name = at.function(e)
    if own := at.now.model.genome.function(name):
        return evaluate(model.call(own, (e.arg,), e.span, e.prime), at)
    return UNARY[name][e.prime](evaluate(e.arg, at))


def apply(e: Apply, at: Scope) -> Array:
    args = [evaluate(arg, at) for arg in e.args]
    if e.function in UNARY:
        return UNARY[e.function][e.prime](*args)
    if e.function in NARY:
        return NARY[e.function](*args)
    assert isinstance(at, NeuronScope), f"{e.span}: {e.function} is about the neurons of a population"
    if e.function in PLACES:
        return over_places(e.function, args[0], model.places(at.now.model.network)[at.population])
    return np.broadcast_to(POPULATION[e.function](*args), (*e.shape, *at.extent))


def over_places(function: str, z: Array, places: int) -> Array:
    """ "Over the places of the population, for the neuron's own channel." Channels vary fastest."""
    by_place = z.reshape(*z.shape[:-1], places, -1)
    return np.broadcast_to(PLACES[function](by_place), by_place.shape).reshape(z.shape)


def reduced(e: model.Reduce, synapse: SynapseScope) -> Array:
    """`batch_sum(E)`: for each synapse, the sum over the batch and "over the places where the synapse acts".
    `batch_mean(E)` divides that by the batch size: "mean over the batch, sum over the places"."""
    now, at = synapse.now, synapse.now.sites(synapse.projection)
    result = evaluate(e.body, SiteScope(now, synapse.projection, synapse)).sum(axis=-2)
    result = added(result, at.synapse, at.count)
    return synapse.of_synapses(result / now.batch if e.kind == "batch_mean" else result)


def running(e: model.Until, at: SiteScope | SynapseScope) -> Array:
    """`pre.outgoing_until(E)`: "for the synapse from i to j, the sum of E over the synapses of the same projection
    from i to the neurons up to and including j". Like all totals it reads the synapses from the beginning of the
    phase. Only dense projections have it; their sites are ordered by i, then j."""
    assert isinstance(at.projection.topology, Dense)
    values = evaluate(e.body, SiteScope(at.now, at.projection, post_now=True))
    rows = values.reshape(*values.shape[:-1], -1, at.now.size(at.projection.target))
    return rows.cumsum(axis=-1).reshape(values.shape)


def total(e: model.Total, population: str, now: Moment) -> Array:
    """`incoming(E)` / `outgoing(E)`: "the sum of E over all its incoming / outgoing synapses, of every
    projection" that carries forward into the population, or feedback back to it. "`incoming(E)` of a neuron is the sum
    of E over its sites". `incoming[kind](E)`: of "the projections of that kind alone"."""
    size = now.size(population)
    result = np.zeros((*e.shape, now.batch, size))
    for p in now.model.network.projections:
        if e.kind not in ("", p.kind):
            continue
        if e.direction == "incoming" and p.forward and p.target == population:
            result += added(terms(e, p, now), now.sites(p).post, size)
        if e.direction == "outgoing" and p.feedback and p.source == population:
            result += added(terms(e, p, now), now.sites(p).pre, size)
    return result


def terms(e: model.Total, p: Projection, now: Moment) -> Array:
    """The terms of the sum, for every example and site."""
    values = evaluate(e.body, SiteScope(now, p))
    if isinstance(p.topology, Pool) and p.topology.kind == "max":
        return np.where(open_sites(p, now), values, 0.0)
    return values


def open_sites(p: Projection, now: Moment) -> np.ndarray:
    """Max pool, [batch, site]: "for each example, of the sites of a postsynaptic neuron only that one exists whose
    presynaptic neuron's gate is largest (the first of equals); the gate is the first component of the first declared
    state of the genome, as it stands when read (and delayed where the projection is)"."""
    state, at = now.model.genome.states[0], now.sites(p)
    gate = now.state(p.source, state.name, p.delay)[(0,) * len(state.shape)][:, at.pre]
    result = np.zeros(gate.shape, bool)
    for neuron in range(now.size(p.target)):
        window = np.flatnonzero(at.post == neuron)
        result[np.arange(now.batch), window[np.argmax(gate[:, window], axis=1)]] = True
    return result
