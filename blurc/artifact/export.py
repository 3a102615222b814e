"""Converts the entry points of a network to StableHLO and back with `jax.export`.

Batch size and number of steps are symbolic, so one module works for all sizes from 1 up. It also works on all
platforms: an argument that the caller's JAX fills in selects the platform-specific code.

Modules have no derivatives and no batching rules: `grad` and `vmap` need the spec.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Generator, Sequence
from typing import Any, cast

import jax
from jax import export

from blurc.artifact.flat import EntryPoint, Leaf, Size, nest, pick
from blurc.plan import Plan
from blurc.runtime import Entries, Fed, State

KEYS = "threefry2x32"  # this key type gives the same draws on every platform

# The only custom calls in modules that blurc writes. Any other is refused: it would run native code in jaxlib with
# arguments taken from the file.
CALLS = {"shape_assertion", "cu_threefry2x32_ffi", "hip_threefry2x32_ffi"}


def to_bytes(plan: Plan, entries: dict[str, EntryPoint], platforms: Sequence[str]) -> dict[str, bytes]:
    """Serialises each entry point."""
    with _no_locations():
        return {name: _export(plan, name, point, platforms) for name, point in entries.items()}


def _export(plan: Plan, name: str, point: EntryPoint, platforms: Sequence[str]) -> bytes:
    def flat(*arrays: Any) -> tuple[Any, ...]:
        return pick(point.results, _call(plan, name, nest(point.arguments, arrays)))

    flat.__name__ = name
    arguments = avals(point.arguments)
    exported = export.export(jax.jit(flat), platforms=platforms)(*arguments)
    assert not foreign_calls(exported.mlir_module()), f"{name}: a custom call that is not in CALLS"
    return bytes(exported.serialize())


def avals(leaves: Sequence[Leaf]) -> list[jax.ShapeDtypeStruct]:
    names = sorted({n for leaf in leaves for n in leaf.shape if isinstance(n, str)} | {"batch", "steps"})
    sizes: dict[Size, Any] = dict(zip(names, export.symbolic_shape(", ".join(names)), strict=True))
    return [jax.ShapeDtypeStruct([sizes.get(n, n) for n in leaf.shape], leaf.dtype) for leaf in leaves]


def _call(plan: Plan, name: str, trees: dict[str, Any]) -> dict[str, Any]:
    """Runs one entry point on trees."""
    entries = Entries(plan)
    genome = trees.get("genome", {})
    if name == "init_genome":
        return {"genome": entries.init_genome(_key(trees))}
    if name == "init":
        batch = trees["batch"].shape[0] if "batch" in trees else 1
        return entries.init(_key(trees), genome, batch)._asdict()
    synapses = {p.name: {} for p in plan.projections} | trees.get("synapses", {})
    state = State(synapses, trees.get("neurons", {}), trees.get("statistics", {}))
    if name == "predict":
        return {"out": entries.predict(genome, state, trees["x"], _fed(trees))}
    if name == "run":
        state, out = entries.run(genome, state, trees["x"], _fed(trees))
        return {"neurons": state.neurons, "out": out}
    run = entries.train if name == "train" else entries.step
    state, out = run(genome, state, trees["x"], trees.get("y", {}), _fed(trees))
    return {**state._asdict(), "out": out}


def _fed(trees: dict[str, Any]) -> Fed:
    key = _key(trees, "noise") if "noise" in trees else None
    return Fed(trees.get("signals", {}), key, trees.get("reset"))


def _key(trees: dict[str, Any], name: str = "key") -> jax.Array:
    return cast("jax.Array", jax.random.wrap_key_data(trees[name], impl=KEYS))


_TURN = threading.Lock()


@contextlib.contextmanager
def _no_locations() -> Generator[None]:
    """Keeps Python file names and line numbers, which differ between machines, out of modules. JAX can only switch
    this for the whole process: threads that compile meanwhile lose theirs too, and threads that export take turns."""
    config: Any = jax.config
    with _TURN:
        before = config.jax_traceback_in_locations_limit
        config.update("jax_traceback_in_locations_limit", 0)
        try:
            yield
        finally:
            config.update("jax_traceback_in_locations_limit", before)


class Unreadable(Exception):
    """Why bytes cannot be used as a module here."""


def from_bytes(data: bytes, point: EntryPoint, platforms: Sequence[str]) -> export.Exported:
    """Reads the module of an entry point without executing it. Raises `Unreadable` unless it is complete, matches the
    entry point and makes no foreign calls."""
    try:
        exported = export.deserialize(bytearray(data))
        text = exported.mlir_module()
    except Exception as error:  # JAX's reader may raise anything on a broken file
        raise Unreadable(f"{type(error).__name__}: {error}".splitlines()[0]) from None
    if tuple(exported.platforms) != tuple(platforms):
        raise Unreadable(f"it is for {', '.join(exported.platforms)}, not {', '.join(platforms)}")
    for avals, leaves in ((exported.in_avals, point.arguments), (exported.out_avals, point.results)):
        if [_described(a.shape, a.dtype) for a in avals] != [_described(v.shape, v.dtype) for v in leaves]:
            raise Unreadable("its arrays do not match the manifest")
    if exported.in_tree != jax.tree.structure(((0,) * len(point.arguments), {})):
        raise Unreadable("its arguments are not a flat tuple")
    if exported.out_tree != jax.tree.structure((0,) * len(point.results)):
        raise Unreadable("its results are not a flat tuple")
    if foreign := foreign_calls(text):
        raise Unreadable(f"it calls {', '.join(sorted(foreign))}, which blurc never does")
    return exported


def _described(shape: Sequence[Any], dtype: Any) -> str:
    return f"{dtype}[{', '.join(map(str, shape))}]"


def foreign_calls(module: str) -> set[str]:
    """The custom calls in the text of a StableHLO module that are not in CALLS."""
    calls = re.findall(r"\bcustom_call\b(?: @([\w.$-]+)\()?", module)
    return {name or "a function without a plain name" for name in calls} - CALLS
