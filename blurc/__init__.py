"""blurc: a compiler for learning rules.

    net = blurc.compile("networks/digits.blur", hidden=128)
    genome = net.init_genome(key)
    state = net.init(key, genome)
    state, out = net.step(genome, state, x, y)

The whole public surface is on this page. What needs JAX is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from blurc.diagnostics import BlurError, Diagnostic

if TYPE_CHECKING:
    from blurc.api import compile, from_networkx, load
    from blurc.compiler import check
    from blurc.program import Net, State

__version__ = "0.1.0"

_LAZY = {
    "check": "blurc.compiler",
    "compile": "blurc.api",
    "from_networkx": "blurc.api",
    "load": "blurc.api",
    "Net": "blurc.program",
    "State": "blurc.program",
}

__all__ = [
    "BlurError",
    "Diagnostic",
    "Net",
    "State",
    "__version__",
    "check",
    "compile",
    "from_networkx",
    "load",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'blurc' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
