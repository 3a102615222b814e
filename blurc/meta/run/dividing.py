"""Over how many devices of a CPU a search can divide its candidates."""

from __future__ import annotations

from blurc.meta.experiment.experiment import Experiment, Symbolic
from blurc.meta.run.compiling import compiled
from blurc.meta.run.lessons import lessons
from blurc.meta.run.memory import of_largest
from blurc.meta.run.mode import with_mode
from blurc.tasks import is_world, named

TOO_LOW = 2  # the most that XLA planned for one candidate, as a multiple of what is counted


def most_devices(e: Experiment, memory: int | None) -> int:
    """The most that the search keeps busy, that change no bits of its results, and whose candidates fit into memory.

    Compiles the networks, but does not ask JAX for its devices, whose number can then still be set.

    Args:
        e: the experiment.
        memory: bytes that all devices share; None: not known.

    Returns:
        At least 1, even if one candidate does not fit.

    Raises:
        BlurError: of a network that does not compile.
    """
    data = [choice.data for choice in (*e.tasks, *e.validation)]
    unlike = isinstance(e.method, Symbolic) or any(is_world(name) or named(name) for name in data)
    if unlike if e.chunk is None else e.chunk == 0:
        return 1  # how many are computed at once, and so the last bits, depends on the devices
    block = min(e.chunk or 1, e.candidates)
    blocks = -(-e.candidates // block)
    if memory is None or blocks == 1:
        return blocks
    net = compiled(e.network)
    size = block * of_largest(with_mode(e, net), net, lessons(e, net))
    return max(1, min(blocks, memory // (TOO_LOW * max(1, size))))
