"""Data sets, their files and their batches. Nothing here touches the network."""

from __future__ import annotations

import gzip
import hashlib
import io
import itertools
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest

from blurc import tasks
from blurc.diagnostics import BlurError, Diagnostic
from blurc.tasks import catalogue, dataset, fetch, idx

PLAIN = catalogue.PLAIN
REAL = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture
def real_data() -> Path:
    """The folder that has MNIST's own files."""
    candidates = [Path(os.environ["BLURC_DATA"])] if os.environ.get("BLURC_DATA") else []
    for root in (*candidates, REAL):
        if any((folder / f"{PLAIN[0]}.gz").is_file() for folder in (root, root / "mnist")):
            return root
    pytest.skip("MNIST's files are neither in BLURC_DATA nor in ../shared/data")


@pytest.fixture(autouse=True)
def cache(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test has its own empty cache, no BLURC_DATA, and no network."""
    # The real data is found by the BLURC_DATA that is taken away here, so it goes first.
    if "real_data" in request.fixturenames:
        request.getfixturevalue("real_data")
    monkeypatch.delenv("BLURC_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(fetch, "urlopen", Mirror({}).open)
    return tmp_path / "cache" / "blurc"


class Mirror:
    """Stands in for the network: URL -> bytes, or the exception to raise. Records the requests."""

    def __init__(self, files: dict[str, bytes | Exception]):
        self.files, self.asked = files, []

    def open(self, request, timeout: float):
        assert timeout > 0
        self.asked.append(request.full_url)
        answer = self.files.get(request.full_url, URLError("Name or service not known"))
        if isinstance(answer, Exception):
            raise answer
        return io.BytesIO(answer)


class BreaksOff(io.BytesIO):
    def read(self, *_: int) -> bytes:
        raise ConnectionResetError("connection reset by peer")


def one(error: pytest.ExceptionInfo[BlurError]) -> Diagnostic:
    (diagnostic,) = error.value.diagnostics
    return diagnostic


def refused(act: Callable[[], object]) -> Diagnostic:
    with pytest.raises(BlurError) as error:
        act()
    return one(error)


def tiny(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (count, 4, 3), np.uint8)
    return images, (np.arange(count) % 10).astype(np.uint8)


def contents() -> list[np.ndarray]:
    """Train images, train labels, test images, test labels: 20 and 10 images of 4x3."""
    return [*tiny(20, 0), *tiny(10, 1)]


def packed(array: np.ndarray) -> bytes:
    return gzip.compress(idx.header(array.shape) + array.tobytes(), mtime=0)


def write_set(folder: Path, names: tuple[str, ...] = PLAIN) -> list[np.ndarray]:
    folder.mkdir(parents=True, exist_ok=True)
    arrays = contents()
    for name, array in zip(names, arrays, strict=True):
        (folder / f"{name}.gz").write_bytes(packed(array))
    return arrays


# ---------------------------------------------------------------- names


def test_every_built_in_set_is_listed_with_a_line_about_it():
    assert list(tasks.names()) == ["digits", "xor", "mnist", "fashion-mnist", "kmnist", "emnist"]
    assert all(tasks.names().values())


def test_an_unknown_name_gets_the_nearest_one_and_the_list():
    d = refused(lambda: tasks.load("Fashion_MNIST"))
    assert d.render() == (
        "error[E801]: unknown data set `Fashion_MNIST`\n"
        "   note: the data sets are digits, xor, mnist, fashion-mnist, kmnist, emnist, "
        "and any FILE.npz with arrays x and y\n"
        "   help: did you mean `fashion-mnist`?"
    )


def test_an_unknown_name_near_nothing_says_what_may_stand_there():
    assert refused(lambda: tasks.load("zzz")).help == "give one of these names, or the path of an .npz file"


def test_a_file_that_is_no_npz_says_how_to_make_one(tmp_path: Path):
    (tmp_path / "my.csv").write_text("1,2")
    d = refused(lambda: tasks.load(tmp_path / "my.csv"))
    assert (d.code, "numpy.savez(FILE, x=..., y=...)" in (d.help or "")) == ("E801", True)


@pytest.mark.parametrize("name", ["m\0nist", "x" * 5000, "", "a\0.npz"])
def test_a_name_that_is_no_path_either_is_a_diagnostic(name: str):
    assert refused(lambda: tasks.load(name)).code in ("E801", "E802")


def test_importing_the_tasks_imports_no_jax():
    code = "import sys, blurc.tasks; sys.exit(bool({'jax', 'sklearn'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# ---------------------------------------------------------------- digits and xor


def test_digits_are_scaled_and_split_into_1437_and_360():
    d = tasks.load("digits")
    assert (d.x_train.shape, d.y_train.shape) == ((1437, 8, 8), (1437, 10))
    assert (d.x_test.shape, d.y_test.shape) == ((360, 8, 8), (360, 10))
    assert (d.input_shape, d.output_shape, d.classes) == ((8, 8), (10,), 10)
    assert (d.x_train.min(), d.x_train.max(), d.x_train.dtype) == (0, 1, np.float32)


def test_the_split_of_digits_is_stratified_and_loses_no_image():
    d = tasks.load("digits")
    total = d.y_train.sum(0) + d.y_test.sum(0)
    assert total.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert np.abs(d.y_test.sum(0) - total / 5).max() <= 1


def test_the_split_of_digits_never_changes():
    images = (tasks.load("digits").x_test * 16).astype(np.uint8)
    # Scores are comparable on the same split only: this pins it over versions of NumPy and scikit-learn.
    assert hashlib.sha256(images.tobytes()).hexdigest()[:16] == "9959a15abbbe88b4"


def test_xor_is_one_hot_of_whether_the_signs_differ():
    d = tasks.load("xor")
    assert (d.x_train.shape, d.y_train.shape, d.x_test.shape) == ((512, 2), (512, 2), (256, 2))
    for x, y in ((d.x_train, d.y_train), (d.x_test, d.y_test)):
        assert np.array_equal(y[:, 1], (x[:, 0] * x[:, 1] < 0).astype(np.float32))
        assert np.array_equal(y.sum(1), np.ones(len(y)))


def test_no_straight_line_separates_xor():
    d = tasks.load("xor")
    x = np.c_[d.x_train, np.ones(512)]
    fit = np.linalg.lstsq(x, d.y_train[:, 1] - 0.5, rcond=None)[0]
    assert np.mean((x @ fit > 0) == (d.y_train[:, 1] > 0)) < 0.8


def test_the_arrays_of_a_set_cannot_be_overwritten():
    with pytest.raises(ValueError, match="read-only"):
        tasks.load("xor").x_train[0] = 0


# ---------------------------------------------------------------- where image files are found


def test_an_image_set_is_read_scaled_and_one_hot(tmp_path: Path):
    x, labels, x_test, _ = write_set(tmp_path)
    d = tasks.load("mnist", data_dir=tmp_path)
    assert np.array_equal(d.x_train, x.astype(np.float32) / np.float32(255))
    assert np.array_equal(d.x_test, x_test.astype(np.float32) / np.float32(255))
    assert np.array_equal(d.y_train.argmax(1), labels)
    assert (d.y_train.shape, d.classes, d.source) == ((20, 10), 10, str(tmp_path))


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "kmnist"])
def test_a_folder_of_the_sets_name_comes_before_the_folder_itself(tmp_path: Path, name: str):
    write_set(tmp_path)
    write_set(tmp_path / name)
    assert tasks.load(name, data_dir=tmp_path).source == str(tmp_path / name)


def test_data_dir_comes_before_the_variable_and_that_before_the_cache(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
):
    for folder in (tmp_path / "a", tmp_path / "b" / "mnist", cache / "mnist"):
        write_set(folder)
    monkeypatch.setenv("BLURC_DATA", str(tmp_path / "b"))
    assert tasks.load("mnist", data_dir=tmp_path / "a").source == str(tmp_path / "a")
    assert tasks.load("mnist").source == str(tmp_path / "b" / "mnist")
    monkeypatch.delenv("BLURC_DATA")
    assert tasks.load("mnist").source == str(cache / "mnist")


def test_files_that_are_not_compressed_are_read_too(tmp_path: Path):
    write_set(tmp_path / "gz")
    (tmp_path / "plain").mkdir()
    for file in (tmp_path / "gz").iterdir():
        (tmp_path / "plain" / file.stem).write_bytes(gzip.decompress(file.read_bytes()))
    a, b = (tasks.load("mnist", data_dir=tmp_path / f) for f in ("gz", "plain"))
    assert np.array_equal(a.x_train, b.x_train)
    assert np.array_equal(a.y_test, b.y_test)


@pytest.mark.parametrize("names", catalogue.SETS[-1].layouts, ids=["official names", "plain names"])
def test_emnist_is_turned_upright_and_has_47_classes(tmp_path: Path, names: tuple[str, ...]):
    x = write_set(tmp_path, names)[0]
    d = tasks.load("emnist", data_dir=tmp_path)
    assert np.array_equal(d.x_train, x.transpose(0, 2, 1).astype(np.float32) / np.float32(255))
    assert d.output_shape == (47,)


def test_a_part_of_the_four_files_is_refused_by_name(tmp_path: Path):
    write_set(tmp_path)
    (tmp_path / f"{PLAIN[1]}.gz").unlink()
    (tmp_path / f"{PLAIN[2]}.gz").unlink()
    d = refused(lambda: tasks.load("mnist", data_dir=tmp_path))
    assert d.render() == (
        f"error[E802]: {tmp_path} has only some of the four files of mnist: "
        "train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz missing\n"
        "   help: put all four files in one folder"
    )


def test_a_data_dir_that_is_not_there_is_refused(tmp_path: Path):
    d = refused(lambda: tasks.load("mnist", data_dir=tmp_path / "nowhere"))
    assert (d.code, d.message) == ("E802", f"there is no folder {tmp_path / 'nowhere'}")


def test_missing_files_are_named_with_every_place_to_put_them(cache: Path, tmp_path: Path):
    d = refused(lambda: tasks.load("mnist", data_dir=tmp_path, download=False))
    assert d.render() == (
        "error[E802]: the files of mnist were not found\n"
        f"   note: looked in {tmp_path / 'mnist'}, {tmp_path}, {cache / 'mnist'}\n"
        "   note: the files are train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, "
        "t10k-images-idx3-ubyte.gz, t10k-labels-idx1-ubyte.gz\n"
        f"   help: put them in {cache / 'mnist'}, or give their folder with --data-dir or BLURC_DATA"
    )


def test_emnist_cannot_be_fetched_and_the_message_says_where_it_is():
    d = refused(lambda: tasks.load("emnist"))
    assert d.code == "E802"
    assert "https://www.nist.gov/itl/products-and-services/emnist-dataset" in d.notes[-1]


# ---------------------------------------------------------------- damaged image files


IMAGES = contents()[0]
RAW = idx.header(IMAGES.shape) + IMAGES.tobytes()
DAMAGE = {
    "empty": (b"", "the file is empty"),
    "a web page": (b"<!DOCTYPE html>", "not a gzip file: it starts with 0x3c21444f, expected 0x1f8b"),
    "not compressed": (RAW, "not a gzip file: it starts with 0x00000803, expected 0x1f8b"),
    "gzip cut off": (packed(IMAGES)[:-40], f"truncated: the gzip data ends after {len(packed(IMAGES)) - 40} bytes"),
    "content cut off": (
        gzip.compress(RAW[:-5]),
        "truncated: 235 bytes follow the header, which declares 20 x 4 x 3 = 240",
    ),
    "header cut off": (gzip.compress(RAW[:9]), "truncated: 9 bytes, but the header alone takes 16"),
    "too long": (gzip.compress(RAW + b"!"), "more bytes follow the header, which declares 20 x 4 x 3 = 240"),
    "labels": (
        packed(contents()[1]),
        "not an IDX file of images: it starts with 0x00000801 (a file of labels), "
        "expected 0x00000803 (unsigned bytes, 3 axes)",
    ),
    "floats": (
        gzip.compress(b"\0\0\x0d\3" + RAW[4:]),
        "not an IDX file of images: it starts with 0x00000d03, expected 0x00000803 (unsigned bytes, 3 axes)",
    ),
    "no images": (packed(IMAGES[:0]), "the header declares 0 x 4 x 3 images, so there is no data"),
    "a bomb": (
        gzip.compress(idx.header((60000, 10000, 10000)) + bytes(1000)),
        "the header declares 60000 x 10000 x 10000 = 6000000000000 bytes, blurc reads at most 268435456",
    ),
}


@pytest.mark.parametrize(("data", "message"), DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_file_is_named_with_what_was_found_and_expected(tmp_path: Path, data: bytes, message: str):
    write_set(tmp_path)
    file = tmp_path / f"{PLAIN[0]}.gz"
    file.write_bytes(data)
    d = refused(lambda: tasks.load("mnist", data_dir=tmp_path))
    assert (d.code, d.message) == ("E803", f"{file}: {message}")
    assert d.help


def test_a_flipped_bit_is_found_by_the_crc(tmp_path: Path):
    write_set(tmp_path)
    file = tmp_path / f"{PLAIN[0]}.gz"
    data = bytearray(packed(IMAGES))
    data[-6] ^= 1  # in the CRC, so that nothing else is wrong
    file.write_bytes(data)
    d = refused(lambda: tasks.load("mnist", data_dir=tmp_path))
    assert d.message.startswith(f"{file}: damaged gzip data: CRC check failed")


def test_a_bomb_behind_a_small_header_is_not_unpacked(monkeypatch: pytest.MonkeyPatch):
    data = gzip.compress(RAW + bytes(50_000_000))
    asked: list[int] = []
    read = gzip.GzipFile.read
    monkeypatch.setattr(gzip.GzipFile, "read", lambda self, n=-1: (asked.append(n), read(self, n))[1])
    assert "more bytes follow" in refused(lambda: idx.decode(data, Path("a.gz"), 3)).message
    assert asked == [4, 12, 241]


def test_plain_data_under_a_gz_name_is_told_its_right_name(tmp_path: Path):
    write_set(tmp_path)
    (tmp_path / f"{PLAIN[0]}.gz").write_bytes(RAW)
    d = refused(lambda: tasks.load("mnist", data_dir=tmp_path))
    assert d.help == f"it is uncompressed IDX data: rename it to {PLAIN[0]}"


def test_all_damaged_files_are_reported_at_once(tmp_path: Path):
    write_set(tmp_path)
    for name in PLAIN[1:]:
        (tmp_path / f"{name}.gz").write_bytes(b"")
    with pytest.raises(BlurError) as error:
        tasks.load("mnist", data_dir=tmp_path)
    assert [d.message for d in error.value.diagnostics] == [
        f"{tmp_path / name}.gz: the file is empty" for name in PLAIN[1:]
    ]


def test_images_without_their_labels_are_refused(tmp_path: Path):
    write_set(tmp_path)
    images, labels = (tmp_path / f"{name}.gz" for name in PLAIN[2:])
    labels.write_bytes(packed(contents()[3][:9]))
    d = refused(lambda: tasks.load("mnist", data_dir=tmp_path))
    assert (d.code, d.message) == ("E803", f"{images} has 10 images, but {labels} has 9 labels")


def test_training_and_test_images_have_one_size(tmp_path: Path):
    write_set(tmp_path)
    train, test = (tmp_path / f"{PLAIN[i]}.gz" for i in (0, 2))
    test.write_bytes(packed(np.zeros((10, 5, 5), np.uint8)))
    d = refused(lambda: tasks.load("mnist", data_dir=tmp_path))
    assert d.message == f"{train} has images of 4x3, but {test} has images of 5x5"


def test_a_label_beyond_the_classes_is_refused_with_its_place(tmp_path: Path):
    write_set(tmp_path)
    labels = contents()[1]
    labels[7] = 10
    file = tmp_path / f"{PLAIN[1]}.gz"
    file.write_bytes(packed(labels))
    d = refused(lambda: tasks.load("mnist", data_dir=tmp_path))
    assert (d.code, d.message) == ("E803", f"{file}: label 10 at position 7, expected 0 to 9")


# ---------------------------------------------------------------- fetching


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The tiny files, as if they were the published files of kmnist (known by gzip MD5): URL -> bytes."""
    kmnist = catalogue.SETS[2]
    files = {f"{kmnist.mirrors[0]}{n}.gz": packed(a) for n, a in zip(PLAIN, contents(), strict=True)}
    digests = (hashlib.md5(data).hexdigest() for data in files.values())
    known = {d: ("kmnist", part) for d, part in zip(digests, catalogue.PARTS, strict=True)}
    monkeypatch.setattr(catalogue, "_KNOWN", known)
    return files


def serve(monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes | Exception]) -> Mirror:
    mirror = Mirror(files)
    monkeypatch.setattr(fetch, "urlopen", mirror.open)
    return mirror


