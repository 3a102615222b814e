"""The rules that a symbolic search found, as files of the language in its run folder.

    rules/09.blur    the rule of 9 symbols, constants as meta-parameters of four digits
    front.json       lists them, with what each is worth

When the search is over, every rule is read back, compiled like any other, and judged as what the file says.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import jax.numpy as jnp
import numpy as np

from blurc import genome as genomes
from blurc.api import Net
from blurc.genome import GenomeFile
from blurc.language import unparse
from blurc.meta.experiment.experiment import Network
from blurc.meta.report.contents import FRONT, Rule
from blurc.meta.run.best import Best, worth
from blurc.meta.run.compiling import compiled
from blurc.meta.run.folder import RULES, Folder
from blurc.meta.run.front import Front, members
from blurc.meta.run.pinned import copies
from blurc.meta.run.setup import START, Setup
from blurc.meta.search.methods.symbolic import Candidates, SymbolicMethod
from blurc.symbolic import Trees

DIGITS = 4


def best_rule(ready: Setup, folder: Folder, best: Best, steps: int, finished: bool) -> GenomeFile:
    """The rule of the front that costs least, after so many meta-steps; the rule that was given if none is better.
    Writes all of them. finished: they are judged as their files say."""
    e, objective = ready.experiment, ready.judge.objective
    found = write(ready, folder, best.front)
    if finished:
        found = judged(ready, folder, found, int(best.unroll))
    about = {"experiment": e.name, "method": "symbolic", "meta-steps": steps, "seed": e.seed}
    finite = [one for one in found if one.value is not None]
    costs = objective.costs(jnp.asarray([one.value for one in finite]))
    if not finite or best.start <= costs.min():
        about["meta-steps"] = 0
        about |= {objective.name: objective.natural(float(best.start))} if math.isfinite(best.start) else {}
        return genomes.describe(ready.net, ready.own, name=e.name, found=about)
    one = finite[int(np.argmin(costs))]
    net = compiled(_network(ready, folder, one))
    about |= {"symbols": one.length, "unroll": int(best.unroll), objective.name: one.value}
    genome = genomes.describe(net, _values(ready, net), name=e.name, found=about)
    return replace(genome, spec=one.file)


def write(ready: Setup, folder: Folder, front: Front) -> list[Rule]:
    """Writes the rules of the front, and lists them. Raises `BlurError` (E618)."""
    method = ready.method
    assert isinstance(method, SymbolicMethod)
    folder.guarded(lambda: (folder.path / RULES).mkdir(exist_ok=True))
    places = members(front)
    trees = method.trees(Candidates(front.found.symbols[places], front.found.values[places]))
    values = ready.judge.objective.natural(front.costs[places]).tolist()
    found = [_written(ready, folder, *one) for one in zip(map(_rounded, trees), places, values, strict=True)]
    _list(folder, found)
    for path in (folder.path / RULES).glob("*.blur"):  # of an earlier front
        if not any(one.file == f"{RULES}/{path.name}" for one in found):
            folder.guarded(path.unlink)
    return found


def judged(ready: Setup, folder: Folder, found: Sequence[Rule], steps: int) -> list[Rule]:
    """The same with what each is worth, compiled from its file; in episodes of so many steps."""
    again = [replace(one, value=_value(ready, folder, one, steps)) for one in found]
    _list(folder, again)
    return again


def _value(ready: Setup, folder: Folder, one: Rule, steps: int) -> float | None:
    net = compiled(_network(ready, folder, one))
    cost = worth(ready, net, _values(ready, net), steps)
    return ready.judge.objective.natural(cost) if math.isfinite(cost) else None


def _values(ready: Setup, net: Net) -> dict[str, Any]:
    """The meta-parameters of a rule that was found: its constants, and those that the rule had before."""
    there = dict(net.init_genome(ready.key(START, 0)))
    return {**there, **{name: value for name, value in ready.own.items() if name in there}}


def _rounded(trees: Trees) -> Trees:
    def digits(value: float) -> float:
        return float(f"{value:.{DIGITS}g}")

    return tuple(t.with_constants(map(digits, t.constants)) for t in trees)


def _written(ready: Setup, folder: Folder, trees: Trees, place: int, value: float) -> Rule:
    assert ready.space
    e, length = ready.experiment, place + 1
    name = re.sub(r"\W", "_", f"{e.name}_{length}", flags=re.ASCII)
    name = name if name[0].isalpha() and name not in ready.net.sources.genomes else f"found_{name}"
    equations = tuple(ready.space.equations(trees))
    lines = [
        f"# {length} symbols, found by the experiment {e.name} in the place of what {ready.net.plan.genome} has:",
        "#",
        *(f"#     {line}" for line in equations),
        "",
        f'import "../{next(iter(copies(ready)))}"',
        "",
        unparse(ready.space.named(trees, name)),
        "",
    ]
    file = f"{RULES}/{length:02}.blur"
    folder.write(file, "\n".join(lines))
    return Rule(file, name, length, value, equations)


def _list(folder: Folder, found: Sequence[Rule]) -> None:
    folder.write(FRONT, json.dumps({"rules": [asdict(one) for one in found]}, indent=1) + "\n")


def _network(ready: Setup, folder: Folder, one: Rule) -> Network:
    """The network of the experiment under a rule that was found."""
    of = ready.experiment.network
    return Network(str(folder.path / one.file), ready.net.plan.name, one.rule, of.parameters)
