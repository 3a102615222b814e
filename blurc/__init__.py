"""blurc: a compiler for learning rules.

    net = blurc.compile("networks/digits.blur", hidden=128)
    genome = net.init_genome(key)
    state = net.init(key, genome)
    state, out = net.step(genome, state, x, y)

The whole public surface is on this page. What needs JAX is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc import genome, meta, tasks
    from blurc.api import Net, compile, from_networkx, load, read_nir, write_nir
    from blurc.diagnostics import BlurError, Diagnostic
    from blurc.runtime import State
    from blurc.spec import check
    from blurc.training import optax_from
    from blurc.version import __version__

__all__ = [
    "BlurError",
    "Diagnostic",
    "Net",
    "State",
    "__version__",
    "check",
    "compile",
    "from_networkx",
    "genome",
    "load",
    "meta",
    "optax_from",
    "read_nir",
    "tasks",
    "write_nir",
]

face(__name__)
