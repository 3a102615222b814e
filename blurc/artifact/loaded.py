"""A network loaded from an artifact: the methods of a compiled one, backed by flat StableHLO functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_batching import sequential_vmap  # pyright: ignore[reportUnknownVariableType]
from jax.export import Exported
from numpy.typing import NDArray

from blurc.artifact.export import KEYS, from_bytes
from blurc.artifact.flat import EntryPoint, nest, pick
from blurc.artifact.manifest import Manifest
from blurc.diagnostics import BlurError, Diagnostic
from blurc.genome import GenomeFile
from blurc.model import Grade
from blurc.runtime import Calls, Fed, GenomeValues, Program, Signature, State, dtype, is_array


class Loaded(Program):
    """A network loaded from an artifact by `blurc.load`.

    It has the methods of a compiled network except `trace` and `graph`, for any batch size and number of steps from 1
    up. They work under `jax.jit`, `lax.scan` and `vmap` (which runs one member after the other). They have no
    derivatives (E716), compute in the precision set when the network was saved (E711), and accept only threefry2x32
    keys, typed or raw (E712).

    Attributes:
        genome: the stored meta-parameters, or None.
        genome_file: the same, with name and provenance.
        manifest: versions, shapes, platforms.
        sources: names and texts of the spec and its imports.
    """

    def __init__(
        self,
        manifest: Manifest,
        modules: Mapping[str, Exported],
        genome_file: GenomeFile | None,
        sources: tuple[tuple[str, str], ...],
    ):
        self.manifest = manifest
        self.signature = manifest.signature
        self.genome_file = genome_file
        self.sources = sources
        self._modules = modules
        self._calls = _calls(manifest, modules)

    def __reduce__(self) -> Any:
        """For `pickle` and `copy`."""
        written = {name: bytes(module.serialize()) for name, module in self._modules.items()}
        return _restored, (self.manifest, written, self.genome_file, self.sources)

    @property
    def genome(self) -> dict[str, NDArray[Any] | Mapping[str, NDArray[Any]]] | None:
        return dict(self.genome_file.values) if self.genome_file else None

    @property
    def locality(self) -> Grade:
        """How far the rule sees: `"local"`, `"population"` or `"projection"`, as `Net.locality` says."""
        return self.manifest.locality

    @property
    def _call(self) -> Calls:
        found, stored = np.dtype(dtype()).name, self.manifest.dtype
        if found != stored:
            on = stored == "float64"
            message = f"the artifact of `{self.manifest.network}` computes in {stored}, but JAX is set to {found}"
            help = f'call `jax.config.update("jax_enable_x64", {on})` first, or save the network again'
            raise BlurError(Diagnostic("E711", message, None, (), help))
        return self._calls

    def init_genome(self, key: jax.Array) -> dict[str, jax.Array | dict[str, jax.Array]]:
        """Like `Program.init_genome`, but takes only threefry2x32 keys (E712)."""
        return super().init_genome(key_data(key))

    def init(self, key: jax.Array, genome: GenomeValues, batch: int | None = None) -> State:
        """Like `Program.init`, but takes only threefry2x32 keys (E712)."""
        return super().init(key_data(key), genome, batch)

    def __repr__(self) -> str:
        m = self.manifest
        return f"<blurc artifact {m.network} with {m.rule}, {m.dtype}, for {', '.join(m.platforms)}>"


def _restored(
    manifest: Manifest,
    written: Mapping[str, bytes],
    genome_file: GenomeFile | None,
    sources: tuple[tuple[str, str], ...],
) -> Loaded:
    modules = {name: from_bytes(data, manifest.entries[name], manifest.platforms) for name, data in written.items()}
    return Loaded(manifest, modules, genome_file, sources)


def key_data(key: object) -> jax.Array:
    """The two words of a threefry key, typed or raw."""
    if not is_array(key):
        raise _no_key(type(key).__name__)
    if not jnp.issubdtype(key.dtype, jax.dtypes.prng_key):
        if key.dtype == np.uint32 and key.shape == (2,):
            return jnp.asarray(key)
    elif str(jax.random.key_impl(key)) == KEYS and key.ndim == 0:
        return jax.random.key_data(key)
    raise _no_key(f"{key.dtype}{list(key.shape)}")


def _no_key(found: str) -> BlurError:
    message = f"an artifact takes one {KEYS} key, found {found}"
    help = f'make one with `jax.random.key(seed, impl="{KEYS}")`'
    return BlurError(Diagnostic("E712", message, None, (), help))


def _calls(manifest: Manifest, modules: Mapping[str, Exported]) -> Calls:
    """The jitted calls. Flattening and checks run while JAX traces: once per size, not per call."""
    signature = manifest.signature

    def run(name: str, **trees: Any) -> dict[str, Any]:
        return _run(manifest.entries[name], modules[name], trees)

    def init_genome(key: Any) -> Any:
        return run("init_genome", key=key).get("genome", {})

    def init(key: Any, genome: GenomeValues, batch: int) -> State:
        counted = np.zeros(batch if signature.persistent else 1, bool)
        return _state(signature, run("init", key=key, genome=genome, batch=counted))

    def predict(genome: GenomeValues, state: Any, x: Any, fed: Fed) -> Any:
        return run("predict", genome=genome, **state._asdict(), x=x, **_trees(fed))["out"]

    def go_on(genome: GenomeValues, state: Any, x: Any, fed: Fed) -> tuple[State, Any]:
        fed = fed._replace(reset=_resets(x, fed.reset))
        results = run("run", genome=genome, **state._asdict(), x=x, **_trees(fed))
        return state._replace(neurons=results.get("neurons", {})), results["out"]

    def learn(name: str) -> Callable[..., Any]:
        def call(genome: GenomeValues, state: Any, x: Any, y: Any, fed: Fed) -> tuple[State, Any]:
            if name == "train":
                fed = fed._replace(reset=_resets(x, fed.reset))
            results = run(name, genome=genome, **state._asdict(), x=x, y=y, **_trees(fed))
            return _state(signature, results), results["out"]

        return call

    return Calls(
        jax.jit(init_genome),
        jax.jit(init, static_argnums=2),
        jax.jit(learn("step")),
        jax.jit(predict),
        jax.jit(go_on),
        jax.jit(learn("train")),
        jax.jit(learn("train"), donate_argnums=1),
    )


def _trees(fed: Fed) -> dict[str, Any]:
    noise = None if fed.key is None else key_data(fed.key)
    return {"signals": fed.modulators, "noise": noise, "reset": fed.reset}


def _resets(x: Mapping[str, jax.Array], reset: jax.Array | None) -> jax.Array:
    """`reset` broadcast to `[steps, batch]`."""
    sizes = next(iter(x.values())).shape[:2]
    if reset is None:
        return jnp.zeros(sizes, bool)
    return jnp.broadcast_to(reset if reset.ndim == 2 else reset[:, None], sizes)


def _run(point: EntryPoint, module: Exported, trees: Mapping[str, Any]) -> dict[str, Any]:
    arrays = [
        jnp.asarray(array, leaf.dtype)
        for array, leaf in zip(pick(point.arguments, trees), point.arguments, strict=True)
    ]
    return nest(point.results, _without_derivative(sequential_vmap(module.call))(*arrays))


def _without_derivative(f: Callable[..., Any]) -> Callable[..., Any]:
    def jvp(*_: Any) -> Any:
        message = "an artifact has no derivatives"
        raise BlurError(Diagnostic("E716", message, None, (), "compile the spec: `blurc.compile(..)`"))

    guarded = jax.custom_jvp(f)
    guarded.defjvp(jvp)
    return guarded


def _state(signature: Signature, results: Mapping[str, Any]) -> State:
    """A state with an entry for every projection, even those without state."""
    synapses = {projection: {} for projection in signature.projections} | results.get("synapses", {})
    return State(synapses, results.get("neurons", {}), results.get("statistics", {}))
