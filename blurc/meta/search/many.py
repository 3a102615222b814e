"""Map a function of one candidate over many: in blocks, across all devices of all processes.

A block is some candidates side by side. Every device computes blocks, one after the other, in a loop whose length its
program does not know. So each candidate goes through the same program, whatever there is of devices and processes, and
comes out with the same bits.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec
from numpy.typing import NDArray

from blurc.diagnostics import BlurError, Diagnostic
from blurc.guards import most_in, of_device
from blurc.meta.processes.processes import ALONE, Processes
from blurc.runtime import map_tree

AXIS = "candidates"
Mapped = Callable[..., Any]


@dataclass(frozen=True)
class Layout:
    """Which of `count` candidates the devices compute: device d has the blocks of `width` from d * `each` on."""

    count: int
    width: int
    each: int
    devices: tuple[int, ...]  # of each process

    @classmethod
    def of(cls, count: int, chunk: int, processes: Processes) -> Layout:
        devices = devices_of(processes)
        width = width_of(count, chunk, processes)
        return cls(count, width, _up(_up(count, width), sum(devices)), devices)

    @property
    def room(self) -> int:
        """Rows of a device."""
        return self.each * self.width

    def blocks(self, process: int) -> NDArray[np.int32]:
        """How many blocks each of its devices has."""
        left = _up(self.count, self.width) - self._starts(process) // self.width
        return np.clip(left, 0, self.each).astype(np.int32)

    def rows(self, process: int) -> NDArray[np.int64]:
        """Which candidate is in each row of its devices; where there are more rows, the last one again."""
        return np.minimum(self._starts(process)[:, None] + np.arange(self.room), self.count - 1).reshape(-1)

    def kept(self, process: int) -> NDArray[np.int64]:
        """The rows that are results."""
        ends = np.minimum(self.width * self.blocks(process), self.count - self._starts(process))
        return np.flatnonzero(np.arange(self.room) < ends[:, None])

    def _starts(self, process: int) -> NDArray[np.int64]:
        """The first candidate of each of its devices."""
        first = sum(self.devices[:process])
        return self.each * self.width * np.arange(first, first + self.devices[process])


def _up(count: int, size: int) -> int:
    return -(-count // size)


def devices_of(processes: Processes) -> tuple[int, ...]:
    return processes.devices or (jax.local_device_count(),)


def width_of(count: int, chunk: int, processes: Processes = ALONE) -> int:
    """How many candidates are computed side by side. For `chunk` 0, what comes to each device."""
    return min(count, chunk or _up(count, sum(devices_of(processes))))


def mapped(function: Callable[..., Any], *, chunk: int = 0, processes: Processes = ALONE) -> Mapped:
    """(candidates, *shared) -> `function(candidate, *shared)` for each candidate along the leading axis.

    chunk: how many candidates are computed side by side; 0: all that come to a device. One at a time is fastest if a
    single candidate keeps the device busy.
    """
    here = processes.index

    @partial(jax.jit, static_argnums=0)
    def program(layout: Layout, candidates: Any, blocks: jax.Array, *shared: Any) -> Any:
        mine = map_tree(lambda x: _taken(x, layout.rows(here)), candidates)
        found = _on_devices(partial(_on_device, function, layout.width), mine, blocks, *shared)
        return map_tree(lambda x: _taken(x, layout.kept(here)), found)

    def run(candidates: Any, *shared: Any) -> Any:
        layout = Layout.of(_count(candidates), chunk, processes)
        found = program(layout, candidates, layout.blocks(here), *shared)
        return _exchanged(found, candidates, layout, processes) if processes.count > 1 else found

    return run


def _taken(x: jax.Array, rows: NDArray[np.int64]) -> jax.Array:
    """What is at some places of the first axis."""
    return x[: len(rows)] if np.array_equal(rows, np.arange(len(rows))) else x[rows]


def fitting(count: int, size: int, processes: Processes = ALONE) -> int:
    """A `chunk` for `count` candidates of `size` bytes: as many as fit into a device, in blocks of equal length."""
    each, memory = _up(count, sum(devices_of(processes))), of_device()
    return each if memory is None else _up(each, _up(each, most_in(memory, size)))


# ------------------------------------------------------- the devices of a process


def _on_devices(here: Mapped, part: Any, blocks: jax.Array, *shared: Any) -> Any:
    """part: the rows of all devices. blocks: how many each computes."""
    devices, each, all_of_it = jax.local_devices(), PartitionSpec(AXIS), PartitionSpec()
    if len(devices) == 1:
        return here(part, blocks, *shared)
    return jax.shard_map(
        here,
        mesh=Mesh(np.asarray(devices), (AXIS,)),
        in_specs=(each, each, *(all_of_it for _ in shared)),
        out_specs=each,
        check_vma=False,
    )(part, blocks, *shared)


def _on_device(function: Callable[..., Any], width: int, part: Any, blocks: jax.Array, *shared: Any) -> Any:
    """On one device. What is computed for rows that are not reached is 0."""

    @jax.jit  # traced once, for the shapes and for the loop
    def block(rows: Any, *shared: Any) -> Any:
        if width == 1:
            return map_tree(lambda x: x[None], function(map_tree(lambda x: x[0], rows), *shared))
        return jax.vmap(lambda candidate: function(candidate, *shared))(rows)

    def begun(rows: int) -> Any:
        shapes = jax.eval_shape(block, map_tree(lambda x: x[:width], part), *shared)
        return map_tree(lambda s: jnp.zeros((rows, *s.shape[1:]), s.dtype), shapes)

    def go_on(i: jax.Array, found: Any) -> Any:
        rows = map_tree(lambda x: jax.lax.dynamic_slice_in_dim(x, i * width, width), part)
        put = partial(jax.lax.dynamic_update_slice_in_dim, start_index=i * width, axis=0)
        return jax.tree.map(put, found, block(rows, *shared))

    return jax.lax.fori_loop(0, blocks[0], go_on, begun(_count(part)))


def _count(candidates: Any) -> int:
    return jax.tree.leaves(candidates)[0].shape[0]


# ------------------------------------------------------------ between processes


def _exchanged(found: Any, candidates: Any, layout: Layout, processes: Processes) -> Any:
    """The results of all processes. Raises `BlurError` (E620) where these did not ask about the same candidates."""
    leaves, structure = jax.tree.flatten(found)
    arrays = [np.asarray(x) for x in leaves]
    asked = _checksum(candidates)
    parts = processes.gathered(b"".join([asked, *(x.tobytes() for x in arrays)]))
    if other := [i for i, part in enumerate(parts) if part[: len(asked)] != parts[0][: len(asked)]]:
        message = f"process {other[0]} has other candidates than process 0: the two do not compute the same numbers"
        help = "run all processes on machines of one kind, with the same versions of everything"
        raise BlurError(Diagnostic("E620", message, help=help))
    columns: list[list[NDArray[Any]]] = [[] for _ in arrays]
    for process, part in enumerate(parts):
        at, rows = len(asked), len(layout.kept(process))
        for column, like in zip(columns, arrays, strict=True):
            shape = (rows, *like.shape[1:])
            column.append(np.frombuffer(part, like.dtype, math.prod(shape), at).reshape(shape))
            at += column[-1].nbytes
    return structure.unflatten([jnp.asarray(np.concatenate(column)) for column in columns])


def _checksum(candidates: Any) -> bytes:
    found = 0
    for leaf in jax.tree.leaves(candidates):
        found = zlib.crc32(np.asarray(leaf).tobytes(), found)
    return found.to_bytes(4, "big")
