"""Packages that only some things need, and that come as extras."""

from __future__ import annotations

from importlib.util import find_spec

from blurc.diagnostics import BlurError, Diagnostic

EXTRAS = {
    "matplotlib": "pictures", "PIL": "pictures", "nir": "nir", "pygls": "editor", "tensorboardX": "tensorboard",
    "wandb": "wandb", "evosax": "bench", "brian2": "bench",
}  # fmt: skip


def check_package(package: str, needing: str) -> None:
    """Raises `BlurError` (E921) if a package is not installed. `needing`: what needs it, as a sentence begins, with its
    verb: "pictures need"."""
    if not has_package(package):
        message = f"{needing} the package `{package}`, which is not installed"
        raise BlurError(Diagnostic("E921", message, help=f"pip install 'blurc[{EXTRAS[package]}]'"))


def has_package(package: str) -> bool:
    return find_spec(package) is not None
