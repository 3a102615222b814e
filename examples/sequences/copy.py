"""Writes copy.npz: two of four symbols come one after the other, a pause, then a cue, at which both are asked again.

Each of these five items lasts STEPS steps. An answer is asked in the last step of the fourth and of the fifth.
"""

import numpy as np

EXAMPLES, SYMBOLS, STEPS, NOISE = 2000, 4, 4, 0.1

rng = np.random.default_rng(0)
shown = rng.integers(SYMBOLS, size=(EXAMPLES, 2))
items = np.zeros((EXAMPLES, 5, SYMBOLS + 1))
items[:, :2, :SYMBOLS] = np.eye(SYMBOLS)[shown]
items[:, 3:, SYMBOLS] = 1
x = np.repeat(items, STEPS, axis=1)
y = np.repeat(np.pad(shown, ((0, 0), (3, 0))), STEPS, axis=1)
mask = np.zeros(y.shape)
mask[:, [4 * STEPS - 1, 5 * STEPS - 1]] = 1

np.savez("copy.npz", x=x + NOISE * rng.standard_normal(x.shape), y=y, mask=mask)