def test_missing_files_are_fetched_into_the_cache_once(
    cache: Path, published: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
):
    mirror = serve(monkeypatch, published)
    first, second = tasks.load("kmnist"), tasks.load("kmnist")
    assert sorted(f.name for f in (cache / "kmnist").iterdir()) == sorted(f"{name}.gz" for name in PLAIN)
    assert mirror.asked == list(published)
    assert np.array_equal(first.x_train, second.x_train)


def test_only_what_the_cache_lacks_is_fetched(
    cache: Path, published: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
):
    write_set(cache / "kmnist")
    (cache / "kmnist" / f"{PLAIN[2]}.gz").unlink()
    mirror = serve(monkeypatch, published)
    tasks.load("kmnist")
    assert mirror.asked == [url for url in published if PLAIN[2] in url]


def test_the_second_mirror_is_asked_when_the_first_fails(cache: Path, monkeypatch: pytest.MonkeyPatch):
    mirror = serve(monkeypatch, {"http://b/f": b"right"})
    check = {b"right": None}.get
    assert fetch.fetch("f", ("http://a/", "http://b/"), cache, check) == ()
    assert (mirror.asked, (cache / "f").read_bytes()) == (["http://a/f", "http://b/f"], b"right")


def test_without_network_the_message_says_where_to_put_which_files(cache: Path):
    d = refused(lambda: tasks.load("mnist"))
    assert d.render() == (
        "error[E805]: could not fetch train-images-idx3-ubyte.gz of mnist\n"
        "   note: https://storage.googleapis.com/cvdf-datasets/mnist/train-images-idx3-ubyte.gz: "
        "Name or service not known\n"
        "   note: https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz: "
        "Name or service not known\n"
        "   note: the files are train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, "
        "t10k-images-idx3-ubyte.gz, t10k-labels-idx1-ubyte.gz\n"
        f"   help: put them in {cache / 'mnist'}, or give their folder with --data-dir or BLURC_DATA"
    )


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda data: packed(IMAGES + 1), "its checksum does not match the published file"),
        (lambda data: b"<html>sign in</html>", "not a gzip file: it starts with 0x3c68746d"),
        (lambda data: data[:-30], "truncated: the gzip data ends"),
        (lambda data: packed(contents()[2]), "its checksum does not match the published file"),
    ],
    ids=["other images", "a web page", "cut off", "the test images"],
)
def test_a_fetched_file_that_is_not_the_published_one_is_not_kept(
    cache: Path, published: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, spoil, complaint: str
):
    url = next(iter(published))
    serve(monkeypatch, {**published, url: spoil(published[url])})
    d = refused(lambda: tasks.load("kmnist"))
    assert d.code == "E805"
    assert complaint in d.notes[0]
    assert list(cache.rglob("*.gz*")) == []


