"""XOR in the plane: noisy corners of a square, two classes. It needs a hidden layer."""

from __future__ import annotations

import numpy as np

from blurc.tasks.dataset import Dataset, Floats, one_hot

NAME = "xor"
DESCRIPTION = "exclusive or of two noisy numbers near +-1, two classes, 512 to train and 256 to test, generated"
SEED = 0
# The axes are five standard deviations from a corner, so the signs of a point give its class.
NOISE = 0.2


def load() -> Dataset:
    rng = np.random.default_rng(SEED)
    x_train, y_train = _points(rng, 512)
    x_test, y_test = _points(rng, 256)
    return Dataset(NAME, x_train, y_train, x_test, y_test, 2, DESCRIPTION, "generated")


def _points(rng: np.random.Generator, count: int) -> tuple[Floats, Floats]:
    """`count` points, a quarter at each corner, in random order; class 1 if the signs differ."""
    corner = rng.permutation(np.arange(count) % 4)
    signs = np.stack([corner % 2, corner // 2], axis=1) * 2 - 1
    x = signs + NOISE * rng.standard_normal((count, 2))
    return x.astype(np.float32), one_hot((signs[:, 0] != signs[:, 1]).astype(np.int64), 2)
