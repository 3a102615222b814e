"""On CPUs, a search computes one candidate on each core.

JAX takes a CPU for one device, which divides the products of a candidate among the cores; with small networks all but
one core are idle. With a device for each core, a search divides its candidates. As with the folder of compiled
programs, the command line decides that; whoever imports blurc decides alone.
"""

from __future__ import annotations

import os

from blurc.guards import count_cores

DEVICES = "JAX_NUM_CPU_DEVICES"  # as JAX calls it
FLAG = "xla_force_host_platform_device_count"  # the older way to say it


def each_a_device() -> bool:
    """From now on, each core of this process is a device of JAX, unless the user has chosen otherwise. To be called
    before jax is imported. Returns whether the user has not."""
    if DEVICES in os.environ or FLAG in os.environ.get("XLA_FLAGS", ""):
        return False
    os.environ[DEVICES] = str(count_cores())
    return True


def shared(option: str) -> bool:
    """Whether this option says that several processes share a run, and with it the cores."""
    return option.startswith(("--distributed", "--coordinator"))


def no_more_than(devices: int) -> None:
    """Leaves out devices that would have nothing to do (they would repeat what is computed between meta-steps), or no
    memory. To be called after `each_a_device`, if that returned True, and before anything is computed."""
    import jax

    if int(os.environ[DEVICES]) > devices:
        jax.config.update("jax_num_cpu_devices", devices)