def test_a_file_larger_than_any_published_one_is_not_read_to_its_end(cache: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fetch, "LIMIT", 1000)
    serve(monkeypatch, {"http://a/f": bytes(1001)})
    assert fetch.fetch("f", ("http://a/",), cache, lambda _: None) == ("http://a/f: larger than 1000 bytes",)


def test_a_connection_that_breaks_off_leaves_nothing_behind(cache: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fetch, "urlopen", lambda request, timeout: BreaksOff())
    assert "connection reset by peer" in refused(lambda: tasks.load("mnist")).notes[0]
    assert not cache.exists()


def test_a_fetch_stopped_while_writing_leaves_nothing_behind(cache: Path, monkeypatch: pytest.MonkeyPatch):
    def stop(*_: object) -> None:
        assert [f.stat().st_size for f in cache.iterdir()] == [4]  # all written, under another name
        raise KeyboardInterrupt

    serve(monkeypatch, {"http://a/f": b"data"})
    monkeypatch.setattr(os, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        fetch.fetch("f", ("http://a/",), cache, lambda _: None)
    assert list(cache.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_said_so(cache: Path, monkeypatch: pytest.MonkeyPatch):
    cache.parent.mkdir(parents=True)
    cache.write_text("a file where a folder should be")
    serve(monkeypatch, {"http://a/f": b"data"})
    (reason,) = fetch.fetch("f", ("http://a/",), cache / "mnist", lambda _: None)
    assert reason == f"cannot write to {cache / 'mnist'}: Not a directory"


def test_the_files_of_another_set_are_refused_once(tmp_path: Path, published: dict[str, bytes]):
    write_set(tmp_path)
    d = refused(lambda: tasks.load("fashion-mnist", data_dir=tmp_path))
    assert d.render() == (
        f"error[E803]: {tmp_path / PLAIN[0]}.gz belongs to kmnist, not fashion-mnist\n"
        "   help: use --data kmnist, or the folder with the files of fashion-mnist"
    )


# ---------------------------------------------------------------- MNIST's own files


def test_the_real_mnist_is_found_and_known(real_data: Path):
    d = tasks.load("mnist", data_dir=real_data, download=False)
    assert (d.x_train.shape, d.x_test.shape) == ((60000, 28, 28), (10000, 28, 28))
    assert d.y_train.sum(0).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert d.y_test[:5].argmax(1).tolist() == [7, 2, 1, 0, 4]
    assert abs(d.x_train.mean() - 0.1307) < 1e-4


def test_the_real_mnist_has_the_checksums_of_the_catalogue(real_data: Path):
    folder = real_data / "mnist" if (real_data / "mnist").is_dir() else real_data
    for part, name, axes in zip(catalogue.PARTS, PLAIN, (3, 1, 3, 1), strict=True):
        file = folder / f"{name}.gz"
        content = idx.decode(file.read_bytes(), file, axes)
        assert catalogue.identify(file.read_bytes(), content) == ("mnist", part)


def test_the_real_mnist_is_not_taken_for_fashion_mnist(real_data: Path, tmp_path: Path):
    folder = real_data / "mnist" if (real_data / "mnist").is_dir() else real_data
    (tmp_path / "fashion-mnist").symlink_to(folder)
    d = refused(lambda: tasks.load("fashion-mnist", data_dir=tmp_path))
    assert d.message.endswith("train-images-idx3-ubyte.gz belongs to mnist, not fashion-mnist")


# ---------------------------------------------------------------- a user's own arrays


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    def save_(**arrays: object) -> Path:
        np.savez(tmp_path / "my.npz", **arrays)  # type: ignore[arg-type]
        return tmp_path / "my.npz"

    return save_


X = np.arange(40, dtype=np.float64).reshape(20, 2)
Y = np.arange(20) % 4


def test_integer_labels_become_one_hot_and_a_stratified_fifth_is_held_out(save: Callable[..., Path]):
    d = tasks.load(save(x=X, y=Y))
    assert (d.name, d.classes, d.x_train.shape, d.y_train.shape) == ("my.npz", 4, (16, 2), (16, 4))
    assert d.y_test.sum(0).tolist() == [1, 1, 1, 1]
    for x, y in ((d.x_train, d.y_train), (d.x_test, d.y_test)):
        assert np.array_equal(y.argmax(1), x[:, 0] / 2 % 4)
    assert sorted([*d.x_train[:, 0], *d.x_test[:, 0]]) == X[:, 0].tolist()


def test_the_split_is_the_same_every_time(save: Callable[..., Path]):
    path = save(x=X, y=Y)
    assert np.array_equal(tasks.load(path).x_test, tasks.load(path).x_test)


def test_a_test_set_in_the_file_is_used_as_it_is(save: Callable[..., Path]):
    d = tasks.load(save(x=X, y=Y, x_test=X[:3], y_test=np.array([0, 3, 1])))
    assert np.array_equal(d.x_train, X)
    assert (d.classes, d.y_train.shape, d.y_test.argmax(1).tolist()) == (4, (20, 4), [0, 3, 1])


def test_arrays_are_described_by_how_many_they_are_and_whether_the_test_set_is_held_out(save: Callable[..., Path]):
    assert tasks.load(save(x=X, y=Y)).description == "16 to train and 4 to test, held out"
    assert tasks.load(save(x=X, y=Y, x_test=X[:3], y_test=Y[:3])).description == "20 to train and 3 to test"


def test_float_targets_are_used_as_they_are(save: Callable[..., Path]):
    y = np.sin(X)
    d = tasks.load(save(x=X, y=y, x_test=X, y_test=y))
    assert d.classes is None
    assert np.array_equal(d.y_train, y.astype(np.float32))


def test_one_number_an_example_gets_an_axis(save: Callable[..., Path]):
    d = tasks.load(save(x=X[:, 0], y=X[:, 1]))
    assert (d.input_shape, d.output_shape, d.classes) == ((1,), (1,), None)


@pytest.mark.parametrize("kind", [np.float32, np.int64, bool])
def test_targets_that_are_one_hot_count_as_classes(save: Callable[..., Path], kind: type):
    assert tasks.load(save(x=X, y=np.eye(4)[Y].astype(kind))).classes == 4


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int32])
def test_labels_may_be_any_kind_of_integer(save: Callable[..., Path], kind: type):
    assert tasks.load(save(x=X, y=(Y % 2).astype(kind))).classes == 2


