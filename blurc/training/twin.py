"""The same network with the rule `backprop`, as the forward pass for SGD and Adam.

It is made from the checked network; for an artifact, the stored texts are checked again.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import PurePath

# Artifacts are trained without lark and networkx: imports that need them go through the lazy faces of the rooms.
from blurc import checker, graph, language, plan, spec
from blurc.api import Net
from blurc.artifact import Loaded
from blurc.diagnostics import BlurError, Report, Source
from blurc.graph import SUFFIXES, EdgeFile
from blurc.model import Genome, Model, Network
from blurc.runtime import Signature

RULE = "backprop"


class LeftOut(Exception):
    """Says why a network has no SGD and Adam runs."""


def twin(net: Net | Loaded) -> Net:
    """The network of `net`, compiled with the rule `backprop`. Raises `LeftOut`."""
    refuse(net.signature)
    try:
        found = _compiled(net)
    except ImportError:  # artifacts run without the compiler
        raise LeftOut("they need the compiler (lark, networkx)") from None
    except BlurError as error:
        name, reason = net.signature.name, error.diagnostics[0].message
        raise LeftOut(f"`{name}` does not compile with the rule `{RULE}`: {reason}") from None
    refuse(found.signature)
    if not any(p.plastic for p in found.plan.projections):
        raise LeftOut(f"no projection of `{net.signature.name}` learns")
    return found


def refuse(signature: Signature) -> None:
    """They learn from independent examples, by descending one loss. Raises `LeftOut`."""
    name, reads = signature.name, signature.reads
    if any("@" in kept for kept in signature.persistent):
        raise LeftOut(f"`{name}` has delayed projections, but they do not see earlier steps")
    if signature.persistent:
        raise LeftOut(f"`{name}` keeps neuron states between steps, but they do not see earlier steps")
    if signal := next((s for read in reads.values() for s in read.signals), None):
        raise LeftOut(f"`{name}` reads the signal `{signal}`, which they do not read")
    if reads["predict"].noise:
        raise LeftOut(f"`{name}` predicts with noise, which they do not have")


def _compiled(net: Net | Loaded) -> Net:
    network, sources = _stored(net) if isinstance(net, Loaded) else (net.model.network, net.sources)
    model = Model(_rule(), network)
    return Net(plan.plan_of(model), model, sources)


def _rule() -> Genome:
    report = Report()
    sources = spec.Sources.load(language.specs_path() / "rules" / f"{RULE}.blur", report)
    genome = spec.check_with(sources.genomes[RULE], {}, report)
    report.check()
    assert genome is not None, "reported"
    return genome


def _stored(net: Loaded) -> tuple[Network, spec.Sources]:
    report = Report()
    sources = _sources(net.sources, report)
    report.check()
    tree = sources.networks.get(net.manifest.network)
    if tree is None:
        raise LeftOut(f"the sources in the artifact do not include `{net.manifest.network}`")
    params = net.manifest.parameters.get("network", {})
    network = checker.check_network(tree, params, report, sources.around)
    if network:
        graph.verify(network, report)
    report.check()
    assert network is not None, "reported"
    return network, sources


def _sources(texts: tuple[tuple[str, str], ...], report: Report) -> spec.Sources:
    """From the texts in an artifact: the files may have moved."""
    edge_texts = {name: text for name, text in texts[1:] if PurePath(name).suffix.lower() in SUFFIXES}
    specs = [Source(name, text) for name, text in texts if name not in edge_texts]
    files = [language.parse(source, report) for source in specs]
    # Reversed so that the root wins over a file that a rule was taken from, if their names clash.
    back = files[::-1]
    return spec.Sources(
        tuple(files),
        {g.name: g for file in back for g in file.genomes},
        {n.name: n for file in back for n in file.networks},
        {b.name: b for file in back for b in file.blocks},
        {
            (file.span.source, written): _edge_file(file.span.source, written, edge_texts)
            for file in files
            for written in spec.names_of_edge_files(file)
        },
    )


def _edge_file(source: Source, written: str, texts: Mapping[str, str]) -> EdgeFile:
    """The edge file that a spec calls `written`. An artifact stores its name relative to where the spec was compiled,
    or only the last part of an absolute path."""
    seen = os.path.normpath(os.path.join(os.path.dirname(source.name), written))
    for name in (written, seen, PurePath(written).name):
        if name in texts:
            return EdgeFile(written, texts[name])
    return EdgeFile(written, "", "it is not in the artifact")
