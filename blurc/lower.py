"""Lowering: a block of operations, traced as JAX. One function an operation; the arithmetic is in `kernels/`."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp

from blurc.kernels import elementwise, kernel
from blurc.plan import Block, Factors, Op, Plan, Result

Arrays = Mapping[str, Any]


@dataclass(frozen=True)
class Inputs:
    """What the operations of a block read: `genome[meta]`, `synapses[projection][channel]`, `carried[population][state]`,
    all in the shapes that users see; `input[population]` and `target[population]` as `[batch, n]`; `modulators[name]`;
    the random key of the step, where there is noise."""

    genome: Arrays
    synapses: Arrays = field(default_factory=dict[str, Any])
    carried: Arrays = field(default_factory=dict[str, Any])
    input: Arrays = field(default_factory=dict[str, Any])
    target: Arrays = field(default_factory=dict[str, Any])
    modulators: Arrays = field(default_factory=dict[str, Any])
    key: jax.Array | None = None
    batch: Any = 1


def dtype() -> Any:
    """float32, or float64 in JAX's x64 mode."""
    return jnp.result_type(float)


def run(plan: Plan, block: Block, inputs: Inputs) -> list[tuple[Result, jax.Array]]:
    """The results of a block, in order."""
    values: list[jax.Array] = []
    lowering = Lowering(plan, block, inputs, values)
    for op in block.ops:
        values.append(lowering.op(op))
    return [(r, values[r.value]) for r in block.results]


@dataclass(frozen=True)
class Lowering:
    plan: Plan
    block: Block
    inputs: Inputs
    values: list[jax.Array]

    def op(self, op: Op) -> jax.Array:
        method = METHODS.get(op.name)
        if method:
            return method(self, op)
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
            return x.reshape((*x.shape, 1, 1))
        return x

    def args(self, op: Op) -> list[jax.Array]:
        return [self.arg(a, op) for a in op.args]

    # --------------------------------------------------------------- leaves

    def literal(self, op: Op) -> jax.Array:
        value = jnp.asarray(op.attrs[0], dtype())
        trailing = () if op.type.space.kind == "everywhere" else (1, 1)
        shape = (*op.type.dims, *trailing)
        return jnp.broadcast_to(value.reshape((*value.shape, *trailing)) if value.ndim else value, shape)

    def meta(self, op: Op) -> jax.Array:
        value = self.inputs.genome[str(op.attrs[0])]
        value = value[str(op.attrs[1])] if len(op.attrs) == 2 else value
        space = op.type.space
        if space.kind == "neurons":
            return value.reshape((*op.type.dims, 1, self.plan.population(space.of).size))
        return self._with_two_axes(value, op) if space.kind == "synapses" else value

    def modulator(self, op: Op) -> jax.Array:
        return self.inputs.modulators[str(op.attrs[0])]

    def noise(self, op: Op) -> jax.Array:
        assert self.inputs.key is not None
        key = fold(self.inputs.key, "/".join(map(str, op.attrs)))
        return jax.random.normal(key, (*op.type.dims, *self._full(op)), dtype())

    def synapse(self, op: Op) -> jax.Array:
        return self._with_two_axes(self.inputs.synapses[str(op.attrs[0])][str(op.attrs[1])], op)

    def _with_two_axes(self, value: jax.Array, op: Op) -> jax.Array:
        return value.reshape((*op.type.dims, *self.plan.projection(op.type.space.of).axes))

    def carried(self, op: Op) -> jax.Array:
        value = self.inputs.carried[str(op.attrs[0])][str(op.attrs[1])]
        return value.reshape((*op.type.dims, *self._full(op)))

    def signal(self, op: Op) -> jax.Array:
        signals = self.inputs.input if op.name == "input" else self.inputs.target
        return signals[str(op.attrs[0])]

    def batch_size(self, op: Op) -> jax.Array:
        return jnp.asarray(self.inputs.batch, dtype())

    # ----------------------------------------------------------- over dims

    def matmul(self, op: Op) -> jax.Array:
        m, x = self.args(op)
        rows, columns = self.block.ops[op.args[0]].type.dims
        return elementwise.matmul(m, x, rows, columns)

    def pick(self, op: Op) -> jax.Array:
        return self.values[op.args[0]][_index(op.attrs[0])]

    def put(self, op: Op) -> jax.Array:
        base, part = self.args(op)
        shape = (*op.type.dims, *jnp.broadcast_shapes(base.shape[-2:], part.shape[-2:]))
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
        return jnp.broadcast_to(x, (*op.type.dims, *x.shape[len(x.shape) - 2 :]))

    def fill(self, op: Op) -> jax.Array:
        (x,) = self.args(op)
        return jnp.broadcast_to(x, (*op.type.dims, *self._full(op)))

    def _full(self, op: Op) -> tuple[Any, Any]:
        space = op.type.space
        if space.kind == "neurons":
            return self.inputs.batch, self.plan.population(space.of).size
        return self.plan.projection(space.of).axes

    # ------------------------------------------- over populations and batch

    def softmax(self, op: Op) -> jax.Array:
        return elementwise.softmax(self._with_neurons(op))

    def standardize(self, op: Op) -> jax.Array:
        return elementwise.standardize(self.arg(op.args[0], op))

    def population_sum(self, op: Op) -> jax.Array:
        return jnp.sum(self._with_neurons(op), axis=-1, keepdims=True)

    def population_mean(self, op: Op) -> jax.Array:
        return jnp.mean(self.arg(op.args[0], op), axis=-1, keepdims=True)

    def _with_neurons(self, op: Op) -> jax.Array:
        """The argument with all neurons of the population there, also where it does not vary over them."""
        x = self.arg(op.args[0], op)
        return jnp.broadcast_to(x, (*x.shape[:-1], self.plan.population(op.type.space.of).size))

    def batch_mean(self, op: Op) -> jax.Array:
        return jnp.mean(self.values[op.args[0]], axis=-2, keepdims=True)

    def batch_sum(self, op: Op) -> jax.Array:
        x = self.values[op.args[0]]
        every = jnp.broadcast_to(x, (*x.shape[:-2], self.inputs.batch, x.shape[-1]))
        return jnp.sum(every, axis=-2, keepdims=True)

    # ----------------------------------------------------- over projections

    def to_post(self, op: Op) -> jax.Array:
        return self._kernel(op).to_post(*self._factors(op))

    def to_pre(self, op: Op) -> jax.Array:
        return self._kernel(op).to_pre(*self._factors(op))

    def _kernel(self, op: Op) -> Any:
        return kernel(self.plan.projection(str(op.attrs[0])))

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
        pre, post = (self._stretch(a) for a in op.args)
        total = self._kernel(op).outer(pre, post)
        return total / self.inputs.batch if op.attrs[1] == "batch_mean" else total

    def _stretch(self, i: int) -> jax.Array:
        """A neuron value with all examples and neurons there, so that sums count each."""
        x, population = self.values[i], self.plan.population(self.block.ops[i].type.space.of)
        return jnp.broadcast_to(x, (*x.shape[:-2], self.inputs.batch, population.size))

    def at_pre(self, op: Op) -> jax.Array:
        return self._kernel(op).at_pre(self.values[op.args[0]])

    def at_post(self, op: Op) -> jax.Array:
        return self._kernel(op).at_post(self.values[op.args[0]])


