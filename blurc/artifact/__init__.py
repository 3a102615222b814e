"""Artifacts: compiled networks in a file, `NAME.blurx`.

    artifact.save(net, "digits.blurx", genome=genome, platforms=("cpu", "cuda", "tpu"))
    net = artifact.load("digits.blurx")

An artifact is a zip file:

    container.py    the zip: the same content gives the same bytes, and nothing read is trusted
    manifest.py     manifest.json: what is inside, and its shapes
    flat.py         the entry points as functions of flat tuples of arrays
    export.py       networks to StableHLO and back
    loaded.py       a network loaded from a file
    save.py load.py writing and reading

It contains no pickles and no code except StableHLO. Loading it executes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.artifact.load import load
    from blurc.artifact.loaded import Loaded
    from blurc.artifact.save import save

__all__ = ["Loaded", "load", "save"]

face(__name__)
