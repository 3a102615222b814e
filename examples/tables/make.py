"""Writes wine.npz and breast_cancer.npz, classic tables that scikit-learn has: `python make.py FOLDER`.

Columns are standardised by their training rows, as everybody does with tables whose columns have different units. A
third of the rows, drawn once, is for testing.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from sklearn import datasets

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
for name, load in (("wine", datasets.load_wine), ("breast_cancer", datasets.load_breast_cancer)):
    x, y = load(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    train, test = order[len(x) // 3 :], order[: len(x) // 3]
    x = ((x - x[train].mean(0)) / x[train].std(0)).astype(np.float32)
    np.savez(folder / f"{name}.npz", x=x[train], y=y[train], x_test=x[test], y_test=y[test])
    print(f"{name}.npz: {len(train)} rows for training, {len(test)} for testing, {x.shape[1]} columns")
