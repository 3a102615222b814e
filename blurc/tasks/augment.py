"""Variation between episodes: one draw applies to all batches and to the query of an episode."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import jax
import jax.numpy as jnp

from blurc.tasks.choice import Augment

Change: TypeAlias = Callable[[jax.Array], jax.Array]


def inputs(augment: Augment, key: jax.Array, features: int) -> Change:
    """Transforms inputs [.., features]: permutes them, then changes brightness, then projects."""
    order_key, bright_key, project_key = jax.random.split(key, 3)
    changes: list[Change] = []
    if augment.permute_inputs:
        order = jax.random.permutation(order_key, features)
        changes.append(lambda x: x[..., order])
    if augment.brightness:
        factor, shift = _brightness(bright_key, augment.brightness)
        changes.append(lambda x: x * factor + shift)
    if augment.project:
        # Independent normals of variance 1 / m, to m values: the expected squared length is unchanged.
        matrix = jax.random.normal(project_key, (features, augment.project)) / augment.project**0.5
        changes.append(lambda x: x @ matrix)
    return lambda x: _all(changes, x)


def drifted(augment: Augment, key: jax.Array, features: int) -> Callable[[jax.Array, jax.Array], jax.Array]:
    """Turns inputs [examples, .., features], before which so many steps are done, [examples] or []. Turns add up, also
    those of negative numbers."""
    if not augment.drift:
        return lambda x, done: x
    order = jax.random.permutation(jax.random.fold_in(key, 1), features)
    one, other = order[: features // 2], order[features // 2 : features // 2 * 2]

    def turned(x: jax.Array, done: jax.Array) -> jax.Array:
        angle = augment.drift * done.astype(x.dtype)
        cos, sin = (f(angle).reshape(*angle.shape, *(1,) * (x.ndim - angle.ndim)) for f in (jnp.cos, jnp.sin))
        a, b = x[..., one], x[..., other]
        return x.at[..., one].set(a * cos - b * sin).at[..., other].set(a * sin + b * cos)

    return turned


def labels(augment: Augment, key: jax.Array, outputs: int) -> Change:
    """Transforms labels: each class is assigned to another output."""
    if not augment.permute_labels:
        return lambda y: y
    order = jax.random.permutation(key, outputs)
    return lambda y: order[y]


def relabelled(augment: Augment, key: jax.Array, outputs: int) -> Change:
    """Transforms labels after `relabel_at`."""
    if not augment.relabel_at:
        return labels(augment, key, outputs)
    order = jax.random.permutation(jax.random.fold_in(key, 1), outputs)
    return lambda y: order[y]


def width(augment: Augment, features: int) -> int:
    """The number of inputs after augmentation."""
    return augment.project or features


def _brightness(key: jax.Array, amount: float) -> tuple[jax.Array, jax.Array]:
    factor_key, shift_key = jax.random.split(key)
    most = jnp.log1p(amount)
    factor = jnp.exp(jax.random.uniform(factor_key, minval=-most, maxval=most))
    return factor, jax.random.uniform(shift_key, minval=-amount, maxval=amount)


def _all(changes: list[Change], x: jax.Array) -> jax.Array:
    for change in changes:
        x = change(x)
    return x