WRONG = {
    "no y": ({"x": X}, "there is no array `y`"),
    "length": ({"x": X, "y": Y[:19]}, "`x` has 20 examples, but `y` has 19"),
    "object": (
        {"x": X, "y": Y.astype(object)},
        "`y` holds Python objects, which blurc never unpickles; expected numbers",
    ),
    "text": ({"x": X, "y": np.array(["cat"] * 20)}, "`y` holds <U3, expected real numbers"),
    "complex": ({"x": X * 1j, "y": Y}, "`x` holds complex128, expected real numbers"),
    "nan": ({"x": np.where(X == 7, np.nan, X), "y": Y}, "`x[3, 1]` is nan, expected finite float32 numbers"),
    "overflow": ({"x": X * 1e300, "y": Y}, "`x[0, 1]` is 1e+300, expected finite float32 numbers"),
    "infinite": ({"x": X, "y": np.where(Y == 1, -np.inf, 0)}, "`y[1]` is -inf, expected finite float32 numbers"),
    "negative label": ({"x": X, "y": Y - 1}, "`y` has the label -1, expected classes counted from 0, below 10000"),
    "from one": ({"x": X, "y": Y + 1}, "the labels in `y` are counted from 1, expected classes counted from 0"),
    "huge label": (
        {"x": X, "y": Y * 10**9},
        "`y` has the label 3000000000, expected classes counted from 0, below 10000",
    ),
    "a column": ({"x": X, "y": Y[:, None]}, "`y` has integers of shape [20, 1]: labels or targets?"),
    "a number": ({"x": 3.0, "y": Y}, "`x` has shape [], expected [examples, ...] with no axis of size 0"),
    "nothing": ({"x": X[:0], "y": Y}, "`x` has shape [0, 2], expected [examples, ...] with no axis of size 0"),
    "one example": ({"x": X[:1], "y": Y[:1]}, "`x` has 1 example, expected at least 2: one to train and one to test"),
    "half a test set": ({"x": X, "y": Y, "y_test": Y}, "there is `y_test` but no `x_test`"),
    "test length": ({"x": X, "y": Y, "x_test": X, "y_test": Y[:9]}, "`x_test` has 20 examples, but `y_test` has 9"),
    "test shape": (
        {"x": X, "y": Y, "x_test": X[:, :1], "y_test": Y},
        "`x` has shape [20, 2], but `x_test` has shape [20, 1]: all but the first axis must agree",
    ),
    "test kind": (
        {"x": X, "y": Y, "x_test": X, "y_test": Y / 2},
        "`y` contains labels (integers), but `y_test` targets (floats)",
    ),
}


