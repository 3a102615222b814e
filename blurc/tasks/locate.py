"""Where the four files of an image set are: `--data-dir`, then `BLURC_DATA`, then the cache folder.

In the first two, a subfolder named after the set comes before the folder itself. The first folder that has any of the
four files must have them all: a set is never assembled from several places. Only the cache folder may be incomplete,
after an interrupted fetch.
"""

from __future__ import annotations

import os
from pathlib import Path

from blurc.diagnostics import BlurError, Diagnostic
from blurc.storage import cache_folder
from blurc.tasks.catalogue import ImageSet

VARIABLE = "BLURC_DATA"


def folders(name: str, data_dir: Path | None) -> list[Path]:
    """The folders where a user may have put the files of a set, in order."""
    if data_dir and not os.path.isdir(data_dir):
        raise BlurError(Diagnostic("E802", f"there is no folder {data_dir}", help="correct --data-dir"))
    named = [data_dir] if data_dir else []
    if variable := os.environ.get(VARIABLE):
        named.append(Path(os.path.expanduser(variable)))
    return [folder for root in named for folder in (root / name, root)]


def find(wanted: ImageSet, data_dir: Path | None) -> tuple[Path, ...] | None:
    """The paths of the four files, or None if no folder has any (or the cache only some) of them."""
    for folder in folders(wanted.name, data_dir):
        found = present(wanted, folder)
        if found and len(found) < 4:
            raise BlurError(_incomplete(wanted, folder, found))
        if found:
            return tuple(found.values())
    cached = present(wanted, cache_folder(wanted.name))
    return tuple(cached.values()) if len(cached) == 4 else None


def present(wanted: ImageSet, folder: Path) -> dict[str, Path]:
    """Stem -> path of those of the four files that exist, in the layout that most of them have."""
    layouts = ({s: path for s in layout if (path := _file(folder, s))} for layout in wanted.layouts)
    return max(layouts, key=len)


def _file(folder: Path, stem: str) -> Path | None:
    return next((p for p in (folder / f"{stem}.gz", folder / stem) if os.path.isfile(p)), None)


def _incomplete(wanted: ImageSet, folder: Path, found: dict[str, Path]) -> Diagnostic:
    layout = next(x for x in wanted.layouts if found.keys() <= set(x))
    lacking = ", ".join(f"{stem}.gz" for stem in layout if stem not in found)
    message = f"{folder} has only some of the four files of {wanted.name}: {lacking} missing"
    return Diagnostic("E802", message, help="put all four files in one folder")


def missing(wanted: ImageSet, data_dir: Path | None) -> Diagnostic:
    """The error if no folder has the files and they are not to be fetched."""
    looked = dict.fromkeys((*folders(wanted.name, data_dir), cache_folder(wanted.name)))
    notes, help = how_to(wanted)
    notes = (f"looked in {', '.join(map(str, looked))}", *notes)
    return Diagnostic("E802", f"the files of {wanted.name} were not found", notes=notes, help=help)


def how_to(wanted: ImageSet) -> tuple[tuple[str, ...], str]:
    """How a person can supply the files: notes and help of a diagnostic."""
    names = ", ".join(f"{stem}.gz" for stem in wanted.layouts[0])
    notes = [f"the files are {names}"]
    if wanted.homepage:
        notes.append(f"blurc cannot fetch them: they are inside the gzip.zip of {wanted.homepage}")
    place = cache_folder(wanted.name)
    return tuple(notes), f"put them in {place}, or give their folder with --data-dir or {VARIABLE}"
