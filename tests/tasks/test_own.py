"""Tasks of a user's own: what they must be, and what is said of those that are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from blurc.diagnostics import BlurError, Diagnostic
from blurc.tasks import OBJECTIVES, Augment, TaskChoice, any_task, chosen, streamed, task
from blurc.tasks.own.objective import OwnFormula, objective, tried
from blurc.tasks.own.tokens import meant

WAVES = """
import jax
import jax.numpy as jnp

class Waves:
    def sample(self, key, steps, batch):
        phase_key, x_key = jax.random.split(key)
        x = jax.random.uniform(x_key, (steps, batch, 1), minval=-5, maxval=5)
        return x, jnp.sin(x - jax.random.uniform(phase_key, maxval=jnp.pi))

    def score(self, outs, targets):
        return jnp.mean((outs - targets) ** 2)

def closeness(outs, targets):
    return 1 - jnp.abs(outs - targets).max()

closeness.greater_is_better = True

def hits(outs, targets):
    return (jnp.abs(outs - targets) < 0.1).mean()
"""


class Waves:
    """The same as an object, with a field of shape [2, 2] as its target."""

    def sample(self, key: jax.Array, steps: int, batch: int) -> tuple[jax.Array, jax.Array]:
        x = jax.random.normal(key, (steps, batch, 3))
        return x, jnp.einsum("sbi,ij->sbj", x, jnp.ones((3, 4))).reshape(steps, batch, 2, 2)

    def score(self, outs: jax.Array, targets: jax.Array) -> jax.Array:
        assert outs.shape == targets.shape
        assert outs.shape[1:] == (2, 2)
        return jnp.mean((outs - targets) ** 2)


@pytest.fixture
def waves(tmp_path: Path) -> str:
    (tmp_path / "waves.py").write_text(WAVES)
    return f"{tmp_path / 'waves.py'}:Waves"


def refused(call: Callable[[], object]) -> Diagnostic:
    with pytest.raises(BlurError) as caught:
        call()
    (found,) = caught.value.diagnostics
    return found


def own(of: Any) -> Any:
    return task(TaskChoice("mine"), tasks={"mine": of})


class Sequences:
    """Sequences of three steps, asked at the last."""

    time, kind, asked = True, "classes", 1.0

    def sample(self, key: jax.Array, steps: int, batch: int) -> tuple[jax.Array, jax.Array, jax.Array]:
        x = jax.random.normal(key, (steps, batch, 3, 2))
        y = jax.nn.one_hot(x.argmax(-1), 2)
        mask = jnp.zeros((steps, batch, 3)).at[..., -1].set(self.asked)
        return x, y.at[..., :-1, :].set(0.5), mask

    def score(self, outs: jax.Array, targets: jax.Array) -> jax.Array:
        return jnp.mean((outs - targets) ** 2)


@pytest.mark.parametrize(
    ("of", "changed", "said"),
    [
        (Waves, {"kind": "classes"}, "`mine.kind` is 'classes', but the ys of `sample` are not one-hot"),
        (Waves, {"kind": "binary"}, "`mine.kind` is 'binary', but the ys of `sample` are not zeros and ones"),
        (Waves, {"kind": "rewards"}, "`mine.kind` is 'rewards'"),
        (Sequences, {"asked": 0.5}, "masks of other numbers than 0 and 1"),
    ],
)
def test_targets_are_of_the_kind_that_a_task_says(of: type[Any], changed: dict[str, Any], said: str) -> None:
    assert own(Sequences()).kind == "classes"  # what is not asked may be anything
    found = refused(lambda: own(type("Changed", (of,), changed)()))
    assert (found.code, said in found.message) == ("E815", True)


def test_what_is_asked_comes_from_the_same_sample(waves: str) -> None:
    one = task(TaskChoice(waves))
    e = one.episode(jax.random.key(3), steps=4, batch=8, query=20)
    assert [a.shape for a in (e.xs, e.ys, e.x, e.y)] == [(4, 8, 1), (4, 8, 1), (20, 1), (20, 1)]
    basis = jnp.stack([jnp.sin(e.xs.ravel()), jnp.cos(e.xs.ravel())], axis=1)
    mixing = jnp.linalg.lstsq(basis, e.ys.ravel())[0]
    np.testing.assert_allclose(jnp.sin(e.x) * mixing[0] + jnp.cos(e.x) * mixing[1], e.y, atol=1e-4)


def test_a_stream_is_one_sample(waves: str) -> None:
    one = task(TaskChoice(waves))
    stream = streamed(one, jax.random.key(3), batch=8, test=True, steps=4, query=20)
    e = one.episode(jax.random.key(3), steps=4, batch=8, query=20)
    np.testing.assert_array_equal(stream.questions(20)[1], e.y)
    np.testing.assert_array_equal(np.concatenate([b.ys for _, b in stream.pieces(2, 4)]), e.ys)


def test_its_score_is_its_loss_and_its_metric(waves: str) -> None:
    one = task(TaskChoice(waves))
    assert one.loss == one.score
    assert (one.loss.name, one.loss.greater_is_better, one.loss.differentiable) == ("score", False, True)
    assert float(one.score.score(jnp.ones((4, 1)), jnp.zeros((4, 1)))) == 1


def test_shapes_of_targets_are_kept_for_the_score() -> None:
    one = own(Waves())
    assert (one.inputs, one.outputs, one.kind) == (3, 4, "values")
    assert float(one.score.score(jnp.ones((5, 4)), jnp.zeros((5, 4)))) == 1


class Wide(Waves):
    def __init__(self, width: int):
        self.width = width

    def sample(self, key: jax.Array, steps: int, batch: int) -> Any:
        return jnp.ones((steps, batch, self.width)), jnp.ones((steps, batch, 2, 2))


def test_a_class_is_made_with_the_parameters() -> None:
    assert task(TaskChoice("mine", parameters={"width": 5}), tasks={"mine": Wide}).inputs == 5
    assert refused(lambda: own(Wide)).message == "`mine` needs `width`"
    slip = refused(lambda: task(TaskChoice("mine", parameters={"widht": 5}), tasks={"mine": Wide}))
    assert (slip.message, slip.help) == ("`mine` has no parameter `widht`", "did you mean `width`?")
    with_object = TaskChoice("mine", parameters={"width": 5})
    assert refused(lambda: task(with_object, tasks={"mine": Wide(3)})).code == "E811"


def test_inputs_may_vary_as_those_of_other_tasks() -> None:
    one = task(TaskChoice("mine", augment=Augment(project=7)), tasks={"mine": Waves})
    assert one.episode(jax.random.key(0), steps=1, batch=2, query=3).x.shape == (3, 7)


def test_a_hash_stays_when_a_comment_changes_and_not_when_numbers_do(waves: str) -> None:
    path = Path(waves.rpartition(":")[0])
    first = task(TaskChoice(waves)).digest
    path.write_text(WAVES + "\n# a comment\n")
    assert task(TaskChoice(waves)).digest == first
    path.write_text(WAVES.replace("minval=-5", "minval=-4"))
    assert task(TaskChoice(waves)).digest != first


def test_what_a_file_says_is_the_same_in_every_version_of_python() -> None:
    """Some take an f-string apart."""
    text = "def f(x):\n  # why\n  return (f\"{x!r:>{4}} {{}} {f'{x}'}\",\n    x)\n\nf(1)"
    head = ["def", "f", "(", "x", ")", ":", "\n", "\t", "return", "("]
    string = "f\"{x!r:>{4}} {{}} {f'{x}'}\""
    expected = [*head, string, ",", "x", ")", "\n", "\r", "f", "(", "1", ")", "\n"]
    assert [*meant(text)] == expected
    assert [*meant(text.replace("  ", "    ").replace("\n", "\r\n"))] == expected


def test_objectives_of_a_file_have_their_direction(waves: str) -> None:
    path = waves.rpartition(":")[0]
    found = chosen(f"{path}:closeness", "values", "waves", OBJECTIVES["mse"])
    assert (found.name, found.greater_is_better) == ("closeness", True)
    assert float(found.score(np.ones((2, 1)), np.ones((2, 1)))) == 1


class Echo:
    """The last of three numbers is asked."""

    time = True

    def sample(self, key: jax.Array, steps: int, batch: int) -> Any:
        x = jax.random.normal(key, (steps, batch, 3, 2))
        return x, x.sum(axis=-1, keepdims=True), jnp.zeros((steps, batch, 3)).at[:, :, 2].set(1)

    def score(self, outs: jax.Array, targets: jax.Array, mask: jax.Array) -> jax.Array:
        return jnp.sum((outs - targets) ** 2) / mask.sum()


def test_sequences_may_say_where_an_answer_is_asked() -> None:
    one = own(Echo)
    assert (one.inputs, one.outputs, one.time) == (2, 1, 3)
    e = one.episode(jax.random.key(0), steps=2, batch=4, query=5)
    assert [a.shape for a in (e.xs, e.ys, e.masks, e.x, e.y, e.mask) if a is not None] == [
        (2, 4, 3, 2), (2, 4, 3, 1), (2, 4, 3), (5, 3, 2), (5, 3, 1), (5, 3)
    ]  # fmt: skip
    assert float(one.score.score(e.y + 1, e.y, e.mask)) == pytest.approx(1)


def huber(outs: jax.Array, targets: jax.Array, delta: float = 2.0) -> jax.Array:
    return delta * jnp.mean(outs - targets)


def masked(outs: jax.Array, targets: jax.Array, mask: Any = None) -> jax.Array:
    return jnp.mean(outs - targets) if mask is None else mask.sum()


def test_a_third_argument_with_a_default_is_the_mask_only_by_its_name() -> None:
    found = [OwnFormula(function, "mine")(jnp.ones((3, 1)), jnp.zeros((3, 1)), None) for function in (huber, masked)]
    assert [*map(float, found)] == [2, 3]


def test_the_score_of_two_objects_is_the_same_unless_they_differ() -> None:
    one, same, wider, wide = (own(of).score for of in (Waves, Waves(), Wide(3), Wide(2)))
    assert (one == same, hash(one) == hash(same), wider == wide, one == wider) == (True, True, False, False)


class Unasked(Echo):
    def sample(self, key: jax.Array, steps: int, batch: int) -> Any:
        x, y, mask = super().sample(key, steps, batch)
        return x, y, mask[0]


class Raising(Waves):
    def sample(self, key: jax.Array, steps: int, batch: int) -> Any:
        return {}[key.shape]


class Impure(Waves):
    def sample(self, key: jax.Array, steps: int, batch: int) -> Any:
        x = jnp.asarray(np.random.default_rng().normal(size=(steps, batch, 1)))
        return x, x


class Flat(Waves):
    def sample(self, key: jax.Array, steps: int, batch: int) -> Any:
        return jnp.ones((steps, batch)), jnp.ones((steps, batch, 1))


class Alone(Waves):
    def sample(self, key: jax.Array, steps: int, batch: int) -> Any:
        return jnp.ones((steps, batch, 1))


class Infinite(Waves):
    def sample(self, key: jax.Array, steps: int, batch: int) -> Any:
        x = jnp.ones((steps, batch, 1))
        return x, x / 0


class Narrow(Waves):
    def sample(self, key: jax.Array, steps: int) -> Any: ...


class Rows(Waves):
    def score(self, outs: jax.Array, targets: jax.Array) -> jax.Array:
        return ((outs - targets) ** 2).mean(axis=-1)


class Lost(Waves):
    def score(self, outs: jax.Array, targets: jax.Array) -> jax.Array:
        return jnp.sqrt(-((outs - targets) ** 2)).mean()


class Branching(Waves):
    def sample(self, key: jax.Array, steps: int, batch: int) -> Any:
        return jnp.ones((steps, batch, 1)) if jax.random.uniform(key) > 0.5 else None


def test_what_jax_cannot_trace_says_what_to_write_instead() -> None:
    assert "`jnp.where`" in (refused(lambda: own(Branching)).help or "")


class Stepless:
    def reset(self, key: jax.Array) -> Any: ...


@pytest.mark.parametrize("of", [Stepless, Stepless()])
def test_what_has_a_reset_is_taken_for_an_environment(of: Any) -> None:
    found = refused(lambda: any_task(TaskChoice("mine"), tasks={"mine": of}))
    assert found.message == "mine is not an environment: it has no `observations`, `actions`, `bounds`, `step`"


class Odd(Waves):
    kind = "numbers"


@pytest.mark.parametrize(
    ("of", "said", "noted"),
    [
        (Raising, "`mine.sample` raises KeyError", "return {}[key.shape]"),
        (Impure, "`mine.sample` returns other xs when it is called with the same key again", "def sample"),
        (Flat, "`mine.sample` returns xs [2, 3], expected xs [steps, batch, *input]", "def sample"),
        (Alone, "`mine.sample` returns one array, expected xs", "def sample"),
        (Infinite, "`mine.sample` returns ys that are not finite", "def sample"),
        (Narrow, "`mine.sample(key: 'jax.Array', steps: 'int') -> 'Any'` cannot be called with (key, ", "def sample"),
        (Rows, "`mine.score` returns an array [6, 2], expected a scalar", "def score"),
        (Lost, "`mine.score` returns nan for outputs that are finite", "def score"),
        (Unasked, "returns the shapes [2, 3, 3, 2] and [2, 3, 3, 1] and [3, 3], expected xs [steps, ba", "def sample"),
        (Odd, "`mine.kind` is 'numbers'", ""),
    ],
)
def test_what_is_no_task_is_said_with_the_line(of: Any, said: str, noted: str) -> None:
    found = refused(lambda: own(of))
    assert found.code == "E815"
    assert said in found.message
    if noted:
        assert any("test_own.py, line" in note and noted in note for note in found.notes), found.notes


def likelihood(outs: jax.Array, targets: jax.Array) -> jax.Array:
    return -(targets * jnp.log(outs)).mean()


def share_of_variance(outs: jax.Array, targets: jax.Array) -> jax.Array:
    return 1 - ((outs - targets) ** 2).mean() / targets.var()


@pytest.mark.parametrize("function", [likelihood, share_of_variance])
def test_an_objective_may_need_probabilities_or_targets_that_differ(function: Any) -> None:
    mine = objective(OwnFormula(function, "mine"), "mine", function)
    assert tried(mine, np.ones((6, 2), np.float32))[0].differentiable


@pytest.mark.parametrize(
    ("text", "said", "noted"),
    [
        ("import jax\nclass Waves(:\n", "`waves.py` cannot be run: SyntaxError", "line 2: `class Waves(:`"),
        ("import nowhere_at_all\n", "`waves.py` cannot be run: ModuleNotFoundError", "line 1: `import nowhere_at_all`"),
        ("raise SystemExit('gone')\n", "`waves.py` cannot be run: SystemExit: gone", "line 1"),
        ("def Wave(): ...\n", "`waves.py` has no `Waves`", ""),
    ],
)
def test_a_file_that_cannot_be_run_is_said_with_its_line(
    waves: str, text: str, said: str, noted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(waves.rpartition(":")[0])
    monkeypatch.chdir(path.parent)
    path.write_text(text)
    found = refused(lambda: task(TaskChoice(waves)))
    assert found.code == "E814"
    assert said in found.message
    assert not noted or noted in found.notes[0]


@pytest.mark.parametrize(
    ("name", "said"),
    [("closeness", "`waves.py:closeness` needs `outs`, `targets`"), ("jnp", "`waves.py:jnp`, a `module`")],
)
def test_a_name_that_is_no_task_is_said(waves: str, name: str, said: str) -> None:
    assert said in refused(lambda: task(TaskChoice(waves.replace("Waves", name)))).message


@pytest.mark.parametrize("end", ["", ":"])
def test_a_file_without_a_name_is_answered_with_what_it_has(waves: str, end: str) -> None:
    """The file is read, and not run."""
    path = Path(waves.rpartition(":")[0])
    path.write_text(f"raise SystemExit\n{WAVES}")
    found = refused(lambda: task(TaskChoice(f"{path}{end}")))
    assert (found.code, found.help) == ("E814", f"it has Waves: write `{path}:Waves`")


def test_a_file_may_import_its_neighbours_and_declare_dataclasses(tmp_path: Path) -> None:
    (tmp_path / "sizes_beside.py").write_text("WIDE = 3\n")
    text = "from __future__ import annotations\nfrom dataclasses import dataclass\nfrom sizes_beside import WIDE\n"
    body = WAVES.replace("class Waves:", "@dataclass\nclass Waves:\n    wide: int = WIDE\n")
    (tmp_path / "waves.py").write_text(text + body)
    assert task(TaskChoice(f"{tmp_path / 'waves.py'}:Waves")).inputs == 1


def test_keys_of_data_sets_are_refused(waves: str) -> None:
    with pytest.raises(BlurError) as caught:
        task(TaskChoice(waves, crop=3, center=True))
    assert [d.message for d in caught.value.diagnostics] == [
        f"`{key}` is not for tasks of your own" for key in ("crop", "center")
    ]
    relabelled = TaskChoice(waves, augment=Augment(relabel_at=3))
    assert refused(lambda: task(relabelled)).message == "`augment.relabel_at` is not for tasks of your own"


def test_a_name_that_blurc_has_is_refused() -> None:
    found = refused(lambda: task(TaskChoice("digits"), tasks={"digits": Waves()}))
    assert "`digits` is the name of a task" in found.message