@pytest.mark.parametrize(("arrays", "message"), WRONG.values(), ids=WRONG.keys())
def test_wrong_arrays_are_said_to_be_what_they_are(save: Callable[..., Path], arrays: dict[str, object], message: str):
    path = save(**arrays)
    d = refused(lambda: tasks.load(path))
    assert (d.code, d.message) == ("E804", f"{path}: {message}")


def test_labels_may_leave_classes_out(save: Callable[..., Path]):
    assert tasks.load(save(x=X, y=2 * Y + 1)).classes == 2 * Y.max() + 2
    assert tasks.load(save(x=X, y=np.eye(Y.max() + 2)[Y + 1])).classes == Y.max() + 2


def test_all_that_is_wrong_is_reported_at_once(save: Callable[..., Path]):
    with pytest.raises(BlurError) as error:
        tasks.load(save(x=X * np.nan, y=Y[:9] - 1))
    assert len(error.value.diagnostics) == 3


def test_a_missing_array_is_told_with_what_the_file_holds(save: Callable[..., Path]):
    path = save(x=X, labels=Y)
    assert refused(lambda: tasks.load(path)).render() == (
        f"error[E804]: {path}: there is no array `y`\n"
        "   note: it contains x, labels\n"
        "   help: save the file with numpy.savez(FILE, x=inputs, y=labels_or_targets)"
    )


