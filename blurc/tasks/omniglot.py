"""Omniglot (Lake, Salakhutdinov, Tenenbaum 2015): drawings of characters of many alphabets, from the official zips.

An episode has a few characters, drawn from all alphabets of the zip. A fixed seeded fifth of the characters is not used
during meta-learning: test episodes consist of these alone. Each episode learns some drawings of a character and is
asked about others. Ink is 1 and paper 0.

Alternatively all characters of one alphabet form an ordinary data set: fifteen persons drew its training examples,
five others those for testing.
"""

from __future__ import annotations

import io
import os
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from blurc.diagnostics import BlurError, Diagnostic, suggest
from blurc.guards import check_package
from blurc.storage import cache_folder, open_file, why
from blurc.tasks import few_shot, preprocess
from blurc.tasks.choice import TaskChoice
from blurc.tasks.dataset import Dataset, Floats, Indices, one_hot
from blurc.tasks.examples import Examples, rows, shuffled_rows
from blurc.tasks.few_shot import FewShot
from blurc.tasks.locate import VARIABLE, folders
from blurc.tasks.objective import TargetKind
from blurc.tasks.source import Draw, Drawn

NAME = "omniglot"
DESCRIPTION = "characters of many alphabets, N of them in an episode of N ways; from your own copy"
HOMEPAGE = "https://github.com/brendenlake/omniglot"
FILES = tuple(f"images_background{part}.zip" for part in ("", "_small1", "_small2"))
SIDE = 105
DRAWINGS = 20
ASKED = 5  # drawings of a character to be asked about
SEED = 0  # selects the persons whose drawings of an alphabet are for testing
MOST = 256 * 2**20  # bytes of a zip: the published ones have at most 10 million
LIMIT = 2**20  # bytes of a picture: the published ones have a few hundred
HELP = "use the published zip"

Ink: TypeAlias = npt.NDArray[np.bool_]

# What zipfile and Pillow raise on malformed bytes (a broken PNG is a SyntaxError).
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, ValueError, RuntimeError, SyntaxError,
)  # fmt: skip

_MEMBER = re.compile(r"(?:[^/]+/)?([^/]+/[^/]+)/[^/]+\.png")


@partial(jax.tree_util.register_dataclass, data_fields=["learned", "tested"], meta_fields=["outputs"])
@dataclass(frozen=True, eq=False)
class Characters:
    """Drawings [characters, drawings, features] for learning a rule, and other characters for testing it."""

    learned: jax.Array
    tested: jax.Array
    outputs: int

    @property
    def features(self) -> int:
        return self.learned.shape[2]

    @property
    def targets(self) -> TargetKind:
        return "classes"

    @property
    def time(self) -> int:
        return 0

    def draw(self, key: jax.Array, count: int, query: int, test: bool) -> Drawn:
        choice_key, drawing_key, order_key, row_key, query_key = jax.random.split(key, 5)
        images = self.tested if test else self.learned
        character = jax.random.permutation(choice_key, len(images))[: self.outputs]
        drawing = jax.random.permutation(drawing_key, DRAWINGS)
        shown = DRAWINGS - ASKED
        label, place = jnp.divmod(shuffled_rows(order_key, row_key, self.outputs * shown, count), shown)
        label_query, place_query = jnp.divmod(rows(query_key, self.outputs * ASKED, query), ASKED)
        x = images[character[label], drawing[place]]
        return Drawn(x, label, images[character[label_query], drawing[shown + place_query]], label_query)

    def placed(self, key: jax.Array, test: bool) -> Draw:
        few = self._few(key, test)
        return lambda draw_key, count, query: few.draw(draw_key, count, query, True)

    def _few(self, key: jax.Array, test: bool) -> Examples:
        """The characters of one episode as a data set."""
        character_key, drawing_key = jax.random.split(key)
        images = self.tested if test else self.learned
        character = jax.random.permutation(character_key, len(images))[: self.outputs]
        drawing = jax.random.permutation(drawing_key, DRAWINGS)
        sides: list[tuple[jax.Array, jax.Array]] = []
        for of in (drawing[: DRAWINGS - ASKED], drawing[DRAWINGS - ASKED :]):
            label = jnp.repeat(jnp.arange(self.outputs), len(of))
            sides.append((images[character[:, None], of].reshape(-1, self.features), label))
        (x, label), (x_query, label_query) = sides
        return Examples(x, label, x_query, label_query, self.outputs, len(x))


