"""How a caller lets a network and a genome be chosen. Apart from `select.py`, for what runs without the compiler."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


def _network_anywhere(name: str) -> str:
    return f"`network={name!r}` in Python, `--network {name}` on the command line"


class Wording(NamedTuple):
    """How a caller lets a network and a genome be chosen, as the helps of diagnostics say it.

    Attributes:
        network: what to write for the network of this name.
        genome: how to choose a genome for a network that uses none.
        rule: the same for somebody who set a parameter `rule`.
    """

    network: Callable[[str], str] = _network_anywhere
    genome: str = "choose one when compiling"
    rule: str = "choose a rule with `genome=` in Python or `--rule` on the command line"


ANYWHERE = Wording()
