"""Hashes of checked models by what they mean, for files that must know whether a rule or a network has changed.

These do not count: comments, layout, names and order of files, unused text, the names of compile-time parameters and of
`let` values, and the order of declarations in a genome. These do: the names that callers use (of states, channels,
meta-parameters, signals, populations and projections), and the order of populations and projections. It is that of
visits and sums, so rounding depends on it.

The hash is of JSON made from the model's dataclasses. A field at its default is left out, so that a new one changes no
hash. Old hashes stand in users' files: whatever else changes them needs a new number in `RULE` and `MODEL`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from typing import Any, cast

from blurc.model import model as m
from blurc.model.substitute import rebuild

RULE, MODEL = "rule1:", "model1:"
OF_EXPRESSIONS = {"shape", "over"}  # follow from the rest
NO_MEANING = {"file"}  # of edges, whose pairs are in the model


def rule_hash(genome: m.Genome) -> str:
    """Of a rule, for values of its meta-parameters: how fresh ones would be drawn does not count."""
    return RULE + _digest({**_genome(genome, dict(genome.slots)), "metas": _by_name(genome.metas, without="init")})


def model_hash(model: m.Model) -> str:
    """Models with equal hashes compile to the same program."""
    slots = [pair for population in model.network.populations for pair in population.slots]
    genome = _genome(model.genome, dict(model.genome.slots) | {function: function for _, function in slots})
    return MODEL + _digest([genome, _tree(replace(model.network, name="", params=()))])


def _digest(tree: Any) -> str:
    text = json.dumps(tree, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _genome(g: m.Genome, slots: Mapping[str, str]) -> dict[str, Any]:
    """slots: those whose functions count. The first state is special: it decides `pool(max)`."""
    functions = (_anonymous(f) for f in g.functions if f.name in slots.values())
    return {
        **dict(_fields(replace(g, name="", params=(), functions=(), phases=tuple(map(_numbered, g.phases))))),
        "first": g.states[0].name if g.states else None,
        "states": _by_name(g.states),
        "channels": _by_name(g.channels),
        "metas": _by_name(g.metas),
        "modulators": _by_name(g.modulators),
        "functions": _by_name(functions),
        **({"constants": _by_name(g.constants)} if g.constants else {}),
    }


def _by_name(declared: Iterable[m.Declared | m.Function], without: str = "") -> dict[str, Any]:
    return {v.name: {key: value for key, value in _tree(v).items() if key != without} for v in declared}


def _numbered(phase: m.Phase) -> m.Phase:
    """With numbers for the names of `let` values, and what it does for each kind in alphabetical order."""
    variants = (replace(v, statements=_statements(v.statements)) for v in phase.variants)
    ordered = sorted(variants, key=lambda variant: variant.of)
    return replace(phase, statements=_statements(phase.statements), variants=tuple(ordered))


def _statements(statements: tuple[m.Statement, ...]) -> tuple[m.Statement, ...]:
    number = _numbers(s.name for s in statements if isinstance(s, m.LetStatement))

    def anonymous(e: m.Expr) -> m.Expr | None:
        return replace(e, name=number[e.name]) if isinstance(e, m.Let) else None

    def statement(s: m.Statement) -> m.Statement:
        name = number[s.name] if isinstance(s, m.LetStatement) else s.name
        return replace(s, name=name, value=rebuild(s.value, anonymous))

    return tuple(map(statement, statements))


def _anonymous(f: m.Function) -> m.Function:
    """With numbers for the names of its arguments."""
    number = _numbers(f.arguments)

    def anonymous(e: m.Expr) -> m.Expr | None:
        return replace(e, name=number[e.name]) if isinstance(e, m.Argument) else None

    slope = f.slope and rebuild(f.slope, anonymous)
    return replace(f, arguments=tuple(number.values()), value=rebuild(f.value, anonymous), slope=slope)


def _numbers(names: Iterable[str]) -> dict[str, str]:
    return {name: str(i) for i, name in enumerate(names)}


def _tree(value: Any) -> Any:
    """What JSON can hold. A number is a text, the same for 2 and 2.0."""
    if is_dataclass(value):
        return {"": type(value).__name__, **dict(_fields(value))}
    if isinstance(value, tuple):
        return [*map(_tree, cast("tuple[Any, ...]", value))]
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if value is None or isinstance(value, bool | str):
        return value
    return repr(float(value))


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    left_out = OF_EXPRESSIONS if isinstance(value, m.Typed) else NO_MEANING
    for field in fields(value):
        part = getattr(value, field.name)
        if field.name == "slots":
            yield field.name, dict(part)
        elif field.compare and field.name not in left_out and part != _default(field):
            yield field.name, _tree(part)


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()
