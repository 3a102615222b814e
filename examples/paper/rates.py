"""Figure 6: the learned rule against stochastic gradient descent over four decades of rates."""

from __future__ import annotations

import numpy as np

import blurc
from blurc import tasks
from blurc.evaluation import scores

from .figure import Figure, Results, Task
from .learned import HERE, learned

RATES = (0.001, 0.01, 0.1, 1.0)
RULES = {"SGD": "backprop", "SGD with momentum": "momentum"}
STEPS = (10, 20, 30, 50, 70, 100)


def measured(figure: Figure, task: Task) -> Results:
    """The search, and SGD as further variants: MNIST in 784-256-128-10."""
    found = learned(figure, task)
    choice = tasks.task(tasks.TaskChoice(data="mnist"))
    for name, rule in RULES.items():
        net = blurc.compile(HERE / "paper.blur", network="two", genome=rule)
        for rate in RATES:
            table = scores(net, {"eta": rate}, choice, steps=STEPS, seeds=1 if task.quick else 3)
            each = [[None if np.isnan(v) else round(float(v), 4) for v in column] for column in table.T]
            row = {"task": "mnist", "network": "two", "steps": list(STEPS), "scores": each}
            run = {"seed": 0, "objective": "accuracy", "value": None, "trajectory": [], "rows": [row]}
            found["variants"][f"{name}, rate {rate:g}"] = [run]
            print(f"  {name}, rate {rate:g}: {each[-1]}", flush=True)
    return found
