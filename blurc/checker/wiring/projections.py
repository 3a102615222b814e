"""Projections: their ends, their names and their attributes."""

from __future__ import annotations

from dataclasses import dataclass, field

from blurc.checker.wiring import kinds, topologies
from blurc.checker.wiring.blocks import Placed
from blurc.checker.wiring.bodies import Body, Env
from blurc.checker.wiring.populations import given
from blurc.checker.wiring.ties import Tie
from blurc.checker.wording import code
from blurc.diagnostics import Span, suggest
from blurc.language import syntax
from blurc.model import Given, Projection

SWITCHES = ("forward", "backward", "fixed")
ATTRIBUTES = (*SWITCHES, "label", "same", "kind", "delay", *topologies.NAMES)
GIVEN = ("label = NAME", "same = LABEL", "kind = NAME", "delay = 1")
MOST_DELAY = 1024  # steps; the state of a network keeps every one of them


def project(placed: Placed) -> Tie | None:
    """Adds a projection to the wiring. Whose synapses it has, if another's, is told to `ties.py`."""
    env, body = placed.env, placed.body
    source, target = body.resolve(placed.source, env), body.resolve(placed.target, env)
    attrs = _attributes(placed, env, body)
    if source is None or target is None or attrs is None or _is_into_input(placed, source[0], target):
        return None
    if source[1] == target[1] and source[0] != target[0] and not attrs.delay:
        _bound_to_itself(placed.span, source[0], target[1], body)
        return None
    pre, post = (body.wiring.populations[whole] for _, whole in (source, target))
    ends = topologies.Ends((placed.source, placed.target), source[0], target[0], pre, post, body)
    topology = topologies.topology(attrs.topology, ends, body.numbers(env))
    name = _name(source[1], target[1], attrs.label, placed.item, body)
    if name is not None and topology is not None:
        given = attrs.switches
        body.wiring.projections[name] = Projection(
            name,
            source[1],
            target[1],
            "backward" not in given,
            "forward" not in given,
            "fixed" not in given and topology.has_synapses,
            topology,
            placed.span,
            attrs.delay,
            attrs.kind,
            tuple(sorted(attrs.values, key=lambda v: v.name)),
        )
    return Tie(name, *attrs.same, ends) if name and attrs.same else None


def _is_into_input(placed: Placed, source: str, end: tuple[str, str]) -> bool:
    (target, whole), body = end, placed.body
    around = f"begin a chain with `{target}`" if placed.in_chain else f"turn it around, `{target} -> {source}`"
    if target in body.ports:
        message = f"`{target}` is a port: the block reads it and cannot project to it"
        help = f"{around}, or declare an output and project from that outside"
    elif body.wiring.populations[whole].role == "input":
        message = f"`{target}` is an input: its states come from outside, so nothing can project to it"
        help = f"{around}, or declare `{target}` as hidden"
    else:
        return False
    body.report.error("E405", message, placed.span, help=help)
    return True


def _bound_to_itself(span: Span, port: str, name: str, body: Body) -> None:
    """A port that is bound to the population that it is projected to: only an output can be named outside."""
    assert body.use, "a block on its own has its ports apart"
    use = body.use
    binding = next(arg for arg in use.item.args if arg.name == port)
    written = code(span)
    delayed = f"{written[:-1]}, delay = 1]" if written.endswith("]") else f"{written} [delay = 1]"
    use.within.report.error(
        "E413",
        f"the port `{port}` of `{use.item.block}` is bound to its output `{name}`, which then projects to itself "
        "without a delay",
        binding.span,
        notes=[f"the projection is `{written}`, at {span}"],
        help=f"bind `{port}` to another population, or write `{delayed}` in the block",
    )


def _name(source: str, target: str, label: str | None, item: syntax.Projection, body: Body) -> str | None:
    wiring = body.wiring
    if label is None:
        plain = f"{source}->{target}"
        wiring.parallel[plain] += 1
        return plain if wiring.parallel[plain] == 1 else f"{plain}#{wiring.parallel[plain]}"
    label = body.prefix + label
    if label not in wiring.projections:
        return label
    first = wiring.projections[label].span
    body.report.error(
        "E106",
        f"the label `{label}` is given twice",
        next(attr.span for attr in item.attrs if attr.name == "label"),
        notes=[f"first on line {first.line}"],
        help=f"inside `for`, number them: `label = {label}{{i}}`" if first == item.span else "rename one",
    )
    return None


# ---------------------------------------------------------------- attributes


@dataclass(slots=True)
class _Attributes:
    switches: set[str]
    label: str | None = None
    delay: int = 0
    kind: str = ""
    values: list[Given] = field(default_factory=list[Given])
    topology: syntax.Attr | None = None
    same: tuple[str, syntax.Attr] | None = None


