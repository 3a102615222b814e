"""The optimizers that an experiment may name: those of optax, with their options."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import optax
import pytest
from tiny import METHODS, experiment, refused

from blurc import meta
from blurc.diagnostics import Source
from blurc.meta.experiment import schema
from blurc.meta.experiment.experiment import Gradient, Optimizer, Pes
from blurc.meta.experiment.optimizers import constructors
from blurc.meta.search.episode import Feedback
from blurc.meta.search.methods.make import make

START = {"a": jnp.asarray([[1.0, -2.0]]), "b": {"x->y": jnp.asarray([3.0])}}
SLOPE = jax.tree.map(lambda x: 0.1 * x, START)


def told(choice: Gradient) -> dict[str, object]:
    method = make(choice, 0)
    state = method.init(START)
    feedback = Feedback(jnp.zeros(1), jnp.ones(1, bool), jnp.zeros((1, 1)), SLOPE)
    return method.tell(state, START, jnp.zeros(1), feedback).genomes  # type: ignore[arg-type]


def test_the_default_is_adam_and_need_not_be_said() -> None:
    said = METHODS["gradient"].replace("}", ", optimizer: adam}")
    assert experiment(said) == experiment(METHODS["gradient"])


def test_a_step_is_that_of_optax_with_these_options() -> None:
    choice = Gradient(rate=0.01, optimizer=Optimizer("adamw", {"weight_decay": 0.5, "nesterov": True}))
    optimizer = optax.adamw(0.01, weight_decay=0.5, nesterov=True)
    change, _ = optimizer.update(SLOPE, optimizer.init(START), START)
    expected = optax.apply_updates(START, change)
    assert jax.tree.all(jax.tree.map(lambda a, b: jnp.allclose(a, b, rtol=1e-6), told(choice), expected))


def test_options_stand_beside_the_name_and_are_written_so() -> None:
    e = experiment("{name: gradient, optimizer: {name: sgd, momentum: 0.9, nesterov: true}}")
    assert e.method == Gradient(optimizer=Optimizer("sgd", {"momentum": 0.9, "nesterov": True}))
    assert schema.parse(Source("again", meta.dump(e))) == e
    assert "{name: sgd, momentum: 0.9, nesterov: true}" in meta.dump(e)


def test_an_option_may_be_set_from_outside() -> None:
    e = experiment("{name: pes, truncation: 1, optimizer: adamw}", method__optimizer__weight_decay="0.1")
    assert e.method == Pes(truncation=1, optimizer=Optimizer("adamw", {"weight_decay": 0.1}))


def test_there_are_many() -> None:
    assert {"adam", "adamw", "sgd", "lion", "muon", "rmsprop"} <= {*constructors()}
    assert not {name for name in constructors() if name.startswith("scale_by")}


REFUSED = {
    "adamm": ("optax has no optimizer `adamm`", "did you mean `adam`?", "adamm"),
    "{name: adamw, weigth_decay: 2}": ("adamw has no option `weigth_decay`", "did you mean `weight_decay`?", "2"),
    "{name: sgd, momentum: 1.5}": ("`momentum` must be at least 0 and below 1, found `1.5`", None, "1.5"),
    "{name: adam, eps: -1}": ("`eps` must be at least 0, found `-1`", None, "-1"),
    "{name: sgd, learning_rate: 2}": (
        "`learning_rate` is given by `method.rate`",
        "write `rate` beside `optimizer`",
        "2",
    ),
    "[adam]": (
        "`method.optimizer` is a text, its `name`, or a mapping `key: value`, found `[adam]`",
        "write adam, without brackets",
        "[adam]",
    ),
    "{name: sgd, momentum: [1]}": (
        "`method.optimizer.momentum` is true or false or a number or a text, found `[1]`",
        None,
        "[1]",
    ),
}


@pytest.mark.parametrize("optimizer", REFUSED)
def test_what_optax_does_not_have_is_refused(optimizer: str) -> None:
    (found,) = refused(lambda: experiment(f"{{name: gradient, optimizer: {optimizer}}}"))
    assert (found.message, found.help, found.span and found.span.text) == REFUSED[optimizer]


def test_what_needs_more_than_a_gradient_is_refused() -> None:
    (found,) = refused(lambda: experiment("{name: gradient, optimizer: lbfgs}"))
    assert found.code == "E612"
    assert found.message.startswith("lbfgs cannot be used with a gradient and a rate")
    assert found.help == "take another, such as `adam`"


def test_an_option_of_another_type_is_marked_and_the_others_are_listed() -> None:
    (found,) = refused(lambda: experiment("{name: gradient, optimizer: {name: sgd, nesterov: true, momentum: fast}}"))
    assert found.message.startswith("sgd cannot be used with `momentum: fast`")
    assert found.span
    assert found.span.text == "fast"
    assert found.help == "its options are momentum, nesterov: False, accumulator_dtype"
