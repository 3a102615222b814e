"""A genome as an optimizer of optax: what it does to synapses, done to the parameters of any JAX model.

That is possible where the update of a synapse reads nothing but the gradient, the synapse itself and its traces. The
first part of this file finds out whether it does, by the plan of a network; the second is the optimizer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from blurc.api import Net
from blurc.diagnostics import BlurError, Diagnostic, Span
from blurc.genome import GenomeFile
from blurc.guards import typed
from blurc.model import Fan, Genome, walk
from blurc.plan import Block, Op, Pipeline, Plan, Projection, Result, Variable
from blurc.runtime import Entries, Fed, GenomeValues, Inputs, State, draw, dtype, lower
from blurc.training import leaves

READS: Mapping[str, str] = {  # operations that an optimizer has no value for, by what they read
    "at_pre": "the presynaptic neuron",
    "at_post": "the postsynaptic neuron",
    "outer": "a product of neurons other than the gradient",
    "batch_size": "the size of the batch",
    "modulator": "a signal",
    "noise": "random numbers",
    "uniform": "random numbers",
}
SMALL = "input x[4]  hidden h[4]  output y[4]  x -> h -> y"
EXAMPLES = 4  # on which the gradient is compared
CLOSE = 1e-3  # how far it may be off, relative to its length


class Traces(NamedTuple):
    """The state of the optimizer. traces[channel]: like the parameters, `[*channel, *parameter]` for each of them."""

    traces: dict[str, Any]


@typed
def optax_from(net: Net, genome: GenomeValues | GenomeFile) -> optax.GradientTransformation:
    """The genome of a network as an optimizer for the parameters of any JAX model.

        optimizer = blurc.optax_from(net, genome)
        memory = optimizer.init(params)
        updates, memory = optimizer.update(gradients, memory, params)
        params = optax.apply_updates(params, updates)

    Every number of the parameters is a synapse: it has the channels of the genome, and changes as the synapses of the
    network's first projection do. Where these read `batch_mean(pre.act * post.err)`, the optimizer reads the gradient.
    That the two are the same, but for a factor, is not taken on trust: they are compared on random examples of the
    network, for the cross entropy of a softmax and for half the squared error, both as means over the examples.

    Args:
        net: a small network that uses the genome, as `input x[4]  hidden h[4]  output y[4]  x -> h -> y`.
        genome: the meta-parameters.

    Returns:
        An optimizer whose `update` needs the parameters. Its state has the shape of the parameters for each other
        channel of the genome.

    Raises:
        BlurError: E902 if the meta-parameters do not fit; E923 if an update reads anything else, such as one of its
            neurons, other synapses or the size of the batch, or if what it reads is not the gradient.
    """
    values = dict(genome.values if isinstance(genome, GenomeFile) else genome)
    net.signature.check_genome(values)
    update = _cut(net.model.genome, Pipeline(rolls=False, merges=False).plan(net.model))
    weight, factor = _compared(update, values)
    kept = [v for v in update.plan.channel_starts if v.name in update.channels and v.name != weight]
    starts = _starts(net.model.genome, weight, kept, values)

    def init(params: Any) -> Traces:
        leaves.check_arrays(params)
        return Traces({v.name: jax.tree.map(starts[v.name], params) for v in kept})

    def one(gradient: jax.Array, param: jax.Array, *traces: jax.Array) -> dict[str, jax.Array]:
        before = {weight: param.astype(dtype()), **{v.name: t for v, t in zip(kept, traces, strict=True)}}
        after = update.run(values, before, factor * gradient.astype(dtype()))
        return {**after, weight: (after[weight] - before[weight]).astype(param.dtype)}

    def update_all(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        _check_given(updates, state, params)
        gradients, tree = jax.tree.flatten(updates)
        columns = [tree.flatten_up_to(each) for each in (params, *(state.traces[v.name] for v in kept))]
        found = [one(*row) for row in zip(gradients, *columns, strict=True)]
        by_channel = {c: jax.tree.unflatten(tree, [f[c] for f in found]) for c in update.channels}
        return by_channel.pop(weight), Traces(by_channel)

    return optax.GradientTransformation(init, update_all)


def _check_given(updates: Any, state: Any, params: Any) -> None:
    """Raises `BlurError` (E923)."""
    if params is None:
        help = "call `update(gradients, state, params)`"
        raise BlurError(Diagnostic("E923", "the optimizer was not given the parameters", help=help))
    leaves.check_alike(updates, params)
    leaves.check_state(state.traces if isinstance(state, Traces) else None, params)


# ------------------------------------------------------------ the update alone


@dataclass(frozen=True)
class _Update:
    """The update of a projection, cut out of a step. `block` reads the gradient as if it were a channel without a name;
    in the step of `plan` it is the value of operation `gradient`."""

    genome: Genome
    plan: Plan
    projection: Projection
    channels: tuple[str, ...]
    block: Block
    gradient: int

    def run(self, genome: GenomeValues, channels: Mapping[str, jax.Array], gradient: jax.Array) -> dict[str, jax.Array]:
        """What channels `[*channel, *parameter]` become, for a gradient `[*parameter]`."""
        size, of = gradient.size, self.projection.name
        row = replace(self.projection, pre=(1,), post=(size,), shape=(1, size), axes=(1, size))
        plan = replace(self.plan, populations=(), projections=(row,))
        values = {c: v.reshape(*v.shape[: v.ndim - gradient.ndim], 1, size) for c, v in channels.items()}
        inputs = Inputs(genome, {of: {**values, "": gradient.reshape(1, size)}})
        found = {str(r.key[2]): value for r, value in lower.run(plan, self.block, inputs)}
        return {c: jnp.broadcast_to(found[c], v.shape).reshape(channels[c].shape) for c, v in values.items()}


def _cut(genome: Genome, plan: Plan) -> _Update:
    p = next((p for p in plan.projections if p.dense and p.plastic and p.has_arrays and not p.unit), None)
    results = [r for r in plan.step.results if p and r.key[:2] == ("synapse", p.name)]
    if p is None or not results or any(p.ids for p in plan.populations):
        message = f"the gradient of `{plan.name}` cannot be compared"
        help = f"give a network with inputs of numbers and a dense projection that learns, as `{SMALL}`"
        raise BlurError(Diagnostic("E923", message, help=help))
    ops, reached = plan.step.ops, dict[int, int]()  # number in the step -> number in the update
    gradients = [i for i in _needed(plan.step, results) if ops[i].name == "outer" and ops[i].attrs[1] == "batch_mean"]
    cut = list[Op]()
    wrong = [*_of_projections(genome)]
    for i in _needed(plan.step, results, set(gradients[:1])):
        op = ops[i]
        reached[i] = len(cut)
        if i in gradients[:1]:
            op = replace(op, name="synapse", args=(), attrs=(p.name, ""))
        elif op.name == "meta" and len(op.attrs) == 2:
            wrong.append(_refused(f"`{op.attrs[0]}`, which projections or populations have of their own,", op.span))
        elif op.name in READS or op.type.space.kind not in ("everywhere", "synapses"):
            wrong.append(_refused(READS.get(op.name, "neurons"), op.span))
        cut.append(op.on(reached[a] for a in op.args))
    if wrong:
        raise BlurError(wrong)
    if not gradients:
        message = f"the synapses of `{genome.name}` do not read a gradient"
        help = "a gradient is `batch_mean(pre.STATE * post.STATE)`"
        raise BlurError(Diagnostic("E923", message, genome.span, help=help))
    block = Block(tuple(cut), tuple(Result(r.key, reached[r.value]) for r in results))
    return _Update(genome, plan, p, tuple(str(r.key[2]) for r in results), block, gradients[0])


def _needed(block: Block, results: Iterable[Result], leaves: Collection[int] = ()) -> list[int]:
    """The operations that results need, in order; nothing behind the leaves."""
    found, left = set[int](), [r.value for r in results]
    while left:
        if (i := left.pop()) not in found:
            found.add(i)
            left += () if i in leaves else block.ops[i].args
    return sorted(found)


def _of_projections(genome: Genome) -> Iterator[Diagnostic]:
    for phase in genome.phases:
        if phase.kind == "update":
            for statement in (*phase.statements, *(s for v in phase.variants for s in v.statements)):
                found = (e for e in walk(statement.value) if isinstance(e, Fan))
                yield from (_refused(f"`{e.name}`", e.span) for e in found)


def _refused(what: str, span: Span) -> Diagnostic:
    help = "an optimizer is given the gradient and the synapse itself, and nothing else"
    return Diagnostic("E923", f"an update that reads {what} is not an optimizer", span, help=help)


# ------------------------------------------------------ whether it is the gradient


def _compared(update: _Update, genome: GenomeValues) -> tuple[str, float]:
    """The channel that the network predicts by, and the factor between what its update reads and the gradient."""
    plan, of = update.plan, update.projection.name
    entries = Entries(plan)
    state, x, y, fed = _example(entries, genome)
    inputs = Inputs(genome, state.synapses, state.neurons, x, y, fed.modulators, fed.key, EXAMPLES, state.statistics)
    step = replace(plan.step, results=(Result((), update.gradient),))
    ((_, read),) = lower.run(plan, step, inputs)

    def loss(channels: dict[str, jax.Array], of_output: Any) -> jax.Array:
        outs = entries.predict(genome, state._replace(synapses={**state.synapses, of: channels}), x, fed)
        return sum((of_output(o.reshape(EXAMPLES, -1), y[name]).mean() for name, o in outs.items()), jnp.zeros(()))

    for of_output in (optax.softmax_cross_entropy, lambda out, y: ((out - y) ** 2).sum(-1) / 2):
        for channel, gradient in jax.grad(loss)(state.synapses[of], of_output).items():
            if gradient.shape == read.shape and (length := (gradient**2).sum()) > 0:
                factor = (gradient * read).sum() / length
                if ((read - factor * gradient) ** 2).sum() < CLOSE**2 * (read**2).sum():
                    return channel, float(f"{factor:.5g}")  # 1 rather than 1.0000002
    message = f"what the synapses of `{update.genome.name}` read is not the gradient of its network"
    note = "compared with the gradients of a softmax cross entropy and of a squared error, on random examples"
    raise BlurError(Diagnostic("E923", message, plan.step.ops[update.gradient].span, notes=(note,)))


def _example(entries: Entries, genome: GenomeValues) -> tuple[State, dict[str, jax.Array], dict[str, jax.Array], Fed]:
    """A fresh state, and random examples [EXAMPLES, n] of every input and output."""
    plan, keys = entries.plan, jax.random.split(jax.random.key(0), 4)
    x = {p.name: jax.random.normal(keys[0], (EXAMPLES, p.size)) for p in plan.populations if p.role == "input"}
    y = {
        p.name: jax.nn.one_hot(jax.random.randint(keys[1], (EXAMPLES,), 0, p.size), p.size)
        for p in plan.populations
        if p.role == "output"
    }
    signals = {v.name: jnp.ones(((EXAMPLES,) if v.of == "example" else ()) + tuple(v.dims)) for v in plan.modulators}
    return entries.init(keys[2], genome, EXAMPLES), x, y, Fed(signals, keys[3])


def _starts(
    genome: Genome, weight: str, kept: Iterable[Variable], values: GenomeValues
) -> dict[str, Callable[[jax.Array], jax.Array]]:
    """How every channel but the weight starts, from a parameter."""

    def started(v: Variable, param: jax.Array) -> jax.Array:
        assert v.init is not None
        if v.init.dist == "copy":
            return param.astype(dtype())
        return draw(v, v.init, jax.random.key(0), (*v.dims, *param.shape), values)

    for v in kept:
        assert v.init is not None
        drawn = v.init.dist in ("normal", "uniform") or any(isinstance(e, Fan) for a in v.init.args for e in walk(a))
        if drawn or (v.init.dist == "copy" and v.init.source != weight):
            message = f"an optimizer cannot start `{v.name}` as `{genome.name}` does"
            help = f"start it at a number, or as a copy of `{weight}`"
            raise BlurError(Diagnostic("E923", message, genome.channel(v.name).span, help=help))
    return {v.name: partial(started, v) for v in kept}
