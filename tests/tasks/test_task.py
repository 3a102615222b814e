"""Tasks: the contents of an episode, that queries are never learned, and how episodes vary."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from blurc import tasks
from blurc.diagnostics import BlurError, Diagnostic
from blurc.tasks import Augment, TaskChoice, examples, omniglot, plane, preprocess
from blurc.tasks.task import Episode, LoadedTask, task

SHARED = Path(__file__).parents[3] / "shared" / "data"
SIZES = {"steps": 10, "batch": 10, "query": 20}


def key(seed: int = 0) -> jax.Array:
    return jax.random.key(seed)


def episode(t: LoadedTask, seed: int = 0, **sizes) -> Episode:
    """As NumPy arrays."""
    return Episode(*map(np.asarray, t.episode(key(seed), **(SIZES | sizes))))


def learned(e: Episode) -> np.ndarray:
    """Everything to learn, [steps * batch, inputs]."""
    return np.asarray(e.xs).reshape(-1, e.xs.shape[-1])


def classes_of(y) -> np.ndarray:
    return np.asarray(y).argmax(-1).ravel()


def refused(choice: TaskChoice, data_dir: Path | None = None) -> Diagnostic:
    with pytest.raises(BlurError) as error:
        task(choice, data_dir)
    (diagnostic,) = error.value.diagnostics
    return diagnostic


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hides the machine's own data."""
    monkeypatch.delenv("BLURC_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def numbered(tmp_path: Path) -> str:
    """120 training examples and 30 for testing: example i is [i, i + 1000, .., i + 5000] and of class i % 3."""
    x = np.arange(150)[:, None] + 1000 * np.arange(6)
    y = np.arange(150) % 3
    np.savez(tmp_path / "n.npz", x=x[:120].astype(np.float32), y=y[:120], x_test=x[120:] * 1.0, y_test=y[120:])
    return str(tmp_path / "n.npz")


def number(x: np.ndarray) -> list[int]:
    """Which examples these are."""
    return np.asarray(x)[..., 0].ravel().astype(int).tolist()


# ---------------------------------------------------------------- which examples


def test_an_episode_has_the_shapes_it_was_asked_for(numbered: str):
    e = episode(task(TaskChoice(numbered)))
    assert [a.shape for a in (e.xs, e.ys, e.x, e.y)] == [(10, 10, 6), (10, 10, 3), (20, 6), (20, 3)]


def test_a_target_belongs_to_its_example(numbered: str):
    e = episode(task(TaskChoice(numbered)))
    assert np.array_equal(classes_of(e.ys), np.array(number(e.xs)) % 3)
    assert np.array_equal(classes_of(e.y), np.array(number(e.x)) % 3)


def test_what_is_asked_about_is_never_learned_in_any_episode(numbered: str):
    t = task(TaskChoice(numbered))
    episodes = [episode(t, seed) for seed in range(40)]
    shown = {i for e in episodes for i in number(e.xs)}
    asked = {i for e in episodes for i in number(e.x)}
    assert not shown & asked
    assert shown | asked == set(range(120))  # and every training example is of use


def test_a_sixth_of_each_class_is_held_out():
    labels = np.repeat([2, 0, 1], [60, 30, 12])
    fit, held = preprocess.held_out(labels, 0)
    assert np.bincount(labels[held]).tolist() == [5, 2, 10]
    assert sorted([*fit, *held]) == list(range(102))


def test_a_test_learns_from_all_training_examples_and_asks_about_test_examples(numbered: str):
    t = task(TaskChoice(numbered))
    episodes = [episode(t, seed, test=True) for seed in range(40)]
    assert {i for e in episodes for i in number(e.xs)} == set(range(120))
    assert {i for e in episodes for i in number(e.x)} == set(range(120, 150))


def test_no_example_comes_twice_where_there_are_enough(numbered: str):
    e = episode(task(TaskChoice(numbered)))
    assert len(set(number(e.xs))) == 100
    assert len(set(number(e.x))) == 20


def test_in_a_long_episode_all_examples_come_equally_often(numbered: str):
    e = episode(task(TaskChoice(numbered)), steps=25, batch=10)
    assert set(np.bincount(number(e.xs))[np.unique(number(e.xs))]) == {2, 3}  # 250 of 100


def test_a_query_as_large_as_the_test_set_is_the_test_set(numbered: str):
    e = episode(task(TaskChoice(numbered)), query=30, test=True)
    assert sorted(number(e.x)) == list(range(120, 150))


@pytest.mark.parametrize(("n", "count"), [(7, 3), (100, 100), (5, 23), (50_000, 128_000)])
def test_rows_are_drawn_from_the_whole_range_and_equally_often(n: int, count: int):
    rows = np.asarray(examples.rows(key(), n, count))
    assert (rows.min() >= 0, rows.max() < n) == (True, True)
    assert np.ptp(np.bincount(rows, minlength=n)) <= 1


def test_every_row_is_as_likely_as_any_other():
    rows = jax.vmap(lambda k: examples.rows(k, 20, 8))(jax.random.split(key(), 20_000))
    assert np.bincount(np.asarray(rows).ravel()) / 20_000 == pytest.approx(
        [0.5, 0.5, 1 / 3, 1 / 3, 1 / 3] * 4, abs=0.02
    )


def test_the_first_batch_may_hold_any_example(numbered: str):
    t = task(TaskChoice(numbered))
    assert len({i for seed in range(60) for i in number(episode(t, seed).xs[0])}) == 100


# ---------------------------------------------------------------- keys and devices


EVERY_CHANGE = Augment(permute_inputs=True, permute_labels=True, project=5, brightness=0.5)


def test_the_same_key_gives_the_same_bits(numbered: str):
    a, b = (episode(task(TaskChoice(numbered, augment=EVERY_CHANGE)), 3) for _ in range(2))
    assert all(np.array_equal(p, q) for p, q in zip(a, b, strict=True))


def test_another_key_gives_another_episode(numbered: str):
    t = task(TaskChoice(numbered))
    assert number(episode(t, 0).xs) != number(episode(t, 1).xs)


def test_many_keys_at_once_give_the_episodes_of_each(numbered: str):
    t = task(TaskChoice(numbered))
    together = jax.vmap(lambda k: t.episode(k, **SIZES))(jax.random.split(key(), 3))
    for i, k in enumerate(jax.random.split(key(), 3)):
        alone = t.episode(k, **SIZES)
        assert jax.tree.all(jax.tree.map(lambda a, b, i=i: np.array_equal(a[i], b), together, alone))


def test_the_examples_are_an_argument_of_a_program_and_no_constant_of_it(numbered: str):
    program = jax.make_jaxpr(lambda t, k: t.episode(k, **SIZES))(task(TaskChoice(numbered)), key())
    assert sum(np.size(c) for c in program.consts) < 100
    assert {(120, 6), (30, 6)} <= {a.shape for a in program.in_avals}


# ---------------------------------------------------------------- variation


def test_pixels_change_places_alike_in_batches_and_query(numbered: str):
    t = task(TaskChoice(numbered, augment=Augment(permute_inputs=True)))
    orders = []
    for seed in range(5):
        e = episode(t, seed)
        place = np.concatenate([learned(e), e.x]) // 1000
        assert (place == place[0]).all()
        assert sorted(place[0]) == [0, 1, 2, 3, 4, 5]
        orders.append(tuple(place[0]))
    assert len(set(orders)) > 1


def test_classes_change_names_alike_in_batches_and_query(numbered: str):
    t = task(TaskChoice(numbered, augment=Augment(permute_labels=True)))
    seen = set()
    for seed in range(20):
        e = episode(t, seed)
        pairs = {(n % 3, c) for n, c in zip(number(e.xs), classes_of(e.ys), strict=True)}
        pairs |= {(n % 3, c) for n, c in zip(number(e.x), classes_of(e.y), strict=True)}
        assert (len(pairs), len({c for _, c in pairs})) == (3, 3)
        seen.add(tuple(sorted(pairs)))
    assert len(seen) == 6


def test_permuted_classes_are_given_to_any_of_the_outputs(numbered: str):
    t = task(TaskChoice(numbered, outputs=5, augment=Augment(permute_labels=True)))
    assert {c for seed in range(20) for c in classes_of(episode(t, seed).y)} == {0, 1, 2, 3, 4}


@pytest.fixture
def normals(tmp_path: Path) -> str:
    """Examples that span all six directions."""
    x = np.random.default_rng(0).standard_normal((240, 6)).astype(np.float32)
    np.savez(tmp_path / "g.npz", x=x, y=np.arange(240) % 2)
    return str(tmp_path / "g.npz")


def both(choice: TaskChoice, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The same examples without and with the augmentation: learned and asked about."""
    plain, changed = (episode(task(c), seed) for c in (TaskChoice(choice.data), choice))
    return learned(plain), learned(changed), plain.x, changed.x


def test_a_projection_is_one_matrix_for_batches_and_query(normals: str):
    plain, changed, asked, asked_changed = both(TaskChoice(normals, augment=Augment(project=4)), 0)
    matrix = np.linalg.lstsq(plain, changed, rcond=None)[0]
    assert matrix.shape == (6, 4)
    assert asked @ matrix == pytest.approx(asked_changed, abs=1e-4)


def test_a_projection_keeps_the_length_in_the_mean(normals: str):
    t, plain = (task(TaskChoice(normals, augment=Augment(project=p))) for p in (9, 0))
    ratios = [(episode(t, s).xs ** 2).sum() / (episode(plain, s).xs ** 2).sum() for s in range(100)]
    assert np.mean(ratios) == pytest.approx(1, abs=0.06)
    assert task(TaskChoice(normals, augment=Augment(project=9))).inputs == 9


def test_brightness_is_one_factor_and_one_shift_within_their_bounds(normals: str):
    factors = []
    for seed in range(25):
        choice = TaskChoice(normals, augment=Augment(brightness=0.5))
        plain, changed, asked, asked_changed = both(choice, seed)
        factor, shift = np.polyfit(plain.ravel(), changed.ravel(), 1)
        assert asked * factor + shift == pytest.approx(asked_changed, abs=1e-4)
        assert 1 / 1.5 - 1e-4 < factor < 1.5 + 1e-4
        assert abs(shift) < 0.5 + 1e-4
        factors.append(factor)
    assert min(factors) < 0.9
    assert max(factors) > 1.1


# ---------------------------------------------------------------- preprocessing


def test_the_middle_is_cropped():
    x = np.arange(2 * 6 * 8, dtype=np.float32).reshape(2, 6, 8)
    assert np.array_equal(preprocess.pixels(x, TaskChoice("d", crop=4)), x[:, 1:5, 2:6].reshape(2, 16))


def test_half_the_size_is_the_mean_of_four_pixels():
    x = np.random.default_rng(0).random((3, 20, 20), np.float32)
    means = x.reshape(3, 10, 2, 10, 2).mean((2, 4)).reshape(3, 100)
    assert preprocess.pixels(x, TaskChoice("d", resize=10)) == pytest.approx(means, abs=1e-6)


@pytest.mark.parametrize(("many", "few"), [(28, 10), (8, 10), (3, 2), (5, 5), (105, 28)])
def test_any_size_is_the_mean_over_the_area(many: int, few: int):
    x = np.random.default_rng(0).random((2, many, many), np.float32)
    fine = x.repeat(few, axis=1).repeat(few, axis=2)  # each pixel in few x few parts; many x many of them make one
    means = fine.reshape(2, few, many, few, many).mean((2, 4)).reshape(2, -1)
    assert preprocess.pixels(x, TaskChoice("d", resize=few)) == pytest.approx(means, abs=1e-5)


def test_channels_are_resized_each_for_itself():
    x = np.random.default_rng(0).random((2, 6, 4, 3), np.float32)
    both = preprocess.pixels(x, TaskChoice("d", resize=2)).reshape(2, 2, 2, 3)
    assert both == pytest.approx(x.reshape(2, 2, 3, 2, 2, 3).mean((2, 4)), abs=1e-6)


def test_cropped_then_resized_makes_the_inputs_of_digits():
    t = task(TaskChoice("digits", crop=6, resize=3))
    assert (t.name, t.inputs, t.outputs, t.classes) == ("digits", 9, 10, 10)


def test_centred_training_examples_have_mean_0_and_deviation_1():
    t = task(TaskChoice("digits", center=True))
    assert isinstance(t.source, examples.Examples)
    x, plain = np.asarray(t.source.x), np.asarray(tasks.load("digits").x_test).reshape(-1, 64)
    assert (x.mean(), x.std()) == pytest.approx((0, 1), abs=1e-4)
    # The test examples are moved by what the training examples say.
    train = tasks.load("digits").x_train
    moved = (plain - train.mean()) / train.std()
    assert np.sort(t.source.x_test, axis=0) == pytest.approx(np.sort(moved, axis=0), abs=1e-4)


def test_pixels_are_scaled_then_shifted():
    x = np.random.default_rng(0).random((3, 4, 4), np.float32)
    choice = TaskChoice("d", resize=2, scale=-2, shift=1)
    assert preprocess.pixels(x, choice) == pytest.approx(1 - 2 * preprocess.pixels(x, TaskChoice("d", resize=2)))


def test_what_is_centred_afterwards_is_the_same_at_any_brightness():
    plain, bright = (task(TaskChoice("digits", center=True, scale=s, shift=1 - s)).source for s in (1, 3))
    assert isinstance(plain, examples.Examples)
    assert isinstance(bright, examples.Examples)
    assert np.asarray(bright.x_test) == pytest.approx(np.asarray(plain.x_test), abs=1e-4)


def test_classes_that_are_kept_are_renumbered_in_their_order(numbered: str):
    e = episode(task(TaskChoice(numbered, classes=(2, 0))))
    assert {(n % 3, int(c)) for n, c in zip(number(e.xs), classes_of(e.ys), strict=True)} == {(2, 0), (0, 1)}
    assert e.ys.shape[-1] == 2


def test_more_outputs_than_classes_are_zero(numbered: str):
    e = episode(task(TaskChoice(numbered, outputs=5)))
    assert e.y.shape == (20, 5)
    assert (e.y[:, :3].sum(1) == 1).all()


def test_a_task_has_the_name_it_was_given(numbered: str):
    assert task(TaskChoice(numbered, name="counting")).name == "counting"


# ---------------------------------------------------------------- functions


MANY = {"steps": 4, "batch": 500, "query": 500}  # the same for all, so that each function is compiled once
NAMES = [*plane.CLOUDS, "square", "random_xor", "random_moons", "random_triangle", "random_blobs"]


def points(name: str, seed: int = 0, **fields) -> Episode:
    return episode(task(TaskChoice(name, **fields)), seed, **MANY)


def turned(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.degrees(np.arctan2(y, x))


def in_triangle(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    corners = [(-0.9, -0.8), (0.9, -0.8), (0.0, 0.9)]
    sides = zip(corners, corners[1:] + corners[:1], strict=True)
    return np.all([(bx - ax) * (y - ay) > (by - ay) * (x - ax) for (ax, ay), (bx, by) in sides], axis=0)


INSIDE = {
    "xor": lambda x, y: x * y < 0,
    "nxor": lambda x, y: x * y > 0,
    "and": lambda x, y: np.minimum(x, y) > 0,
    "nand": lambda x, y: np.minimum(x, y) <= 0,
    "or": lambda x, y: np.maximum(x, y) > 0,
    "center_circle": lambda x, y: np.pi * np.hypot(x, y) ** 2 < 2,
    "small_center_circle": lambda x, y: np.hypot(x, y) < 0.5,
    "pie_slice": lambda x, y: np.abs(turned(x, y)) < 60,
    "cross": lambda x, y: (np.abs(x) < 0.25) | (np.abs(y) < 0.25),
    "triangle": in_triangle,
    "square": lambda x, y: (np.abs(x) < 0.7) & (np.abs(y) < 0.7),
}


def test_every_region_has_a_formula_here():
    assert INSIDE.keys() == plane.REGIONS.keys()


@pytest.mark.parametrize("name", INSIDE)
def test_class_1_is_inside(name: str):
    x, y = np.meshgrid(*[np.linspace(-0.9937, 0.9961, 200)] * 2)  # no point of it on a border
    is_inside = np.asarray(plane.REGIONS[name][1](*map(jnp.asarray, (x, y))))
    assert np.array_equal(is_inside, INSIDE[name](x, y))
    assert 0.15 < is_inside.mean() < 0.85


@pytest.mark.parametrize("name", ["square", "triangle"])
def test_an_episode_has_points_of_the_square_with_the_class_of_their_region(name: str):
    e = points(name)
    for x, y in ((learned(e), e.ys), (e.x, e.y)):
        assert np.array_equal(classes_of(y), INSIDE[name](*x.astype(np.float64).T))
        assert np.abs(x).max() <= 1


@pytest.mark.parametrize("name", NAMES)
def test_no_class_is_rare(name: str):
    assert np.mean([points(name, seed).ys.mean((0, 1)) for seed in range(8)], axis=0).min() > 0.15


@pytest.mark.parametrize("name", NAMES)
def test_points_fill_the_square_and_leave_it_hardly(name: str):
    e = points(name)
    assert 0.3 < learned(e).std() < 0.8
    assert np.abs(learned(e)).max() < 1.8


def test_moons_are_two_half_circles():
    e = points("moons")
    x, label = learned(e) * 1.75, classes_of(e.ys)
    x = np.where(label[:, None] == 0, x, -x) + np.array([0.5, 0.25])  # both upper half circles about the origin
    assert np.hypot(*x.T) == pytest.approx(1, abs=0.7)
    assert np.hypot(*x.T).std() == pytest.approx(0.08 * 1.75, rel=0.1)
    assert np.mean(x[:, 1] > -0.3) > 0.99


def test_circles_have_their_radii():
    e = points("circles")
    radius, label = np.hypot(*learned(e).T), classes_of(e.ys)
    assert [np.median(radius[label == c]) for c in (0, 1)] == pytest.approx([0.8, 0.4], abs=0.02)


def test_blobs_lie_about_five_middles():
    e = points("blobs")
    nearest = np.linalg.norm(learned(e)[:, None] - np.array(plane.MIDDLES), axis=-1).argmin(1)
    assert e.ys.shape[-1] == 5
    assert np.mean(nearest == classes_of(e.ys)) > 0.97


def guessed(e: Episode, x: np.ndarray) -> np.ndarray:
    """The class of the nearest point that was learned."""
    distance = np.linalg.norm(learned(e)[None] - x[:, None], axis=-1)
    return classes_of(e.ys)[distance.argmin(1)]


@pytest.mark.parametrize("name", ["random_xor", "random_moons", "random_triangle", "random_blobs"])
def test_a_random_function_is_one_problem_in_an_episode_and_another_in_the_next(name: str):
    a, b = points(name, 1), points(name, 2)
    assert np.mean(guessed(a, a.x) == classes_of(a.y)) > 0.93
    assert np.mean(guessed(a, b.x) == classes_of(b.y)) < 0.85


def test_a_fixed_function_is_the_same_problem_in_the_next_episode():
    a, b = points("moons", 1), points("moons", 2)
    assert np.mean(guessed(a, b.x) == classes_of(b.y)) > 0.95


def test_a_random_disc_is_moved_and_keeps_its_size():
    middles = []
    for seed in range(8):
        e = points("random_small_center_circle", seed)
        inside = learned(e)[classes_of(e.ys) == 1]
        middle = (inside.max(0) + inside.min(0)) / 2
        assert np.linalg.norm(inside - middle, axis=1).max() == pytest.approx(0.5, abs=0.04)
        assert np.linalg.norm(learned(e)[classes_of(e.ys) == 0] - middle, axis=1).min() > 0.45
        middles.append(middle)
    assert np.abs(middles).max() < 0.34
    assert np.std(middles) > 0.08


@pytest.mark.parametrize("name", ["square", "random_blobs"])
def test_centred_points_have_mean_0_and_deviation_1(name: str):
    assert points(name).xs.std() < 0.8
    t = task(TaskChoice(name, center=True))
    x = np.stack([episode(t, seed, **MANY).xs for seed in range(40)])
    assert (x.mean(), x.std()) == pytest.approx((0, 1), abs=0.07)


def test_points_that_are_asked_about_are_new():
    e = points("square")
    assert not {tuple(p) for p in e.x} & {tuple(p) for p in learned(e)}


def test_two_and_five_classes_share_a_network_of_five_outputs():
    assert {points(name, outputs=5).ys.shape for name in ("square", "blobs")} == {(4, 500, 5)}


# ---------------------------------------------------------------- omniglot

CHARACTERS = 20


def drawn(character: int, drawing: int, side: int = omniglot.SIDE) -> bytes:
    """A black and white PNG with both numbers in binary, in the first two rows, ink for 1."""
    paper = np.full((side, side), 255, np.uint8)
    for row, value in enumerate((character, drawing)):
        paper[row, :5] = [255 * (1 - (value >> bit & 1)) for bit in range(5)]
    file = io.BytesIO()
    Image.fromarray(paper).convert("1").save(file, "PNG")
    return file.getvalue()


def pictures() -> dict[str, bytes]:
    return {
        f"images_background/Alphabet{c % 3}/character{c:02}/{c:04}_{d + 1:02}.png": drawn(c, d)
        for c in range(CHARACTERS)
        for d in range(omniglot.DRAWINGS)
    }


def write_zip(folder: Path, files: dict[str, bytes], name: str = omniglot.FILES[0]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / name, "w") as archive:
        archive.writestr("images_background/", b"")
        for file, data in files.items():
            archive.writestr(file, data)
    return folder / name


@pytest.fixture(scope="module")
def drawings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawings")
    write_zip(folder / "omniglot", pictures())
    return folder


def read_back(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The characters and drawings that these images are of."""
    x = np.asarray(x).reshape(-1, omniglot.SIDE, omniglot.SIDE)
    return x[:, 0, :5] @ 2 ** np.arange(5), x[:, 1, :5] @ 2 ** np.arange(5)


def test_an_episode_of_omniglot_is_about_so_many_characters(drawings: Path):
    e = episode(task(TaskChoice("omniglot", ways=4), drawings))
    characters, _ = read_back(learned(e))
    pairs = {*zip(characters, classes_of(e.ys), strict=True)}
    pairs |= {*zip(read_back(e.x)[0], classes_of(e.y), strict=True)}
    assert (len(pairs), {c for _, c in pairs}) == (4, {0, 1, 2, 3})
    assert e.ys.shape[-1] == 4


def test_a_drawing_that_is_asked_about_is_not_learned(drawings: Path):
    t = task(TaskChoice("omniglot", ways=4), drawings)
    shown = set()
    for seed in range(6):
        e = episode(t, seed)
        shown_now, asked = ({*zip(*read_back(x), strict=True)} for x in (e.xs, e.x))
        assert not shown_now & asked
        assert (len(shown_now), len(asked)) == (4 * 15, 4 * 5)
        shown |= {d for _, d in shown_now}
    assert shown == set(range(20))  # other drawings in other episodes


def test_few_drawings_of_each_character_are_learned(drawings: Path):
    e = episode(task(TaskChoice("omniglot", ways=3, shots=2), drawings))
    shown, asked = ([*zip(*read_back(x), strict=True)] for x in (e.xs, e.x))
    assert len({*shown[:6]}) == len({*shown}) == 6
    assert not {*shown} & {*asked}
    assert {c for c, _ in asked} == {c for c, _ in shown}


def test_characters_for_testing_are_not_met_before(drawings: Path):
    t = task(TaskChoice("omniglot", ways=4), drawings)
    met, tested = (
        {c for seed in range(40) for c in read_back(episode(t, seed, test=test).xs)[0]} for test in (False, True)
    )
    assert (len(met), len(tested), len(met & tested)) == (16, 4, 0)


def test_an_alphabet_has_all_of_its_characters_and_other_persons_for_testing(drawings: Path):
    t = task(TaskChoice("omniglot", alphabet="Alphabet1"), drawings)
    e = t.episode(key(), steps=1, batch=7 * 15, query=7 * 5, test=True)
    (characters, persons), (asked, others) = read_back(learned(e)), read_back(e.x)
    assert {*zip(characters, classes_of(e.ys), strict=True)} == {(1 + 3 * i, i) for i in range(7)}
    assert {*zip(asked, classes_of(e.y), strict=True)} == {(1 + 3 * i, i) for i in range(7)}
    assert (len({*persons}), len({*others}), {*persons} & {*others}) == (15, 5, set())


def test_classes_of_an_alphabet_are_some_of_its_characters(drawings: Path):
    e = episode(task(TaskChoice("omniglot", alphabet="Alphabet1", classes=(2, 4)), drawings))
    assert {*read_back(learned(e))[0]} == {7, 13}


def test_an_unknown_alphabet_gets_the_nearest_name(drawings: Path):
    d = refused(TaskChoice("omniglot", alphabet="alphabet2"), drawings)
    file = drawings / "omniglot" / omniglot.FILES[0]
    assert (d.code, d.message) == ("E811", f"{file} has no alphabet `alphabet2`")
    assert d.help == "did you mean `Alphabet2`?"


def test_omniglot_is_cropped_and_resized_with_ink_1(drawings: Path):
    e = episode(task(TaskChoice("omniglot", ways=2, crop=104, resize=13), drawings))
    assert e.xs.shape[-1] == 169
    assert (e.xs.min(), e.xs.max() > 0) == (0, True)


def test_centred_omniglot_has_mean_0_and_deviation_1(drawings: Path):
    source = task(TaskChoice("omniglot", ways=2, resize=15, center=True), drawings).source
    assert isinstance(source, omniglot.Characters)
    assert (np.mean(source.learned), np.std(source.learned)) == pytest.approx((0, 1), abs=1e-3)


def test_omniglot_is_found_in_the_variable_and_in_the_cache(
    drawings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = drawings / "omniglot" / omniglot.FILES[0]
    monkeypatch.setenv("BLURC_DATA", str(drawings))
    assert omniglot.find(None) == file
    monkeypatch.delenv("BLURC_DATA")
    cached = tmp_path / "cache" / "blurc" / "omniglot" / omniglot.FILES[1]
    cached.parent.mkdir(parents=True)
    cached.write_bytes(file.read_bytes())
    assert omniglot.find(None) == cached


def test_where_there_is_no_omniglot_it_says_where_to_put_it(tmp_path: Path):
    d = refused(TaskChoice("omniglot"), tmp_path)
    folder = tmp_path / "cache" / "blurc" / "omniglot"
    assert (d.code, d.message) == ("E802", "no zip of omniglot was found")
    assert d.notes[0] == f"looked in {tmp_path / 'omniglot'}, {tmp_path}, {folder}"
    assert d.help == f"put it in {folder}, or give its folder with --data-dir or BLURC_DATA"


def damaged(what: str) -> dict[str, bytes]:
    files = pictures()
    first = next(iter(files))
    match what:
        case "missing":
            del files[first]
        case "size":
            files[first] = drawn(0, 0, side=28)
        case "cut":
            files[first] = files[first][:50]
        case "text":
            files[first] = b"no picture"
        case "long":
            files[first] += bytes(omniglot.LIMIT)
        case "empty":
            files = {"readme.txt": b""}
    return files


FIRST = "images_background/Alphabet0/character00/0000_01.png"


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("missing", "Alphabet0/character00 has 19 drawings, expected 20"),
        ("size", f"{FIRST} is 28x28, expected 105x105"),
        ("cut", f"{FIRST} is damaged: "),
        ("text", f"{FIRST} is damaged: "),
        ("long", f"{FIRST} declares "),
        ("empty", "it contains no pictures ALPHABET/CHARACTER/NAME.png"),
    ],
)
def test_damaged_drawings_are_named(tmp_path: Path, what: str, message: str):
    file = write_zip(tmp_path, damaged(what))
    d = refused(TaskChoice("omniglot"), tmp_path)
    assert d.code == "E803"
    assert d.message.startswith(f"{file}: {message}")


def test_a_file_that_is_no_zip_is_named(tmp_path: Path):
    (tmp_path / omniglot.FILES[2]).write_bytes(b"<!DOCTYPE html>")
    d = refused(TaskChoice("omniglot"), tmp_path)
    assert d.message == f"{tmp_path / omniglot.FILES[2]}: not a readable zip: File is not a zip file"


# ---------------------------------------------------------------- real data


def real(*files: str) -> Path:
    roots = [Path(os.environ[name]) for name in ("BLURC_DATA",) if os.environ.get(name)]
    for root in (*roots, SHARED):
        if any((root / file).is_file() for file in files):
            return root
    return SHARED


# Looked for before the tests take BLURC_DATA away.
MNIST = real("mnist/train-images-idx3-ubyte.gz", "train-images-idx3-ubyte.gz")
OMNIGLOT = real(*(f"omniglot/{file}" for file in omniglot.FILES), *omniglot.FILES)


def test_mnist_is_cropped_to_20_and_resized_to_10():
    if not any((MNIST / f / "train-images-idx3-ubyte.gz").is_file() for f in ("mnist", ".")):
        pytest.skip("MNIST's files are neither in BLURC_DATA nor in ../shared/data")
    t = task(TaskChoice("mnist", crop=20, resize=10, classes=(5, 6, 7, 8, 9)), MNIST)
    e = episode(t, steps=10, batch=128, query=500)
    assert (t.inputs, t.outputs) == (100, 5)
    assert 0.2 < learned(e).mean() < 0.3  # the margin of the images, which is gone, is half of their area
    assert np.mean(guessed(e, e.x) == classes_of(e.y)) > 0.85


def test_the_published_omniglot_is_read():
    if not any((OMNIGLOT / f / file).is_file() for f in ("omniglot", ".") for file in omniglot.FILES):
        pytest.skip("Omniglot's zip is neither in BLURC_DATA nor in ../shared/data")
    e = episode(task(TaskChoice("omniglot", ways=5, resize=14), OMNIGLOT), batch=75, query=25)
    assert 0.02 < learned(e).mean() < 0.12  # a little ink on much paper
    assert np.mean(guessed(e, e.x) == classes_of(e.y)) > 0.5  # by chance 0.2


# ---------------------------------------------------------------- what is refused


def test_an_unknown_task_gets_the_nearest_name():
    d = refused(TaskChoice("Small_centre_circle"))
    assert (d.code, d.message) == ("E810", "unknown task `Small_centre_circle`")
    assert d.help == "did you mean `small_center_circle`?"
    assert all(name in d.notes[0] for name in ("digits", "mnist", "omniglot", "moons", "FILE.npz"))


def test_every_name_has_a_line_about_it():
    assert {"mnist", "digits", "omniglot", "xor", "random_xor", "blobs"} <= tasks.task_names().keys()
    assert all(tasks.task_names().values())


REFUSED = {
    "crop": (TaskChoice("digits", crop=9), "`crop` is 9, but the images of digits are 8x8"),
    "negative": (TaskChoice("digits", crop=-1), "`crop` is -1"),
    "resize": (TaskChoice("xor", resize=2), "`resize` is for images, not for xor"),
    "classes": (TaskChoice("blobs", classes=(0, 1)), "`classes` is for data sets with labels, not for blobs"),
    "ways": (TaskChoice("digits", ways=5), "`ways` is for omniglot, not for digits"),
    "alphabet": (TaskChoice("digits", alphabet="Latin"), "`alphabet` is for omniglot, not for digits"),
    "both": (
        TaskChoice("omniglot", alphabet="Latin", ways=5),
        "`ways` does not apply to an alphabet, which has all its characters",
    ),
    "twice": (TaskChoice("digits", classes=(1, 1)), "`classes` lists a class twice: [1, 1]"),
    "one": (TaskChoice("digits", classes=(1,)), "a task needs at least two classes"),
    "unknown": (TaskChoice("digits", classes=(1, 10)), "`classes` contains 10, but those of digits are 0 to 9"),
    "below": (TaskChoice("digits", classes=(-1, 1)), "`classes` contains -1, but those of digits are 0 to 9"),
    "outputs": (TaskChoice("blobs", outputs=4), "`outputs` is 4, but blobs has 5 classes"),
    "project": (TaskChoice("xor", augment=Augment(project=-2)), "`augment.project` is -2"),
    "bright": (TaskChoice("xor", augment=Augment(brightness=float("nan"))), "`augment.brightness` is nan"),
    "scale": (TaskChoice("moons", scale=2), "`scale` is for data sets, not for moons"),
    "shift": (TaskChoice("digits", shift=float("inf")), "`shift` is inf"),
    "dark": (TaskChoice("digits", scale=0), "`scale` is 0"),
    "weight": (TaskChoice("xor", weight=-1.0), "`weight` is -1.0"),
}


@pytest.mark.parametrize(("choice", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_does_not_fit_is_refused(choice: TaskChoice, message: str):
    d = refused(choice)
    assert (d.code, d.message) == ("E811", message)


def test_more_ways_than_characters_are_refused(drawings: Path):
    d = refused(TaskChoice("omniglot", ways=5), drawings)
    assert (d.code, d.message) == ("E811", "`ways` is 5, but only 4 characters are held out for testing")


def test_flat_examples_have_no_pixels_to_crop(numbered: str):
    d = refused(TaskChoice(numbered, crop=2))
    assert d.message == f"`crop` is for images, but an example of {numbered} has shape 6"


def test_too_few_examples_make_no_task(tmp_path: Path):
    np.savez(tmp_path / "f.npz", x=np.ones((6, 2)), y=[0, 0, 0, 1, 1, 2], x_test=np.ones((1, 2)), y_test=[2])
    d = refused(TaskChoice(str(tmp_path / "f.npz"), classes=(0, 1)))
    assert d.message == f"{tmp_path / 'f.npz'} has 5 training and 0 test examples of these classes"


def test_an_episode_without_steps_or_queries_is_refused():
    with pytest.raises(BlurError, match=r"E812.*`steps` is 0 and `query` is -1, expected at least 1"):
        task(TaskChoice("xor")).episode(key(), steps=0, batch=1, query=-1)
