"""What may stand at a place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from blurc.editor import meanings
from blurc.editor.cursor import Cursor
from blurc.editor.meanings import PHASES
from blurc.editor.names import Names, Symbol, Table
from blurc.language import functions
from blurc.language import syntax as s

ROLES = ("input", "hidden", "output")
SUMS = (*functions.TOTALS, *functions.RUNNING)
CONSTANT = ("constant", "parameter")  # known when the rule is compiled
OF_NEURONS, OF_SYNAPSES = ("population", "neuron"), ("projection", "synapse")


@dataclass(frozen=True)
class Offer:
    """kind: of a symbol, or "function", "keyword" or "value" of the language."""

    name: str
    kind: str
    about: str = ""


def offers(cursor: Cursor, names: Names) -> list[Offer]:
    if cursor.in_comment:
        return []
    found = _member(cursor, names) if cursor.last == "." else _anything(cursor, names)
    return [*{offer.name: offer for offer in found}.values()]


def _member(cursor: Cursor, names: Names) -> Iterator[Offer]:
    """Behind a point: a neuron's values, its sums, the outputs of a block in use."""
    owner = next((token for token in reversed(cursor.before[:-1]) if token.isidentifier()), "")
    table = names.tables.get(cursor.name, {})
    if owner in ("pre", "post") and cursor.top == "genome":
        yield from _of(symbol for symbol in table.values() if _is_of_neuron(symbol))
        yield from _functions(["incoming"] if owner == "post" else ["outgoing", "outgoing_until"])
    elif owner in table and isinstance(node := table[owner].node, s.Instance):
        outputs = names.tables.get(node.block, {}).values()
        yield from _of(o for o in outputs if isinstance(o.node, s.Population) and o.node.role == "output")


def _anything(cursor: Cursor, names: Names) -> Iterator[Offer]:
    if cursor.last == "of" and cursor.top == "genome":
        return _of(names.kinds.values())
    if cursor.top == "genome":
        return _phase(cursor, names) if cursor.block in PHASES else _genome(cursor, names)
    if cursor.top:
        return _network(cursor, names)
    return _file(cursor, names)


# ---------------------------------------------------------------- files and genomes


def _file(cursor: Cursor, names: Names) -> Iterator[Offer]:
    first = cursor.before[0] if cursor.before else ""
    if not first:
        yield from _words(meanings.FILE)
    elif cursor.last in ("uses", "extends"):
        yield from _of(symbol for symbol in names.top.values() if symbol.kind == "genome")
    elif cursor.calls and cursor.last in ("(", ","):
        called = names.tables.get(cursor.calls[-1], {})
        yield from _of(symbol for symbol in called.values() if symbol.kind == "parameter")
    elif "=" in cursor.before:
        yield from _functions(functions.ELEMENTWISE)
        yield from _of(symbol for symbol in names.top.values() if symbol.kind == "function")
    elif len(cursor.before) > 1 and not cursor.calls and first in ("genome", "network"):
        yield Offer("extends", "keyword") if first == "genome" else Offer("uses", "keyword")


def _genome(cursor: Cursor, names: Names) -> Iterator[Offer]:
    first = cursor.before[0] if cursor.before else ""
    table = names.tables.get(cursor.name, {})
    if not first:
        keywords = PHASES if cursor.block == "repeat" else meanings.GENOME
        yield from _words({word: meanings.GENOME[word] for word in keywords})
        yield from _of(symbol for symbol in table.values() if symbol.kind == "phase")
    elif cursor.last == "~":
        yield from (Offer(name, "function", about) for name, about in meanings.DISTRIBUTIONS.values())
    elif cursor.last == "per":
        yield from _words({word: meanings.PER[word] for word in meanings.ALLOWED_PER.get(first, ())})
    elif first == "fn" and "(" not in cursor.before:
        if cursor.last == "=":
            yield from _functions(functions.UNARY)
            yield from _of(symbol for symbol in _functions_of(table, names))
    elif first in PHASES:
        yield Offer("of", "keyword", "for one kind of populations or projections")
    elif first == "readout":
        yield from _neuron(Cursor(cursor.top, cursor.name, "readout"), table, names)
    elif cursor.calls or any(sign in cursor.before for sign in "=~") or first == "repeat":
        wanted = (*CONSTANT, "meta-parameter") if first == "synapse" else CONSTANT
        wanted = (*CONSTANT, "meta-parameter", "signal") if first == "fn" else wanted
        yield from _of(symbol for symbol in table.values() if symbol.kind in wanted)
        yield from _of(_functions_of(table, names))
        yield from _functions(functions.ELEMENTWISE)
        if first == "synapse":
            yield from (Offer(name, "value", meanings.VALUES[name]) for name in functions.FANS)


def _functions_of(table: Table, names: Names) -> list[Symbol]:
    return [symbol for symbol in (*table.values(), *names.top.values()) if symbol.kind == "function"]


# ---------------------------------------------------------------- phases


def _phase(cursor: Cursor, names: Names) -> Iterator[Offer]:
    table = names.tables.get(cursor.name, {})
    if not cursor.before:
        yield Offer("let", "keyword", "names a value")
        assigned = "channel" if cursor.block == "update" else "state"
        yield from _of(symbol for symbol in table.values() if symbol.kind == assigned)
    elif cursor.last != "let":
        in_synapse = cursor.block == "update" or any(call in SUMS for call in cursor.calls)
        yield from _synapse(cursor, table, names) if in_synapse else _neuron(cursor, table, names)


