"""The body of a network or of a block in use while it is expanded: what its names mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace

from blurc.checker import mentions
from blurc.checker.constants import Constants, WrongValue, complete
from blurc.checker.scope import FunctionScope
from blurc.checker.wording import code, near_names
from blurc.diagnostics import Diagnostic, Report, Source, Span
from blurc.graph import EdgeFile
from blurc.language import syntax
from blurc.model import UNIT, ParamValue, Population, Projection

Env = Mapping[str, "ParamValue | None"]


@dataclass(frozen=True)
class Around:
    """What a network may refer to outside itself: blocks, and edge files by the source that names them. `others` are
    genomes and networks, which may be mistaken for blocks; `functions` are those of files and, for slots, of
    all genomes; `of_populations` and `of_projections` what all genomes take values of. `damaged`: some of these may be
    missing."""

    blocks: Mapping[str, syntax.Block] = field(default_factory=dict[str, syntax.Block])
    files: Mapping[tuple[Source, str], EdgeFile] = field(default_factory=dict[tuple[Source, str], EdgeFile])
    others: Mapping[str, str] = field(default_factory=dict[str, str])
    functions: FunctionScope = FunctionScope()  # noqa: RUF009 - frozen
    of_populations: frozenset[str] = frozenset()
    of_projections: frozenset[str] = frozenset()
    damaged: bool = False
    built: Counter[str] = field(default_factory=Counter[str], compare=False)  # the sizes of what was checked so far


class Tracked(Report):
    """Passes diagnostics on, and knows whether there was an error: also one that was reported before, by another
    network that uses the same block. A wrong value of a parameter of the tree is passed on where it is met first."""

    def __init__(self, outer: Report, tree: syntax.Network | syntax.Block) -> None:
        super().__init__(outer.diagnostics)
        self.outer = outer
        self.failed = False
        self.span = tree.span
        self.params = {p.name for p in tree.params}
        self.wrong = set[str]()  # parameters

    def add(self, diagnostic: Diagnostic) -> None:
        self.failed = self.failed or diagnostic.severity == "error"
        param = self._param(diagnostic)
        if param not in self.wrong:
            self.outer.add(diagnostic)
        if param is not None:
            self.wrong.add(param)

    def has(self, code: str, span: Span) -> bool:
        return self.outer.has(code, span)

    def _param(self, d: Diagnostic) -> str | None:
        """The parameter whose own value is wrong."""
        if not isinstance(d, WrongValue) or d.span is None or not self.span.contains(d.span):
            return None
        return next((name for name in d.names & self.params if name == code(d.span)), None)


class Noted(Report):
    """Passes diagnostics on with a note: where the block is used that they are about. A value that is wrong because of
    an argument of that use is said there, once: `given` are the arguments, and `within` takes what is said of them."""

    def __init__(self, outer: Report, within: Report, block: str, note: str, given: Mapping[str, syntax.Expr]) -> None:
        super().__init__(outer.diagnostics)
        self.outer, self.within = outer, within
        self.block, self.note = block, note
        self.given = given
        self.wrong = set[str]()  # arguments

    def add(self, diagnostic: Diagnostic) -> None:
        guilty = self._guilty(diagnostic)
        if not guilty or diagnostic.span is None:
            self.outer.add(replace(diagnostic, notes=(*diagnostic.notes, self.note)))
        elif not self.wrong & {*guilty}:
            self.within.add(self._at_argument(diagnostic, diagnostic.span, guilty[0]))
        self.wrong.update(guilty)

    def has(self, code: str, span: Span) -> bool:
        return self.outer.has(code, span)

    def _at_argument(self, d: Diagnostic, span: Span, name: str) -> Diagnostic:
        """Of an expression of the block that several uses make wrong, the first use."""
        where = f"`{code(span)}` is in the block `{self.block}`, at {span}"
        said = (e for e in self.outer.diagnostics if where in e.notes and code(span) != name)
        value = self.given[name]
        names = frozenset(mentions.names([value]))
        return next(said, replace(d, span=value.span, notes=d.notes or (where,), names=names))

    def _guilty(self, d: Diagnostic) -> list[str]:
        """The arguments that made a value wrong: none where the block has that mistake with its defaults too."""
        if not isinstance(d, WrongValue) or any((d.code, d.span) == (e.code, e.span) for e in self.outer.diagnostics):
            return []
        return [name for name in self.given if name in d.names]


@dataclass(slots=True)
class Wiring:
    """The network expanded so far, with its final names."""

    around: Around
    populations: dict[str, Population] = field(default_factory=dict[str, Population])
    projections: dict[str, Projection] = field(default_factory=dict[str, Projection])
    shared: set[str] = field(default_factory=set[str])  # populations with `bias = shared`
    parallel: Counter[str] = field(default_factory=Counter[str])  # projections between two populations
    # What `sparse` drew: for whom, and whether their seed is written.
    drawn: dict[Hashable, tuple[str, bool]] = field(default_factory=dict[Hashable, "tuple[str, bool]"])
    ports: dict[str, set[str]] = field(default_factory=dict[str, set[str]])  # of blocks
    labels: set[str] = field(default_factory=set[str])  # of projections, also of those that are wrong


@dataclass(slots=True, eq=False)
class Body:
    """`names` are populations as they are called here, ports with what they are bound to, and what those are called
    in the network."""

    tree: syntax.Network | syntax.Block
    env: Env
    report: Report
    wiring: Wiring
    prefix: str = ""  # of the names of what stands here
    use: Use | None = None  # None: a network, or a block that is checked on its own
    names: dict[str, str] = field(default_factory=dict[str, str])
    ports: dict[str, syntax.Population] = field(default_factory=dict[str, syntax.Population])
    port_shapes: dict[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])
    outputs: set[str] = field(default_factory=set[str])
    instances: dict[str, Body] = field(default_factory=dict[str, "Body"])
    spans: dict[str, Span] = field(default_factory=dict[str, Span])  # of everything with a name here
    broken: set[str] = field(default_factory=set[str])  # names whose declaration is wrong
    unknown: set[str] = field(default_factory=set[str])  # populations that are reported as unknown

    def numbers(self, env: Env) -> Constants:
        return Constants(env, self.report, own=self.wiring.around.functions)

    # ----------------------------------------------------------------- names

    def name(self, name: syntax.IndexedName, env: Env) -> str | None:
        """`h{i}` as `h2`; without what follows a point."""
        numbers = self.numbers(env)
        indices = complete(numbers.whole(i, "an index of a name", 0) for i in name.indices)
        return None if indices is None else name.base + "_".join(map(str, indices))

    def visible(self) -> dict[str, Population]:
        """All populations that can be named here, by their names here."""
        found = {name: self.wiring.populations[known] for name, known in self.names.items()}
        for instance, body in self.instances.items():
            own = {n: known for n, known in body.names.items() if n in body.outputs}
            found |= {f"{instance}.{n}": self.wiring.populations[known] for n, known in own.items()}
        return found

    def resolve(self, end: syntax.IndexedName, env: Env) -> tuple[str, str] | None:
        """A population that is named here: its name here and in the network. None after a report."""
        name = self.name(end, env)
        if name is None:
            return None
        if end.port is not None:
            return self._output(name, end, end.port, env)
        if name in self.names:
            return name, self.names[name]
        if not self._is_excused(name, end.base) and not self.report.has("E401", end.span):
            self._unknown(name, end)
        return None

    def _is_excused(self, *names: str) -> bool:
        """Whether a name may be unknown because of a mistake that is reported elsewhere."""
        known = any(name in self.broken or name in self.unknown for name in names)
        return known or self.tree.damaged

    def _unknown(self, name: str, end: syntax.IndexedName) -> None:
        if name == UNIT:
            message = f"`{UNIT}` is the population of the unit neuron, which projects to every population by itself"
            help = "remove this projection; `{ bias = off }` on a population removes the unit neuron's"
            self.report.error("E405", message, end.span, help=help)
        elif name in self.instances:
            outputs = sorted(self.instances[name].outputs) or ["y"]
            message = f"`{name}` is a block in use, not a population"
            help = f"name one of its outputs: {' or '.join(f'`{name}.{o}`' for o in outputs)}"
            self.report.error("E401", message, end.span, help=help)
        else:
            self._unknown_population(name, list(self.names), end, f"declare it: `hidden {code(end.span)}[64]`")
            self.unknown.add(name)

    def _unknown_population(self, name: str, known: list[str], end: syntax.IndexedName, else_: str) -> None:
        near = near_names(name, known)
        help = f"did you mean {' or '.join(f'`{n}`' for n in near)}?" if near else else_
        if near and name.startswith(near[0]) and name.removeprefix(near[0]).isdigit():
            help = f"{else_}; or did you mean `{near[0]}`?"  # the next of several
        self.report.error("E401", f"unknown population `{name}`", end.span, help=help)

    # --------------------------------------------------------------- outputs

    def _output(
        self, instance: str, end: syntax.IndexedName, port: syntax.IndexedName, env: Env
    ) -> tuple[str, str] | None:
        """`r1.y`"""
        inner, body = self.name(port, env), self.instances.get(instance)
        name = f"{instance}.{inner}"
        if inner is None:
            return None
        if body is None:
            if not self._is_excused(instance, end.base) and not self.report.has("E401", end.span):
                outputs = [f"{i}.{o}" for i, b in self.instances.items() for o in b.outputs]
                help = f"there is no `{instance}`: write `{instance} = BLOCK(..)`"
                self._unknown_population(name, outputs, end, help)
        elif inner in body.outputs and inner in body.names:
            return name, body.names[inner]
        elif not body._is_excused(inner, port.base) and not self.report.has("E426", end.span):
            self._not_visible(name, inner, body, end)
        return None

    def _not_visible(self, name: str, inner: str, body: Body, end: syntax.IndexedName) -> None:
        block = body.tree.name
        outputs = [f"{name.removesuffix(inner)}{o}" for o in sorted(body.outputs)]
        help = f"its outputs are: {', '.join(outputs) or 'none'}"
        if inner in body.ports:
            message = f"`{name}` is a port that is bound to another population"
            self.report.error("E426", message, end.span, help="name that population itself")
        elif inner in body.names or inner in body.instances:
            message = f"`{name}` cannot be seen outside the block `{block}`"
            notes = [f"outside a block only its outputs are visible; {help}"]
            help = f"use one of them, or declare `output {inner}[..]` in the block"
            self.report.error("E426", message, end.span, notes=notes, help=help)
        else:
            self._unknown_population(name, outputs, end, help)

    # -------------------------------------------------------------- new names

    def is_free(self, name: str, what: str, span: Span) -> bool:
        """Whether a name is still free for a population or a block in use, which share their names."""
        if name not in self.spans:
            self.spans[name] = span
            return True
        first = self.spans[name]
        self.broken.add(name)  # uses are ambiguous
        message = f"the {what} `{name}` is declared twice"
        help = f"inside `for`, number them: `{name}{{i}}`" if first == span else "rename one of them"
        self.report.error("E106", message, span, notes=[f"first on line {first.line}"], help=help)
        return False


@dataclass(frozen=True, eq=False)
class Use:
    """Where a block is used."""

    item: syntax.Instance
    within: Body
    env: Env
