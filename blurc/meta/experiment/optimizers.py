"""The optimizers of optax and `optax.contrib`, by their names there: all whose first argument is a learning rate.

optax is imported only where one is made: to read an experiment with the default it is not needed.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
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
    found = [*_options(choice)] or [*_trial(method)]
    yield from found


def _options(choice: Optimizer) -> Iterator[Complaint]:
    known = [*inspect.signature(constructors()[choice.name]).parameters][1:]
    for name, value in choice.options.items():
        if name == RATE:
            yield Complaint(name, f"`{RATE}` is given by `method.rate`", "write `rate` beside `optimizer`")
        elif name not in known:
            help = suggest(name, known, f"its options are {', '.join(known)}" if known else "it has none")
            yield Complaint(name, f"{choice.name} has no option `{name}`", help)
        elif isinstance(value, float | int):
            yield from _range(name, value)


def _range(name: str, value: float) -> Iterator[Complaint]:
    if SHARES.fullmatch(name) and not 0 <= value < 1:
        yield Complaint(name, f"`{name}` is at least 0 and below 1, found `{value}`")
    if SIZES.fullmatch(name) and value < 0:
        yield Complaint(name, f"`{name}` is at least 0, found `{value}`")


def _trial(method: Gradient | Pes) -> Iterator[Complaint]:
    """Takes steps on a slope, as some optimizers need more than a gradient, and some options are of other types."""
    import jax
    import jax.numpy as jnp
    import optax

    choice, decay = method.optimizer, isinstance(method, Gradient) and method.decay
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
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        given = "its options" if choice.options else "a gradient and a rate" + (" that decays" if decay else "")
        yield Complaint(None, f"{choice.name} cannot be used with {given}: {why}", "take another, such as `adam`")
        return
    if not sound:
        yield Complaint(None, f"{choice.name} with these options gives numbers that are not finite")