def _neuron(cursor: Cursor, table: Table, names: Names) -> Iterator[Offer]:
    yield from (Offer(name, "named value") for name in cursor.lets)
    yield from _of(v for v in table.values() if v.kind == "state" or (_is_value(v) and _per(v) not in OF_SYNAPSES))
    yield from _of(symbol for symbol in table.values() if symbol.kind == "function slot")
    yield from _of(_functions_of(table, names))
    if cursor.block in ("sense", "feedback"):
        name = "input" if cursor.block == "sense" else "target"
        yield Offer(name, "value", meanings.VALUES[name])
    yield from _functions((*functions.ELEMENTWISE, *functions.POPULATION, *functions.STATISTICS, *functions.TOTALS))
    if cursor.block != "readout":
        yield from _functions(functions.DRAWS)


def _synapse(cursor: Cursor, table: Table, names: Names) -> Iterator[Offer]:
    total = next((call for call in reversed(cursor.calls) if call in SUMS), "")
    if not total:
        yield from (Offer(name, "named value") for name in cursor.lets)
        if not any(call in functions.REDUCERS for call in cursor.calls):
            yield from _functions((*functions.REDUCERS, *functions.PROJECTION, *functions.DRAWS))
    yield from _of(v for v in table.values() if v.kind == "channel" or (_is_value(v) and _per(v) not in OF_NEURONS))
    yield from _of(symbol for symbol in table.values() if symbol.kind == "function slot")
    yield from _of(_functions_of(table, names))
    ends = {"incoming": ("pre",), "outgoing": ("post",)}.get(total, ("pre", "post"))
    yield from (Offer(name, "value", meanings.VALUES[name]) for name in (*ends, *functions.PROJECTION_NUMBERS))
    yield from _functions(functions.ELEMENTWISE)


def _is_value(symbol: Symbol) -> bool:
    return symbol.kind in (*CONSTANT, "signal", "meta-parameter")


def _per(symbol: Symbol) -> str | None:
    return symbol.node.per if isinstance(symbol.node, s.Learn | s.Const) else None


def _is_of_neuron(symbol: Symbol) -> bool:
    return symbol.kind == "state" or _per(symbol) in OF_NEURONS


# ---------------------------------------------------------------- networks


def _network(cursor: Cursor, names: Names) -> Iterator[Offer]:
    table = names.tables.get(cursor.name, {})
    before, last = cursor.before, cursor.last
    populations = [v for v in table.values() if v.kind in ("population", "block in use")]
    if cursor.block == "options":
        yield from _option(cursor, names)
    elif not before:
        yield from _words(meanings.NETWORK)
        yield from _of(populations)
    elif cursor.calls == ("[",) and "->" in before:
        yield from _attribute(cursor, names)
    elif last == "->":
        yield from _of(populations)
    elif last == "=" and before[0] not in ROLES and not cursor.calls:
        yield from _of(symbol for symbol in names.top.values() if symbol.kind == "block")
    elif cursor.calls and last in ("(", ",") and cursor.calls[-1] in names.tables:
        bound = names.tables[cursor.calls[-1]].values()
        ports = [v for v in bound if isinstance(v.node, s.Population) and v.node.role == "input"]
        yield from _of([v for v in bound if v.kind == "parameter"] + ports)
    elif cursor.calls or last in ("..", "in", "ids", "{"):
        yield from _of(symbol for symbol in table.values() if symbol.kind == "parameter")
        yield from _of(populations if last == "=" and cursor.calls[-1:] != ("[",) else [])


def _option(cursor: Cursor, names: Names) -> Iterator[Offer]:
    rule = _rule(cursor, names)
    if cursor.last in ("{", ",", ";"):
        yield from (Offer(name, "value", about) for name, about in meanings.OPTIONS.items())
        yield from _of(v for v in rule.values() if v.kind == "function slot" or _per(v) == "population")
    elif cursor.before[-2:] == ("bias", "="):
        yield from (Offer(name, "value") for name in ("on", "off", "shared"))
    elif cursor.before[-2:] == ("kind", "="):
        yield from _of(names.kinds.values())
    elif cursor.last == "=":
        yield from _functions(functions.UNARY)
        yield from _of(symbol for symbol in names.top.values() if symbol.kind == "function")


def _attribute(cursor: Cursor, names: Names) -> Iterator[Offer]:
    if cursor.last in ("[", ","):
        yield from (Offer(name, "value", about) for name, about in meanings.ATTRIBUTES.items())
        yield from _of(v for v in _rule(cursor, names).values() if _per(v) == "projection")
    elif cursor.before[-2:] == ("kind", "="):
        yield from _of(names.kinds.values())
    elif cursor.before[-2:] == ("same", "="):
        yield from _of(symbol for symbol in names.tables.get(cursor.name, {}).values() if symbol.kind == "label")


def _rule(cursor: Cursor, names: Names) -> Table:
    """What the genome of the network declares."""
    found = names.top.get(cursor.name)
    uses = found.node.uses if found and isinstance(found.node, s.Network) else None
    return names.tables.get(uses.genome, {}) if uses else {}


# ---------------------------------------------------------------- offers


def _of(symbols: Iterable[Symbol]) -> Iterator[Offer]:
    yield from (Offer(symbol.name, symbol.kind) for symbol in symbols)


def _functions(found: Iterable[str]) -> Iterator[Offer]:
    for name in found:
        signature, about = meanings.FUNCTIONS[name]
        yield Offer(name, "function", f"{signature}: {about}")


def _words(found: Mapping[str, str]) -> Iterator[Offer]:
    yield from (Offer(name, "keyword", about) for name, about in found.items())
