"""The numbers of a meta-step, under the names of metrics.jsonl."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from blurc.meta.watch.metrics import Metrics

KEPT = ("unroll", "value", "values", "mean", "median", "by_task", "judged", "judged_by_task", "diverged")


def numbers(line: Metrics) -> dict[str, float]:
    """`value`, `diverged`, `by_task/moons`, `values/0` and so on, without those that there are none of."""
    return dict(_numbers("", {key: line.get(key) for key in KEPT}))


def _numbers(name: str, value: Any) -> Iterator[tuple[str, float]]:
    if isinstance(value, Mapping | list):
        found = cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else dict(enumerate(value))
        for key, part in found.items():
            yield from _numbers(f"{name}/{key}" if name else str(key), part)
    elif value is not None:
        yield name, float(value)
