"""Every size that a file states is bounded, and looked at before it is paid for."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pace import within

from blurc import genome
from blurc.diagnostics import MOST, BlurError, Source
from blurc.meta.experiment import schema
from blurc.storage import npz

LONG = 100_000
GENOME = "name: x\nrule: y\nvalues: "
YAML: dict[str, str] = {
    "keys": "".join(f"k{i}: {i}\n" for i in range(LONG)),
    "one key": "a: 1\n" * LONG,
    "brackets": "[" * LONG,
    "lists": "- " * LONG,
    "mappings": "{a: " * LONG,
    "keys of keys": "? " * LONG,
    "indents": "a:\n" + "".join(" " * i + "a:\n" for i in range(1, 1000)),
    "digits": GENOME + f"{{a: {'9' * LONG}}}",
    "zeros": GENOME + f"{{}}\nparameters: {{k: {'0' * LONG}1}}",
    "a note": GENOME + f"{{}}\nfound: {{a: {'9' * LONG}}}",
    "a word": "name: " + "x" * LONG,
    "wrong numbers": GENOME + "\n  a:\n" + "  - [1, x]\n" * 2000,
    "tags": "a: !!python/object:os.system x\n" * 1000,
    "an alias": "a: &a [1]\nb: [*a, *a]",
    "quotes": "'" * LONG,
    "tabs": "\t" * LONG,
    "a comment": "#" * LONG,
}


@pytest.mark.parametrize("parse", [genome.parse, schema.parse])
@pytest.mark.parametrize("kind", YAML)
def test_too_much_yaml_is_told_soon_and_in_few_words(kind: str, parse: Callable[[Source], object]) -> None:
    with within(2), pytest.raises(BlurError) as found:
        parse(Source("a.yaml", YAML[kind]))
    assert len(found.value.diagnostics) <= MOST
    assert all(len(d.render()) < 1000 for d in found.value.diagnostics)


def claiming(shape: str, data: bytes, method: int = zipfile.ZIP_STORED) -> bytes:
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data)
    return file.getvalue()


@pytest.mark.parametrize("shape", ["(130000000,)", "(10000, 13000)", "(2, 2)", "(1,)"])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_array_that_cannot_be_there_takes_no_memory(tmp_path: Path, shape: str, method: int) -> None:
    (tmp_path / "x.npz").write_bytes(claiming(shape, b"", method))
    tracemalloc.start()
    with npz.opened(tmp_path / "x.npz") as archive, pytest.raises(npz.Damaged):
        archive.array("x")
    assert tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()


def test_an_archive_that_lies_about_its_members_takes_no_memory(tmp_path: Path) -> None:
    whole = bytearray(claiming("(130000000,)", bytes(64)))
    for signature, at in ((b"PK\x03\x04", 18), (b"PK\x01\x02", 20)):  # packed and unpacked sizes
        start = whole.index(signature) + at
        whole[start : start + 8] = struct.pack("<II", 1_040_000_128, 1_040_000_128)
    (tmp_path / "x.npz").write_bytes(whole)
    tracemalloc.start()
    with npz.opened(tmp_path / "x.npz") as archive, pytest.raises(npz.Damaged):
        archive.array("x")
    assert tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_array_that_packs_well_is_read(tmp_path: Path, save: Callable[..., None]) -> None:
    save(tmp_path / "x.npz", x=np.zeros(10**7))
    with npz.opened(tmp_path / "x.npz") as archive:
        assert archive.array("x").shape == (10**7,)
