"""Where the arrays of a network lie on a mesh of devices: examples along one axis, neurons and synapses along another.

XLA does the rest: with its inputs divided like this, it partitions every program of the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jax.sharding import Mesh, NamedSharding, PartitionSpec

from blurc.diagnostics import BlurError, Diagnostic
from blurc.model import Shape
from blurc.plan import Axis, Plan, Split, split
from blurc.runtime.entries import State

AXES: Mapping[Axis, tuple[bool, ...]] = {  # which axes of an array of synapses are divided
    "pre": (True, False),
    "post": (False, True),
    "both": (True,),
    "synapses": (True,),
}


@dataclass(frozen=True)
class Sharding:
    """Pytrees of `NamedSharding`, for `jax.device_put`.

    Attributes:
        mesh: the devices; all axes are automatic.
        genome: of meta-parameters.
        state: of a `State`.
        x: of the inputs of a step, `[batch, *shape]`; a dict by name if there are several.
        y: of its targets, likewise.
        xs: of the inputs of many steps, `[steps, batch, *shape]`.
        ys: of their targets.
        split: what is divided along the axis of the model, and how many numbers are sent. Prints as text.
    """

    mesh: Mesh
    genome: dict[str, NamedSharding | dict[str, NamedSharding]]
    state: State
    x: NamedSharding | dict[str, NamedSharding]
    y: NamedSharding | dict[str, NamedSharding]
    xs: NamedSharding | dict[str, NamedSharding]
    ys: NamedSharding | dict[str, NamedSharding]
    split: Split

    def __str__(self) -> str:
        return str(self.split)


def sharding(plan: Plan, mesh: Mesh, data: str | None, model: str | None) -> Sharding:
    """Raises `BlurError` (E926) where the mesh lacks an axis, or one axis is asked to divide both."""
    if data is not None and data == model:
        message = f"`data` and `model` are the same axis of the mesh, `{data}`"
        raise BlurError(Diagnostic("E926", message, help="give two axes, or `model=None` to divide examples alone"))
    for name in (data, model):
        if name is not None and name not in mesh.shape:
            message = f"the mesh has no axis `{name}`: it has {', '.join(map(str, mesh.shape))}"
            help = "give the names of its axes, `data=..` and `model=..`; None for what is not divided"
            raise BlurError(Diagnostic("E926", message, help=help))
    mesh = Mesh(mesh.devices, mesh.axis_names)  # automatic: XLA partitions, and not the types of JAX
    return Places(plan, mesh, data, model, split(plan, mesh.shape[model] if model else 1)).all()


@dataclass(frozen=True)
class Places:
    plan: Plan
    mesh: Mesh
    data: str | None
    model: str | None
    split: Split

    def all(self) -> Sharding:
        x, y = self._examples("input"), self._examples("output")
        xs, ys = self._examples("input", None), self._examples("output", None)
        return Sharding(self.mesh, self._genome(), self._state(), x, y, xs, ys, self.split)

    def _examples(self, role: str, *before: None) -> NamedSharding | dict[str, NamedSharding]:
        """Of inputs or targets, `[*before, batch, *shape]`; by name if there are several."""
        names = [p.name for p in self.plan.populations if p.role == role]
        found = {name: self._neurons(name, (), *before, self.data) for name in names}
        return found[names[0]] if len(names) == 1 else found

    def _genome(self) -> dict[str, NamedSharding | dict[str, NamedSharding]]:
        found: dict[str, NamedSharding | dict[str, NamedSharding]] = {}
        for v in self.plan.metas:
            shapes = self.plan.meta_shapes(v)
            if not isinstance(shapes, dict):
                found[v.name] = self._at()
            elif v.of == "synapse":
                found[v.name] = {of: self._synapses(of, v.dims) for of in shapes}
            elif v.of == "neuron":
                found[v.name] = {of: self._neurons(of, v.dims) for of in shapes}
            else:
                found[v.name] = dict.fromkeys(shapes, self._at())
        return found

    def _state(self) -> State:
        synapses: dict[str, dict[str, Any]] = {p.name: {} for p in self.plan.projections}
        for v in self.plan.channels:
            synapses[v.of][v.name] = self._synapses(v.of, v.dims)
        neurons: dict[str, dict[str, Any]] = {}
        for v in self.plan.carried:
            neurons.setdefault(v.of, {})[v.name] = self._neurons(v.of, v.dims, self.data)
        for v in self.plan.examples:
            neurons.setdefault(v.of, {})[v.name] = self._synapses(v.of, v.dims, self.data)
        statistics: dict[str, dict[str, Any]] = {}
        for v in self.plan.statistics:
            statistics.setdefault(v.of, {})[v.name] = self._neurons(v.of, v.dims)
        return State(synapses, neurons, statistics)

    def _neurons(self, population: str, dims: Shape, *batch: str | None) -> NamedSharding:
        """Of an array `[*dims, *batch, *population]`."""
        axis = (self.model,) if population in self.split.neurons else ()
        return self._at(*(None for _ in dims), *batch, *axis)

    def _synapses(self, projection: str, dims: Shape, *batch: str | None) -> NamedSharding:
        """Of an array `[*dims, *batch, *synapses]`."""
        divided = AXES.get(self.split.axes.get(projection, ""), ())
        return self._at(*(None for _ in dims), *batch, *(self.model if yes else None for yes in divided))

    def _at(self, *axes: str | None) -> NamedSharding:
        return NamedSharding(self.mesh, PartitionSpec(*axes))