def test_a_missing_npz_is_no_traceback(tmp_path: Path):
    d = refused(lambda: tasks.load(tmp_path / "no.npz"))
    assert (d.code, d.message) == ("E802", f"cannot read {tmp_path / 'no.npz'}: there is no such file")


@pytest.mark.parametrize("cut", [0, 10, 300, -1], ids=["empty", "begun", "half", "a byte short"])
def test_a_truncated_npz_is_refused(save: Callable[..., Path], cut: int):
    path = save(x=X, y=Y)
    path.write_bytes(path.read_bytes()[:cut])
    d = refused(lambda: tasks.load(path))
    assert d.message == f"{path}: not an npz file: it is not a zip archive, or it is truncated"
    assert d.code == "E803"


def zipped(path: Path, x: bytes) -> Path:
    y = io.BytesIO()
    np.save(y, Y)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", x)
        archive.writestr("y.npy", y.getvalue())
    return path


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (b"hello", "`x` is damaged: "),
        (npy(X)[:-1], "`x` is damaged: "),
        (npy(X) + b"!", "`x` has bytes after the end of its data"),
    ],
    ids=["no array", "cut off", "too long"],
)
def test_a_damaged_array_is_named(tmp_path: Path, x: bytes, message: str):
    path = zipped(tmp_path / "my.npz", x)
    d = refused(lambda: tasks.load(path))
    assert (d.code, d.message.startswith(f"{path}: {message}")) == ("E803", True)


