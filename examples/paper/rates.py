"""Figure 6: the learned rule against stochastic gradient descent over four decades of rates."""

from __future__ import annotations

from typing import Any

import numpy as np

import blurc
from blurc import tasks
from blurc.evaluation import scores

from .figure import Figure, Results, Task
from .learned import HERE, learned

RATES = (0.001, 0.01, 0.1, 1.0)
RULES = {"SGD": "backprop", "SGD with momentum": "momentum"}
STEPS = (10, 20, 30, 50, 70, 100)
NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "two": ("two", {}),
    "layers": ("layers", {}),
    "two(first = 512, second = 256)": ("two", {"first": 512, "second": 256}),
}


def measured(figure: Figure, task: Task) -> Results:
    """The search, and SGD on MNIST as further variants: at all widths, or quickly in 784-256-128-10 only."""
    found = learned(figure, task)
    labels = list(NETWORKS)[:1] if task.quick else list(NETWORKS)
    digits, seeds = tasks.task(tasks.TaskChoice(data="mnist")), 1 if task.quick else 3
    for name, rule in RULES.items():
        for rate in RATES:
            rows = [_row(label, rule, rate, digits, seeds) for label in labels]
            run = {"seed": 0, "objective": "accuracy", "value": None, "trajectory": [], "rows": rows}
            found["variants"][f"{name}, rate {rate:g}"] = [run]
            print(f"  {name}, rate {rate:g}: {rows[0]['scores'][-1]}", flush=True)
    return found


def _row(label: str, rule: str, rate: float, digits: tasks.LoadedTask, seeds: int) -> Results:
    network, sizes = NETWORKS[label]
    net = blurc.compile(HERE / "paper.blur", network=network, genome=rule, **sizes)
    table = scores(net, {"eta": rate}, digits, steps=STEPS, seeds=seeds)
    each = [[None if np.isnan(v) else round(float(v), 4) for v in column] for column in table.T]
    return {"task": "mnist", "network": label, "steps": list(STEPS), "scores": each}
