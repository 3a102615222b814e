"""The pipeline: text -> syntax tree -> checked model -> plan. Every value on the way can be had and printed.

Nothing here imports jax: `check` answers fast, and the plan is where the back half begins.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from numbers import Integral, Real
from pathlib import Path
from typing import Any, TypeAlias

from blurc import checker, functions, graph, library, syntax
from blurc.diagnostics import BlurError, Diagnostic, Report, Span, did_you_mean, in_order
from blurc.model import UNIT, Model, ParamValue
from blurc.model import Genome as CheckedGenome
from blurc.passes.elaborate import elaborate
from blurc.passes.factor import factor
from blurc.passes.liveness import liveness
from blurc.passes.schedule import schedule
from blurc.passes.simplify import simplify
from blurc.plan import Block, Plan, Population, Projection, Variable, verify

Spec: TypeAlias = "str | Path"
Params: TypeAlias = Mapping[str, ParamValue]
Watcher: TypeAlias = "Callable[[str, Any, float], None]"  # stage, its value, seconds


# ------------------------------------------------------------------- checking


def check(spec: Spec) -> list[Diagnostic]:
    """Everything that is wrong or doubtful in a spec and its imports: all genomes with their defaults, all
    networks with the genomes that they use."""
    report = Report()
    _check_all(Sources.load(spec, report), report)
    return in_order(report.diagnostics)


@dataclass(frozen=True)
class Sources:
    """The files of a spec, the root first, and what they declare."""

    files: tuple[syntax.File, ...]
    genomes: Mapping[str, syntax.Genome]
    networks: Mapping[str, syntax.Network]

    @staticmethod
    def load(spec: Spec, report: Report) -> Sources:
        files = library.load(spec, report)
        genomes: dict[str, syntax.Genome] = {}
        networks: dict[str, syntax.Network] = {}
        for file in files:
            for item in (*file.genomes, *file.networks):
                _declare(item, genomes, networks, report)
        return Sources(files, genomes, networks)

    @property
    def texts(self) -> tuple[tuple[str, str], ...]:
        """Names and texts of the sources."""
        return tuple((f.span.source.name, f.span.source.text) for f in self.files)


def _declare(
    item: syntax.Genome | syntax.Network,
    genomes: dict[str, syntax.Genome],
    networks: dict[str, syntax.Network],
    report: Report,
) -> None:
    earlier = genomes.get(item.name) or networks.get(item.name)
    if earlier:
        same_file = earlier.name_span.source is item.name_span.source
        # The root file comes first: of two files, the one that imports the other can be changed.
        blamed, other = (item, earlier) if same_file else (earlier, item)
        report.error(
            "E106",
            f"`{item.name}` is declared twice",
            blamed.name_span,
            notes=[f"also in {other.name_span}"],
            help="rename one of them",
        )
    elif isinstance(item, syntax.Genome):
        genomes[item.name] = item
    else:
        networks[item.name] = item


def _check_all(sources: Sources, report: Report) -> None:
    sound = {name for name, tree in sources.genomes.items() if checker.check_genome(tree, {}, report)}
    for tree in sources.networks.values():
        before = len(report.errors)
        _check_network(tree, sources, sound, report)
        if len(report.errors) == before and not tree.damaged:
            checker.unused_parameters(tree, report)
    _declares_something(sources, report)


def _check_network(tree: syntax.Network, sources: Sources, sound: set[str], report: Report) -> None:
    """A network, and what it makes of its genome, if that is among the sound ones."""
    network = checker.check_network(tree, {}, report)
    if network and not tree.damaged:
        graph.verify(network, report)
    genome = _used_genome(sources, tree, report)
    if genome is None:
        return
    checker.check_slots(tree, genome, report)
    args = checker.uses_arguments(tree, {}, genome, report)
    if genome.name in sound and args:
        _check_with(genome, args, report, f" from {tree.uses.span}" if tree.uses else "")


def _check_with(
    genome: syntax.Genome, values: Params, report: Report, source: str = ""
) -> CheckedGenome | None:
    """The genome for other values than its defaults. An error then also says for which."""
    found = Report()
    checked = checker.check_genome(genome, values, found)
    given = ", ".join(f"{name} = {value}" for name, value in values.items())
    for d in found.diagnostics:
        notes = (*d.notes, f"this is for {given}{source}") if d.severity == "error" and values else d.notes
        report.add(replace(d, notes=notes))
    return checked


def _declares_something(sources: Sources, report: Report) -> None:
    if sources.files and not (sources.genomes or sources.networks or report.errors):
        source = sources.files[0].span.source
        report.warn(
            "W505",
            "the file declares no genome and no network",
            Span(source, 0, 0),
            help="write `genome NAME { .. }` or `network NAME uses GENOME { .. }`",
        )


def _used_genome(sources: Sources, tree: syntax.Network, report: Report) -> syntax.Genome | None:
    if tree.uses is None or tree.uses.genome in sources.genomes:
        return sources.genomes[tree.uses.genome] if tree.uses else None
    _unknown("genome", tree.uses.genome, sources.genomes, tree.uses.span, report)
    return None


def _unknown(kind: str, name: str, known: Mapping[str, Any], span: Span | None, report: Report) -> None:
    near = did_you_mean(name, known)
    report.error(
        "E211",
        f"unknown {kind} `{name}`",
        span,
        notes=[f"known here: {', '.join(known) or 'none'}"],
        help=f"did you mean `{near}`?" if near else f"declare it, or {_import_of(kind, name)}",
    )


def _import_of(kind: str, name: str) -> str:
    path = f"{'rules' if kind == 'genome' else 'networks'}/{name}.blur"
    if (library.specs_path() / path).is_file():
        return f'import it from the library: `import "{path}"`'
    return "import the file that declares it"


# ------------------------------------------------------------------ selection


def select(
    spec: Spec, *, network: str | None = None, genome: str | None = None, params: Params | None = None
) -> tuple[Model, Sources, list[Diagnostic]]:
    """The checked model of one network with one genome, its sources and warnings. Raises `BlurError`."""
    report = Report()
    sources = Sources.load(spec, report)
    if report.errors:
        _check_all(sources, report)  # for the rest of what is wrong
    report.check()
    network_tree = _pick_network(sources, network, report)
    sources, genome_tree = _pick_genome(sources, network_tree, genome, report)
    model = _model(network_tree, genome_tree, _values(params or {}, report), genome is not None, report)
    return model, sources, in_order(report.warnings)


def model(
    spec: Spec, *, network: str | None = None, genome: str | None = None, params: Params | None = None
) -> Model:
    """The checked model of one network with one genome. Raises `BlurError`."""
    return select(spec, network=network, genome=genome, params=params)[0]


def _pick_network(sources: Sources, name: str | None, report: Report) -> syntax.Network:
    own = {n.name: n for n in sources.files[0].networks}
    if name is not None:
        if name not in sources.networks:
            _unknown("network", name, sources.networks, None, report)
            report.check()
        return sources.networks[name]
    if len(own) == 1:
        return next(iter(own.values()))
    where = sources.files[0].span.source.name
    report.error(
        "E215",
        f"{where} declares {'several networks' if own else 'no network'}, and one is to be compiled",
        None,
        notes=[f"it declares: {', '.join(own or sources.genomes) or 'nothing'}"],
        help=f"name one: `network={next(iter(own))!r}` in Python, `--network {next(iter(own))}` on the "
        "command line"
        if own
        else "declare one: `network n uses GENOME { input x[2]  output y[1]  x -> y }`",
    )
    raise BlurError(report.errors)


def _pick_genome(
    sources: Sources, network: syntax.Network, name: str | None, report: Report
) -> tuple[Sources, syntax.Genome]:
    if name is None and network.uses is None:
        report.error(
            "E215",
            f"the network `{network.name}` uses no genome",
            network.name_span,
            notes=[f"known here: {', '.join(sources.genomes) or 'none'}"],
            help=f"write `network {network.name} uses GENOME`, or name one when compiling",
        )
        report.check()
    if name is None:
        found = _used_genome(sources, network, report)
    else:
        sources = sources if name in sources.genomes else _with_rule(sources, name, report)
        found = sources.genomes.get(name)
        if found is None:
            _unknown("genome", name, sources.genomes, None, report)
    report.check()
    assert found is not None
    return sources, found


def _with_rule(sources: Sources, name: str, report: Report) -> Sources:
    """The sources with the packaged rule of this name, for a caller who picks another genome than the
    file's."""
    for path in sorted((library.specs_path() / "rules").glob("*.blur")):
        extra = Sources.load(path, Report())
        if name in extra.genomes and not set(extra.genomes) & set(sources.genomes):
            return Sources(
                (*sources.files, *extra.files),
                {**sources.genomes, **extra.genomes},
                {**extra.networks, **sources.networks},
            )
    return sources


