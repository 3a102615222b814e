"""The optimizers of optax and `optax.contrib`, by their names there: all whose first argument is a learning rate.

optax is imported only where one is made: to read an experiment with the default it is not needed.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from blurc.diagnostics import suggest
from blurc.meta.experiment.experiment import Gradient, Optimizer, Pes

if TYPE_CHECKING:
    import optax

RATE = "learning_rate"
TRIED = 3  # steps that options must survive
# What options must be, by their names in optax. Others are only tried.
SHARES = re.compile(r"(adam_)?(b\d|beta\d?)|momentum|rho")
SIZES = re.compile(r"(adam_)?eps(_root)?|(adam_)?weight_decay(_rate)?")


class Complaint(NamedTuple):
    """option: the one that is wrong; None: the optimizer itself is."""

    option: str | None
    message: str
    help: str | None = None


@lru_cache
def constructors() -> Mapping[str, Callable[..., optax.GradientTransformation]]:
    import optax
    from optax import contrib

    found = {**vars(contrib), **vars(optax)}
    return {name: make for name, make in sorted(found.items()) if inspect.isfunction(make) and _is_one(name, make)}


def _is_one(name: str, make: Callable[..., Any]) -> bool:
    """Parts of optimizers, which also take a rate, are called `scale_by_..`."""
    return next(iter(inspect.signature(make).parameters), "") == RATE and not name.startswith(("_", "scale_by_"))


def transformation(choice: Optimizer, rate: Any) -> optax.GradientTransformation:
    """rate: a number, or a schedule."""
    return constructors()[choice.name](rate, **choice.options)


def complaints(method: Gradient | Pes) -> Iterator[Complaint]:
    """What is wrong with the optimizer of a method."""
    choice = method.optimizer
    if choice == Optimizer():
        return
    if choice.name not in constructors():
        known = ", ".join(constructors())
        help = suggest(choice.name, constructors(), f"those of optax are {known}")
        yield Complaint(None, f"optax has no optimizer `{choice.name}`", help)
        return
    yield from [*_options(choice)] or _trial(method)


def _options(choice: Optimizer) -> Iterator[Complaint]:
    known = [*inspect.signature(constructors()[choice.name]).parameters][1:]
    for name, value in choice.options.items():
        if name == RATE:
            yield Complaint(name, f"`{RATE}` is given by `method.rate`", "write `rate` beside `optimizer`")
        elif name not in known:
            yield Complaint(
                name, f"{choice.name} has no option `{name}`", suggest(name, [*known, "name"], _known(choice.name))
            )
        elif isinstance(value, float | int):
            yield from _range(name, value)


def _range(name: str, value: float) -> Iterator[Complaint]:
    if SHARES.fullmatch(name) and not 0 <= value < 1:
        yield Complaint(name, f"`{name}` must be at least 0 and below 1, found `{value}`")
    if SIZES.fullmatch(name) and value < 0:
        yield Complaint(name, f"`{name}` must be at least 0, found `{value}`")


def _known(name: str) -> str:
    """The options of an optimizer, with what they are by default."""
    parameters = [*inspect.signature(constructors()[name]).parameters.values()][1:]
    defaults = (f"{p.name}: {p.default}" if _is_plain(p.default) else p.name for p in parameters)
    return f"its options are {', '.join(defaults)}" if parameters else "it has none"


def _is_plain(default: Any) -> bool:
    return isinstance(default, str | float | int) and default is not inspect.Parameter.empty


def _trial(method: Gradient | Pes) -> Iterator[Complaint]:
    """What is wrong with a few steps: with the option without which they succeed, else with the optimizer."""
    choice = method.optimizer
    if not (wrong := _tried(method, choice)):
        return
    for name, value in choice.options.items():
        others = {other: v for other, v in choice.options.items() if other != name}
        if not _tried(method, replace(choice, options=others)):
            yield Complaint(name, f"{choice.name} cannot be used with `{name}: {value}`: {wrong}", _known(choice.name))
            return
    decays = isinstance(method, Gradient) and method.decay
    given = "a gradient and a rate" + (" that decays" if decays else "")
    if choice.options and not _tried(method, replace(choice, options={})):
        yield Complaint(None, f"{choice.name} cannot be used with these options: {wrong}", _known(choice.name))
    else:
        yield Complaint(None, f"{choice.name} cannot be used with {given}: {wrong}", "take another, such as `adam`")


def _tried(method: Gradient | Pes, choice: Optimizer) -> str:
    """What goes wrong in some steps on a slope, as some optimizers need more than a gradient, and some options are of
    other types; empty if nothing does."""
    import jax
    import jax.numpy as jnp
    import optax

    decay = isinstance(method, Gradient) and method.decay
    genome = {"a": jnp.ones((1,)), "b": jnp.ones((1, 2, 3))}
    try:
        optimizer = transformation(choice, optax.cosine_decay_schedule(method.rate, TRIED) if decay else method.rate)
        update: Any = jax.jit(jax.vmap(optimizer.update))
        state = jax.vmap(optimizer.init)(genome)
        change = genome
        for _ in range(TRIED):
            change, state = update(genome, state, genome)
        sound = all(bool(jnp.isfinite(x).all()) for x in jax.tree.leaves(change))
    except Exception as error:  # whatever optax makes of an option
        return str(error).splitlines()[0] if str(error) else type(error).__name__
    return "" if sound else "its steps are not finite"
