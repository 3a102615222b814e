"""The entry points of a network to StableHLO and back, by `jax.export`.

Batch and steps are symbolic, so one module serves all sizes, from 1 up. One module also serves all platforms:
what differs between them is chosen by an argument that the caller's JAX fills in.

Modules are exported without derivatives and hold no batching rule: `grad` and `vmap` need the spec.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Generator, Sequence
from typing import Any, cast

import jax
from jax import export

from blurc.artifact.flat import EntryPoint, Leaf, Size, nest, pick
from blurc.plan import Plan
from blurc.runtime import Entries, Fed, State

KEYS = "threefry2x32"  # the random keys, whose draws are the same on every platform

# All that calls out of StableHLO in a module of ours. Anything else would run native code of jaxlib with
# arguments that the file chooses, and is refused.
CALLS = {"shape_assertion", "cu_threefry2x32_ffi", "hip_threefry2x32_ffi"}


def to_bytes(plan: Plan, entries: dict[str, EntryPoint], platforms: Sequence[str]) -> dict[str, bytes]:
    """The serialised module of each entry point."""
    with _no_locations():
        return {name: _export(plan, name, point, platforms) for name, point in entries.items()}


def _export(plan: Plan, name: str, point: EntryPoint, platforms: Sequence[str]) -> bytes:
    def flat(*arrays: Any) -> tuple[Any, ...]:
        return pick(point.results, _call(plan, name, nest(point.arguments, arrays)))

    flat.__name__ = name
    arguments = avals(point.arguments)
    exported = export.export(jax.jit(flat), platforms=platforms)(*arguments)
    assert not foreign_calls(exported.mlir_module()), f"{name}: a new way out of StableHLO, not in CALLS"
    return bytes(exported.serialize())


def avals(leaves: Sequence[Leaf]) -> list[jax.ShapeDtypeStruct]:
    batch, steps = export.symbolic_shape("batch, steps")
    sizes: dict[Size, Any] = {"batch": batch, "steps": steps}
    return [jax.ShapeDtypeStruct([sizes.get(n, n) for n in leaf.shape], leaf.dtype) for leaf in leaves]


def _call(plan: Plan, name: str, trees: dict[str, Any]) -> dict[str, Any]:
    """One entry point, from trees to trees."""
    entries = Entries(plan)
    genome = trees.get("genome", {})
    if name == "init_genome":
        return {"genome": entries.init_genome(_key(trees))}
    if name == "init":
        batch = trees["batch"].shape[0] if "batch" in trees else 1
        return entries.init(_key(trees), genome, batch)._asdict()
    state = State(
        {p.name: {} for p in plan.projections} | trees.get("synapses", {}), trees.get("neurons", {})
    )
    if name == "predict":
        return {"out": entries.predict(genome, state, trees["x"], _fed(trees))}
    run = entries.train if name == "train" else entries.step
    state, out = run(genome, state, trees["x"], trees.get("y", {}), _fed(trees))
    return {**state._asdict(), "out": out}


def _fed(trees: dict[str, Any]) -> Fed:
    key = _key(trees, "noise") if "noise" in trees else None
    return Fed(trees.get("signals", {}), key, trees.get("reset"))


def _key(trees: dict[str, Any], name: str = "key") -> jax.Array:
    return cast("jax.Array", jax.random.wrap_key_data(trees[name], impl=KEYS))


@contextlib.contextmanager
def _no_locations() -> Generator[None]:
    """Without Python's file names and lines in the module, which differ from machine to machine. JAX has this
    switch for the whole process only: other threads that compile meanwhile lose theirs, too."""
    config: Any = jax.config
    before = config.jax_traceback_in_locations_limit
    config.update("jax_traceback_in_locations_limit", 0)
    try:
        yield
    finally:
        config.update("jax_traceback_in_locations_limit", before)


# ----------------------------------------------------------------------- back


class Unreadable(Exception):
    """Bytes that are no module that can be run here, and why."""


def from_bytes(data: bytes, point: EntryPoint, platforms: Sequence[str]) -> export.Exported:
    """The module of an entry point. Raises `Unreadable` unless it is whole, fits the entry point and stays
    inside StableHLO. Nothing of it is executed."""
    try:
        exported = export.deserialize(bytearray(data))
        text = exported.mlir_module()
    except Exception as error:  # from a broken file, JAX's reader raises whatever it stumbles over
        raise Unreadable(f"{type(error).__name__}: {error}".splitlines()[0]) from None
    if tuple(exported.platforms) != tuple(platforms):
        raise Unreadable(f"it is for {', '.join(exported.platforms)}, not for {', '.join(platforms)}")
    for avals, leaves in ((exported.in_avals, point.arguments), (exported.out_avals, point.results)):
        if [_described(a.shape, a.dtype) for a in avals] != [_described(v.shape, v.dtype) for v in leaves]:
            raise Unreadable("its arrays are not those of the manifest")
    if exported.in_tree != jax.tree.structure(((0,) * len(point.arguments), {})):
        raise Unreadable("its arguments are no flat tuple")
    if exported.out_tree != jax.tree.structure((0,) * len(point.results)):
        raise Unreadable("its results are no flat tuple")
    if foreign := foreign_calls(text):
        raise Unreadable(f"it calls {', '.join(sorted(foreign))}, which blurc never does")
    return exported


def _described(shape: Sequence[Any], dtype: Any) -> str:
    return f"{dtype}[{', '.join(map(str, shape))}]"


def foreign_calls(module: str) -> set[str]:
    """What the text of a StableHLO module calls outside of it and is not in CALLS."""
    calls = re.findall(r"\bcustom_call\b(?: @([\w.$-]+)\()?", module)
    return {name or "a function without a plain name" for name in calls} - CALLS
