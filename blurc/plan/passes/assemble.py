"""Assembly: combines the blocks of a step and everything they refer to into a plan."""

from __future__ import annotations

import math
from collections.abc import Iterator

from blurc import model as m
from blurc.model import UNIT, Model, synapse_shape
from blurc.plan.passes.elaborate import remembered
from blurc.plan.passes.sparse_form import sparse_form
from blurc.plan.plan import Block, Plan, Population, Projection, Variable


def assemble(model: Model, step: Block, predict: Block, run: Block) -> Plan:
    """`step` has the results of `trace` too; liveness tells them apart."""
    genome, network = model.genome, model.network
    projections = tuple(_projection(p, model) for p in network.projections)
    return Plan(
        name=network.name,
        genome=genome.name,
        populations=tuple(Population(p.name, p.role, p.shape, p.size, p.ids) for p in network.populations),
        projections=projections,
        metas=tuple(Variable(v.per, v.name, v.shape, v.init, v.span, _starts(v, network)) for v in genome.metas),
        channels=tuple(
            Variable(p.name, c.name, c.shape, c.init, c.span)
            for p in projections
            if p.has_arrays
            for c in genome.channels
            if not c.per_example
        ),
        channel_starts=tuple(
            Variable("", c.name, c.shape, c.init, c.span) for c in genome.channels if not c.per_example
        ),
        carried=(*_persistent(model), *_history(model)),
        modulators=tuple(
            Variable("example" if v.per_example else "network", v.name, v.shape, None, v.span)
            for v in genome.modulators
        ),
        step=step,
        predict=predict,
        trace=step,
        run=run,
        statistics=tuple(_statistics(step)),
        examples=tuple(
            Variable(p.name, c.name, c.shape, None, c.span)
            for p in projections
            if p.has_arrays
            for c in genome.channels
            if c.per_example
        ),
    )


def _starts(v: m.MetaVar, network: m.Network) -> tuple[tuple[str, m.Init], ...]:
    """The start values that the network gives."""
    found = network.given(v.per, v.name).items()
    return tuple(
        (of, m.Init("value", (m.Literal(g.value, shape=g.shape, over=m.Over.NOTHING, span=g.span),))) for of, g in found
    )


def _projection(p: m.Projection, model: Model) -> Projection:
    network = model.network
    constants = tuple((c.name, model.constant(c.name, p.name)) for c in model.genome.constants if c.per == "projection")
    pre, post = network.population(p.source).shape, network.population(p.target).shape
    shape = synapse_shape(p.topology, pre, post) if p.topology.has_synapses else ()
    axes = (math.prod(shape[:-1]), shape[-1]) if shape else (1, 1)
    form, why = sparse_form(p.topology, pre, post)
    unit = p.source == UNIT
    return Projection(
        p.name,
        p.source,
        p.target,
        pre,
        post,
        p.topology,
        p.plastic,
        unit,
        p.delay,
        shape,
        axes,
        form,
        why,
        constants,
        p.same,
    )


def _persistent(model: Model) -> Iterator[Variable]:
    for p in model.network.populations:
        for s in model.genome.states if p.role != "unit" else ():
            if s.persistent:
                yield Variable(p.name, s.name, s.shape, None, s.span)


def _statistics(step: Block) -> Iterator[Variable]:
    for r in step.results:
        match r.key:
            case ("statistic", population, name):
                op = step.ops[r.value]
                yield Variable(population, name, op.type.dims, None, op.span)
            case _:
                pass


def _history(model: Model) -> Iterator[Variable]:
    for population, steps in remembered(model).items():
        for s in model.genome.states:
            for d in range(1, steps + 1):
                yield Variable(population, f"{s.name}@{d}", s.shape, None, s.span)
