"""The entry points of a network as functions of flat tuples of arrays.

Trees are flattened for export: `jax.export` would store custom nodes that a reader has to know. A `Leaf` says where in
the trees an array of the flat tuple belongs. The trees are

    key, batch            leaves; the batch size is the size of an array of booleans that is never read
    genome                [meta], or [meta][projection]
    synapses, neurons     the two halves of a `State`
    x, y, out             [population]
    signals               [name]; noise and reset are leaves
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from blurc.runtime import Signature

Size: TypeAlias = int | str  # a text is a symbolic size: "batch", "steps", "ids_item"


@dataclass(frozen=True)
class Leaf:
    path: tuple[str, ...]
    shape: tuple[Size, ...]
    dtype: str


@dataclass(frozen=True)
class EntryPoint:
    arguments: tuple[Leaf, ...]
    results: tuple[Leaf, ...]


def entry_points(signature: Signature, dtype: str) -> dict[str, EntryPoint]:
    """All entry points of a network. `load` computes them again and compares."""
    key = (Leaf(("key",), (2,), "uint32"),)
    batch = (Leaf(("batch",), ("batch",), "bool"),) if signature.persistent else ()
    genome = tuple(_genome(signature, dtype))
    state = tuple(_state(signature, dtype))
    neurons = tuple(leaf for leaf in state if leaf.path[0] == "neurons")

    def examples(*leading: Size) -> tuple[Leaf, ...]:
        x = _inputs(signature, leading, dtype)
        y = _flat("y", signature.outputs, leading, dtype) if signature.uses_target else ()
        return (*x, *y, *_fed(signature, "step", leading, dtype))

    def out(*leading: Size) -> tuple[Leaf, ...]:
        return tuple(Leaf(("out", p), (*leading, *shape), dtype) for p, shape in signature.outputs.items())

    def anew(*leading: Size) -> tuple[Leaf, ...]:
        return (Leaf(("reset",), leading, "bool"),) if signature.persistent else ()

    def asked(entry: str, *leading: Size) -> tuple[Leaf, ...]:
        return (*_inputs(signature, leading, dtype), *_fed(signature, entry, leading, dtype))

    many: tuple[Size, Size] = ("steps", "batch")
    return {
        "init_genome": EntryPoint(key, genome),
        "init": EntryPoint((*key, *genome, *batch), state),
        "step": EntryPoint((*genome, *state, *examples("batch")), (*state, *out("batch"))),
        "predict": EntryPoint((*genome, *state, *asked("predict", "batch")), out("batch")),
        "run": EntryPoint((*genome, *state, *asked("run", *many), *anew(*many)), (*neurons, *out(*many))),
        "train": EntryPoint((*genome, *state, *examples(*many), *anew(*many)), (*state, *out(*many))),
    }


def _genome(signature: Signature, dtype: str) -> Iterable[Leaf]:
    for name, shape in signature.genome.items():
        yield Leaf(("genome", name), shape, dtype)
    for name, shapes in signature.scoped.items():
        yield from (Leaf(("genome", name, of), shape, dtype) for of, shape in shapes.items())


def _fed(signature: Signature, entry: str, sizes: tuple[Size, ...], dtype: str) -> Iterable[Leaf]:
    reads = signature.reads[entry]
    for name in reads.signals:
        leading = sizes if name in signature.per_example else sizes[:-1]
        yield Leaf(("signals", name), (*leading, *signature.signals[name]), dtype)
    if reads.noise:
        yield Leaf(("noise",), (2,), "uint32")


def _state(signature: Signature, dtype: str) -> Iterable[Leaf]:
    for name, shape in signature.synapses.items():
        yield Leaf(("synapses", *owner(name)), shape, dtype)
    for name, (before, after) in signature.persistent.items():
        yield Leaf(("neurons", *owner(name)), (*before, "batch", *after), dtype)
    for name, shape in signature.statistics.items():
        yield Leaf(("statistics", *owner(name)), shape, dtype)


def owner(name: str) -> tuple[str, str]:
    """Splits `Signature`'s "a->b/w" into projection and channel."""
    of, _, variable = name.rpartition("/")
    return of, variable


def _inputs(signature: Signature, leading: tuple[Size, ...], dtype: str) -> tuple[Leaf, ...]:
    """Of an input by ids, each example of a call has the same number of ids."""
    leaves = {p: Leaf(("x", p), (*leading, f"ids_{p}"), "int32") for p in signature.ids}
    return tuple(leaves.get(leaf.path[1], leaf) for leaf in _flat("x", signature.inputs, leading, dtype))


def _flat(tree: str, shapes: Mapping[str, tuple[int, ...]], leading: tuple[Size, ...], dtype: str) -> tuple[Leaf, ...]:
    return tuple(Leaf((tree, p), (*leading, math.prod(shape)), dtype) for p, shape in shapes.items())


def pick(leaves: Sequence[Leaf], trees: Mapping[str, Any]) -> tuple[Any, ...]:
    """The arrays of `trees` in the order of `leaves`."""
    return tuple(_at(trees, leaf.path) for leaf in leaves)


def _at(tree: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        tree = tree[name]
    return tree


def nest(leaves: Sequence[Leaf], arrays: Sequence[Any]) -> dict[str, Any]:
    """Puts `arrays`, in the order of `leaves`, into trees. The inverse of `pick`."""
    trees: dict[str, Any] = {}
    for leaf, array in zip(leaves, arrays, strict=True):
        tree = trees
        for name in leaf.path[:-1]:
            tree = tree.setdefault(name, {})
        tree[leaf.path[-1]] = array
    return trees
