"""The two-dimensional problems of section 4.3 of the paper: points of the plane in two classes, or five.

Most are a region of the square [-1, 1] x [-1, 1], whose points are drawn uniformly; class 1 is inside. Moons, circles
and blobs draw a class and then a point of it. `random_NAME` is the same problem, rotated about the origin and then
shifted, differently in each episode.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from blurc.tasks.generated import Generated
from blurc.tasks.objective import TargetKind

PREFIX = "random_"
SHIFT = 0.3  # the largest shift of a `random_` problem along either axis
NOISE = 0.08  # the standard deviation of points about their moon or circle
BLOB = 0.15  # the same about the middle of their blob
MIDDLES = ((0.0, 0.0), (-0.65, -0.65), (-0.65, 0.65), (0.65, -0.65), (0.65, 0.65))
SAMPLE = 4096  # points used to center a problem

# Whether a point is inside, given its two coordinates; and a point [.., 2] of each given class.
Region: TypeAlias = Callable[[jax.Array, jax.Array], jax.Array]
Cloud: TypeAlias = Callable[[jax.Array, jax.Array], jax.Array]


def _pie_slice(x: jax.Array, y: jax.Array) -> jax.Array:
    return (x > 0) & (jnp.abs(y) < 3**0.5 * x)  # a third of a turn, to the right


def _triangle(x: jax.Array, y: jax.Array) -> jax.Array:
    return (y > -0.8) & (jnp.abs(x) < 0.9 * (0.9 - y) / 1.7)  # its base is 1.8 wide, its tip at (0, 0.9)


def _moons(key: jax.Array, label: jax.Array) -> jax.Array:
    """Two interleaved half circles of radius 1, then scaled into the square."""
    angle_key, noise_key = jax.random.split(key)
    angle = jax.random.uniform(angle_key, label.shape, maxval=jnp.pi)
    upper = jnp.stack([jnp.cos(angle) - 0.5, jnp.sin(angle) - 0.25], axis=-1)
    points = jnp.where(label[..., None] == 0, upper, -upper)
    return points / 1.75 + NOISE * jax.random.normal(noise_key, points.shape)


def _circles(key: jax.Array, label: jax.Array) -> jax.Array:
    """Two circles about the origin, class 1 the inner one, of half the radius."""
    angle_key, noise_key = jax.random.split(key)
    angle = jax.random.uniform(angle_key, label.shape, maxval=2 * jnp.pi)
    radius = jnp.where(label == 0, 0.8, 0.4)[..., None]
    points = radius * jnp.stack([jnp.cos(angle), jnp.sin(angle)], axis=-1)
    return points + NOISE * jax.random.normal(noise_key, points.shape)


def _blobs(key: jax.Array, label: jax.Array) -> jax.Array:
    points = jnp.asarray(MIDDLES)[label]
    return points + BLOB * jax.random.normal(key, points.shape)


REGIONS: dict[str, tuple[str, Region]] = {
    "xor": ("exactly one coordinate is positive", lambda x, y: (x > 0) != (y > 0)),
    "nxor": ("both coordinates are positive, or neither", lambda x, y: (x > 0) == (y > 0)),
    "and": ("both coordinates are positive", lambda x, y: (x > 0) & (y > 0)),
    "nand": ("not both coordinates are positive", lambda x, y: ~((x > 0) & (y > 0))),
    "or": ("at least one coordinate is positive", lambda x, y: (x > 0) | (y > 0)),
    "center_circle": ("a disc of half the area in the middle", lambda x, y: x**2 + y**2 < 2 / jnp.pi),
    "small_center_circle": ("a disc of radius 0.5 in the middle", lambda x, y: x**2 + y**2 < 0.25),
    "pie_slice": ("a third of a turn about the middle", _pie_slice),
    "cross": ("two bars, 0.5 wide", lambda x, y: jnp.minimum(jnp.abs(x), jnp.abs(y)) < 0.25),
    "triangle": ("a triangle with its tip at the top", _triangle),
    "square": ("a square, 1.4 wide", lambda x, y: jnp.maximum(jnp.abs(x), jnp.abs(y)) < 0.7),
}

CLOUDS: dict[str, tuple[str, int, Cloud]] = {
    "moons": ("two interleaved moons", 2, _moons),
    "circles": ("a circle in a circle", 2, _circles),
    "blobs": ("five clouds of points, five classes", len(MIDDLES), _blobs),
}


def names() -> dict[str, str]:
    """Every problem: name -> one-line description."""
    fixed = {name: about[0] for name, about in (REGIONS | CLOUDS).items()}
    return fixed | {PREFIX + name: f"{about}, rotated and shifted" for name, about in fixed.items()}


@partial(jax.tree_util.register_dataclass, data_fields=["mean", "deviation"], meta_fields=["kind", "random"])
@dataclass(frozen=True, eq=False)
class Function(Generated):
    """kind: one of `REGIONS` or `CLOUDS`. random: rotated and shifted. Inputs are centered: (x - mean) / deviation."""

    kind: str
    random: bool
    mean: jax.Array
    deviation: jax.Array

    @property
    def features(self) -> int:
        return 2

    @property
    def targets(self) -> TargetKind:
        return "classes"

    @property
    def outputs(self) -> int:
        return CLOUDS[self.kind][1] if self.kind in CLOUDS else 2

    def points(self, place_key: jax.Array, key: jax.Array, count: int) -> tuple[jax.Array, jax.Array]:
        """Points [count, 2] and their labels."""
        x, label = self._uncentered(place_key, key, count)
        return (x - self.mean) / self.deviation, label

    def _uncentered(self, place_key: jax.Array, key: jax.Array, count: int) -> tuple[jax.Array, jax.Array]:
        turn, shift = _place(place_key) if self.random else (jnp.eye(2), jnp.zeros(2))
        if self.kind in CLOUDS:
            label_key, key = jax.random.split(key)
            label = jax.random.randint(label_key, (count,), 0, self.outputs)
            return CLOUDS[self.kind][2](key, label) @ turn.T + shift, label
        x = jax.random.uniform(key, (count, 2), minval=-1)
        there = (x - shift) @ turn  # the inverse of a turn is its transpose
        return x, REGIONS[self.kind][1](there[:, 0], there[:, 1]).astype(jnp.int32)


def _place(key: jax.Array) -> tuple[jax.Array, jax.Array]:
    turn_key, shift_key = jax.random.split(key)
    angle = jax.random.uniform(turn_key, maxval=2 * jnp.pi)
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    return jnp.array([[cos, -sin], [sin, cos]]), jax.random.uniform(shift_key, (2,), minval=-SHIFT, maxval=SHIFT)


def make(name: str, center: bool) -> Function:
    kind = name.removeprefix(PREFIX)
    function = Function(kind, kind != name, jnp.zeros(()), jnp.ones(()))
    if not center:
        return function
    keys = jax.random.split(jax.random.key(0), (SAMPLE, 2))  # each point from another variation

    def point(key: jax.Array) -> jax.Array:
        return function.points(key[0], key[1], 1)[0]

    x = np.asarray(jax.jit(jax.vmap(point))(keys), np.float32)
    return Function(kind, kind != name, jnp.asarray(x.mean()), jnp.asarray(x.std()))
