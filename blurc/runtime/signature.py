"""The boundary between callers and compiled code: the expected shapes, and diagnostics for arguments that do not fit.

A `Signature` is plain data, and is stored in artifacts so that a loaded network makes the same checks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from blurc.diagnostics import BlurError, counted, suggest
from blurc.guards import check_room
from blurc.plan import DRAWS, Block, Plan
from blurc.runtime.arguments import (
    ArraysLike,
    Readout,
    Signals,
    array,
    check_key,
    error,
    is_gone,
    is_numeric,
    kind_of,
    mapping,
)
from blurc.runtime.bags import bags
from blurc.runtime.entries import State
from blurc.runtime.lower import dtype

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Reads:
    """What an entry point takes besides `x`."""

    target: bool
    signals: tuple[str, ...]
    noise: bool


@dataclass(frozen=True)
class Signature:
    """Shapes of inputs and outputs (by population), meta-parameters (by name; the `scoped` ones by name and by
    population or projection), synapses (by "projection/channel"), persistent neuron states and channels per example (by
    "population/state" and "projection/channel": the axes before and after the batch), signals (those in `per_example`
    have the batch in front), and running statistics (by "population/name"). Inputs in `ids` are given by integers: so
    many as their shape says there are."""

    name: str
    inputs: Shapes
    outputs: Shapes
    genome: Shapes
    scoped: dict[str, Shapes]
    projections: tuple[str, ...]
    synapses: Shapes
    persistent: dict[str, tuple[tuple[int, ...], tuple[int, ...]]]
    signals: Shapes
    reads: dict[str, Reads]  # step, predict, trace, run
    statistics: Shapes
    per_example: tuple[str, ...]
    ids: tuple[str, ...]

    @property
    def uses_target(self) -> bool:
        return self.reads["step"].target

    # --------------------------------------------------------------- values

    def pack(
        self, entry: str, x: ArraysLike, y: ArraysLike | None, leading: tuple[str, ...]
    ) -> tuple[dict[str, jax.Array], dict[str, jax.Array]]:
        """Inputs, and targets if the entry point reads them, as `{population: [*leading, n]}`, checked."""
        xs = self._pack("x", x, self.inputs, leading)
        target = self.reads[entry].target
        if target and y is None:
            help_ = f"pass y: {_expected(self.outputs, leading)}"
            raise error("E901", f"`{self.name}` learns from targets, but no y was given", help_)
        ys = self._pack("y", y, self.outputs, leading) if target else {}
        sizes = {tuple(v.shape[: len(leading)]) for v in (*xs.values(), *ys.values())}
        if len(sizes) > 1:
            found = ", ".join(f"{k}: {list(v.shape[: len(leading)])}" for k, v in {**xs, **ys}.items())
            message = f"the populations differ in {' and '.join(leading)}: {found}"
            raise error("E901", message, "give all the same leading axes")
        for axis, size in zip(leading, next(iter(sizes)), strict=True):
            if size == 0:
                what = {"batch": "examples", "steps": "steps"}[axis]
                raise error("E717", f"x has 0 {what}", "give at least 1: nothing can be learned or read out from none")
        return xs, ys

    def _pack(self, name: str, value: object, shapes: Shapes, leading: tuple[str, ...]) -> dict[str, jax.Array]:
        values = mapping(value)
        expected = _expected({p: () if p in self.ids else shape for p, shape in shapes.items()}, leading)
        if values is None:
            if len(shapes) != 1:
                raise error("E901", f"`{self.name}` has several populations for {name}", f"pass a dict: {expected}")
            values = {next(iter(shapes)): value}
        if set(values) != set(shapes):
            message = f"{name} has the populations {sorted(values, key=str)}"
            raise error("E901", message, f"expected {name} = {expected}")
        return {p: self._flat(name, p, values[p], shape, leading) for p, shape in shapes.items()}

    def _flat(
        self, name: str, population: str, value: object, shape: tuple[int, ...], leading: tuple[str, ...]
    ) -> jax.Array:
        if population in self.ids:
            return bags(value, population, math.prod(shape), leading)
        expected = f"expected {name} of shape {_expected({population: shape}, leading)}"
        given = array(value, "E901", f"{name} of `{population}`", expected, dtype())
        n = math.prod(shape)
        flat, lead = (n,), given.shape[: len(leading)]
        numbers = n > 1 and given.ndim == len(leading)
        if len(lead) < len(leading) or given.shape[len(leading) :] not in (shape, flat):
            axes = " and ".join(f"`{axis}`" for axis in leading)
            alone = leading and given.shape in (shape, flat)
            instead = f"without {axes} in front" if alone else f"but `{population}` of `{self.name}` is {list(shape)}"
            raise error(
                "E901",
                f"{name} has shape {list(given.shape)}, {instead}",
                f"expected {name} of shape [{', '.join((*leading, *map(str, shape)))}]"
                + (f" or [{', '.join((*leading, str(n)))}]" if shape != flat else "")
                + (f"; from labels, make it with `jax.nn.one_hot(y, {n})`" if numbers and name == "y" else "")
                + (f"; to give it by ids, declare `input {population} ids {n}`" if numbers and name == "x" else ""),
            )
        return given.reshape((*lead, n))

    def unpack(self, out: dict[str, jax.Array]) -> Readout:
        """One array for a single output population, otherwise a dict."""
        return next(iter(out.values())) if len(self.outputs) == 1 else out

    # ------------------------------------------------------ signals and keys

    def pack_fed(
        self, entry: str, signals: Signals | None, key: jax.Array | None, sizes: tuple[int, ...]
    ) -> tuple[dict[str, jax.Array], jax.Array | None]:
        """The signals that an entry point reads, and the random key of its noise. Signals of the genome that this entry
        does not read may be given, and are ignored. `sizes`: of the axes in front, the batch last."""
        reads = self.reads[entry]
        given = mapping({} if signals is None else signals)
        if given is None:
            raise error("E909", f"signals must be a dict, found {kind_of(signals)}", self._signals_help(sizes))
        for name in given:
            if name not in self.signals:
                help_ = suggest(str(name), self.signals, f"its signals: {', '.join(self.signals) or 'none'}")
                raise error("E909", f"`{self.name}` has no signal `{name}`", help_)
        values = {name: self._signal(name, given, sizes) for name in reads.signals}
        if reads.noise and key is None:
            raise error(
                "E910", f"`{self.name}` draws random numbers, but no key was given", "pass key=jax.random.key(0)"
            )
        if key is not None:
            check_key(key)
        return values, key if reads.noise else None

    def _signal(self, name: str, given: Mapping[str, object], sizes: tuple[int, ...]) -> jax.Array:
        shape = self._signal_shape(name, sizes)
        if name not in given:
            raise error("E909", f"the signal `{name}` of `{self.name}` is missing", self._signals_help(sizes))
        value = array(given[name], "E909", f"the signal `{name}`", self._signals_help(sizes), dtype())
        if value.shape != shape:
            message = f"the signal `{name}` has shape {list(value.shape)}, expected {list(shape)}"
            one = "one value per step, the same for all examples and synapses"
            raise error("E909", message, "one value for each example" if name in self.per_example else one)
        return value

    def _signal_shape(self, name: str, sizes: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of a signal. `sizes`: of the axes in front of inputs, the batch last."""
        leading = sizes if name in self.per_example else sizes[:-1]
        return (*leading, *self.signals[name])

    def _signals_help(self, sizes: tuple[int, ...]) -> str:
        shapes = {name: self._signal_shape(name, sizes) for name in self.signals}
        zeros = {name: f"jax.numpy.zeros({shape})" if shape else "0.0" for name, shape in shapes.items()}
        given = ", ".join(f"{name!r}: {value}" for name, value in zeros.items())
        return f"pass signals={{{given}}}, with your values in place of zeros"

    def feeding(self) -> str:
        """How to learn where the signals come from elsewhere."""
        axes = {name: ("steps", *["batch"][: name in self.per_example]) for name in self.reads["step"].signals}
        shapes = {name: ", ".join(map(str, (*before, *self.signals[name]))) for name, before in axes.items()}
        given = ", ".join(f"'{name}': [{shape}]" for name, shape in shapes.items())
        return f"feed it from Python: `net.train(genome, state, xs, ys, signals={{{given}}})`, see examples/reward.py"

    def pack_reset(self, reset: ArrayLike | None, sizes: tuple[int, ...]) -> jax.Array | None:
        """Booleans `[steps]` or `[steps, batch]`; None if nothing is ever reset."""
        if reset is None:
            return None
        help_ = f"expected booleans [{sizes[0]}] or [{sizes[0]}, {sizes[1]}]"
        value = array(reset, "E911", "`reset`", help_)
        if value.dtype != bool or value.shape not in (sizes[:1], sizes):
            found = f"{value.dtype}{list(value.shape)}"
            if value.shape in (sizes[:1], sizes):
                help_ = "convert it: `np.asarray(reset).astype(bool)`"
            raise error("E911", f"`reset` must be booleans, one for each step (and example), found {found}", help_)
        return value if self.persistent else None

    def check_batch(self, batch: int | None) -> int:
        if batch is None and self.persistent:
            message = f"`{self.name}` has persistent neuron states, which are kept per example"
            raise error("E903", message, "pass the batch size: net.init(key, genome, batch=32)")
        number = 1 if batch is None else whole_number(batch)
        synapses = sum(map(math.prod, self.synapses.values()))
        neurons = sum(math.prod((*before, *after)) for before, after in self.persistent.values())
        what = f"a state of {synapses:,} synapses" + (f" for {number:,} examples" if neurons else "")
        check_room(synapses + number * neurons, what, "use a smaller network or batch, or sparse projections")
        return number

    # ---------------------------------------------------------------- state

    def check_state(self, state: object) -> None:
        """Requires every channel and persistent state, with its shape."""
        parts = {part: mapping(getattr(state, part, None)) for part in State._fields}
        found: Shapes = {}
        for part, variables in parts.items():
            if variables is None:
                raise _bad_state(f"the state must be a blurc.State, found {type(state).__name__}")
            found |= _shapes(part, variables)
        for name in (*self.synapses, *self.persistent, *self.statistics):
            if name not in found:
                raise _bad_state(f"the state has no `{name}`, which `{self.name}` has")
        for name, shape in found.items():
            self._check_variable(name, shape)

    def _check_variable(self, name: str, found: tuple[int, ...]) -> None:
        expected: str | None = None
        whole = self.synapses.get(name, self.statistics.get(name))
        if whole is not None:
            expected = None if found == whole else str(list(whole))
        elif name in self.persistent:
            before, after = self.persistent[name]
            fits = len(found) == len(before) + 1 + len(after) and found[: len(before)] == before
            fits = fits and found[len(before) + 1 :] == after
            expected = None if fits else f"[{', '.join(map(str, (*before, 'batch', *after)))}]"
        else:
            raise _bad_state(f"the state has `{name}`, which `{self.name}` does not have")
        if expected:
            raise error("E904", f"`{name}` of the state has shape {list(found)}", f"expected {expected}")

    def check_memory(self, state: State, xs: dict[str, jax.Array], leading: tuple[str, ...]) -> None:
        """Requires persistent states for as many examples as the inputs have."""
        batch = next(iter(xs.values())).shape[len(leading) - 1]
        for owner, states in state.neurons.items():
            for name, value in states.items():
                kept = jnp.shape(value)[len(self.persistent[f"{owner}/{name}"][0])]
                if kept != batch:
                    message = f"the state keeps `{owner}/{name}` for {counted(kept, 'example')}, but x has {batch}"
                    help_ = (
                        f"make a state for that batch, new = net.init(key, genome, batch={batch}); to keep what was "
                        "learned, new._replace(synapses=state.synapses, statistics=state.statistics)"
                    )
                    raise error("E904", message, help_)

    # --------------------------------------------------------------- genome

    def check_genome(self, genome: object) -> None:
        """Requires every meta-parameter, with its shape."""
        values = mapping(genome)
        if values is None:
            message = f"a genome must be a dict of arrays, found {type(genome).__name__}"
            raise error("E902", message, "make one with net.init_genome(key)")
        known = [*self.genome, *self.scoped]
        for name in values:
            if name not in known:
                raise error(
                    "E902",
                    f"`{self.name}` has no meta-parameter `{name}`",
                    suggest(str(name), known, f"its meta-parameters: {', '.join(known) or 'none'}"),
                )
        for name in known:
            if name not in values:
                expected = (
                    f"expected `{name}` of shape {list(self.genome[name])}"
                    if name in self.genome
                    else f"expected a dict of {list(self.scoped[name])}"
                )
                raise error("E902", f"the genome has no meta-parameter `{name}`", expected)
        for name, shape in self.genome.items():
            self._check_shape(name, values[name], shape)
        for name, shapes in self.scoped.items():
            self._check_scoped(name, values[name], shapes)

    def _check_scoped(self, name: str, value: object, shapes: Shapes) -> None:
        parts = mapping(value)
        if parts is None or set(parts) != set(shapes):
            found = type(value).__name__ if parts is None else sorted(parts, key=str)
            what = "projection" if set(shapes) <= set(self.projections) else "population"
            raise error(
                "E902", f"`{name}` has one value per {what}, found {found}", f"expected a dict of {list(shapes)}"
            )
        for of, part in parts.items():
            self._check_shape(f"{name} of {of}", part, shapes[of])

    def _check_shape(self, name: str, value: object, shape: tuple[int, ...]) -> None:
        if not is_numeric(value):
            kind = kind_of(value)
            raise error("E902", f"the meta-parameter `{name}` is a {kind}", f"expected an array of shape {list(shape)}")
        found = jnp.shape(value)
        if found != shape:
            raise error("E902", f"the meta-parameter `{name}` has shape {list(found)}", f"expected {list(shape)}")