def _attributes(placed: Placed, env: Env, body: Body) -> _Attributes | None:
    """None if one is wrong. Topologies are checked later, when the populations are known."""
    found, seen, right = _Attributes(set()), set[str](), True
    for attr in placed.item.attrs:
        if attr.name in seen:
            body.report.error("E410", f"`{attr.name}` is given twice", attr.span, help="keep one of them")
            right = False
        elif attr.name == "label" and placed.in_chain:
            _label_of_chain(attr, placed, body)
            right = False
        else:
            right = _attribute(attr, found, env, body) and right
        seen.add(attr.name)
    if {"forward", "backward"} <= found.switches:
        message = "a projection that carries only forward and only backward carries nothing"
        help = "drop one of them; without either, it carries both ways"
        body.report.error("E410", message, placed.item.span, help=help)
        right = False
    if found.same and found.topology:
        message = f"`{code(found.same[1].span)}` has the topology of those synapses"
        body.report.error("E410", message, found.topology.span, help="remove it")
        right = False
    return found if right else None


def _attribute(attr: syntax.Attr, found: _Attributes, env: Env, body: Body) -> bool:
    if attr.name in topologies.NAMES:
        return _is_only_topology(attr, found, body)
    if attr.name == "label":
        return _label(attr, found, env, body)
    if attr.name == "same":
        return _same(attr, found, env, body)
    if attr.name == "kind":
        found.kind = kinds.named(attr, env, body)
        return bool(found.kind)
    if attr.name == "delay":
        return _delay(attr, found, env, body)
    if attr.name not in SWITCHES and (written := _value(attr, env, body)):
        value = given(attr, written, body.numbers(env))
        found.values += [value] if value else []
        return value is not None
    if attr.name in body.wiring.around.of_projections:
        message = f"`{attr.name}` is a value of the rule, and takes a number"
        body.report.error("E408", message, attr.span, help=f"write `{attr.name} = 1`")
        return False
    if attr.name not in SWITCHES:
        known = f"one of {', '.join((*SWITCHES, *GIVEN))}; a value of the rule, `{attr.name} = 1`; or a topology: "
        known += ", ".join(topologies.NAMES)
        if attr.value is None and attr.args is None:
            known = f"to name it, write `label = {attr.name}`; otherwise {known}"
        help = suggest(attr.name, ATTRIBUTES, known)
        body.report.error("E408", f"unknown attribute `{attr.name}` of a projection", attr.span, help=help)
        return False
    if attr.value is not None or attr.args is not None:
        help = f"write `{attr.name}`"
        body.report.error("E408", f"`{attr.name}` takes no value", attr.span, help=help)
        return False
    found.switches.add(attr.name)
    return True


def _value(attr: syntax.Attr, env: Env, body: Body) -> syntax.Expr | None:
    """What may be a value for the genome. A word that is not a parameter is meant for something else, unless a genome
    has a value of that name."""
    known = attr.name in body.wiring.around.of_projections
    if isinstance(attr.value, syntax.Name) and attr.value.name not in env and not known:
        return None
    return attr.value if isinstance(attr.value, syntax.Expr) else None


def _is_only_topology(attr: syntax.Attr, found: _Attributes, body: Body) -> bool:
    first = found.topology
    found.topology = attr
    if first is None:
        return True
    message = f"a projection has one topology, found `{code(first.span)}` and `{code(attr.span)}`"
    body.report.error("E410", message, attr.span, help="keep one of them, or write two projections")
    return False


def _label(attr: syntax.Attr, found: _Attributes, env: Env, body: Body) -> bool:
    found.label = _name_in(attr, env, body)
    if not isinstance(attr.value, syntax.Name | syntax.IndexedName):
        help = "write `label = skip`, or `label = skip{i}`"
        body.report.error("E408", "a label must be a name", attr.span, help=help)
    if found.label is not None:
        body.wiring.labels.add(body.prefix + found.label)
    return found.label is not None


def _same(attr: syntax.Attr, found: _Attributes, env: Env, body: Body) -> bool:
    name = _name_in(attr, env, body)
    if not isinstance(attr.value, syntax.Name | syntax.IndexedName):
        help = "label a projection, `a -> b [label = shared]`, and write `same = shared`"
        body.report.error("E408", "`same` takes the label of a projection", attr.span, help=help)
    found.same = None if name is None else (body.prefix + name, attr)
    return name is not None


def _name_in(attr: syntax.Attr, env: Env, body: Body) -> str | None:
    if isinstance(attr.value, syntax.IndexedName):
        return body.name(attr.value, env)
    return attr.value.name if isinstance(attr.value, syntax.Name) else None


def _label_of_chain(attr: syntax.Attr, placed: Placed, body: Body) -> None:
    pair = code(placed.span)
    message = f"`{code(attr.span)}` names one projection, but a chain is several"
    help = f"take one of them out of the chain, `{pair} [{code(attr.span)}]`, or remove the label"
    body.report.error("E410", message, attr.span, help=help)


def _delay(attr: syntax.Attr, found: _Attributes, env: Env, body: Body) -> bool:
    if attr.value is None or isinstance(attr.value, syntax.IndexedName):
        message = "`delay` must be a number of steps"
        body.report.error("E408", message, attr.span, help="write `delay = 1`")
        return False
    delay = body.numbers(env).whole(attr.value, "a delay", 1, MOST_DELAY)
    found.delay = delay or 0
    return delay is not None
