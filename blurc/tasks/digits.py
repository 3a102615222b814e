"""scikit-learn's bundled handwritten digits: 1,797 images of 8x8, the default data set, always available.

The split is fixed: 1,437 to train and 360 to test, stratified by class. There is no official split, as the images are
the test part of a larger set (UCI, "Optical Recognition of Handwritten Digits"); the same writers therefore occur on
both sides.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt

from blurc.tasks.dataset import Dataset, one_hot, split

NAME = "digits"
DESCRIPTION = "handwritten digits of 8x8, 1,437 to train and 360 to test, bundled with scikit-learn"
SEED = 0


def load() -> Dataset:
    from sklearn.datasets import load_digits  # pyright: ignore[reportUnknownVariableType]  # slow to import

    raw = cast(Any, load_digits())
    labels: npt.NDArray[np.int64] = raw.target
    x = (raw.images / 16).astype(np.float32)  # pixels are 0..16
    y = one_hot(labels, 10)
    train, test = split(len(x), SEED, labels)
    return Dataset(NAME, x[train], y[train], x[test], y[test], 10, DESCRIPTION, "scikit-learn")
