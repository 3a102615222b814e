"""Lowering: traces a block of operations as JAX. One function per operation; the arithmetic is in `kernels/`."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np

from blurc.plan import EACH, Block, Factors, Op, Plan, Result, Type, loop_of
from blurc.runtime.kernels import at_sites, elementwise, ids, kernel
from blurc.runtime.kernels.ids import Rows, RowsKernel

Arrays = Mapping[str, Any]


@dataclass(frozen=True)
class Inputs:
    """What the operations of a block read: `genome[meta]`, `synapses[projection][channel]`,
    `carried[population][state]`, also `[projection][channel]` of channels per example, `statistics[population][name]`,
    all in the shapes that users see, stacks by name; `input[population]` and `target[population]` as `[batch, n]`, ids
    as `[batch, m]`; `modulators[name]`, `[*dims]` or `[batch, *dims]`; the random key of the step, where it draws."""

    genome: Arrays
    synapses: Arrays = field(default_factory=dict[str, Any])
    carried: Arrays = field(default_factory=dict[str, Any])
    input: Arrays = field(default_factory=dict[str, Any])
    target: Arrays = field(default_factory=dict[str, Any])
    modulators: Arrays = field(default_factory=dict[str, Any])
    key: jax.Array | None = None
    batch: Any = 1
    statistics: Arrays = field(default_factory=dict[str, Any])


def dtype() -> Any:
    """float32, or float64 in JAX's x64 mode."""
    return jnp.result_type(float)


def run(plan: Plan, block: Block, inputs: Inputs) -> list[tuple[Result, jax.Array]]:
    """The results of a block, in order."""
    lowering = Lowering(plan, block, inputs, [], rows=_rows(plan, block, inputs))
    values = run_body(lowering)
    return [(result, lowering.whole(result, value)) for result, value in zip(block.results, values, strict=True)]


def _rows(plan: Plan, block: Block, inputs: Inputs) -> dict[tuple[str, str], Rows]:
    """The rows that are computed of inputs by ids, for their neurons and for the synapses that start there."""
    found: dict[tuple[str, str], Rows] = {}
    for p in (p for p in plan.populations if p.ids):
        kind = Rows.seen if p.name in block.seen else Rows.all
        rows = kind(inputs.input[p.name], p.size, dtype())
        found["neurons", p.name] = rows
        found |= {("synapses", e.name): rows for e in plan.projections if e.source == p.name and e.dense}
    return found


