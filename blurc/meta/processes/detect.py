"""What a cluster says of its processes, found as `jax.distributed.initialize` finds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import jax

from blurc.diagnostics import BlurError, Diagnostic

CLUSTERS = "jax._src.clusters"  # there is no public way to ask without joining JAX's own coordinator
FLAGS = "--coordinator HOST:PORT --processes N --process I"


@dataclass(frozen=True)
class Place:
    """Where a process stands. coordinator: the host and port of process 0."""

    coordinator: str
    count: int
    index: int


def detected(coordinator: str | None, count: int | None, index: int | None, patience: float) -> Place:
    """What is not given, from the environment: SLURM, Kubernetes, Open MPI or a TPU. Where the cluster starts a process
    for every device of a machine, each sees only its own. Raises `BlurError` (E924)."""
    try:
        known: Any = import_module(CLUSTERS).ClusterEnv
        found = known.auto_detect_unset_distributed_params(coordinator, count, index, None, None, int(patience))
    except (ImportError, AttributeError):
        message = f"this blurc does not know how JAX {jax.__version__} finds clusters"
        raise BlurError(Diagnostic("E924", message, help=f"say where the others are: {FLAGS}")) from None
    except Exception as error:  # whatever a library of the cluster raises
        message = f"the cluster does not say where its processes are: {type(error).__name__}: {error}"
        raise BlurError(Diagnostic("E924", message, help=f"say it: {FLAGS}")) from None
    coordinator, count, index, own = found
    if coordinator is None or count is None or index is None:
        message = "no cluster was found around this process: SLURM, Kubernetes, Open MPI and TPUs are known"
        raise BlurError(Diagnostic("E924", message, help=f"say where the others are: {FLAGS}"))
    _see_only(own)
    return Place(coordinator, count, index)


def _see_only(devices: Sequence[int] | None) -> None:
    if devices:
        for name in ("jax_cuda_visible_devices", "jax_rocm_visible_devices"):
            jax.config.update(name, ",".join(map(str, devices)))
