"""Artifacts: compiled networks in a file, `NAME.blurx`.

    artifact.save(net, "digits.blurx", genome=genome, platforms=("cpu", "cuda", "tpu"))
    net = artifact.load("digits.blurx")

An artifact is a zip, one idea of it a file here:

    container.py    the zip: written to the same bytes for the same content, read with suspicion
    manifest.py     manifest.json: what is inside, and its shapes
    flat.py         the entry points as functions of flat tuples of arrays
    export.py       a network to StableHLO, and back
    loaded.py       the network that comes out
    save.py load.py the two ways through

It holds no pickle and no other code than StableHLO. Loading executes nothing of it.
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