@dataclass(frozen=True)
class Lowering:
    """An operation is lowered by the method of its name, or else is elementwise. `given`: in the body of a loop, the
    values of carry, each and same. Of inputs by ids, values have the `rows` that are computed."""

    plan: Plan
    block: Block
    inputs: Inputs
    values: list[Any]
    given: Mapping[str, Sequence[Any]] = field(default_factory=dict[str, "Sequence[Any]"])
    rows: Mapping[tuple[str, str], Rows] = field(default_factory=dict[tuple[str, str], Rows])  # by kind and space

    def op(self, op: Op) -> jax.Array:
        method: Callable[[Op], jax.Array] | None = getattr(self, op.name, None)
        if method:
            return method(op)
        args = [self.arg(a, op) for a in op.args]
        if op.name in elementwise.NARY:
            return elementwise.NARY[op.name](*args)
        if op.attrs:  # the derivative
            return elementwise.PRIME[op.name](args[0])
        return elementwise.UNARY[op.name](args[0])

    def arg(self, i: int, op: Op) -> jax.Array:
        """An argument, with the two trailing axes of the space of `op`."""
        x, found = self.values[i], self.block.ops[i].type
        if found.space.kind == "everywhere" and op.type.space.kind != "everywhere":
            return x.reshape((*x.shape, *(1,) * _trailing(op.type)))
        return x

    def args(self, op: Op) -> list[jax.Array]:
        return [self.arg(a, op) for a in op.args]

    # --------------------------------------------------------------- leaves

    def literal(self, op: Op) -> jax.Array:
        value = jnp.asarray(op.attrs[0], dtype())
        trailing = (1,) * _trailing(op.type)
        shape = (*op.type.dims, *trailing)
        return jnp.broadcast_to(value.reshape((*value.shape, *trailing)) if value.ndim else value, shape)

    def meta(self, op: Op) -> jax.Array:
        value = self.inputs.genome[str(op.attrs[0])]
        value = value[str(op.attrs[1])] if len(op.attrs) == 2 else value
        space = op.type.space
        if space.kind == "neurons":
            every = value.reshape((*op.type.dims, 1, self.plan.population(space.of).size))
            rows = self.rows.get(("neurons", space.of))
            return rows.taken(every, -1) if rows else every
        return self._with_two_axes(value, op) if space.kind == "synapses" else value

    def modulator(self, op: Op) -> jax.Array:
        value = self.inputs.modulators[str(op.attrs[0])]
        return jnp.moveaxis(value, 0, -1)[..., None] if op.type.space.kind == "neurons" else value

    def noise(self, op: Op) -> jax.Array:
        return self._drawn(jax.random.normal, op)

    def uniform(self, op: Op) -> jax.Array:
        return self._drawn(jax.random.uniform, op)

    def _drawn(self, draw: Callable[..., jax.Array], op: Op) -> jax.Array:
        assert self.inputs.key is not None
        shape = (*op.type.dims, *self._full(op))
        if not isinstance(op.attrs[0], tuple):
            return draw(fold(self.inputs.key, "/".join(map(str, op.attrs))), shape, dtype())
        keys = folds(self.inputs.key, map(str, op.attrs[0]))
        one = self._entry_shape(len(op.attrs[0]), shape)

        def entry(key: jax.Array) -> jax.Array:
            return draw(key, one, dtype())

        return jax.vmap(entry)(keys).reshape(shape)

    def _entry_shape(self, entries: int, shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """The shape of one entry of a stack, possibly nested."""
        while entries > 1:
            entries, shape = entries // shape[0], shape[1:]
        return shape

    def synapse(self, op: Op) -> jax.Array:
        return self._with_two_axes(self.inputs.synapses[str(op.attrs[0])][str(op.attrs[1])], op)

    def _with_two_axes(self, value: jax.Array, op: Op) -> jax.Array:
        every = value.reshape((*op.type.dims, *self.plan.projection(op.type.space.of).axes))
        rows = self.rows.get(("synapses", op.type.space.of))
        return rows.taken(every, -2) if rows else every

    def _size(self, population: str) -> Any:
        rows = self.rows.get(("neurons", population))
        return rows.count if rows else self.plan.population(population).size

    def whole(self, result: Result, value: jax.Array) -> jax.Array:
        """The rows that were computed, written to the others."""
        match result.key:
            case ("synapse", projection, channel) if rows := self.rows.get(("synapses", projection)):
                axes = self.plan.projection(projection).axes
                every = self.inputs.synapses[projection][channel]
                every = every.reshape((*value.shape[:-2], *axes))
                return every if self.block.ops[result.value].name == "synapse" else rows.written(every, value)
            case _:
                return value

    def example(self, op: Op) -> jax.Array:
        value = self.inputs.carried[str(op.attrs[0])][str(op.attrs[1])]
        return value.reshape((*op.type.dims, *self._full(op)))

    def carried(self, op: Op) -> jax.Array:
        value = self.inputs.carried[str(op.attrs[0])][str(op.attrs[1])]
        return value.reshape((*op.type.dims, *self._full(op)))

    def statistic(self, op: Op) -> jax.Array:
        value = self.inputs.statistics[str(op.attrs[0])][str(op.attrs[1])]
        return value.reshape((*op.type.dims, 1, self.plan.population(op.type.space.of).size))

    def input(self, op: Op) -> jax.Array:
        rows = self.rows.get(("neurons", str(op.attrs[0])))
        return rows.one_hot() if rows else self.inputs.input[str(op.attrs[0])]

    def target(self, op: Op) -> jax.Array:
        return self.inputs.target[str(op.attrs[0])]

    def batch_size(self, op: Op) -> jax.Array:
        return jnp.asarray(self.inputs.batch, dtype())

    # ----------------------------------------------------------- over dims

    def matmul(self, op: Op) -> jax.Array:
        m, x = self.args(op)
        return elementwise.matmul(m, x, self.block.ops[op.args[0]].type.dims[1])

    def pick(self, op: Op) -> jax.Array:
        return self.values[op.args[0]][_index(op.attrs[0])]

    def put(self, op: Op) -> jax.Array:
        base, part = self.args(op)
        last = -_trailing(op.type)
        shape = (*op.type.dims, *jnp.broadcast_shapes(base.shape[last:], part.shape[last:]))
        index = _index(op.attrs[0])
        if len(op.type.dims) == 1:
            return _put_vector(base, part, index[0], shape)
        return jnp.broadcast_to(base, shape).at[index].set(part)

    def stack(self, op: Op) -> jax.Array:
        args = self.args(op)
        shape = jnp.broadcast_shapes(*(a.shape for a in args))
        return jnp.stack([jnp.broadcast_to(a, shape) for a in args])

    def power(self, op: Op) -> jax.Array:
        return jax.lax.integer_pow(self.arg(op.args[0], op), int(str(op.attrs[0])))

    def spread(self, op: Op) -> jax.Array:
        (x,) = self.args(op)
        return jnp.broadcast_to(x, (*op.type.dims, *x.shape[len(x.shape) - _trailing(op.type) :]))

    def fill(self, op: Op) -> jax.Array:
        (x,) = self.args(op)
        return jnp.broadcast_to(x, self._whole(op.type))

    def _full(self, op: Op) -> tuple[Any, ...]:
        return *self._examples(op.type), *self._axes(op.type)

    def _axes(self, t: Type) -> tuple[Any, Any]:
        """The last two."""
        space = t.space
        if space.kind == "neurons":
            return self.inputs.batch, self._size(space.of)
        projection = self.plan.projection(space.of)
        if space.kind == "sites":
            return at_sites(projection).axes
        rows, axes = self.rows.get(("synapses", space.of)), projection.axes
        return (rows.count, axes[1]) if rows else axes

    def _examples(self, t: Type) -> tuple[Any, ...]:
        """The axis in front of the last two, if there is one."""
        return (self.inputs.batch,) if t.space.kind in EACH else ()

    # ------------------------------------------- over populations and batch

    def softmax(self, op: Op) -> jax.Array:
        every = elementwise.softmax(self._with_neurons(op))
        return every if op.type.space.second else every[..., :1]

    def standardize(self, op: Op) -> jax.Array:
        return elementwise.standardize(self.arg(op.args[0], op))

    def population_sum(self, op: Op) -> jax.Array:
        return jnp.sum(self._with_neurons(op), axis=-1, keepdims=True)

    def population_max(self, op: Op) -> jax.Array:
        return jnp.max(self.arg(op.args[0], op), axis=-1, keepdims=True)

    def population_mean(self, op: Op) -> jax.Array:
        x, of = self.arg(op.args[0], op), op.type.space.of
        if ("neurons", of) in self.rows:
            return self.population_sum(op) / self.plan.population(of).size
        return jnp.mean(x, axis=-1, keepdims=True)

    def place_mean(self, op: Op) -> jax.Array:
        return self._over_places(jnp.mean, op)

    def place_sum(self, op: Op) -> jax.Array:
        return self._over_places(jnp.sum, op)

    def place_max(self, op: Op) -> jax.Array:
        return self._over_places(jnp.max, op)

    def _over_places(self, reduce: Callable[..., jax.Array], op: Op) -> jax.Array:
        """One number for each channel, seen from all places; channels vary fastest."""
        every, places = self._with_neurons(op), int(str(op.attrs[0]))
        by_place = every.reshape((*every.shape[:-1], places, every.shape[-1] // places))
        seen = jnp.broadcast_to(reduce(by_place, axis=-2, keepdims=True), by_place.shape).reshape(every.shape)
        return seen if op.type.space.second else seen[..., :1]

    def _with_neurons(self, op: Op) -> jax.Array:
        """The argument broadcast to all neurons of the population."""
        x = self.arg(op.args[0], op)
        return jnp.broadcast_to(x, (*x.shape[:-1], self._size(op.type.space.of)))

    def batch_mean(self, op: Op) -> jax.Array:
        return jnp.mean(self.values[op.args[0]], axis=-2, keepdims=True)

    def batch_sum(self, op: Op) -> jax.Array:
        x = self.values[op.args[0]]
        every = jnp.broadcast_to(x, (*x.shape[:-2], self.inputs.batch, x.shape[-1]))
        return jnp.sum(every, axis=-2, keepdims=True)

    # ----------------------------------------------------- over projections

    def projection_mean(self, op: Op) -> jax.Array:
        every = self._with_synapses(op)
        count = math.prod(self.plan.projection(op.type.space.of).axes)
        return jnp.sum(every, axis=(-2, -1), keepdims=True) / max(1, count)

    def projection_sum(self, op: Op) -> jax.Array:
        return jnp.sum(self._with_synapses(op), axis=(-2, -1), keepdims=True)

    def projection_max(self, op: Op) -> jax.Array:
        every = self._with_synapses(op)
        return jnp.max(every, axis=(-2, -1), keepdims=True) if every.size else self.projection_sum(op)

    def _with_synapses(self, op: Op) -> jax.Array:
        """The argument broadcast to all synapses of the projection, of which there may be none."""
        x = self.arg(op.args[0], op)
        return jnp.broadcast_to(x, (*x.shape[:-2], *self._full(op)))

    def to_post(self, op: Op) -> jax.Array:
        factors = op.attrs[1]
        assert isinstance(factors, Factors)
        if factors.neuron and (rows := self._gathered(op, op.args[-1])):
            return ids.to_post(self._with_axes(op.args[0]) if factors.synapse else None, rows)
        return self._kernel(op).to_post(*self._factors(op))

    def _gathered(self, op: Op, i: int) -> Rows | None:
        """The rows by which a product with the bare input by ids is gathered."""
        return self.rows.get(("synapses", str(op.attrs[0]))) if self.block.ops[i].name == "input" else None

    def to_pre(self, op: Op) -> jax.Array:
        return self._kernel(op).to_pre(*self._factors(op))

    def _kernel(self, op: Op) -> Any:
        p = self.plan.projection(str(op.attrs[0]))
        rows = self.rows.get(("synapses", p.name))
        return RowsKernel(rows.count, p.n_post) if rows and rows.whole is not None else kernel(p)

    def _factors(self, op: Op) -> tuple[jax.Array | None, jax.Array | None, bool, jax.Array | None]:
        has = op.attrs[1]
        assert isinstance(has, Factors)
        args = iter([self._with_axes(a) for a in op.args])
        synapse, neuron, gate = (next(args) if there else None for there in (has.synapse, has.neuron, has.gate))
        return synapse, neuron, has.mixes, None if gate is None else self._all_neurons(gate, op)

    def _all_neurons(self, gate: jax.Array, op: Op) -> jax.Array:
        return jnp.broadcast_to(gate, (gate.shape[0], self.plan.projection(str(op.attrs[0])).n_pre))

    def _with_axes(self, i: int) -> jax.Array:
        x = self.values[i]
        return x.reshape((*x.shape, 1, 1)) if self.block.ops[i].type.space.kind == "everywhere" else x

    def outer(self, op: Op) -> jax.Array:
        pre, post = op.args
        if rows := self._gathered(op, pre):
            total = ids.outer(self._stretch(post), rows)
        else:
            total = self._kernel(op).outer(self._stretch(pre), self._stretch(post))
        return total / self.inputs.batch if op.attrs[1] == "batch_mean" else total

    def until(self, op: Op) -> jax.Array:
        x = self.arg(op.args[0], op)
        return self._kernel(op).until(jnp.broadcast_to(x, (*x.shape[:-2], *self._axes(op.type))))

    def outer_until(self, op: Op) -> jax.Array:
        synapse = self._with_axes(op.args[0])
        synapse = jnp.broadcast_to(synapse, (*synapse.shape[:-2], *self._full(op)))
        there, here = (self._stretch(a) for a in op.args[1:])
        total = self._kernel(op).outer_until(synapse, there, here)
        return total / self.inputs.batch if op.attrs[1] == "batch_mean" else total

    def _stretch(self, i: int) -> jax.Array:
        """A neuron value broadcast to all examples and neurons, so that sums count each."""
        x, size = self.values[i], self._size(self.block.ops[i].type.space.of)
        return jnp.broadcast_to(x, (*x.shape[:-2], self.inputs.batch, size))

    def at_pre(self, op: Op) -> jax.Array:
        return self._at(op, self._kernel(op).at_pre)

    def at_post(self, op: Op) -> jax.Array:
        return self._at(op, self._kernel(op).at_post)

    def _at(self, op: Op, each: Callable[[jax.Array], jax.Array]) -> jax.Array:
        """A neuron value at the synapses. What varies over neurons varies over synapses, even if a population has only
        one neuron; and everything does if some synapses never act."""
        x, varies = self.values[op.args[0]], self.block.ops[op.args[0]].type.space.second or op.attrs[1] == "idle"
        return jnp.broadcast_to(each(x), self._whole(op.type)) if varies else x

    # ---------------------------------------------- every site and example

    def at_sites(self, op: Op) -> jax.Array:
        x, sites = self.values[op.args[0]], at_sites(self.plan.projection(str(op.attrs[0])))
        match op.attrs[1]:
            case "pre":
                return sites.at_pre(x)
            case "post":
                return sites.at_post(x)
            case _:
                with_examples = self.block.ops[op.args[0]].type.space.kind in EACH
                return sites.at_synapse(x if with_examples else jnp.expand_dims(x, -3))

    def sites_to_post(self, op: Op) -> jax.Array:
        return at_sites(self.plan.projection(str(op.attrs[0]))).to_post(self._each(op), self._gate_of(op))

    def sites_to_pre(self, op: Op) -> jax.Array:
        return at_sites(self.plan.projection(str(op.attrs[0]))).to_pre(self._each(op), self._gate_of(op))

    def sites_to_synapse(self, op: Op) -> jax.Array:
        total = at_sites(self.plan.projection(str(op.attrs[0]))).to_synapse(jnp.sum(self._each(op), axis=-3))
        return total / self.inputs.batch if op.attrs[1] == "batch_mean" else total

    def over_places(self, op: Op) -> jax.Array:
        return at_sites(self.plan.projection(str(op.attrs[0]))).over_places(self._each(op))

    def _each(self, op: Op) -> jax.Array:
        """The argument for every example and site, so that sums count each."""
        x, found = self.values[op.args[0]], self.block.ops[op.args[0]].type
        return jnp.broadcast_to(x, (*x.shape[:-3], self.inputs.batch, *self._axes(found)))

    def _gate_of(self, op: Op) -> jax.Array | None:
        return self._all_neurons(self.values[op.args[1]], op) if len(op.args) > 1 else None

    # ---------------------------------------------------------------- loops

    def loop(self, op: Op) -> Any:
        """(the carry after the last round, the stacks). Rounds without carry and products are computed side by side;
        products with an additional axis make XLA's CPU backend crash in some layouts."""
        loop = loop_of(op)
        args = [self.values[a] for a in op.args]
        starts, rest = args[: loop.carries], args[loop.carries :]
        stacks, same = rest[: loop.stacks], rest[loop.stacks :]
        carries = [r for r in loop.body.results if r.key[0] == "carry"]
        whole = [self._whole(loop.body.ops[r.value].type) for r in carries]

        def body(carry: list[Any], each: list[Any]) -> tuple[list[Any], list[Any]]:
            given = {"carry": carry, "each": each, "same": same}
            results = run_body(Lowering(self.plan, loop.body, self.inputs, [], given, self.rows))
            handed = [jnp.broadcast_to(x, shape) for x, shape in zip(results, whole, strict=False)]
            return handed, results[len(carries) :]

        if not carries and loop.stacks and not any(o.name in PRODUCTS for o in loop.body.all_ops()):

            def alone(each: list[Any]) -> list[Any]:
                return body([], each)[1]

            return [], jax.vmap(alone)(stacks)
        start = [jnp.broadcast_to(x, shape) for x, shape in zip(starts, whole, strict=True)]
        return jax.lax.scan(body, start, stacks, length=loop.count, reverse=loop.backwards)

    def _whole(self, t: Type) -> tuple[Any, ...]:
        """The full shape of values of a type."""
        if t.space.kind == "everywhere":
            return t.dims
        axes = self._axes(t)
        varies = axes[0] if t.space.first else 1, axes[1] if t.space.second else 1
        return (*t.dims, *self._examples(t), *varies)

    def carry(self, op: Op) -> Any:
        return self.given[op.name][int(str(op.attrs[0]))]

    each = same = carry

    def final(self, op: Op) -> Any:
        return self.values[op.args[0]][0][int(str(op.attrs[0]))]

    def stacked(self, op: Op) -> Any:
        return self.values[op.args[0]][1][int(str(op.attrs[0]))]

    def element(self, op: Op) -> jax.Array:
        return self.values[op.args[0]][int(str(op.attrs[0]))]

    def join(self, op: Op) -> jax.Array:
        items = op.attrs[0]
        assert isinstance(items, tuple)
        shape = self._whole(op.type)[1:]
        pieces = [_piece(self.values[a], item) for a, item in zip(op.args, items, strict=True)]
        return jnp.concatenate([jnp.broadcast_to(p, (p.shape[0], *shape)) for p in pieces])


def run_body(lowering: Lowering) -> list[jax.Array]:
    for op in lowering.block.ops:
        lowering.values.append(lowering.op(op))
    return [lowering.values[r.value] for r in lowering.block.results]


def _piece(x: jax.Array, item: Any) -> jax.Array:
    """An element as a stack of one, or a slice of a stack."""
    if not isinstance(item, tuple):
        return x[None]
    low, high = cast("tuple[int, int]", item)
    return x[low:high] if low < high else x[high:low][::-1]


def fold(key: jax.Array, name: str) -> jax.Array:
    """A separate key for every name: adding a projection does not change the draws of the others."""
    return jax.random.fold_in(key, zlib.crc32(name.encode()))


def folds(key: jax.Array, names: Iterable[str]) -> jax.Array:
    """The keys of all names, `[n]`."""
    numbers = np.array([zlib.crc32(name.encode()) for name in names], np.uint32)
    return jax.vmap(jax.random.fold_in, (None, 0))(key, numbers)


def _index(items: Any) -> tuple[Any, ...]:
    return tuple(slice(*i) if isinstance(i, tuple) else i for i in items)


def _put_vector(base: jax.Array, part: jax.Array, at: int | slice, shape: tuple[Any, ...]) -> jax.Array:
    """By concatenation, which fuses; an indexed update would not."""
    low, high = (at, at + 1) if isinstance(at, int) else (at.start, at.stop)
    piece = jnp.broadcast_to(part, (high - low, *shape[1:]))
    pieces = [
        jnp.broadcast_to(base[:low], (low, *shape[1:])),
        piece,
        jnp.broadcast_to(base[high:], (shape[0] - high, *shape[1:])),
    ]
    return jnp.concatenate([p for p in pieces if p.shape[0]])


def _trailing(t: Type) -> int:
    """How many axes come after the dims."""
    return 0 if t.space.kind == "everywhere" else 3 if t.space.kind in EACH else 2


PRODUCTS = {"to_post", "to_pre", "outer", "matmul"}
