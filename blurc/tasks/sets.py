"""The built-in data sets, by name."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from blurc.diagnostics import BlurError, Diagnostic, suggest
from blurc.tasks import digits, images, npz, xor
from blurc.tasks.dataset import Dataset

_Loader = Callable[["Path | None", bool], Dataset]

_BUILT_IN: dict[str, tuple[str, _Loader]] = {
    digits.NAME: (digits.DESCRIPTION, lambda data_dir, download: digits.load()),
    xor.NAME: (xor.DESCRIPTION, lambda data_dir, download: xor.load()),
    **{s.name: (s.description, partial(images.load, s)) for s in images.SETS},
}


def names() -> dict[str, str]:
    """The built-in data sets: name -> one-line description."""
    return {name: description for name, (description, _) in _BUILT_IN.items()}


def load(name_or_path: str | Path, *, data_dir: str | Path | None = None, download: bool = True) -> Dataset:
    """A built-in data set by name, or a user's own from the path of an `.npz` file.

    Args:
        data_dir: where to look first for the files of an image set.
        download: whether to fetch missing ones.

    Raises:
        BlurError: E801 for an unknown name, E802 to E805 for bad files.
    """
    name = str(name_or_path)
    if name in _BUILT_IN:
        return _BUILT_IN[name][1](None if data_dir is None else Path(os.path.expanduser(data_dir)), download)
    if name.lower().endswith(".npz"):
        return npz.load(Path(name))
    raise BlurError(_unknown(name))


def _unknown(name: str) -> Diagnostic:
    notes = (f"the data sets are {', '.join(_BUILT_IN)}, and any FILE.npz with arrays x and y",)
    if os.path.isfile(name):
        help = f"save the arrays of {name} with numpy.savez(FILE, x=..., y=...) and give that FILE.npz"
    else:
        help = suggest(name.lower(), _BUILT_IN, "give one of these names, or the path of an .npz file")
    return Diagnostic("E801", f"unknown data set `{name}`", notes=notes, help=help)
