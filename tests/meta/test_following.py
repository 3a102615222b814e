"""How a search is followed: within 80 columns, with curves, the time that is left, plain lines in a log, a page in a
notebook."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from blurc.meta import Curriculum, Experiment, Gradient, Inner, Network, TaskChoice
from blurc.meta.experiment.experiment import Setting
from blurc.meta.watch import curves
from blurc.meta.watch.follow import GrowingTable, OnTerminal, follow
from blurc.meta.watch.page import Page, html
from blurc.meta.watch.so_far import WINDOW, Search, running
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
    found.begin(0, 100, OBJECTIVES["cross_entropy"])
    for step in range(count):
        found.add(line(step))
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


def test_what_is_compiled_on_the_way_does_not_count_for_the_time_left() -> None:
    """As after --resume, where a later meta-step is the first to judge the genome, and another to draw a task."""
    clock = Clock()
    found = search(100, clock)
    found.begin(89, 100, OBJECTIVES["cross_entropy"])
    for step in range(89, 97):
        clock.time += 60 if step in (89, 92, 94) else 1
        by_task = {"xor": 1.0, **({"moons": 1.0} if step == 94 else {})}
        found.add(line(step, by_task=by_task, **({"judged": 1.0} if step == 92 else {})))
    assert found.left == pytest.approx(3)


def test_the_programs_that_are_compiled_are_named() -> None:
    setting = Setting(batch=8)
    out = Console(file=io.StringIO(), width=120)
    lines = GrowingTable(search(by_task={"moons": setting}), out)
    lines.begin(0, 100, OBJECTIVES["cross_entropy"])
    assert isinstance(out.file, io.StringIO)
    told = " ".join(out.file.getvalue().split("meta-step  inner")[0].split())
    assert "compiling 2 programs, for xor, a_task_with_a_very_long_name; moons; the first row takes" in told


@pytest.mark.parametrize(("seconds", "text"), [(None, ""), (7, "0:07"), (751, "12:31"), (3723, "1:02:03")])
def test_times_read_like_a_clock(seconds: float | None, text: str) -> None:
    assert curves.clock(seconds) == text


def logged(count: int, steps: int = 100) -> list[str]:
    out = Console(file=io.StringIO(), width=120)
    lines = GrowingTable(search(steps), out)
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
    assert lines[-1].endswith("moons 1, xor 1"), "by name"


def test_a_page_has_a_line_for_the_objective_and_for_each_task() -> None:
    page = html(followed(100))
    assert page.count("<polyline") == page.count("<tr>") == 4
    assert "100 of 100 meta-steps" in page
    assert "<td style='text-align:left'>xor</td><td>1</td>" in page
    assert html(followed(0)).count("<polyline") == 0


@pytest.mark.parametrize(
    ("kind", "how"), [(Page, {"force_jupyter": True}), (OnTerminal, {"force_terminal": True}), (GrowingTable, {})]
)
def test_how_it_is_shown_is_chosen_by_where(kind: type, how: dict[str, bool]) -> None:
    assert isinstance(follow(search().experiment, Console(file=io.StringIO(), **how)), kind)


def test_a_panel_is_left_as_it_was_at_the_end() -> None:
    out = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    panel = OnTerminal(search(), out)
    panel.begin(0, 100, OBJECTIVES["cross_entropy"])
    for step in range(100):
        panel.line(line(step))
    panel.end()
    assert isinstance(out.file, io.StringIO)
    assert "100 of 100 meta-steps" in out.file.getvalue()
    assert out.file.getvalue().endswith("\n\x1b[?25h")  # the cursor is shown again
