"""The paper's questions (arXiv:2104.04657), answered on two cores: what difference do normalization, symmetry, .. make?

    python examples/questions.py                          # which questions there are
    python examples/questions.py normalization            # a table, and the figure normalization.svg
    python examples/questions.py normalization --runs 1   # a first look
    python examples/questions.py states --set method.steps=2000 --set inner.steps=20

A question is an experiment file in examples/questions/ and some variants of it: other values for some of its keys. A
variant is meta-trained in several runs, from other random genomes, and what each run finds teaches fresh networks the
handwritten digits. What was begun before in the same folder goes on from its checkpoint; other settings than it was
begun with may need another folder (-o), and it says so.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from blurc import meta
from blurc.diagnostics import BlurError, Diagnostic
from blurc.evaluation import heat
from blurc.pictures import figures

Settings = Mapping[str, str]

QUESTIONS: dict[str, tuple[str, dict[str, Settings]]] = {
    "normalization": (
        "Are activations normalized over the batch? (figure 8)",
        {"normalized": {"rule": "blur"}, "not normalized": {"rule": "blur_plain"}},
    ),
    "symmetry": (
        "Own synapses for the way back, a channel for each state? (figures 9 and 17)",
        {
            "asymmetric, several channels": {"rule": "blur"},
            "asymmetric, one channel": {"rule": "blur_single"},
            "symmetric, several channels": {"rule": "blur_symmetric"},
            "symmetric, one channel": {"rule": "blur_symmetric_single"},
        },
    ),
    "start": (
        "Does meta-learning start from backpropagation, or at random? (figures 9 and 17)",
        {
            "from backpropagation": {"rule": "blur_from_backprop"},
            "the same equations, at random": {"rule": "blur_from_random"},
            "symmetric, one channel, at random": {"rule": "blur_symmetric_single"},
        },
    ),
    "states": (
        "How many states has a neuron? (figure 13)",
        {f"{k} states": {"parameters.k": str(k)} for k in (2, 3, 4)},
    ),
    "nonlinearity": (
        "Which non-linearity do neurons have? (figure 12)",
        {name: {"parameters.act": name} for name in ("tanh", "relu", "sigmoid", "linear")},
    ),
    "long": (
        "What keeps training from decay, long after the steps that were meta-learned? (figures 15 and 16)",
        {
            "nothing": {"rule": "blur_without_oja"},
            "Oja's term": {"rule": "blur"},
            "synapses of length 1": {"rule": "blur_normalized"},
            "saturating synapses": {"rule": "blur_saturated"},
        },
    ),
}


def main() -> None:
    args = _arguments()
    if not args.question:
        for name, (asked, variants) in QUESTIONS.items():
            print(f"{name:14} {asked}\n{'':14} {', '.join(variants)}")
        return
    out = args.out or Path("runs") / "questions"
    settings = dict(item.partition("=")[::2] for item in args.set)
    try:
        figure = answer(args.question, out, settings, args.runs)
    except BlurError as error:
        raise SystemExit(str(error)) from None
    print(f"wrote {figure}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Answers a question of the paper with an experiment.")
    parser.add_argument("question", nargs="?", choices=list(QUESTIONS))
    parser.add_argument("--runs", type=int, default=2, help="of each variant, from other random genomes")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="in every variant")
    parser.add_argument("-o", "--out", type=Path, help="where to write; without, runs/questions")
    return parser.parse_args()


def answer(question: str, out: Path, settings: Settings, runs: int) -> Path:
    """The figure of a question; prints its table on the way."""
    asked, variants = QUESTIONS[question]
    print(asked)
    found = {}
    steps: tuple[int, ...] = ()
    for variant, own in variants.items():
        parts = []
        for seed in range(runs):
            folder = out / question / f"{re.sub(r'[^a-zA-Z0-9]+', '-', variant)}-{seed}"
            experiment = read(question, {**settings, **own, "seed": str(seed)})
            parts.append(accuracies(experiment, folder))
            steps = experiment.evaluation.steps
        table = np.concatenate(parts)
        found[_label(variant, table)] = table
        print(_line(variant, parts, steps), flush=True)
    figure = out / f"{question}.svg"
    lines = [heat.line(label, table, steps) for label, table in found.items()]
    drawn = heat.curves(lines, asked, "step", "accuracy on test digits", percent=True)
    figure.write_bytes(figures.to_bytes(drawn, "svg"))
    return figure


def read(question: str, settings: Settings) -> meta.Experiment:
    return meta.read(Path(__file__).parent / "questions" / f"{question}.yaml", settings)


def accuracies(experiment: meta.Experiment, folder: Path) -> np.ndarray:
    """Runs an experiment, or what is left of it. Its accuracies on test digits: [seeds, steps]."""
    try:
        meta.run(experiment, folder, resume=folder.exists())
    except BlurError as error:
        raise BlurError([_elsewhere(d, folder) for d in error.diagnostics]) from None
    (row,) = meta.finish(folder)
    return row.scores


def _elsewhere(problem: Diagnostic, folder: Path) -> Diagnostic:
    """What was begun can be gone on with under more steps or another evaluation, and not under all other settings."""
    if problem.code != "E617":
        return problem
    help = f"`{folder}` was begun with other settings: repeat these (--set), or give another folder (-o DIR)"
    return replace(problem, help=help)


def _label(variant: str, table: np.ndarray) -> str:
    diverged = int(np.isnan(table[:, -1]).sum())
    return f"{variant} ({diverged} of {len(table)} diverged)" if diverged else variant


def _line(variant: str, parts: list[np.ndarray], steps: tuple[int, ...]) -> str:
    """Means over all seeds of all runs, and each run's own at its last step: runs differ more than seeds."""
    table = np.ma.masked_invalid(np.concatenate(parts))
    means = table.mean(axis=0).filled(np.nan)
    cells = "  ".join(f"{step}: {mean:.3f}" for step, mean in zip(steps, means, strict=True))
    each = " ".join(map(_last, parts))
    return f"  {_label(variant, table.filled(np.nan))}\n    after steps {cells}   runs: {each}"


def _last(table: np.ndarray) -> str:
    last = table[:, -1]
    return f"{np.nanmean(last):.3f}" if np.isfinite(last).any() else "diverged"


if __name__ == "__main__":
    main()
