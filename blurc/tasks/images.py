"""Image sets in MNIST's format: finds or fetches their four files, checks them, and makes the arrays.

A file found on disk need not be the published one (a subset in the same format is fine), but it must be intact, and it
must not be the published file of another set. A fetched file must be the published one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from blurc.diagnostics import BlurError, Diagnostic, Report
from blurc.storage import cache_folder
from blurc.tasks.catalogue import PARTS, SETS, ImageSet, identify
from blurc.tasks.dataset import Dataset, Floats, one_hot
from blurc.tasks.fetch import fetch
from blurc.tasks.idx import Bytes, decode, read
from blurc.tasks.locate import find, how_to, missing, present

__all__ = ["SETS", "load"]

AXES = (3, 1, 3, 1)  # images, labels, images, labels


def load(wanted: ImageSet, data_dir: Path | None, download: bool) -> Dataset:
    paths = find(wanted, data_dir)
    if paths is None:
        if not (download and wanted.mirrors):
            raise BlurError(missing(wanted, data_dir))
        paths = _fetch_all(wanted)
    x_train, y_train, x_test, y_test = _read_all(wanted, paths)
    return Dataset(
        wanted.name,
        _scaled(x_train, wanted),
        one_hot(y_train, wanted.classes),
        _scaled(x_test, wanted),
        one_hot(y_test, wanted.classes),
        wanted.classes,
        wanted.description,
        str(paths[0].parent),
    )


def _scaled(images: Bytes, wanted: ImageSet) -> Floats:
    scaled = images.astype(np.float32)
    scaled /= 255
    return np.ascontiguousarray(scaled.swapaxes(1, 2)) if wanted.transposed else scaled


def _fetch_all(wanted: ImageSet) -> tuple[Path, ...]:
    folder = cache_folder(wanted.name)
    there = present(wanted, folder)
    for part, stem in enumerate(wanted.layouts[0]):
        if stem not in there:
            _fetch_one(wanted, part, folder)
    return tuple(present(wanted, folder).values())


def _fetch_one(wanted: ImageSet, part: int, folder: Path) -> None:
    file = f"{wanted.layouts[0][part]}.gz"
    reasons = fetch(file, wanted.mirrors, folder, lambda data: _complaint(data, wanted, part))
    if reasons:
        notes, help = how_to(wanted)
        message = f"could not fetch {file} of {wanted.name}"
        raise BlurError(Diagnostic("E805", message, notes=(*reasons, *notes), help=help))


def _complaint(data: bytes, wanted: ImageSet, part: int) -> str | None:
    try:
        content = decode(data, Path(f"{wanted.layouts[0][part]}.gz"), AXES[part])
    except BlurError as error:
        return error.diagnostics[0].message
    right = identify(data, content) == (wanted.name, PARTS[part])
    return None if right else "its checksum does not match the published file"


def _read_all(wanted: ImageSet, paths: tuple[Path, ...]) -> list[Bytes]:
    report, arrays = Report(), list[Bytes]()
    owners: dict[str, Path] = {}
    for path, axes in zip(paths, AXES, strict=True):
        try:
            data = read(path)
            arrays.append(decode(data, path, axes))
        except BlurError as error:
            report.diagnostics += error.diagnostics
        else:
            if owner := identify(data, arrays[-1]):
                owners.setdefault(owner[0], path)
    report.check()
    _check_owners(report, wanted, owners)
    report.check()
    _check_counts(report, paths, arrays)
    _check_labels(report, wanted, paths, arrays)
    report.check()
    return arrays


def _check_owners(report: Report, wanted: ImageSet, owners: dict[str, Path]) -> None:
    """`owners`: set -> its first known file."""
    for owner, path in owners.items():
        if owner != wanted.name:
            message = f"{path} belongs to {owner}, not {wanted.name}"
            help = f"use --data {owner}, or the folder with the files of {wanted.name}"
            report.error("E803", message, None, help=help)


def _check_counts(report: Report, paths: tuple[Path, ...], arrays: list[Bytes]) -> None:
    for i in (0, 2):
        images, labels = arrays[i : i + 2]
        if len(images) != len(labels):
            message = f"{paths[i]} has {len(images)} images, but {paths[i + 1]} has {len(labels)} labels"
            report.error("E803", message, None, help="take both files from the same copy of the set")
    train, test = ("x".join(map(str, arrays[i].shape[1:])) for i in (0, 2))
    if train != test:
        message = f"{paths[0]} has images of {train}, but {paths[2]} has images of {test}"
        report.error("E803", message, None, help="take both files from the same copy of the set")


def _check_labels(report: Report, wanted: ImageSet, paths: tuple[Path, ...], arrays: list[Bytes]) -> None:
    for i in (1, 3):
        wrong = np.flatnonzero(arrays[i] >= wanted.classes)
        if len(wrong):
            found = f"label {arrays[i][wrong[0]]} at position {wrong[0]}"
            message = f"{paths[i]}: {found}, expected 0 to {wanted.classes - 1}"
            report.error("E803", message, None, help=f"use the file from {wanted.name}")
