"""Decision regions of a network with two inputs, after some training steps under the genome (figure 4 of the paper):
the predicted class at each point of the plane, with points of the task on top.

A rule may standardize activities over the batch, so a prediction can depend on the rest of its batch. Grid points are
therefore predicted a few at a time among many points of the task, which dominate the statistics.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch
from numpy.typing import NDArray

from blurc.api import Net
from blurc.diagnostics import BlurError, Diagnostic, counted
from blurc.evaluation import MISSING, check_fits
from blurc.meta.report import style
from blurc.pictures import figures
from blurc.runtime import GenomeValues, State, map_tree
from blurc.tasks import Episode, LoadedTask
from blurc.training import asking_key, learn, predict

SIDE = 60  # grid points along an axis
QUERY = 512  # task points per prediction
AMONG = 48  # grid points predicted along with them
SHOWN = 200  # task points drawn
MARGIN = 0.05  # around the points, as a fraction of their extent
CLASS_COLOURS = (*figures.COLOURS, "#b3952b", "#3f9c9a", "#b0485f", "#6f7f37", "#8a6a4f", "#5b6b8c")
MARKERS = "os^DvPX<>*"


@dataclass(frozen=True, eq=False)
class Painted:
    """After `steps` steps: predicted classes [SIDE, SIDE] from the lower left, -1 where outputs are not finite; and
    the accuracy on the task's points."""

    steps: int
    classes: NDArray[Any]
    accuracy: float


def picture(
    net: Net, genome: GenomeValues, task: LoadedTask, *, steps: Sequence[int], batch: int, seed: int
) -> style.Picture:
    """A panel for each of `steps`, in increasing order. Raises `BlurError` if the task does not fit the network, has no
    classes, or has sequences, which are not points."""
    check_fits(net, task)
    if not task.classes:
        raise BlurError(Diagnostic("E811", f"the targets of {task.name} are not classes"))
    if task.time:
        raise BlurError(Diagnostic("E811", f"the examples of {task.name} are sequences"))
    start_key, data_key = jax.random.split(jax.random.key(seed))
    episode = task.episode(data_key, steps=steps[-1], batch=batch, query=QUERY, test=True)
    painted = list(paint(net, genome, episode, start_key, steps))
    figure = figures.figure(3.1 * len(steps) + 0.3, 3.7)
    panels: Any = figure.subplots(1, len(steps), squeeze=False)
    for axes, one in zip(panels[0], painted, strict=True):
        _draw(axes, one, episode, task.classes)
    figure.suptitle(f"{task.name} in {net.plan.name}", x=0.02, ha="left", fontsize=11, color=figures.INK)
    classes = [Patch(color=_colour(i), label=f"class {i}") for i in range(task.classes)]
    figure.legend(handles=classes, loc="outside lower left", ncols=5, frameon=False, fontsize=8, labelcolor=figures.INK)
    shares = ", ".join(f"{100 * p.accuracy:.1f} % after {p.steps}" for p in painted)
    what = f"{task.name}: the class {net.plan.name} predicts at each point of the plane, and points of the task"
    return style.picture(figure, f"{what}. Correct: {shares} steps.")


def paint(net: Net, genome: GenomeValues, episode: Episode, key: jax.Array, steps: Sequence[int]) -> Iterator[Painted]:
    """Trains from fresh synapses, and paints after each of `steps`."""
    state, now = net.init(key, genome, batch=episode.xs.shape[1]), key
    points, targets = grid(episode.x), np.asarray(episode.y).argmax(axis=-1)
    for done, upto in zip((0, *steps), steps, strict=False):
        now, noise = jax.random.split(now)
        now_learned = map_tree(lambda a, done=done, upto=upto: a[done:upto], episode.batches)
        state, _ = learn(net, genome, state, now_learned, noise)
        correct = _classes(net, genome, state, episode.x, asking_key(noise, 0)) == targets
        yield Painted(upto, _among(net, genome, state, episode.x, points, noise), float(correct.mean()))


def _classes(net: Net, genome: GenomeValues, state: State, x: Any, key: jax.Array) -> NDArray[Any]:
    out = np.asarray(predict(net, genome, state, x, key)).reshape(len(x), -1)
    return np.where(np.isfinite(out).all(axis=1), out.argmax(axis=1), -1)


def _among(
    net: Net, genome: GenomeValues, state: State, x: jax.Array, points: jax.Array, noise: jax.Array
) -> NDArray[Any]:
    """The predicted classes of the grid points, [SIDE, SIDE]."""
    parts = jnp.pad(points, ((0, -len(points) % AMONG), (0, 0))).reshape(-1, AMONG, 2)
    found = [
        _classes(net, genome, state, jnp.concatenate([x, part]), asking_key(noise, 1 + i))[len(x) :]
        for i, part in enumerate(parts)
    ]
    return np.concatenate(found)[: len(points)].reshape(SIDE, SIDE)


def grid(x: jax.Array) -> jax.Array:
    """The centres of SIDE x SIDE squares, row by row from the bottom."""
    low, high = _extent(x)
    across, up = ((np.arange(SIDE) + 0.5) / SIDE * (high[i] - low[i]) + low[i] for i in (0, 1))
    return jnp.asarray(np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2), x.dtype)


def _extent(x: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """The lower left and upper right corners of a square around all points."""
    points = np.asarray(x)
    low, high = points.min(axis=0), points.max(axis=0)
    middle, half = (low + high) / 2, (high - low).max() / 2
    return middle - (1 + MARGIN) * half, middle + (1 + MARGIN) * half


def _draw(axes: Axes, painted: Painted, episode: Episode, classes: int) -> None:
    low, high = _extent(episode.x)
    colours = ListedColormap([MISSING, *(_colour(i) for i in range(classes))])
    extent = (low[0], high[0], low[1], high[1])
    axes.imshow(painted.classes, cmap=colours, vmin=-1.5, vmax=classes - 0.5, alpha=0.28, origin="lower", extent=extent)
    x, targets = np.asarray(episode.x)[:SHOWN], np.asarray(episode.y).argmax(axis=-1)[:SHOWN]
    for i in range(classes):
        marker, (across, up) = MARKERS[i % len(MARKERS)], x[targets == i].T
        axes.scatter(across, up, s=14, marker=marker, color=_colour(i), edgecolors="white", linewidths=0.4)
    lost = "" if (painted.classes >= 0).all() else ", diverged"
    title = f"{counted(painted.steps, 'step')}: {100 * painted.accuracy:.1f} %{lost}"
    figures.dress(axes, title, "first input", "second input")
    axes.title.set_fontsize(9.5)
    axes.grid(False)


def _colour(i: int) -> str:
    return CLASS_COLOURS[i % len(CLASS_COLOURS)]