def signature(plan: Plan) -> Signature:
    return Signature(
        name=plan.name,
        inputs={p.name: p.shape for p in plan.with_role("input")},
        outputs={p.name: p.shape for p in plan.with_role("output")},
        genome={v.name: v.dims for v in plan.metas if v.of == "network"},
        scoped={v.name: shapes for v in plan.metas if isinstance(shapes := plan.meta_shapes(v), dict)},
        projections=tuple(p.name for p in plan.projections),
        synapses={f"{v.of}/{v.name}": (*v.dims, *plan.projection(v.of).shape) for v in plan.channels},
        persistent={f"{v.of}/{v.name}": (v.dims, plan.population(v.of).shape) for v in plan.carried}
        | {f"{v.of}/{v.name}": (v.dims, plan.projection(v.of).shape) for v in plan.examples},
        signals={v.name: v.dims for v in plan.modulators},
        statistics={f"{v.of}/{v.name}": (*v.dims, *plan.population(v.of).shape) for v in plan.statistics},
        reads={
            name: Reads(block.uses_target, block.modulators, any(map(block.uses, DRAWS)))
            for name, block in _blocks(plan).items()
        },
        per_example=tuple(v.name for v in plan.modulators if v.of == "example"),
        ids=tuple(p.name for p in plan.populations if p.ids),
    )


