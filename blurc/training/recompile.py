"""The network of an artifact, compiled again from the texts stored in it: its modules have no derivatives."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePath

# Artifacts are trained without lark and networkx: imports that need them go through the lazy faces of the rooms.
from blurc import checker, language, plan, spec
from blurc.api import Net
from blurc.artifact import Loaded
from blurc.diagnostics import Report, Source
from blurc.graph import SUFFIXES, EdgeFile
from blurc.model import Model


def recompile(loaded: Loaded) -> Net:
    """Raises `BlurError` if the texts do not compile, and `ImportError` without lark and networkx."""
    report, manifest = Report(), loaded.manifest
    sources = _sources(loaded.sources, report)
    report.check()
    parameters = manifest.parameters
    tree, rule_tree = sources.networks[manifest.network], sources.genomes[manifest.rule]
    network = checker.check_network(tree, parameters.get("network", {}), report, sources.around)
    rule = spec.check_with(rule_tree, dict(parameters.get("genome", {})), report)
    report.check()
    assert network is not None, "reported"
    assert rule is not None, "reported"
    model = Model(rule, network)
    return Net(plan.plan_of(model), model, sources)


def _sources(texts: tuple[tuple[str, str], ...], report: Report) -> spec.Sources:
    """From the texts alone: the files may have moved."""
    edge_texts = {name: text for name, text in texts[1:] if PurePath(name).suffix.lower() in SUFFIXES}
    specs = [Source(name, text) for name, text in texts if name not in edge_texts]
    files = [language.parse(source, report) for source in specs]
    # Reversed so that the root wins over a file that a rule was taken from, if their names clash.
    back = files[::-1]
    functions = {f.name: f for file in back for f in file.functions}
    genomes = spec.written_out(files, report)
    return spec.Sources(
        tuple(files),
        {name: replace(tree, around=tuple(functions.values())) for name, tree in genomes.items()},
        {n.name: n for file in back for n in file.networks},
        {b.name: b for file in back for b in file.blocks},
        {
            (file.span.source, written): _edge_file(file.span.source, written, edge_texts)
            for file in files
            for written in spec.names_of_edge_files(file)
        },
        functions,
    )


def _edge_file(source: Source, written: str, texts: Mapping[str, str]) -> EdgeFile:
    """The edge file that a spec calls `written`. An artifact stores its name relative to where the spec was compiled,
    or only the last part of an absolute path."""
    seen = os.path.normpath(os.path.join(os.path.dirname(source.name), written))
    for name in (written, seen, PurePath(written).name):
        if name in texts:
            return EdgeFile(written, texts[name])
    return EdgeFile(written, "", "it is not in the artifact")