def _values(params: Mapping[str, Any], report: Report) -> Params:
    """Parameter values as the language knows them, from whatever a caller passed."""
    values: dict[str, ParamValue] = {}
    for name, value in params.items():
        if isinstance(value, str) and value in functions.UNARY:
            values[name] = value
        elif not isinstance(value, bool) and isinstance(value, Real) and isfinite(value):
            values[name] = int(value) if isinstance(value, Integral) else float(value)
        else:
            report.error(
                "E206",
                f"the parameter `{name}` takes a number or the name of a function, found {value!r}",
                None,
                help=f"write {name}=1, or one of: {', '.join(functions.UNARY)}",
            )
    report.check()
    return values


def _model(
    network: syntax.Network, genome: syntax.Genome, params: Params, picked: bool, report: Report
) -> Model:
    of_network, of_genome = ([p.name for p in tree.params] for tree in (network, genome))
    _check_names(network, genome, params, report)
    given = {n: v for n, v in params.items() if n in of_network}
    checked = checker.check_network(network, given, report)
    used: Params = {}
    if not picked or _is_used(network, genome):
        used = checker.uses_arguments(network, given, genome, report)
        checker.check_slots(network, genome, report)
    rule = _check_with(genome, {**used, **{n: v for n, v in params.items() if n in of_genome}}, report)
    if checked:
        graph.verify(checked, report)
    report.check()
    checker.unused_parameters(network, report)
    assert checked is not None, "reported"
    assert rule is not None, "reported"
    return Model(rule, checked)


