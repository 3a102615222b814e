"""Where the grammar and the library of specs lie.

A wheel carries `grammar` and `specs` inside the package; in a source checkout they stand beside it.
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


def _packaged(folder: str) -> Path:
    inside = PACKAGE / folder
    return inside if inside.is_dir() else PACKAGE.parent / folder


def resolve_import(path: str, importing: Path | None) -> Path | None:
    """What `import "path"` means: a file beside the importing one (for a text: in the working folder), or one
    of the spec library."""
    folder = importing.parent if importing else Path()
    return next((p for p in (folder / path, specs_path() / path) if os.path.isfile(p)), None)
