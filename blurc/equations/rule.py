"""What there is to say about a rule: what neurons and synapses keep, the phases in order, how far it sees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from blurc.equations.formula import Applied, Formula, Number, Power, Row, Sign, Symbol
from blurc.equations.read import NEURON, SYNAPSE, Place, Reader
from blurc.language import syntax as s
from blurc.language import unparse
from blurc.model import Locality

AT: Mapping[str, tuple[str, str]] = {  # which neurons, and in which order
    "sense": ("input neuron j", ""),
    "forward": ("neuron j but the inputs", ", from the inputs to the outputs"),
    "feedback": ("output neuron j", ""),
    "backward": ("neuron j but the inputs", ", from the outputs back"),
    "update": ("synapse from i to j", ""),
}


@dataclass(frozen=True)
class Value:
    """kind: "state", "channel", "meta-parameter", "constant", "signal" or "function". about: its comment."""

    kind: str
    formula: Formula
    used: str
    about: str


@dataclass(frozen=True)
class Step:
    """title: what runs, and where. depth: in how many `repeat`s."""

    title: str
    where: str
    equations: tuple[Formula, ...]
    depth: int = 0


@dataclass(frozen=True)
class Explained:
    head: str
    about: tuple[str, ...]
    values: tuple[Value, ...]
    steps: tuple[Step, ...]
    readout: Formula | None
    locality: Locality | None
    cost: str = ""
    nearest: str = ""


def explained(genome: s.Genome, locality: Locality | None, cost: str = "", nearest: str = "") -> Explained:
    """genome: with all that it inherits. cost, and the nearest rule of the library: sentences."""
    items = {str(vars(item)["name"]): item for item in genome.items if hasattr(item, "name")}
    items |= {function.name: function for function in genome.around}
    params = ", ".join(map(unparse, genome.params))
    readout = next((item for item in genome.items if isinstance(item, s.Readout)), None)
    return Explained(
        f"{genome.name}({params})" if params else genome.name,
        tuple(_above(genome)),
        tuple(_values(genome, items)),
        tuple(_steps(genome.items, items)),
        Reader(items)(readout.value) if readout else None,
        locality,
        cost,
        nearest,
    )


def _above(genome: s.Genome) -> Iterator[str]:
    """The first paragraph of the comment at the top of its file."""
    for line in genome.span.source.text.splitlines():
        text = line.removeprefix("#").strip()
        if not line.startswith("#") or not text:
            return
        yield text


# ---------------------------------------------------------------- values


def _values(genome: s.Genome, items: Mapping[str, s.Node]) -> Iterator[Value]:
    phases = [*_phases(genome.items)]
    for item in genome.items:
        kind = KINDS.get(type(item))
        if kind:
            yield Value(kind, _declared(item, items), _used(str(vars(item)["name"]), phases), _comment(item))


KINDS: Mapping[type[s.Node], str] = {
    s.State: "state", s.Synapse: "channel", s.Learn: "meta-parameter", s.Const: "constant", s.Signal: "signal",
    s.Fn: "function", s.Function: "function",
}  # fmt: skip


def _declared(item: s.Node, items: Mapping[str, s.Node]) -> Formula:
    at_start = Reader(items, SYNAPSE)
    match item:
        case s.State(name, dims) | s.Signal(name, dims):
            return _shaped(Symbol(name, ("j",) if isinstance(item, s.State) else ()), dims, items)
        case s.Synapse(name, dims, init, _):
            return _shaped(_start(Symbol(name, ("i", "j")), init, at_start), dims, items)
        case s.Learn(name, dims, init, per):
            return _shaped(_start(Symbol(name, PER.get(per or "", ())), init, at_start), dims, items)
        case s.Const(name, dims, value, per):
            return _shaped(_start(Symbol(name, PER.get(per or "", ())), value, at_start), dims, items)
        case s.Function(name, arguments, value):
            head = Applied(name, tuple(Symbol(a.name) for a in arguments))
            return Row((head, Sign("="), Reader(items, Place())(value)))
        case s.Fn(name, function):
            return Row((Symbol(name), Sign("="), Symbol(function)))
        case _:
            raise TypeError(type(item).__name__)


PER: Mapping[str, tuple[str, ...]] = {"neuron": ("j",), "population": ("j",), "synapse": ("i", "j")}


def _shaped(value: Formula, dims: tuple[s.Expr, ...], items: Mapping[str, s.Node]) -> Formula:
    """The value and its shape: `u = 0 ∈ ℝ²`."""
    if not dims:
        return value
    first, *rest = map(Reader(items, Place()), dims)
    shape = Row((first, *(part for dim in rest for part in (Sign("×"), dim)))) if rest else first
    return Row((value, Sign("∈"), Power(Symbol("ℝ"), shape)))


def _start(symbol: Formula, init: s.Distribution | s.Expr | None, read: Reader) -> Formula:
    match init:
        case None:
            return symbol
        case s.Distribution("zeros" | "ones" as name):
            return Row((symbol, Sign("="), Number("0" if name == "zeros" else "1")))
        case s.Distribution("normal", (s.Number(1),)):
            return Row((symbol, Sign("~"), Applied("𝒩", (Number("0"), Number("1")))))
        case s.Distribution("normal", (std,)):
            return Row((symbol, Sign("~"), Applied("𝒩", (Number("0"), Power(read(std, 5), Number("2"))))))
        case s.Distribution(name, args):
            return Row((symbol, Sign("~"), Applied(name, tuple(map(read, args)))))
        case value:
            return Row((symbol, Sign("="), read(value)))


def _comment(item: s.Node) -> str:
    return item.span.source.line(item.span.line).partition("#")[2].strip()


def _phases(items: Iterable[s.Node]) -> Iterator[s.Phase]:
    for item in items:
        if isinstance(item, s.Phase):
            yield item
        elif isinstance(item, s.Repeat):
            yield from _phases(item.phases)


def _used(name: str, phases: Iterable[s.Phase]) -> str:
    """The kinds of phases that set a value, and those that read it."""
    found: dict[str, dict[str, None]] = {"set in": {}, "read in": {}}
    for phase in phases:
        for statement in phase.statements:
            if isinstance(statement, s.Assign) and statement.name == name:
                found["set in"][phase.kind] = None
            if name in _mentioned(statement.value):
                found["read in"][phase.kind] = None
    return "; ".join(f"{how} {', '.join(kinds)}" for how, kinds in found.items() if kinds)


def _mentioned(node: s.Node) -> set[str]:
    found: set[str] = set()
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, s.Name | s.Attribute | s.Call):
            found.add(one.function if isinstance(one, s.Call) else one.name)
        waiting += s.children(one)
    return found


# ---------------------------------------------------------------- phases


def _steps(items: Iterable[s.Node], rule: Mapping[str, s.Node], depth: int = 0) -> Iterator[Step]:
    for item in items:
        match item:
            case s.Phase(kind, statements, of, name):
                read = Reader(rule, SYNAPSE if kind == "update" else NEURON)
                title = f"{kind}{f' “{name}”' if name else ''}"
                yield Step(title, _where(kind, of), tuple(map(read.statement, statements)), depth)
            case s.Again(name):
                yield Step(f"“{name}” again", "", (), depth)
            case s.Repeat(count, phases):
                yield Step("repeat", f"{unparse(count)} times", (), depth)
                yield from _steps(phases, rule, depth + 1)
            case _:
                pass


def _where(kind: str, of: str) -> str:
    which, order = AT[kind]
    if of in ("input", "hidden", "output"):
        which = f"{of} neuron j"
    elif of:
        which = f"synapse of kind {of} from i to j" if kind == "update" else f"neuron j of kind {of}"
    return f"at every {which}{order}"
