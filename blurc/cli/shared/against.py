"""What a rule costs, against backpropagation: in a network that was made for it, or in layers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise, product
from typing import NamedTuple

from blurc.checker import mentions
from blurc.diagnostics import BlurError, Report
from blurc.language import library, specs_path, syntax
from blurc.plan import cost_of, plan_of
from blurc.spec import select

BATCH = 128
LAYERS = ((64, 64, 64, 10), (64, 10))  # the second for rules whose hidden neurons send nothing on
ROLES = ("input", "hidden", "output")


class Wiring(NamedTuple):
    """A network of a spec, what to call it, and the spec where backpropagation has it. usually: how that differs."""

    said: str
    network: str
    spec: str
    usual: str
    usually: str = ""


def against_backprop(spec: str, rule: syntax.Genome) -> str:
    """A sentence; "" if it needs another network than these. `spec`: the file that declares or imports the rule."""
    kinds = Kinds.of(rule)
    layers, used = _layers(spec, kinds), _used(spec, rule.name)
    for wiring in (*used, *layers) if kinds.any else (*layers, *used):
        try:
            own, usual = _cost(wiring.spec, wiring.network, rule.name), _cost(wiring.usual, wiring.network, "backprop")
        except BlurError:  # it does not fit
            continue
        if own:
            times = f"{own / usual:.1f} times the arithmetic of backprop"
            return f"a step of {wiring.said} with {BATCH} examples takes {times}{wiring.usually}"
    return ""


def _cost(spec: str, network: str, rule: str) -> int:
    """Operations of a step; 0 if some projection does nothing."""
    model, *_ = select(spec, network=network, genome=rule)
    cost = cost_of(plan_of(model), BATCH)
    units = {p.name for p in model.network.populations if p.role == "unit"}
    wired = {p.name for p in model.network.projections if p.source not in units}
    return cost.flops if wired <= {part.of for part in cost.parts if part.flops} else 0


# ---------------------------------------------------------------- networks that use it


def _used(spec: str, rule: str) -> Iterator[Wiring]:
    for path in (spec, *map(str, sorted((specs_path() / "networks").glob("*.blur")))):
        for network in library.load(path, Report())[0].networks:
            if network.uses and network.uses.genome == rule:
                yield Wiring(f"`{network.name}`", network.name, path, path)


# ---------------------------------------------------------------- layers


class Kinds(NamedTuple):
    """The kinds that a rule tells apart, "" for those without: of populations, and of projections to hidden and to
    output populations."""

    populations: tuple[str, ...]
    hidden: tuple[str, ...]
    output: tuple[str, ...]

    @property
    def any(self) -> bool:
        return {*self.populations, *self.hidden, *self.output} != {""}

    @staticmethod
    def of(rule: syntax.Genome) -> Kinds:
        phases = mentions.phases(rule)
        neurons = [phase for phase in phases if phase.kind != "update"]
        populations = dict.fromkeys(("", *(phase.of for phase in neurons if phase.of not in ROLES)))
        outputs = [phase for phase in neurons if phase.of == "output"]
        hidden = _summed([phase for phase in neurons if phase.of != "output"])
        updated = [phase.of for phase in phases if phase.kind == "update" and phase.of]
        last = [kind for kind in updated if kind not in hidden]
        return Kinds(
            tuple(populations), hidden, tuple(dict.fromkeys(last)) or (_summed(outputs) if outputs else hidden)
        )


def _summed(phases: Iterable[syntax.Phase]) -> tuple[str, ...]:
    """The kinds that the sums over incoming synapses are over."""
    calls = [node for phase in phases for node in mentions.walk(phase) if isinstance(node, syntax.Call)]
    return tuple(dict.fromkeys(call.kind for call in calls if call.function == "incoming")) or ("",)


def _layers(spec: str, kinds: Kinds) -> Iterator[Wiring]:
    plain = Kinds(kinds.populations, ("",), ("",))
    populations = ", hidden populations of each kind," if len(kinds.populations) > 1 else ""
    usually = "" if kinds[1:] == plain[1:] else " with one projection instead of one of each kind"
    for sizes in LAYERS:
        said, usual = "-".join(map(str, sizes)) + populations, _text("rules/backprop.blur", sizes, plain)
        yield Wiring(said, "layers", _text(spec, sizes, kinds), usual, usually)


def _text(spec: str, sizes: tuple[int, ...], kinds: Kinds) -> str:
    """A hidden layer has a population of each kind."""
    first, *hidden, last = sizes
    layers = [["x"], *([f"h{i}{kind}" for kind in kinds.populations] for i in range(len(hidden))), ["y"]]
    options = [f" {{ kind = {kind} }}" if kind else "" for kind in kinds.populations]
    lines = [f'import "{spec}"', "network layers {", f"input x[{first}]; output y[{last}]"]
    for names, size in zip(layers[1:-1], hidden, strict=True):
        lines += [f"hidden {name}[{size}]{option}" for name, option in zip(names, options, strict=True)]
    for before, after in pairwise(layers):
        for (a, b), kind in product(product(before, after), kinds.output if after == ["y"] else kinds.hidden):
            lines.append(f"{a} -> {b}{f' [kind = {kind}]' if kind else ''}")
    return "\n".join((*lines, "}\n"))