def _blocks(plan: Plan) -> dict[str, Block]:
    return {"step": plan.step, "predict": plan.predict, "trace": plan.trace, "run": plan.run}


def whole_number(batch: object) -> int:
    if isinstance(batch, bool) or not isinstance(batch, Integral) or int(batch) < 1:
        raise error("E903", f"the batch size must be a positive integer, found {batch!r}", "pass batch=32, say")
    return int(batch)


def _bad_state(message: str) -> BlurError:
    return error("E904", message, "make a state with net.init(key, genome)")


def _shapes(half: str, variables: Mapping[str, object]) -> Shapes:
    """{"owner/variable": shape}."""
    found: Shapes = {}
    for owner, value in variables.items():
        named = mapping(value)
        if named is None:
            raise _bad_state(f"`{half}` of the state has a {kind_of(value)} for `{owner}`, expected a dict of arrays")
        for name, value in named.items():
            if is_gone(value):
                raise error(
                    "E904",
                    f"`{owner}/{name}` of the state is gone: a call with `donate=True` took its memory",
                    "go on with the state that this call returned, or leave `donate` out",
                )
            if not is_numeric(value):
                raise _bad_state(f"`{owner}/{name}` of the state is a {kind_of(value)}, expected an array of numbers")
            found[f"{owner}/{name}"] = jnp.shape(value)
    return found


def _expected(shapes: Shapes, leading: tuple[str, ...]) -> str:
    parts = {p: f"[{', '.join((*leading, *map(str, shape)))}]" for p, shape in shapes.items()}
    several = ", ".join(f"{p!r}: {s}" for p, s in parts.items())
    return next(iter(parts.values())) if len(parts) == 1 else f"{{{several}}}"