def fold(key: jax.Array, name: str) -> jax.Array:
    """A key of its own for every name: adding a projection leaves the draws of the others as they are."""
    return jax.random.fold_in(key, zlib.crc32(name.encode()))


def _index(items: Any) -> tuple[Any, ...]:
    return tuple(slice(*i) if isinstance(i, tuple) else i for i in items)


def _put_vector(base: jax.Array, part: jax.Array, at: int | slice, shape: tuple[Any, ...]) -> jax.Array:
    """As pieces put together, which fuse; an indexed update would not."""
    low, high = (at, at + 1) if isinstance(at, int) else (at.start, at.stop)
    piece = jnp.broadcast_to(part, (high - low, *shape[1:]))
    pieces = [
        jnp.broadcast_to(base[:low], (low, *shape[1:])),
        piece,
        jnp.broadcast_to(base[high:], (shape[0] - high, *shape[1:])),
    ]
    return jnp.concatenate([p for p in pieces if p.shape[0]])


METHODS: dict[str, Callable[[Lowering, Op], jax.Array]] = {
    "literal": Lowering.literal,
    "meta": Lowering.meta,
    "modulator": Lowering.modulator,
    "noise": Lowering.noise,
    "synapse": Lowering.synapse,
    "carried": Lowering.carried,
    "input": Lowering.signal,
    "target": Lowering.signal,
    "batch_size": Lowering.batch_size,
    "matmul": Lowering.matmul,
    "pick": Lowering.pick,
    "put": Lowering.put,
    "stack": Lowering.stack,
    "power": Lowering.power,
    "spread": Lowering.spread,
    "fill": Lowering.fill,
    "softmax": Lowering.softmax,
    "standardize": Lowering.standardize,
    "population_sum": Lowering.population_sum,
    "population_mean": Lowering.population_mean,
    "batch_mean": Lowering.batch_mean,
    "batch_sum": Lowering.batch_sum,
    "to_post": Lowering.to_post,
    "to_pre": Lowering.to_pre,
    "outer": Lowering.outer,
    "at_pre": Lowering.at_pre,
    "at_post": Lowering.at_post,
}
