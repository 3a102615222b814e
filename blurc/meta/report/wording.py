"""The rule of a run as text, whole and without the terms that became 0. Nothing here needs matplotlib."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from blurc import model
from blurc.api import Net, compile
from blurc.diagnostics import BlurError
from blurc.genome import GenomeFile
from blurc.language import prune, unparse
from blurc.meta.experiment.experiment import Network
from blurc.meta.report import contents


def sparse_rule_of(folder: Path) -> str:
    """The rule of a run without the terms that are 0 in its genome; empty if none is. Raises `BlurError`: E614 if there
    is no run, E6 if one of its files is damaged."""
    run = contents.read(folder)
    net = compiled(run.experiment.network, folder) if run.experiment else None
    return sparse_rule(net, run.genome) if net and run.genome else ""


def compiled(network: Network, folder: Path) -> Net | None:
    """From the run's own copy of the spec, or from where the experiment found it, if that means the same. None if
    neither compiles."""
    copy = folder / "spec" / (PurePath(network.spec).name if _is_outside(network.spec) else network.spec)
    parameters: dict[str, Any] = dict(network.parameters)
    for spec in (str(copy), network.spec) if os.path.isfile(copy) else (network.spec,):
        with suppress(BlurError):
            net = compile(spec, network=network.network, genome=network.rule, **parameters)
            if network.hash in ("", model.model_hash(net.model)):
                return net
    return None


def _is_outside(name: str) -> bool:
    path = PurePath(name)
    return path.is_absolute() or ".." in path.parts


def rule(net: Net) -> str:
    """The text of the rule: as it was written, or in one piece with all that it inherits."""
    tree = net.sources.genomes[net.model.genome.name]
    return unparse(replace(tree, extends=None)) if tree.extends else tree.span.text


def sparse_rule(net: Net, genome: GenomeFile) -> str:
    """The rule without the terms whose coefficient is 0 in the genome; empty if none is."""
    tree = net.sources.genomes[net.model.genome.name]
    whole = replace(tree, extends=None)

    def is_zero(name: str, at: tuple[int, ...]) -> bool:
        value = genome.values.get(name)
        parts = value.values() if isinstance(value, Mapping) else [value]
        return value is not None and not any(np.any(np.asarray(part)[(..., *at)]) for part in parts)

    pruned = unparse(prune(whole, is_zero))
    return "" if pruned == unparse(whole) else pruned