def _check_names(network: syntax.Network, genome: syntax.Genome, params: Params, report: Report) -> None:
    """Every given parameter is one of the network or of the genome."""
    of_network, of_genome = ([p.name for p in tree.params] for tree in (network, genome))
    known = [*of_network, *of_genome]
    for name in params:
        if name not in known:
            near = did_you_mean(name, known)
            whose = f"`{network.name}`: {', '.join(of_network) or 'none'}"
            report.error(
                "E210",
                f"neither the network `{network.name}` nor the genome `{genome.name}` has a parameter "
                f"`{name}`",
                None,
                notes=[f"{whose}; `{genome.name}`: {', '.join(of_genome) or 'none'}"],
                help=f"did you mean `{near}`?"
                if near
                else "remove it, or declare the parameter with a default",
            )


def _is_used(network: syntax.Network, genome: syntax.Genome) -> bool:
    return network.uses is not None and network.uses.genome == genome.name


# ----------------------------------------------------------------- the passes


@dataclass
class Pipeline:
    """Runs the passes from model to plan. `watch` is called after each with its name, value and seconds;
    between passes the blocks are verified."""

    watch: Watcher | None = None
    stages: dict[str, Any] = field(default_factory=dict[str, Any])

    def plan(self, model: Model) -> Plan:
        visits = self._stage("schedule", lambda: schedule(model))
        written = self._stage("elaborate", lambda: elaborate(model, visits))
        self._verify("elaborate", written)
        blocks = self._stage("simplify", lambda: tuple(simplify(b) for b in written))
        self._verify("simplify", blocks)
        blocks = self._stage("factor", lambda: tuple(factor(b) for b in blocks))
        self._verify("factor", blocks)
        plan = self._stage("liveness", lambda: liveness(_assemble(model, *blocks), written[0]))
        self._verify("liveness", (plan.step, plan.predict, plan.trace))
        return plan

    def _stage(self, name: str, run: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        value = run()
        if self.watch:
            self.watch(name, value, time.perf_counter() - start)
        return value

    def _verify(self, name: str, blocks: tuple[Block, ...]) -> None:
        for block in blocks:
            verify(block, name)


def plan(model: Model, watch: Watcher | None = None) -> Plan:
    return Pipeline(watch).plan(model)


def _assemble(model: Model, step: Block, predict: Block, trace: Block) -> Plan:
    genome, network = model.genome, model.network
    sizes = {p.name: p.size for p in network.populations}
    return Plan(
        name=network.name,
        genome=genome.name,
        populations=tuple(Population(p.name, p.role, p.shape, p.size) for p in network.populations),
        projections=tuple(
            Projection(
                p.name,
                p.source,
                p.target,
                sizes[p.source],
                sizes[p.target],
                p.topology,
                p.plastic,
                p.source == UNIT,
            )
            for p in network.projections
        ),
        metas=tuple(
            Variable("*" if v.per_projection else "", v.name, v.shape, v.init, v.span) for v in genome.metas
        ),
        channels=tuple(
            Variable(p.name, c.name, c.shape, c.init, c.span)
            for p in network.projections
            for c in genome.channels
        ),
        channel_starts=tuple(Variable("", c.name, c.shape, c.init, c.span) for c in genome.channels),
        carried=tuple(
            Variable(p.name, s.name, s.shape, None, s.span)
            for p in network.populations
            if p.role != "unit"
            for s in genome.states
            if s.persistent
        ),
        step=step,
        predict=predict,
        trace=trace,
    )
