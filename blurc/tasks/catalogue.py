"""The image sets in MNIST's format: their file names, mirrors and checksums.

A checksum is either the SHA-256 of a file's unpacked content (MNIST, whose copies are compressed differently) or the
published MD5 of the gzip file. EMNIST has neither mirror nor checksum: it is published only as one zip of all its
variants.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from blurc.tasks.idx import Bytes, header

PARTS = ("train images", "train labels", "test images", "test labels")
PLAIN = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
EMNIST = tuple(f"emnist-balanced-{p.replace(' ', '-')}-idx{3 if 'images' in p else 1}-ubyte" for p in PARTS)


@dataclass(frozen=True)
class ImageSet:
    """`layouts` are the names that its four files may have, in the order of `PARTS`, without `.gz`; best first."""

    name: str
    description: str
    classes: int
    layouts: tuple[tuple[str, ...], ...] = (PLAIN,)
    mirrors: tuple[str, ...] = ()
    checksums: tuple[str, ...] = ()
    transposed: bool = False  # the files store columns first
    homepage: str | None = None  # where a person can get files that blurc cannot fetch


SETS = (
    ImageSet(
        name="mnist",
        description="handwritten digits of 28x28, 60,000 to train and 10,000 to test",
        classes=10,
        mirrors=(
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
        ),
        checksums=(
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ),
    ImageSet(
        name="fashion-mnist",
        description="articles of clothing, 10 classes, in the format of mnist",
        classes=10,
        mirrors=("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
        checksums=(
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "25c81989df183df01b3e8a0aad5dffbe",
            "bef4ecab320f06d8554ea6380940ec79",
            "bb300cfdad3c16e7a12a480ee83cd310",
        ),
    ),
    ImageSet(
        name="kmnist",
        description="cursive Japanese characters, 10 classes, in the format of mnist",
        classes=10,
        mirrors=("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
        checksums=(
            "bdb82020997e1d708af4cf47b453dcf7",
            "e144d726b3acfaa3e44228e80efcd344",
            "5c965bf0a639b31b8f53240b1b52f4d7",
            "7320c461ea6c1c855c0b718fb2a4b134",
        ),
    ),
    ImageSet(
        name="emnist",
        description="EMNIST balanced: letters and digits, 47 classes, 112,800 to train and 18,800 to test; "
        "from your own copy",
        classes=47,
        layouts=(EMNIST, PLAIN),
        transposed=True,
        homepage="https://www.nist.gov/itl/products-and-services/emnist-dataset",
    ),
)

_KNOWN = {digest: (s.name, part) for s in SETS for digest, part in zip(s.checksums, PARTS, strict=False)}


def identify(data: bytes, content: Bytes) -> tuple[str, str] | None:
    """The set and part that a published file belongs to, by the bytes on disk or by its content."""
    packed = hashlib.md5(data, usedforsecurity=False).hexdigest()
    unpacked = hashlib.sha256(header(content.shape))
    unpacked.update(content.data)
    return _KNOWN.get(packed) or _KNOWN.get(unpacked.hexdigest())
