"""How the frozen dataclasses of an experiment stand in YAML: which keys a mapping has, which short forms there are,
and which values are possible. A new field needs nothing here but its limit, if it has one."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import lru_cache
from itertools import pairwise
from types import NoneType, UnionType
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

from blurc.meta.experiment.experiment import (
    Cma,
    Curriculum,
    Evaluation,
    Experiment,
    Gradient,
    Inner,
    Network,
    Pes,
)
from blurc.tasks import Augment, TaskChoice

INLINE: Mapping[tuple[type, str], type] = {
    (Experiment, "network"): Network
}  # its keys stand among the others
SHORT: Mapping[type, str] = {TaskChoice: "data"}  # a plain word stands for a mapping with this key alone
TAG = "name"  # which of several dataclasses a mapping is


class Key(NamedTuple):
    """A key of a mapping. fallback: its value where it is left out or wrong."""

    name: str
    hint: Any
    required: bool
    fallback: Any


@lru_cache
def keys(cls: Any) -> Mapping[str, Key]:
    """The keys of the mapping that a dataclass is read from, in the order of its fields."""
    found: dict[str, Key] = {}
    for name, key in own_keys(cls).items():
        found |= keys(INLINE[cls, name]) if (cls, name) in INLINE else {name: key}
    return found


@lru_cache
def own_keys(cls: Any) -> Mapping[str, Key]:
    """One for each field of a dataclass, but for those that are made from the file as a whole."""
    hints = get_type_hints(cls)
    own = [f for f in fields(cls) if f.metadata.get("key", True)]
    return {f.name: Key(f.name, hints[f.name], *_default(f, hints[f.name])) for f in own}


def _default(field: Field[Any], hint: Any) -> tuple[bool, Any]:
    if field.default_factory is not MISSING:
        return False, field.default_factory()
    if field.default is not MISSING:
        return False, field.default
    return True, () if get_origin(hint) is tuple else ""


def optional(hint: Any) -> Any:
    """T of a hint `T | None`, else None."""
    kinds = get_args(hint) if isinstance(hint, UnionType) else ()
    rest = [k for k in kinds if k is not NoneType]
    return rest[0] if NoneType in kinds and len(rest) == 1 else None


def variants(hint: Any) -> Mapping[str, type]:
    """The dataclasses of a hint `A | B | C` by their names in YAML; none where it is something else."""
    kinds = get_args(hint) if isinstance(hint, UnionType) else ()
    return {k.__name__.lower(): k for k in kinds} if kinds and all(map(is_dataclass, kinds)) else {}


def short_key(hint: Any) -> str | None:
    """The key that a plain word in the place of a mapping is the value of."""
    return TAG if variants(hint) else SHORT.get(hint)


# ------------------------------------------------------------------ limits


class Limit(NamedTuple):
    """What a value must be, in words that follow "is". of: the whole value, or each entry of a list."""

    words: str
    holds: Callable[[Any], bool]
    each: bool = False


def whole(least: int) -> Limit:
    """Sizes and counts that arrays can have."""
    return Limit(f"from {least} to {MOST}", lambda n: least <= n <= MOST)


def or_nothing(limit: Limit) -> Limit:
    return limit._replace(holds=lambda value: value is None or limit.holds(value))


def one_of(*words: str) -> Limit:
    return Limit(f"{', '.join(words[:-1])} or {words[-1]}", lambda word: word in words)


def each(limit: Limit) -> Limit:
    return limit._replace(words=f"a list of numbers {limit.words}", each=True)


def _rising(numbers: Sequence[int]) -> bool:
    return bool(numbers) and all(a < b for a, b in pairwise((0, *numbers, MOST + 1)))


MOST = 2**31 - 1
POSITIVE = Limit("above 0", lambda x: 0 < x < math.inf)
NOISE = Limit("at least 0", lambda x: 0 <= x < math.inf)
COUNT = whole(1)
SIZE = whole(0)
EVEN = Limit(f"an even number from 2 to {MOST}", lambda n: 2 <= n <= MOST and n % 2 == 0)
SEED = Limit(f"from 0 to {2**32 - 1}", lambda n: 0 <= n < 2**32)
SOME = Limit("a list with at least one entry", bool)
WORD = Limit("a text that is not empty", bool)
LABEL = Limit(
    "letters, digits, `-`, `_` and `.`, for a folder is called so",
    lambda text: bool(re.fullmatch(r"\w[\w.-]*", text)),
)
RISING = Limit(f"a rising list of numbers from 1 to {MOST}", _rising)
OBJECTIVE = one_of("cross_entropy", "accuracy")

LIMITS: Mapping[type, Mapping[str, Limit]] = {
    Network: {"spec": WORD},
    Inner: {"steps": COUNT, "batch": COUNT, "query": COUNT, "judge_every": SIZE},
    Gradient: {"steps": COUNT, "objective": OBJECTIVE, "rate": POSITIVE, "clip": POSITIVE},
    Cma: {"steps": COUNT, "objective": OBJECTIVE, "population": whole(4), "sigma": POSITIVE},
    Pes: {
        "steps": COUNT,
        "objective": OBJECTIVE,
        "population": EVEN,
        "sigma": POSITIVE,
        "truncation": COUNT,
        "rate": POSITIVE,
        "clip": POSITIVE,
    },
    Curriculum: {"add": COUNT, "every": COUNT, "until": COUNT},
    Evaluation: {"steps": RISING, "seeds": COUNT, "batch": COUNT},
    Experiment: {
        "name": LABEL,
        "tasks": SOME,
        "replicas": COUNT,
        "jitter": NOISE,
        "chunk": or_nothing(SIZE),
        "tasks_per_step": COUNT,
        "seed": SEED,
        "checkpoint_every": COUNT,
    },
    TaskChoice: {
        "data": WORD,
        "weight": POSITIVE,
        "crop": SIZE,
        "resize": SIZE,
        "classes": each(SIZE),
        "ways": whole(2),
        "outputs": SIZE,
    },
    Augment: {"project": SIZE, "brightness": NOISE},
}
