"""How a search is followed: within 80 columns, with curves, the time that is left, and plain lines elsewhere."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from blurc.cli.shared import curves
from blurc.cli.shared.fitting import fitting
from blurc.cli.shared.following import Lines, Panel
from blurc.cli.shared.search import WINDOW, Search, running
from blurc.meta import Curriculum, Experiment, Gradient, Inner, Network, TaskChoice
from blurc.tasks import OBJECTIVES

TASKS = ("xor", "moons", "a_task_with_a_very_long_name")


class Clock:
    """Goes on by `each` seconds whenever it is read."""

    def __init__(self, each: float = 0.0):
        self.time, self.each = 0.0, each

    def __call__(self) -> float:
        self.time += self.each
        return self.time


def search(steps: int = 100, clock: Clock | None = None, **more: Any) -> Search:
    choices = tuple(TaskChoice(name) for name in TASKS)
    e = Experiment("e", Network("x.blur"), choices, Inner(10), Gradient(steps=steps), **more)
    return Search(e, clock or Clock())


def line(step: int, **more: Any) -> Any:
    by_task = {name: 1.0 + i / (1 + step) for i, name in enumerate(TASKS)}
    value = 1 / (1 + step)
    base = {"step": step, "unroll": 10, "value": value, "values": [value], "candidates": 2, "diverged": 0}
    return {**base, "by_task": by_task, **more}


def shown(found: Search, width: int = 80, encoding: str = "utf-8") -> list[str]:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    out = Console(file=file, width=width, force_terminal=True, color_system=None)
    with out.capture() as captured:
        out.print(curves.panel(found, out))
    return captured.get().rstrip("\n").split("\n")


def followed(count: int, **more: Any) -> Search:
    found = search(**more)
    panel = Panel(found)
    panel.begin(0, 100, OBJECTIVES["cross_entropy"])
    for step in range(count):
        panel.line(line(step))
    return found


@pytest.mark.parametrize("width", [200, 80, 60, 40])
def test_nothing_is_wider_than_80_columns_or_the_terminal(width: int) -> None:
    lines = shown(followed(100), width)
    assert all(len(text.rstrip()) <= min(80, width) for text in lines)
    assert any("moons" in text for text in lines)


def test_the_worst_task_comes_first_and_each_has_its_curve() -> None:
    lines = shown(followed(100))
    names = [text.split()[0] for text in lines[1:5]]
    assert names == ["cross", "a_task_with_a_ve..", "moons", "xor"]
    assert lines[1].endswith("▁")
    assert "█" in lines[1]
    assert lines[5].startswith(f"mean of the last {WINDOW} meta-steps; 10 inner steps")


def test_a_terminal_without_blocks_has_curves_of_plain_letters() -> None:
    lines = shown(followed(30), encoding="ascii")
    "\n".join(lines[1:]).encode("ascii")
    assert "#" in lines[1]


def test_a_running_mean_is_of_the_last_that_did_not_diverge() -> None:
    assert running([None, 1.0, None, 3.0]) == 2.0
    assert running([9.0] * 100 + [1.0] * WINDOW) == 1.0
    assert running([None]) is running([]) is None
    assert curves.letters_of([0.0, None, 1.0], "abc") == "a c"


def test_before_the_first_meta_step_it_compiles() -> None:
    assert shown(followed(0))[0].endswith("0:00 gone, compiling")


def test_the_time_left_is_by_the_inner_steps_to_do() -> None:
    """Episodes of 10 steps, and of 20 from meta-step 50: those take twice as long. The first meta-step is compiled."""
    clock = Clock()
    found = search(100, clock, curriculum=Curriculum(add=10, every=50, until=20))
    found.begin(0, 100, OBJECTIVES["cross_entropy"])
    for step in range(20):
        clock.time += 60 if step == 0 else 1
        found.add(line(step))
    assert found.left == pytest.approx(30 + 2 * 50)
    assert found.gone == 60 + 19


@pytest.mark.parametrize(("seconds", "text"), [(None, ""), (7, "0:07"), (751, "12:31"), (3723, "1:02:03")])
def test_times_read_like_a_clock(seconds: float | None, text: str) -> None:
    assert curves.clock(seconds) == text


def logged(count: int, steps: int = 100) -> list[str]:
    out = Console(file=io.StringIO(), width=120)
    lines = Lines(search(steps), out)
    lines.begin(0, steps, OBJECTIVES["cross_entropy"])
    for step in range(count):
        lines.line(line(step, **({"judged": None} if step == 49 else {"diverged": 1 if step == 3 else 0})))
    lines.end()
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue().rstrip("\n").split("\n")


def test_a_log_is_a_table_of_at_most_40_rows_and_80_columns() -> None:
    lines = logged(4000, 4000)
    rows = lines[3:-1]
    assert len(rows) == 40
    assert all(len(text) <= 80 for text in lines)
    assert lines[1].startswith("compiling")
    assert rows[0].split() == ["100", "10", "0.01376", "diverged", "1", "0:00", "0:00"]
    assert rows[-1].split()[0] == "4,000"
    assert lines[-1].startswith("by task: xor 1, moons 1")


# ---------------------------------------------------------------- tables


def table(*rows: tuple[str, ...]) -> Table:
    found = Table("genome", "task", "network")
    for step in (10, 20, 50, 100):
        found.add_column(f"{step} steps", justify="right")
    for row in rows:
        found.add_row(*row, *["80.3 ± 1.6"] * 4)
    return found


def printed(of: Table, width: int) -> list[str]:
    out = Console(width=width, file=io.StringIO())
    with out.capture() as captured:
        for part in fitting(of, out):
            out.print(part)
    return captured.get().split("\n")


ROWS = (("mine", "moons", "a_long_network"), ("mine", "center_circle", "a_long_network"))


def test_a_table_that_fits_stays_as_it_is() -> None:
    (found,) = fitting(wide := table(*ROWS), Console(width=120))
    assert found is wide


def test_what_all_rows_share_goes_in_front_of_a_table_that_does_not_fit() -> None:
    lines = printed(table(*ROWS), 80)
    assert lines[0] == " genome mine, network a_long_network"
    assert all(len(text) <= 80 for text in lines)
    assert sum("steps" in text for text in lines) == 1


def test_steps_that_do_not_fit_follow_below() -> None:
    lines = printed(table(*ROWS), 50)
    assert all(len(text) <= 50 for text in lines)
    assert sum("center_circle" in text for text in lines) == sum("steps" in text for text in lines) == 2
    assert "".join(lines).count("80.3 ± 1.6") == 8
