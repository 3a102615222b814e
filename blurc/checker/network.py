"""Networks: `for` unrolled, names resolved, projections and the unit neuron's projections laid out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from blurc import functions, syntax
from blurc.checker import mentions
from blurc.checker.constants import Constants
from blurc.checker.parameters import NEW_NAME, parameters
from blurc.checker.wording import code, listed, near_names
from blurc.diagnostics import Report, did_you_mean
from blurc.model import UNIT, Network, ParamValue, Population, Projection

TOPOLOGIES = ("one_to_one", "sparse", "conv", "pool", "edges", "identity")
ATTRIBUTES = ("forward", "backward", "fixed", "label", "dense")
SWITCHES = ("on", "off")
MOST_ITEMS = 100_000  # populations and projections; a `for` that runs away is a mistake, and a clear one
MOST_NEURONS = 2**31 - 1  # of a population: sizes are 32-bit numbers further on

Env = Mapping[str, "ParamValue | None"]


def check_network(tree: syntax.Network, params: Mapping[str, ParamValue], report: Report) -> Network | None:
    """The network for given parameter values, or None after reporting errors. Needs no genome."""
    before = len(report.errors)
    network = _NetworkChecker(tree, params, report).check()
    return network if len(report.errors) == before else None


def unused_parameters(tree: syntax.Network, report: Report) -> None:
    """Warns of parameters that nothing reads. Asked only of a network without errors: a use may be the mistake."""
    uses = (tree.uses,) if tree.uses else ()
    read = mentions.names([*tree.params, *uses, *tree.items])
    for p in tree.params:
        if p.name not in read:
            report.warn("W501", f"`{p.name}` is never used", p.span, help="remove it")


def check_slots(tree: syntax.Network, genome: syntax.Genome, report: Report) -> None:
    """The function slots that populations override must be the genome's. Asked only of a network and the
    genome that it `uses`: with another genome a caller picks, an override may rightly have nothing to do."""
    known = [item.name for item in genome.items if isinstance(item, syntax.Fn)]
    for population in mentions.walk(tree):
        if genome.damaged or not isinstance(population, syntax.Population):
            continue
        for option in population.options:
            if option.name not in (*known, "bias"):
                near = did_you_mean(option.name, [*known, "bias"])
                report.error(
                    "E407",
                    f"`{option.name}` is neither an option of a population nor a function slot of the "
                    f"genome `{genome.name}`",
                    option.span,
                    notes=[f"options: bias; slots of `{genome.name}`: {listed(known)}"],
                    help=f"did you mean `{near}`?"
                    if near
                    else f"declare the slot in the genome: `fn {option.name} = tanh`",
                )


@dataclass(frozen=True, slots=True)
class _Placed:
    """An item with the parameters and loop variables that it was written under."""

    item: syntax.Population | syntax.Projection
    env: Env


@dataclass(slots=True)
class _NetworkChecker:
    tree: syntax.Network
    given: Mapping[str, ParamValue]
    report: Report
    populations: dict[str, Population] = field(default_factory=dict[str, Population])
    projections: dict[str, Projection] = field(default_factory=dict[str, Projection])
    parallel: Counter[str] = field(default_factory=Counter[str])  # projections between two populations
    broken: set[str] = field(default_factory=set[str])  # populations whose declaration is wrong
    truncated: bool = False  # there is too much

    def check(self) -> Network:
        env = parameters(self.tree.params, self.given, self.report)
        placed = self._placed(env)
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

    # ----------------------------------------------------------------- loops

    def _placed(self, env: Env) -> list[_Placed]:
        placed: list[_Placed] = []
        for p in self._unroll(self.tree.items, env):
            placed.append(p)
            if len(placed) > MOST_ITEMS:
                self._too_much(p.item)
                return placed[:1]
        return placed

    def _unroll(self, items: tuple[syntax.NetworkItem, ...], env: Env) -> Iterator[_Placed]:
        for item in items:
            if not isinstance(item, syntax.For):
                yield _Placed(item, env)
                continue
            for i in self._range(item, env):
                yield from self._unroll(item.items, {**env, item.variable: i})

    def _range(self, item: syntax.For, env: Env) -> range:
        numbers = Constants(env, self.report)
        low = numbers.whole(item.low, "the start of a range")
        high = numbers.whole(item.high, "the end of a range")
        if item.variable in env:
            self.report.error(
                "E106",
                f"the loop variable `{item.variable}` is declared twice",
                item.span,
                notes=["it is a parameter, or the variable of a loop around this one"],
                help=NEW_NAME,
            )
        elif low is not None and high is not None and high - low < MOST_ITEMS:
            return range(low, high + 1)
        elif low is not None and high is not None:
            self._too_much(item)
        return range(0)

    def _too_much(self, item: syntax.NetworkItem) -> None:
        self.truncated = True
        self.report.error(
            "E206",
            f"a network has at most {MOST_ITEMS:,} populations and projections",
            item.span,
            help="look at the ends of the loops around this",
        )

    def _name(self, name: syntax.IndexedName, env: Env) -> str | None:
        numbers = Constants(env, self.report)
        indices = [numbers.whole(i, "an index of a name", 0) for i in name.indices]
        known = [str(i) for i in indices if i is not None]
        return name.base + "_".join(known) if len(known) == len(indices) else None

    # ----------------------------------------------------------- populations

    def _population(self, item: syntax.Population, env: Env) -> None:
        name = self._name(item.name, env)
        if name is None:
            self.broken.add(item.name.base)
            return
        numbers = Constants(env, self.report)
        sizes = [numbers.whole(d, "the size of a population", 1) for d in item.dims]
        shape = tuple(s for s in sizes if s is not None)
        slots, bias = self._options(item, numbers)
        if len(shape) < len(sizes) or not self._is_small(item, shape):
            self.broken.add(name)
        elif self._name_is_free(name, item):
            self.populations[name] = Population(name, item.role, shape, slots, bias, item.span)

    def _is_small(self, item: syntax.Population, shape: tuple[int, ...]) -> bool:
        if math.prod(shape) > MOST_NEURONS:
            self.report.error(
                "E206",
                f"a population has at most {MOST_NEURONS:,} neurons, but this one has {math.prod(shape):,}",
                item.span,
                help="write smaller sizes",
            )
        return math.prod(shape) <= MOST_NEURONS

    def _name_is_free(self, name: str, item: syntax.Population) -> bool:
        if name == UNIT:
            self.broken.add(name)
            self.report.error(
                "E213", f"`{UNIT}` is the population of the unit neuron", item.name.span, help=NEW_NAME
            )
            return False
        if name not in self.populations:
            return True
        first = self.populations[name].span
        self.report.error(
            "E106",
            f"the population `{name}` is declared twice",
            item.name.span,
            notes=[f"first on line {first.line}"],
            help=f"inside `for`, number them: `{name}{{i}}`" if first == item.span else "rename one of them",
        )
        return False

    def _options(
        self, item: syntax.Population, numbers: Constants
    ) -> tuple[tuple[tuple[str, str], ...], bool]:
        bias = item.role != "input"
        slots: dict[str, str] = {}
        seen: set[str] = set()
        for option in item.options:
            if option.name in seen:
                self.report.error(
                    "E407", f"`{option.name}` is given twice", option.span, help="keep one of them"
                )
            elif option.name == "bias":
                bias = self._bias(item, option)
            elif function := self._slot(option, numbers):
                slots[option.name] = function
            seen.add(option.name)
        return tuple(slots.items()), bias

    def _slot(self, option: syntax.Option, numbers: Constants) -> str | None:
        """The function that an option puts into a slot."""
        name = option.value.name if isinstance(option.value, syntax.Name) else None
        value = name if name and name not in numbers.values else numbers.evaluate(option.value)
        if value is None or value in functions.UNARY:
            return None if value is None else str(value)
        if name in SWITCHES:
            message, help = (
                f"`{option.name}` is no switch of a population",
                "the only one is `bias`: `bias = off`",
            )
        else:
            near = did_you_mean(code(option.value.span), functions.UNARY)
            message = f"`{option.name}` takes a function, found `{code(option.value.span)}`"
            help = f"did you mean `{near}`?" if near else "one of " + ", ".join(functions.UNARY)
        self.report.error("E407", message, option.span, help=help)
        return None

    def _bias(self, item: syntax.Population, option: syntax.Option) -> bool:
        text = code(option.value.span)
        if text not in SWITCHES:
            self.report.error(
                "E407", f"`bias` is on or off, found `{text}`", option.span, help="write `bias = off`"
            )
        elif item.role == "input" and text == "on":
            self.report.error(
                "E407",
                "an input population has no bias: its states come from outside",
                option.span,
                help="remove it",
            )
        return text != "off" and item.role != "input"

    # ----------------------------------------------------------- projections

    def _projection(self, item: syntax.Projection, env: Env) -> None:
        source, target = self._end(item.source, env), self._end(item.target, env)
        attrs = self._attributes(item, env)
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
            forward, feedback, plastic = "backward" not in attrs, "forward" not in attrs, "fixed" not in attrs
            self.projections[name] = Projection(
                name, source, target, forward, feedback, plastic, "dense", item.span
            )

    def _end(self, end: syntax.IndexedName, env: Env) -> str | None:
        name = self._name(end, env)
        if name in self.populations:
            return name
        if name is None or self.broken & {name, end.base} or self.truncated or self.tree.damaged:
            return None
        if name == UNIT:
            self.report.error(
                "E405",
                f"`{UNIT}` is the population of the unit neuron, which projects to every population by "
                "itself",
                end.span,
                help="remove this projection; `{ bias = off }` on a population removes the unit neuron's",
            )
            return None
        near = near_names(name, list(self.populations))
        self.report.error(
            "E401",
            f"unknown population `{name}`",
            end.span,
            help=f"did you mean {' or '.join(f'`{n}`' for n in near)}?"
            if near
            else f"declare it: `hidden {code(end.span)}[64]`",
        )
        return None

    def _projection_name(
        self, source: str, target: str, label: str | None, item: syntax.Projection
    ) -> str | None:
        if label is None:
            plain = f"{source}->{target}"
            self.parallel[plain] += 1
            return plain if self.parallel[plain] == 1 else f"{plain}#{self.parallel[plain]}"
        if label not in self.projections:
            return label
        first = self.projections[label].span
        self.report.error(
            "E106",
            f"the label `{label}` is given twice",
            next(attr.span for attr in item.attrs if attr.name == "label"),
            notes=[f"first on line {first.line}"],
            help=f"inside `for`, number them: `label = {label}{{i}}`" if first == item.span else "rename one",
        )
        return None

    def _attributes(self, item: syntax.Projection, env: Env) -> dict[str, str | None] | None:
        """Attribute names with their values; None where one is wrong."""
        found: dict[str, str | None] = {}
        right = True
        for attr in item.attrs:
            right = self._attribute(attr, found, env) and right
        if "forward" in found and "backward" in found:
            self.report.error(
                "E410",
                "a projection that carries only forward and only backward carries nothing",
                item.span,
                help="drop one of them; without both, it carries both ways",
            )
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
        elif attr.name not in ATTRIBUTES:
            near = did_you_mean(attr.name, ATTRIBUTES)
            self.report.error(
                "E408",
                f"unknown attribute `{attr.name}` of a projection",
                attr.span,
                help=f"did you mean `{near}`?" if near else "one of forward, backward, fixed, label = NAME",
            )
        elif attr.name in found:
            self.report.error("E410", f"`{attr.name}` is given twice", attr.span, help="keep one of them")
        elif attr.name == "label":
            return self._label(attr, found, env)
        elif attr.value is not None or attr.args is not None:
            self.report.error("E408", f"`{attr.name}` takes no value", attr.span, help=f"write `{attr.name}`")
        else:
            found[attr.name] = None
            return True
        return False

    def _label(self, attr: syntax.Attr, found: dict[str, str | None], env: Env) -> bool:
        match attr.value:
            case syntax.IndexedName():
                found["label"] = self._name(attr.value, env)
            case syntax.Name(name=name):
                found["label"] = name
            case _:
                self.report.error(
                    "E408", "a label is a name", attr.span, help="write `label = skip`, or `label = skip{i}`"
                )
        return found.get("label") is not None

    # ------------------------------------------------------------- the whole

    def _roles(self) -> None:
        if self.tree.damaged or self.broken or self.truncated:
            return
        roles = {p.role for p in self.populations.values()}
        missing = {
            role: example for role, example in (("input", "x[2]"), ("output", "y[1]")) if role not in roles
        }
        if missing:
            self.report.error(
                "E406",
                f"the network `{self.tree.name}` has no {' and no '.join(missing)} population",
                self.tree.name_span,
                help="declare " + " and ".join(f"`{role} {example}`" for role, example in missing.items()),
            )

    def _with_unit(self) -> tuple[tuple[Population, ...], tuple[Projection, ...]]:
        populations, projections = list(self.populations.values()), list(self.projections.values())
        biased = [p for p in populations if p.bias]
        if biased:
            populations.append(Population(UNIT, "unit", (1,), (), False, self.tree.span))
        projections += [
            Projection(f"{UNIT}->{p.name}", UNIT, p.name, True, False, True, "dense", p.span) for p in biased
        ]
        return tuple(populations), tuple(projections)
