"""Networks: `for` unrolled, names resolved, projections and the unit neuron's projections laid out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

from blurc import functions, syntax
from blurc.check.constants import Constants
from blurc.check.genome import RESERVED, parameters
from blurc.diagnostics import Report, Span, did_you_mean
from blurc.model import UNIT, Genome, Network, ParamValue, Population, Projection

TOPOLOGIES = ("one_to_one", "sparse", "conv", "pool", "edges", "identity")
ATTRIBUTES = ("forward", "backward", "fixed", "label", "dense", "delay", *TOPOLOGIES)
MOST_POPULATIONS = 100_000  # a `for` that runs away is a mistake, and a clear one

Env = Mapping[str, "ParamValue | None"]


def check_network(tree: syntax.Network, params: Mapping[str, ParamValue], report: Report) -> Network | None:
    """The network for given parameter values, or None after reporting errors. Needs no genome."""
    before = len(report.errors)
    network = _NetworkChecker(tree, params, report).check()
    return network if len(report.errors) == before else None


def uses_arguments(
    tree: syntax.Network, params: Mapping[str, ParamValue], genome: syntax.Genome, report: Report
) -> dict[str, ParamValue]:
    """The parameter values that `uses` gives to the genome."""
    if tree.uses is None:
        return {}
    numbers = Constants(parameters(tree.params, params, Report()), report)
    known = [p.name for p in genome.params]
    values: dict[str, ParamValue] = {}
    for arg in tree.uses.args:
        if arg.name not in known:
            unknown_parameter(arg.name, f"the genome `{genome.name}`", known, arg.span, report)
        elif (value := numbers.evaluate(arg.value)) is not None:
            values[arg.name] = value
    return values


def unknown_parameter(name: str, whose: str, known: list[str], span: Span | None, report: Report) -> None:
    near = did_you_mean(name, known)
    report.error(
        "E210",
        f"{whose} has no parameter `{name}`",
        span,
        notes=[f"its parameters are: {', '.join(known) or 'none'}"],
        help=f"did you mean `{near}`?" if near else None,
    )


def check_slots(network: Network, genome: Genome, report: Report) -> None:
    """The function slots that populations override must be the genome's. Asked only of a network and the genome that
    it `uses`: with another genome a caller picks, an override may rightly have nothing to do."""
    known = [name for name, _ in genome.slots]
    for p in network.populations:
        for slot, _ in p.slots:
            if slot not in known:
                near = did_you_mean(slot, [*known, "bias"])
                report.error(
                    "E407",
                    f"`{slot}` is neither an option of a population nor a function slot of the genome `{genome.name}`",
                    p.span,
                    notes=[f"options: bias; slots of `{genome.name}`: {', '.join(known) or 'none'}"],
                    help=f"did you mean `{near}`?" if near else f"declare the slot in the genome: `fn {slot} = tanh`",
                )


@dataclass(frozen=True, slots=True)
class _Placed:
    """An item with the loop variables that it was written under."""

    item: syntax.Population | syntax.Projection
    env: Env


@dataclass(slots=True)
class _NetworkChecker:
    tree: syntax.Network
    given: Mapping[str, ParamValue]
    report: Report
    populations: dict[str, Population] = field(default_factory=dict[str, Population])
    projections: dict[str, Projection] = field(default_factory=dict[str, Projection])
    broken: set[str] = field(default_factory=set[str])  # populations whose declaration is wrong

    def check(self) -> Network | None:
        env = parameters(self.tree.params, self.given, self.report)
        placed = list(self._unroll(self.tree.items, env))
        for p in placed:
            if isinstance(p.item, syntax.Population):
                self._population(p.item, p.env)
        for p in placed:
            if isinstance(p.item, syntax.Projection):
                self._projection(p.item, p.env)
        self._roles()
        params = tuple((n, v) for n, v in env.items() if v is not None)
        populations, projections = self._with_unit()
        return Network(self.tree.name, params, populations, projections, self.tree.span)

    def _unroll(self, items: tuple[syntax.NetworkItem, ...], env: Env) -> Iterator[_Placed]:
        for item in items:
            if isinstance(item, syntax.For):
                numbers = Constants(env, self.report)
                low = numbers.whole(item.low, -MOST_POPULATIONS, "the start of a range")
                high = numbers.whole(item.high, -MOST_POPULATIONS, "the end of a range")
                if low is None or high is None:
                    continue
                if high - low > MOST_POPULATIONS:
                    self.report.error("E206", f"the range {low}..{high} is too long", item.span, help=f"at most {MOST_POPULATIONS:,}")
                    continue
                for i in range(low, high + 1):
                    yield from self._unroll(item.items, {**env, item.variable: i})
            else:
                yield _Placed(item, env)

    def _name(self, name: syntax.IndexedName, env: Env) -> str | None:
        numbers = Constants(env, self.report)
        indices = [numbers.whole(i, -MOST_POPULATIONS, "an index of a name") for i in name.indices]
        known = [str(i) for i in indices if i is not None]
        return name.base + "_".join(known) if len(known) == len(indices) else None

    # ----------------------------------------------------------- populations

    def _population(self, item: syntax.Population, env: Env) -> None:
        name = self._name(item.name, env)
        if name is None:
            return
        numbers = Constants(env, self.report)
        sizes = [numbers.whole(d, 1, "the size of a population") for d in item.dims]
        shape = tuple(s for s in sizes if s is not None)
        slots, bias = self._options(item, numbers)
        if len(shape) < len(sizes):
            self.broken.add(name)
        elif self._name_is_free(name, item):
            self.populations[name] = Population(name, item.role, shape, slots, bias, item.span)

    def _name_is_free(self, name: str, item: syntax.Population) -> bool:
        if name == UNIT:
            self.report.error(
                "E213",
                f"`{UNIT}` is the population of the unit neuron",
                item.name.span,
                help="choose another name",
            )
            self.broken.add(name)
            return False
        if name in self.populations:
            self.report.error(
                "E106",
                f"the population `{name}` is declared twice",
                item.name.span,
                notes=[f"first on line {self.populations[name].span.line}"],
                help="rename one of them",
            )
            return False
        return True

    def _options(self, item: syntax.Population, numbers: Constants) -> tuple[tuple[tuple[str, str], ...], bool]:
        bias = item.role != "input"
        slots: dict[str, str] = {}
        for option in item.options:
            if option.name == "bias":
                bias = self._bias(item, option)
                continue
            value = numbers.evaluate(option.value) if not _is_switch(option.value) else option.value.span.text
            if value is None:
                continue
            if value in functions.UNARY:
                slots[option.name] = str(value)
            else:
                near = did_you_mean(str(value), functions.UNARY)
                self.report.error(
                    "E407",
                    f"`{option.name}` takes a function, found `{option.value.span.text}`",
                    option.span,
                    help=f"did you mean `{near}`?" if near else "one of " + ", ".join(functions.UNARY) + "; or `bias = off`",
                )
        return tuple(slots.items()), bias

    def _bias(self, item: syntax.Population, option: syntax.Option) -> bool:
        text = option.value.span.text
        if not _is_switch(option.value):
            self.report.error("E407", f"`bias` is on or off, found `{text}`", option.span, help="write `bias = off`")
        elif item.role == "input" and text == "on":
            self.report.error("E407", "an input population has no bias: its states come from outside", option.span, help="remove it")
        return text != "off" and item.role != "input"

    # ----------------------------------------------------------- projections

    def _projection(self, item: syntax.Projection, env: Env) -> None:
        ends = [self._end(end, env) for end in (item.source, item.target)]
        attrs = self._attributes(item, env)
        source, target = ends
        if source is None or target is None or attrs is None:
            return
        if self.populations[target].role == "input":
            self.report.error(
                "E405",
                f"`{target}` is an input: its states come from outside, and nothing projects to it",
                item.span,
                help=f"turn it round, `{target} -> {source}`, or declare `{target}` as hidden",
            )
            return
        name = self._projection_name(source, target, attrs.get("label"), item)
        if name is not None:
            self.projections[name] = Projection(
                name, source, target, "backward" not in attrs, "forward" not in attrs, "fixed" not in attrs, "dense", item.span
            )

    def _end(self, end: syntax.IndexedName, env: Env) -> str | None:
        name = self._name(end, env)
        if name is None or name in self.broken or name in self.populations:
            return name if name in self.populations else None
        if self.tree.damaged:
            return None
        near = did_you_mean(name, self.populations)
        self.report.error(
            "E401",
            f"unknown population `{name}`",
            end.span,
            help=f"did you mean `{near}`?" if near else f"declare it: `hidden {name}[64]`",
        )
        return None

    def _projection_name(self, source: str, target: str, label: str | None, item: syntax.Projection) -> str | None:
        if label is not None:
            if label not in self.projections:
                return label
            self.report.error(
                "E106",
                f"the label `{label}` is given twice",
                item.span,
                notes=[f"first on line {self.projections[label].span.line}"],
                help="labels name projections; inside `for`, number them: `label = skip{i}`",
            )
            return None
        plain = f"{source}->{target}"
        count = Counter(f"{p.source}->{p.target}" for p in self.projections.values())[plain]
        return plain if plain not in self.projections else f"{plain}#{count + 1}"

    def _attributes(self, item: syntax.Projection, env: Env) -> dict[str, str | None] | None:
        """Attribute names with their values; None where one is wrong."""
        found: dict[str, str | None] = {}
        right = True
        for attr in item.attrs:
            right = self._attribute(attr, found, env) and right
        if "forward" in found and "backward" in found:
            self.report.error(
                "E410", "a projection that carries only forward and only backward carries nothing", item.span,
                help="drop one of them; without both, it carries both ways",
            )  # fmt: skip
            right = False
        return found if right else None

    def _attribute(self, attr: syntax.Attr, found: dict[str, str | None], env: Env) -> bool:
        if attr.name in TOPOLOGIES or attr.name == "delay":
            self.report.error(
                "E409",
                f"`{attr.name}` is not in this version of blurc yet",
                attr.span,
                notes=["this version has dense projections without delay, on any acyclic graph"],
                help="remove it",
            )
            return False
        if attr.name not in ATTRIBUTES:
            near = did_you_mean(attr.name, ATTRIBUTES)
            self.report.error(
                "E408",
                f"unknown attribute `{attr.name}` of a projection",
                attr.span,
                help=f"did you mean `{near}`?" if near else "one of forward, backward, fixed, label = NAME",
            )
            return False
        if attr.name in found:
            self.report.error("E410", f"`{attr.name}` is given twice", attr.span, help="keep one")
            return False
        if attr.name == "label":
            return self._label(attr, found, env)
        if attr.value is not None or attr.args is not None:
            self.report.error("E408", f"`{attr.name}` takes no value", attr.span, help=f"write `{attr.name}`")
            return False
        found[attr.name] = None
        return True

    def _label(self, attr: syntax.Attr, found: dict[str, str | None], env: Env) -> bool:
        if isinstance(attr.value, syntax.IndexedName):
            found["label"] = self._name(attr.value, env)
            return found["label"] is not None
        if isinstance(attr.value, syntax.Name):
            found["label"] = attr.value.name
            return True
        self.report.error("E408", "a label is a name", attr.span, help="write `label = skip`")
        return False

    # ----------------------------------------------------------- the whole

    def _roles(self) -> None:
        if self.tree.damaged or self.broken or self.report.errors:
            return
        for role in ("input", "output"):
            if not any(p.role == role for p in self.populations.values()):
                self.report.error(
                    "E406",
                    f"the network `{self.tree.name}` has no {role} population",
                    self.tree.name_span,
                    help=f"declare one: `{role} {'x[2]' if role == 'input' else 'y[1]'}`",
                )

    def _with_unit(self) -> tuple[tuple[Population, ...], tuple[Projection, ...]]:
        populations, projections = list(self.populations.values()), list(self.projections.values())
        biased = [p for p in populations if p.bias]
        if biased:
            populations.append(Population(UNIT, "unit", (1,), (), False, self.tree.span))
        for p in biased:
            projections.append(Projection(f"{UNIT}->{p.name}", UNIT, p.name, True, False, True, "dense", p.span))
        return tuple(populations), tuple(projections)


def _is_switch(e: syntax.Expr) -> bool:
    return isinstance(e, syntax.Name) and e.name in ("on", "off")
