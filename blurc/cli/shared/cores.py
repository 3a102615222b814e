"""On CPUs, a search computes one candidate on each core.

JAX takes a CPU for one device, which divides the products of a candidate among the cores; with small networks all but
one core are idle. With a device for each core, a search divides its candidates. As with the folder of compiled
programs, the command line decides that; whoever imports blurc decides alone.
"""

from __future__ import annotations

import os

DEVICES = "JAX_NUM_CPU_DEVICES"  # as JAX calls it
FLAG = "xla_force_host_platform_device_count"  # the older way to say it


def each_a_device() -> None:
    """From now on, each core of this process is a device of JAX, unless the user has chosen otherwise. To be called
    before jax is imported."""
    if FLAG not in os.environ.get("XLA_FLAGS", ""):
        os.environ.setdefault(DEVICES, str(_cores()))


def shared(option: str) -> bool:
    """Whether this option says that several processes share a run, and with it the cores."""
    return option.startswith(("--distributed", "--coordinator"))


def no_more_than(candidates: int) -> None:
    """Leaves out devices that would have nothing to do: they would repeat what is computed between meta-steps. To be
    called before anything is computed."""
    import jax

    if int(os.environ.get(DEVICES) or 0) > candidates:
        jax.config.update("jax_num_cpu_devices", candidates)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
