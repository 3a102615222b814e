"""The locations of the grammar, the spec library and what `blurc init` writes.

A wheel has these folders inside the package; a source checkout has them next to it.
"""

from __future__ import annotations

import os
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


def grammar_path() -> Path:
    return _packaged("grammar") / "blur.lark"


def examples_path() -> Path:
    return _packaged("grammar") / "codes.examples"


def specs_path() -> Path:
    return _packaged("specs")


def starter_path() -> Path:
    return _packaged("starter")


def _packaged(folder: str) -> Path:
    inside = PACKAGE / folder
    return inside if inside.is_dir() else PACKAGE.parent / folder


def resolve_import(path: str, importing: Path | None) -> Path | None:
    """Resolves `import "path"`: a file next to the importing one (for a text, in the working folder), or one in the
    spec library."""
    folder = importing.parent if importing else Path()
    return next((p for p in (folder / path, specs_path() / path) if os.path.isfile(p)), None)