def make(choice: TaskChoice, data_dir: Path | None) -> Characters | FewShot:
    images = read(find(data_dir))
    # One character at a time: all of them at full size would take gigabytes as floats.
    x = np.stack([preprocess.pixels(drawings.astype(np.float32), choice) for drawings in images])
    if choice.shots:
        return few_shot.make(x.reshape(-1, x.shape[-1]), np.repeat(np.arange(len(x)), DRAWINGS), choice)
    learned, tested = few_shot.divided(len(images))
    if choice.ways > len(tested):
        message = f"`ways` is {choice.ways}, but only {len(tested)} characters are held out for testing"
        raise BlurError(Diagnostic("E811", message, help=f"write at most {len(tested)}, or use a larger zip"))
    if choice.center:
        mean, deviation = preprocess.moments(x[learned])
        x = (x - mean) / deviation
    return Characters(jnp.asarray(x[learned]), jnp.asarray(x[tested]), choice.ways)


def alphabet(name: str, data_dir: Path | None) -> Dataset:
    """Its characters as classes, in the order of their numbers."""
    path = find(data_dir)
    images = read(path, name).astype(np.float32)
    person = np.random.default_rng(SEED).permutation(DRAWINGS)

    def by(persons: Indices) -> tuple[Floats, Floats]:
        label = np.repeat(np.arange(len(images)), len(persons))
        return images[:, persons].reshape(-1, SIDE, SIDE), one_hot(label, len(images))

    (x, y), (x_test, y_test) = by(person[ASKED:]), by(person[:ASKED])
    return Dataset(f"{NAME} {name}", x, y, x_test, y_test, len(images), DESCRIPTION, str(path))


def find(data_dir: Path | None) -> Path:
    """The zip: in the given folder, that of BLURC_DATA or the cache, or in a subfolder `omniglot` of these."""
    looked = [*folders(NAME, data_dir), cache_folder(NAME)]
    for folder in looked:
        for file in FILES:
            if os.path.isfile(folder / file):
                return folder / file
    notes = (
        f"looked in {', '.join(map(str, dict.fromkeys(looked)))}",
        f"the file is {FILES[0]}, or one of the smaller {', '.join(FILES[1:])}",
        f"blurc cannot fetch it: it is in the folder `python` of {HOMEPAGE}",
    )
    help = f"put it in {looked[-1]}, or give its folder with --data-dir or {VARIABLE}"
    raise BlurError(Diagnostic("E802", "no zip of omniglot was found", notes=notes, help=help))


def read(path: Path, alphabet: str = "") -> Ink:
    """[characters, 20, 105, 105], ordered by alphabet and number; of one alphabet, or of all."""
    check_package("PIL", "the drawings of Omniglot need")
    try:
        file = open_file(path, (".zip",), MOST)
    except OSError as error:
        raise BlurError(Diagnostic("E802", f"cannot read {path}: {why(error)}")) from None
    try:
        archive = zipfile.ZipFile(file)
    except _DAMAGE as error:
        file.close()
        raise _wrong(f"{path}: not a readable zip: {error}") from None
    with file, archive:
        return np.array([[_image(archive, m, path) for m in d] for d in _members(archive, path, alphabet)])


def _wrong(message: str) -> BlurError:
    return BlurError(Diagnostic("E803", message, help=HELP))


def _members(archive: zipfile.ZipFile, path: Path, alphabet: str) -> list[list[str]]:
    characters: dict[str, list[str]] = {}
    for name in sorted(archive.namelist()):
        if match := _MEMBER.fullmatch(name):
            characters.setdefault(match[1], []).append(name)
    for character, drawings in characters.items():
        if len(drawings) != DRAWINGS:
            raise _wrong(f"{path}: {character} has {len(drawings)} drawings, expected {DRAWINGS}")
    if not characters:
        raise _wrong(f"{path}: it contains no pictures ALPHABET/CHARACTER/NAME.png")
    alphabets = dict.fromkeys(character.split("/")[0] for character in characters)
    if alphabet and alphabet not in alphabets:
        raise BlurError(_no_alphabet(alphabet, path, [*alphabets]))
    return [d for name, d in characters.items() if not alphabet or name.split("/")[0] == alphabet]


def _no_alphabet(name: str, path: Path, known: list[str]) -> Diagnostic:
    help = suggest(name, known, f"the alphabets are {', '.join(known)}")
    return Diagnostic("E811", f"{path} has no alphabet `{name}`", help=help)


def _image(archive: zipfile.ZipFile, name: str, path: Path) -> Ink:
    size = archive.getinfo(name).file_size
    if size > LIMIT:
        raise _wrong(f"{path}: {name} declares {size} bytes, blurc reads at most {LIMIT}")
    from PIL import Image  # an extra

    try:
        with Image.open(io.BytesIO(archive.read(name)), formats=["PNG"]) as picture:
            if picture.size == (SIDE, SIDE):
                return np.asarray(picture.convert("L")) < 128  # ink is black
            found = f"{picture.width}x{picture.height}"
    except (*_DAMAGE, Image.DecompressionBombError) as error:
        raise _wrong(f"{path}: {name} is damaged: {error}") from None
    raise _wrong(f"{path}: {name} is {found}, expected {SIDE}x{SIDE}")
