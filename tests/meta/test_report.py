"""The report of a run: that it is one page by itself, what it shows of which files, and what it does without them."""

from __future__ import annotations

import dataclasses
import io
import json
import math
import re
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import blurc
from blurc import genome
from blurc.diagnostics import BlurError, Source
from blurc.evaluation import heat
from blurc.meta.experiment import schema
from blurc.meta.experiment.experiment import L1, Gradient
from blurc.meta.report import contents, matrices, regions, scores, sections, style, training
from blurc.meta.report.page import write
from blurc.spec import select
from blurc.tasks.choice import TaskChoice
from blurc.tasks.task import task

pytestmark = pytest.mark.usefixtures("compiled_fast")

SPEC = """
import "rules/paper_backprop.blur"
network plane(hidden = 16) uses blur_from_backprop(rate = 1.0) {
  input  x[2]
  hidden h[hidden]
  output y[2]
  x -> h
  h -> y
}
"""
EXPERIMENT = """
name: plane
spec: plane.blur
tasks: [xor, blobs]
method: {objective: cross_entropy}
curriculum: {add: 5, every: 2, until: 20}
replicas: 2
evaluation: {steps: [5, 10], batch: 16}
"""
RESULTS = [{"steps": 5, "mean": 0.8, "spread": 0.01}, {"steps": 10, "mean": 0.9, "spread": None}]
LEARNED = {"network": "plane", "results": RESULTS}
EVALUATION = {"rows": [{"genome": n, "task": t, **LEARNED} for n in ("plane", "Adam") for t in ("xor", "moons")]}


def point(step: int, unroll: int, *values: float | None) -> str:
    lost = sum(v is None for v in values)
    return json.dumps({"step": step, "unroll": unroll, "value": values[0], "values": values, "diverged": lost}) + "\n"


METRICS = point(1, 10, 0.7, 0.8) + point(2, 10, 0.6, None) + point(3, 15, 0.5, 0.5) + point(4, 15, 0.4, 0.6)


