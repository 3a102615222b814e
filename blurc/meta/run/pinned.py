"""What a run folder keeps of its experiment: enough to run it again, or to say why that is impossible."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath

from blurc import genome as genomes
from blurc import model
from blurc.api import Net
from blurc.meta.experiment.experiment import Experiment
from blurc.meta.run.folder import SPEC, START, Folder
from blurc.meta.run.setup import Setup


def pinned(e: Experiment, ready: Setup, folder: Folder) -> Experiment:
    """The experiment of the run folder: it repeats this run, or says why it cannot."""
    e = resolved(e, ready.net)
    network = replace(e.network, hash=model.model_hash(ready.net.model))
    return replace(e, write=str(folder.path), network=network, start=e.start and START)


def resolved(e: Experiment, net: Net) -> Experiment:
    """Adds what it leaves to its spec: network, rule and parameters. A parameter for which network and rule have
    different values cannot be written down, and need not be: nobody set it."""
    of_network, of_rule = dict(net.model.network.params), dict(net.model.genome.params)
    parameters = {n: v for n, v in (of_network | of_rule).items() if of_network.get(n, v) == v}
    network = replace(e.network, network=net.plan.name, rule=net.plan.genome, parameters=parameters)
    return replace(e, network=network)


def copies(ready: Setup) -> dict[str, str]:
    """Copies of the source files of the run, by their names in its folder."""
    found: dict[str, str] = {}
    for name, text in ready.net.sources.texts:
        path = PurePath(name)
        inside = path.name if path.is_absolute() or ".." in path.parts else path.as_posix()
        while f"{SPEC}/{inside}" in found:
            inside = f"other/{inside}"
        found[f"{SPEC}/{inside}"] = text
    if ready.experiment.start:
        found[START] = genomes.dump(genomes.read(ready.experiment.start))
    return found
