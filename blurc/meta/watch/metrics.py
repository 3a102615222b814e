"""What a meta-step leaves in metrics.jsonl."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class Metrics(TypedDict):
    """A line of metrics.jsonl; `meta/run/folder.py` documents its keys."""

    step: int
    unroll: int
    task: list[str]
    value: float | None
    values: NotRequired[list[float | None]]
    mean: NotRequired[float | None]
    median: NotRequired[float | None]
    candidates: int
    diverged: int
    by_task: NotRequired[dict[str, float | None]]
    judged: NotRequired[float | None]
    judged_by_task: NotRequired[dict[str, float | None]]
    restarted: NotRequired[list[int]]