@pytest.fixture(scope="module")
def net() -> blurc.Net:
    return blurc.compile(SPEC)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, net: blurc.Net) -> Path:
    """The folder of a whole run, with its report."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "plane.blur").write_text(SPEC)
    experiment = schema.parse(Source(str(folder / "e.yaml"), EXPERIMENT))
    (folder / "experiment.yaml").write_text(schema.dump(experiment))
    (folder / "metrics.jsonl").write_text(METRICS)
    values = net.init_genome(jax.random.key(0))
    genome.write(folder / "genome.yaml", genome.describe(net, values))
    (folder / "evaluation.json").write_text(json.dumps(EVALUATION))
    (folder / "versions.json").write_text(json.dumps({"blurc": "0.1.0", "devices": ["cpu"]}))
    write(folder)
    return folder


@pytest.fixture(scope="module")
def html(run: Path) -> str:
    return (run / "report.html").read_text()


def folder_with(path: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (path / name.replace("__", ".")).write_text(text)
    return path


def codes(path: Path) -> list[str]:
    with pytest.raises(BlurError) as caught:
        write(path)
    return [d.code for d in caught.value.diagnostics]


# ---------------------------------------------------------------- the page


def test_the_page_needs_nothing_else(html: str) -> None:
    assert "<script" not in html
    assert "<link" not in html
    sources = re.findall(r'(?:src|href)="([^"]*)"', html) + re.findall(r"url\(([^)]*)\)", html)
    assert sources
    assert all(source.startswith(("#", "data:")) for source in sources)


def test_names_in_the_page_are_unique_and_lead_somewhere(html: str) -> None:
    names = re.findall(r'\bid="([^"]+)"', html)
    assert len(names) == len(set(names))
    assert set(re.findall(r'href="#([^"]+)"', html) + re.findall(r"url\(#([^)]+)\)", html)) <= set(names)


def test_every_part_of_the_run_has_its_section(html: str) -> None:
    assert re.findall("<h2>(.*)</h2>", html) == [
        "Rule",
        "Meta-training",
        "Scores",
        "Transfer",
        "Decision regions",
        "Genome",
        "Experiment",
        "Versions",
    ]


def test_every_figure_says_what_it_shows(html: str) -> None:
    captions = re.findall("<figcaption>(.+)</figcaption>", html)
    assert html.count("<svg ") == len(captions) == len(set(captions)) == 1 + 1 + 2 + 1 + 1 + 4


def test_the_same_run_gives_the_same_bytes(run: Path, html: str) -> None:
    assert write(run).read_text() == html


def test_text_of_files_cannot_become_markup(tmp_path: Path) -> None:
    text = "name: <script>alert(1)</script>"
    page = write(folder_with(tmp_path, experiment__yaml=text, metrics__jsonl=METRICS)).read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


# ---------------------------------------------------------------- what may be missing


def test_metrics_alone_make_a_report(tmp_path: Path) -> None:
    page = write(folder_with(tmp_path, metrics__jsonl=METRICS)).read_text()
    assert re.findall("<h2>(.*)</h2>", page) == ["Meta-training", "Experiment"]
    assert "there is no experiment.yaml" in page


def test_a_run_without_its_spec_still_has_a_report(tmp_path: Path) -> None:
    page = write(folder_with(tmp_path, experiment__yaml=EXPERIMENT)).read_text()
    assert "The experiment cannot be read here: cannot read `plane.blur`: there is no such file." in page


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    assert codes(tmp_path) == codes(tmp_path / "none") == ["E614"]


def test_a_report_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    assert codes(folder_with(tmp_path, metrics__jsonl=METRICS)) == ["E907"]


# ---------------------------------------------------------------- metrics


def read_points(path: Path, metrics: str) -> list[tuple[int, float]]:
    return [(p.step, p.value) for p in contents.read(folder_with(path, metrics__jsonl=metrics)).points]


def test_a_line_that_is_being_written_is_left_out(tmp_path: Path) -> None:
    assert read_points(tmp_path, point(1, 10, 0.5) + '{"step": 2, "unr') == [(1, 0.5)]


def test_of_a_step_that_was_run_again_the_later_line_counts(tmp_path: Path) -> None:
    lines = point(1, 10, 0.5) + point(2, 10, 0.4) + point(2, 10, 0.3)
    assert read_points(tmp_path, lines) == [(1, 0.5), (2, 0.3)]


@pytest.mark.parametrize(
    "line",
    [
        "{", "[]", "null", "[" * 5000, '{"step": 2}', '{"step": 2, "unroll": 3, "value": "x"}',
        '{"step": 1e999, "unroll": 3, "value": 1}', '{"step": 1e20, "unroll": 3, "value": 1}',
        '{"step": 2, "unroll": 1e308, "value": 1}', '{"step": 2, "unroll": 3, "value": 1e308}',
        '{"step": 2, "unroll": 3, "value": Infinity}', '{"step": -1, "unroll": 3, "value": 1}',
        '{"step": 2, "unroll": 3, "value": 1, "diverged": 1e30}', '{"step": NaN, "unroll": 3, "value": 1}',
    ],
)  # fmt: skip
def test_a_damaged_line_is_pointed_at(tmp_path: Path, line: str) -> None:
    with pytest.raises(BlurError) as caught:
        read_points(tmp_path, point(1, 10, 0.5) + line + "\n")
    (found,) = caught.value.diagnostics
    assert found.span
    assert (found.code, found.span.line) == ("E614", 2)


def test_the_caption_counts_what_diverged(html: str) -> None:
    assert "over 4 meta-steps; 1 of 8 training runs diverged." in html


@pytest.mark.parametrize("replicas", [1, 3, 20])
def test_any_number_of_replicas_and_steps_is_drawn(tmp_path: Path, replicas: int) -> None:
    lines = (point(i, 10, *[10.0 ** (3 * i / 1000)] * replicas) for i in range(1000))
    page = write(folder_with(tmp_path, metrics__jsonl="".join(lines))).read_text()
    assert "Each point of a line is the mean of 3 meta-steps." in page


def test_a_run_that_always_diverged_is_drawn(tmp_path: Path) -> None:
    lines = "".join(point(i, 10, None, None) for i in range(3))
    assert "6 of 6 training runs diverged" in write(folder_with(tmp_path, metrics__jsonl=lines)).read_text()


def population(step: int, best: float | None, mean: float | None, lost: int, **more: object) -> str:
    line = {"step": step, "unroll": 10, "value": best, "mean": mean, "diverged": lost, **more}
    return json.dumps(line) + "\n"


def drawn(path: Path, metrics: str, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, list[float]], str]:
    """The lines of the figure by their labels, and its caption."""
    lines: dict[str, list[float]] = {}

    def seen(figure: Any, caption: str, **more: Any) -> style.Picture:
        lines.update({line.get_label(): list(line.get_ydata()) for line in figure.axes[0].lines})
        return style.Picture(b"", caption)

    monkeypatch.setattr(style, "picture", seen)
    caption = training.picture(contents.read(folder_with(path, metrics__jsonl=metrics))).caption
    return {label: values for label, values in lines.items() if not label.startswith("_")}, caption


def test_of_a_population_the_mean_and_the_best_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = population(0, 0.2, 0.5, 1, candidates=8) + population(1, 0.1, 0.4, 3, candidates=8)
    lines, caption = drawn(tmp_path, metrics, monkeypatch)
    assert lines == {"mean of the population": [0.5, 0.4], "best of the population": [0.2, 0.1]}
    assert "; 4 of 16 training runs diverged. Thick: the mean of the population" in caption


def test_old_populations_that_were_not_counted_are_not_counted(tmp_path: Path) -> None:
    page = write(folder_with(tmp_path, metrics__jsonl=population(0, 0.2, 0.5, 5) * 2)).read_text()
    assert "; 5 training runs diverged." in page


def test_more_than_all_cannot_diverge(tmp_path: Path) -> None:
    assert codes(folder_with(tmp_path, metrics__jsonl=population(0, 0.2, 0.5, 5, candidates=4))) == ["E614"]


@pytest.mark.parametrize(
    ("replicas", "names"),
    [
        (1, {"the replica"}),
        (3, {"the best replica", "each of 3 replicas"}),
        (20, {"the best replica", "the median replica"}),
    ],
)
def test_replicas_are_called_replicas(
    replicas: int, names: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = point(0, 10, *[0.5] * replicas) + point(1, 10, *[0.4] * replicas)
    assert set(drawn(tmp_path, metrics, monkeypatch)[0]) == names


def test_the_genome_is_where_it_was_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = (
        population(0, 0.2, 0.5, 0)
        + population(1, 0.2, 0.5, 0, judged=0.7)
        + population(2, 0.2, 0.5, 0)
        + population(3, 0.2, 0.5, 0, judged=None)
    )
    lines, caption = drawn(tmp_path, metrics, monkeypatch)
    np.testing.assert_array_equal(lines["the genome, judged"], [0.7, np.nan])
    assert "It diverged in 1 of these 2 judgements, shown as gaps" in caption


def test_the_summary_tells_the_best_at_last_from_the_genome(run: Path) -> None:
    found = contents.read(run)
    assert found.genome
    judged = dataclasses.replace(found.genome, found={"cross_entropy": 0.75})
    rows = dict(sections.summary(dataclasses.replace(found, genome=judged)))
    assert rows["cross entropy, best of the last meta-step"] == "0.4"
    assert rows["cross entropy of the genome"] == "0.75, on episodes the search never sees"


def test_the_summary_tells_what_decides_about_genomes_and_what_is_pulled_to_0(run: Path) -> None:
    found = contents.read(run)
    assert found.experiment
    plain = {name for name, _ in sections.summary(found)}
    assert plain.isdisjoint({"validation tasks", "over tasks", "pulled to 0"})
    asked = dataclasses.replace(
        found.experiment,
        validation=(TaskChoice("xor"), TaskChoice("moons", name="crescents")),
        over_tasks="worst",
        method=Gradient(l1=L1(("eta", "f"), 0.25)),
    )
    rows = dict(sections.summary(dataclasses.replace(found, experiment=asked)))
    assert rows["validation tasks"] == "xor, crescents"
    assert rows["over tasks"] == "the worst"
    assert rows["pulled to 0"] == "eta, f, with strength 0.25"


# ---------------------------------------------------------------- evaluation


@pytest.mark.parametrize(
    "data",
    [
        {"rows": [{"genome": "g", "task": "xor", **LEARNED}]},
        {"races": [{"task": "xor", "network": "plane", "learners": [{"name": "g", "results": RESULTS}]}]},
    ],
)
def test_accuracies_are_of_genomes_and_of_races(tmp_path: Path, data: dict[str, Any]) -> None:
    (curve,) = contents.read(folder_with(tmp_path, metrics__jsonl=METRICS, evaluation__json=json.dumps(data))).curves
    assert (curve.name, curve.task, curve.network) == ("g", "xor", "plane")
    assert (curve.steps, curve.mean, curve.spread[0]) == ((5, 10), (0.8, 0.9), 0.01)
    assert math.isnan(curve.spread[1])


ROW = '{"rows": [{"genome": "g", "task": "t", "network": "n", "results": [%s]}]}'


@pytest.mark.parametrize(
    "text",
    [
        "{", "[]", "[" * 5000, '{"rows": [{}]}', '{"rows": 3}', '{"races": [{}]}',
        ROW % '{"steps": 1e999, "mean": 1, "spread": 0}', ROW % '{"steps": 1, "mean": 1e308, "spread": 0}',
        ROW % '{"steps": -5, "mean": 1, "spread": 0}',
    ],
)  # fmt: skip
def test_a_damaged_evaluation_is_refused(tmp_path: Path, text: str) -> None:
    assert codes(folder_with(tmp_path, metrics__jsonl=METRICS, evaluation__json=text)) == ["E614"]


def test_the_table_has_the_numbers_of_the_curves() -> None:
    nan = math.nan
    curves = [
        contents.Curve("g", "xor", "plane", (5, 10), (0.8125, 0.9), (0.011, nan), (0, 0)),
        contents.Curve("g", "moons", "plane", (5, 1000), (nan, 0.5), (nan, 0.02), (5, 2)),
        contents.Curve("Adam", "xor", "plane", (10,), (0.7,), (0.1,), (0,)),
    ]
    assert [*scores.table(curves)] == [
        ("task", "network", "learner", "5 steps", "10 steps", "1,000 steps"),
        ("xor", "plane", "g", "81.2 ± 1.1", "90.0", "–"),
        ("xor", "plane", "Adam", "–", "70.0 ± 10.0", "–"),
        ("moons", "plane", "g", "diverged", "–", "50.0 ± 2.0, 2 diverged"),
    ]


NAN = math.nan
PARTLY = [
    contents.Curve("g", "xor", "plane", (5, 10), (0.8, 0.987), (0.01, NAN), (0, 1)),
    contents.Curve("g", "moons", "plane", (5, 10), (0.8, NAN), (0.01, NAN), (0, 2)),
    contents.Curve("Adam", "xor", "plane", (5, 10), (0.7, 0.8), (0.1, 0.1), (0, 0)),
]


def test_cells_of_the_matrix_tell_what_diverged(monkeypatch: pytest.MonkeyPatch) -> None:
    panels: list[heat.Panel] = []
    monkeypatch.setattr(heat, "render", lambda found, form: panels.extend(found) or b"")
    (found,) = scores.matrices(PARTLY)
    assert panels[0].texts == [["98.7*", "diverged"], ["80.0", "–"]]
    assert found.caption.endswith(
        "(row). *: without the seeds that diverged. Diverged: all seeds did. –: not measured."
    )


def test_a_matrix_of_what_stayed_finite_needs_no_legend() -> None:
    finite = [PARTLY[2], dataclasses.replace(PARTLY[2], task="moons")]
    assert next(scores.matrices(finite)).caption.endswith("of each learner (row).")


def test_points_without_the_seeds_that_diverged_are_hollow(monkeypatch: pytest.MonkeyPatch) -> None:
    hollow: list[tuple[float, float]] = []

    def seen(figure: Any, caption: str, **more: Any) -> style.Picture:
        for line in figure.axes[0].lines:
            if line.get_markerfacecolor() == "white":
                hollow.extend(zip(*line.get_data(), strict=True))
        return style.Picture(b"", caption)

    monkeypatch.setattr(style, "picture", seen)
    xor, moons = (found.caption for found in scores.pictures(PARTLY))
    assert [found for found in hollow if math.isfinite(found[1])] == [(10, 0.987)]
    assert xor.endswith("to either side. Hollow markers: some seeds diverged and are not in the mean.")
    assert moons.endswith("to either side. Where a point is missing, all seeds diverged: g.")


@pytest.mark.parametrize("columns", [1, 6])
def test_a_long_title_is_not_cut_off(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    figures: list[Any] = []
    monkeypatch.setattr(heat.figures, "to_bytes", lambda figure, form: figures.append(figure) or b"")
    network = "omniglot_convolutional(channels = 32, side = 14, hidden = 256)"
    title = f"accuracy in %, in {network}, after 1,000 steps"
    names = [str(i) for i in range(columns)]
    heat.render([heat.Panel(title, np.ones((1, columns)), ["g"], names, [["98.7"] * columns])], "svg")
    figure = figures[0]
    figure.savefig(io.BytesIO(), format="png")
    shown = figure.axes[0].title if figure.axes[0].title.get_text() else figure.axes[0]._left_title
    box, whole = shown.get_window_extent(), figure.bbox
    assert shown.get_text().replace("\n", " ") == title
    assert whole.x0 <= box.x0 < box.x1 <= whole.x1
    assert whole.y0 <= box.y0 < box.y1 <= whole.y1


def test_the_table_stands_in_the_page(html: str) -> None:
    assert "<tr><td>xor</td><td>plane</td><td>Adam</td><td>80.0 ± 1.0</td><td>90.0</td></tr>" in html


# ---------------------------------------------------------------- the genome


def test_matrices_are_drawn_and_numbers_listed(html: str) -> None:
    assert [name for name in ("nu", "mu", "hp", "hq") if f"<figcaption>{name}: " in html] == ["nu", "mu", "hp", "hq"]
    assert "<tr><th>eta</th><td>1</td></tr>" in html


def test_axes_are_labelled_with_the_states_they_stand_for() -> None:
    model, _, _ = select(SPEC)
    assert matrices.labels(2, model) == ["a[0]", "a[1]"]
    assert matrices.labels(3, model) == matrices.labels(3, None) == ["0", "1", "2"]


# ---------------------------------------------------------------- decision regions


def painted(net: blurc.Net, values: dict[str, Any], steps: tuple[int, ...]) -> tuple[Any, list[regions.Painted]]:
    episode = task(TaskChoice("xor")).episode(
        jax.random.key(1), steps=steps[-1], batch=16, query=regions.QUERY, test=True
    )
    return episode, list(regions.paint(net, values, episode, jax.random.key(0), steps))


def test_regions_are_what_the_trained_network_predicts(net: blurc.Net) -> None:
    values = net.init_genome(jax.random.key(0))
    episode, (_, last) = painted(net, values, (10, 40))
    state = net.init(jax.random.key(0), values)
    state, _ = net.train(values, state, episode.xs, episode.ys)
    out = np.asarray(net.predict(values, state, regions.grid(episode.x)))
    np.testing.assert_array_equal(last.classes.ravel(), out.argmax(axis=-1))
    right = np.asarray(net.predict(values, state, episode.x)).argmax(-1) == episode.y.argmax(-1)
    assert last.accuracy == right.mean()


def test_regions_of_a_diverged_network_are_of_no_class(net: blurc.Net) -> None:
    values = {**net.init_genome(jax.random.key(0)), "eta": np.float32(np.nan)}
    _, (found,) = painted(net, values, (10,))
    assert (found.classes == -1).all()
    assert found.accuracy == 0


def test_a_task_that_does_not_fit_is_left_out_with_the_reason(html: str) -> None:
    assert "blobs is left out: the task blobs has 5 outputs" in html


def test_sequences_have_no_regions(tmp_path: Path) -> None:
    x, y = np.zeros((12, 3, 2), np.float32), np.arange(12) % 2
    np.savez(tmp_path / "data.npz", x=x, y=y)
    sequences = task(TaskChoice(str(tmp_path / "data.npz"), time=True))
    remembering = blurc.compile(SPEC.replace("x -> h", "x -> h\n  h -> h [delay = 1]"))
    with pytest.raises(BlurError) as caught:
        regions.picture(remembering, {}, sequences, steps=(1,), batch=2, seed=0)
    assert caught.value.diagnostics[0].code == "E811"
    assert "are sequences" in caught.value.diagnostics[0].message


def test_networks_of_more_inputs_have_no_regions(tmp_path: Path, run: Path) -> None:
    wide = EXPERIMENT.replace("plane.blur", "networks/digits.blur")
    (tmp_path / "genome.yaml").write_bytes((run / "genome.yaml").read_bytes())
    found = sections.sections(contents.read(folder_with(tmp_path, experiment__yaml=wide)))
    assert [section.title for section in found] == ["", "Rule", "Genome", "Experiment"]