def test_an_array_too_large_to_read_is_refused_by_its_header(tmp_path: Path):
    bomb = io.BytesIO()
    np.lib.format.write_array(bomb, X)
    bomb.seek(0)
    np.lib.format.write_array_header_1_0(bomb, {"descr": "<f8", "fortran_order": False, "shape": (20, 10**9)})
    path = zipped(tmp_path / "my.npz", bomb.getvalue())
    d = refused(lambda: tasks.load(path))
    assert d.code == "E804"
    assert d.message == f"{path}: `x` declares 160000000000 bytes, blurc reads at most 4294967296"


def test_nothing_is_unpickled(tmp_path: Path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    trap = np.array([Trap(), Trap()], dtype=object)
    np.savez(tmp_path / "my.npz", x=trap, y=trap)
    with pytest.raises(BlurError):
        tasks.load(tmp_path / "my.npz")
    assert not (tmp_path / "sprung").exists()


# ---------------------------------------------------------------- batches


@pytest.fixture
def ten() -> dataset.Dataset:
    x = np.arange(10, dtype=np.float32)[:, None]
    return dataset.Dataset("ten", x, 2 * x, x.copy(), 2 * x, None, "", "")


def test_batches_have_a_leading_axis_of_steps_and_keep_x_with_y(ten: dataset.Dataset):
    xs, ys = tasks.batches(ten, 4, 7, seed=0)
    assert (xs.shape, ys.shape, xs.dtype) == ((7, 4, 1), (7, 4, 1), np.float32)
    assert np.array_equal(ys, 2 * xs)


def test_every_epoch_has_every_example_once_across_batch_borders(ten: dataset.Dataset):
    xs, _ = tasks.batches(ten, 4, 25, seed=3)
    for epoch in xs.reshape(10, 10):
        assert sorted(epoch) == list(range(10))


def test_no_two_epochs_have_the_same_order(ten: dataset.Dataset):
    epochs = tasks.batches(ten, 10, 20, seed=0)[0].reshape(20, 10)
    assert len({tuple(e) for e in epochs}) == 20


def test_the_same_seed_gives_the_same_batches_and_another_others(ten: dataset.Dataset):
    a, b, c = (tasks.batches(ten, 4, 5, seed)[0] for seed in (1, 1, 2))
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


@pytest.mark.parametrize("chunk", [1, 3, 20])
def test_a_stream_yields_the_same_batches_chunk_by_chunk(ten: dataset.Dataset, chunk: int):
    xs, ys = tasks.batches(ten, 4, 60, seed=5)
    chunks = list(itertools.islice(tasks.stream(ten, 4, 5, chunk), 60 // chunk))
    assert all(len(x) == chunk for x, _ in chunks)
    assert np.array_equal(np.concatenate([x for x, _ in chunks]), xs)
    assert np.array_equal(np.concatenate([y for _, y in chunks]), ys)


@pytest.mark.parametrize("batch", [0, -1, 11])
def test_a_batch_that_cannot_be_drawn_is_refused(ten: dataset.Dataset, batch: int):
    expected = f"cannot make batches of {batch}: expected 1 to 10, as ten has 10 training examples"
    for draw in (lambda: tasks.batches(ten, batch, 5, 0), lambda: tasks.stream(ten, batch, 0, 5)):
        d = refused(draw)
        assert (d.code, d.message) == ("E806", expected)


def test_steps_chunk_and_seed_are_checked_before_anything_is_drawn(ten: dataset.Dataset):
    assert refused(lambda: tasks.batches(ten, 5, 0, 0)).message == "steps is 0, expected at least 1"
    assert refused(lambda: tasks.stream(ten, 5, 0, 0)).message == "chunk is 0, expected at least 1"
    assert refused(lambda: tasks.batches(ten, 5, 1, -1)).message == "the seed is -1, expected 0 or more"
