"""The built-in data sets, by name: the two that need no files are made here."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from blurc.diagnostics import BlurError, Diagnostic, suggest
from blurc.guards import typed
from blurc.tasks import images, npz, timed
from blurc.tasks.dataset import Dataset, Floats, one_hot, split

DIGITS = "handwritten digits of 8x8, 1,437 to train and 360 to test, part of blurc"
XOR = "exclusive or of two noisy numbers near +-1, two classes, 512 to train and 256 to test, generated"
SEED = 0
# The axes are five standard deviations from a corner, so the signs of a point give its class.
NOISE = 0.2


def _digits(data_dir: Path | None, download: bool) -> Dataset:
    """The test part of "Optical Recognition of Handwritten Digits" (E. Alpaydin and C. Kaynak, UCI Machine Learning
    Repository, 1998, CC BY 4.0), which scikit-learn has too. There is no official split of it; the same writers
    therefore occur on both sides."""
    with np.load(Path(__file__).with_name("digits.npz")) as file:
        images, labels = file["images"], file["labels"].astype(np.int64)
    x = (images / 16).astype(np.float32)  # pixels are 0..16
    y = one_hot(labels, 10)
    train, test = split(len(x), SEED, labels)
    return Dataset("digits", x[train], y[train], x[test], y[test], 10, DIGITS, "UCI")


def _xor(data_dir: Path | None, download: bool) -> Dataset:
    """Noisy corners of a square. It needs a hidden layer."""
    rng = np.random.default_rng(SEED)
    x_train, y_train = _points(rng, 512)
    x_test, y_test = _points(rng, 256)
    return Dataset("xor", x_train, y_train, x_test, y_test, 2, XOR, "generated")


def _points(rng: np.random.Generator, count: int) -> tuple[Floats, Floats]:
    """`count` points, a quarter at each corner, in random order; class 1 if the signs differ."""
    corner = rng.permutation(np.arange(count) % 4)
    signs = np.stack([corner % 2, corner // 2], axis=1) * 2 - 1
    x = signs + NOISE * rng.standard_normal((count, 2))
    return x.astype(np.float32), one_hot((signs[:, 0] != signs[:, 1]).astype(np.int64), 2)


_Loader = Callable[["Path | None", bool], Dataset]

_BUILT_IN: dict[str, tuple[str, _Loader]] = {
    "digits": (DIGITS, _digits),
    "xor": (XOR, _xor),
    **{s.name: (s.description, partial(images.load, s)) for s in images.SETS},
}


def names() -> dict[str, str]:
    """The built-in data sets: name -> one-line description."""
    return {name: description for name, (description, _) in _BUILT_IN.items()}


@typed
def load(
    name_or_path: str | Path,
    *,
    data_dir: str | Path | None = None,
    download: bool = True,
    time: bool = False,
    inputs: int | None = None,
) -> Dataset:
    """A built-in data set by name, or a user's own from the path of an `.npz` file.

    Args:
        data_dir: where to look first for the files of an image set.
        download: whether to fetch missing ones.
        time: that examples are sequences along their first axis; a mask in a file says so, too.
        inputs: how many a network that remembers has. Examples that fit it without their first axis, and not with it,
            are sequences.

    Raises:
        BlurError: E801 for an unknown name, E802 to E805 for bad files.
    """
    name = str(name_or_path)
    if name in _BUILT_IN:
        found = _BUILT_IN[name][1](None if data_dir is None else Path(os.path.expanduser(data_dir)), download)
        return timed.asked_at_the_end(found) if time or timed.fits(found.input_shape, inputs) else found
    if name.lower().endswith(".npz"):
        return npz.load(Path(name), time, inputs)
    raise BlurError(_unknown(name))


def _unknown(name: str) -> Diagnostic:
    notes = (f"the data sets are {', '.join(_BUILT_IN)}, and any FILE.npz with arrays x and y",)
    if os.path.isfile(name):
        help = f"save the arrays of {name} with numpy.savez(FILE, x=..., y=...) and give that FILE.npz"
    else:
        help = suggest(name.lower(), _BUILT_IN, "give one of these names, or the path of an .npz file")
    return Diagnostic("E801", f"unknown data set `{name}`", notes=notes, help=help)
