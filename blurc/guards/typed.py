"""Arguments of public functions, checked against their annotations before the function runs.

    @typed
    def load(path: str | os.PathLike[str]) -> Loaded: ...

    load(3)    # TypeError: `path` must be a text or a path, found `3`

What an annotation says is checked as deep as it costs little: fields of dataclasses, and entries of lists, tuples and
mappings. Ranges, and the arrays that compiled programs take, are for the functions themselves.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache, wraps
from inspect import Parameter, signature
from numbers import Integral, Real
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, cast, get_args, get_origin

from blurc.diagnostics import counted
from blurc.faces import promised

Function = TypeVar("Function", bound=Callable[..., Any])
LONGEST_SHOWN = 60
LATER = "the function checks it itself, and says more"  # `Annotated[.., LATER]`
DEEPEST = 4  # a whole model would take milliseconds
ARRAYS = ("ndarray", "Array")  # of NumPy and JAX, which are imported late

# What a value of a type is in words, and how to tell one.
PLAIN: Mapping[Any, tuple[str, Callable[[Any], bool]]] = {
    NoneType: ("None", lambda value: value is None),
    bool: ("True or False", lambda value: isinstance(value, bool)),
    int: ("a whole number", lambda value: _is_number(value, Integral)),
    float: ("a number", lambda value: _is_number(value, Real)),
    str: ("a text", lambda value: isinstance(value, str)),
    os.PathLike: ("a path", lambda value: isinstance(value, os.PathLike)),
    Path: ("a path", lambda value: isinstance(value, Path)),
    Callable: ("a function", callable),
    Mapping: ("a mapping", lambda value: isinstance(value, Mapping)),
    dict: ("a mapping", lambda value: isinstance(value, Mapping)),
    list: ("a list", lambda value: _is_list(value)),
    tuple: ("a list", lambda value: _is_list(value)),
    Sequence: ("a list", lambda value: _is_list(value)),
    Iterable: ("a list", lambda value: isinstance(value, Iterable) and not isinstance(value, bytes)),
}


class Wrong(NamedTuple):
    """at: which part of the argument, `.augment.brightness`."""

    at: str
    expected: str
    found: object


def by_name(function: Function) -> Function:
    """The function, made to say which arguments are given by name where too many are given by position."""
    parameters = signature(function).parameters.values()
    if any(p.kind is Parameter.VAR_POSITIONAL for p in parameters):
        return function
    plain = [p.name for p in parameters if p.kind is Parameter.POSITIONAL_OR_KEYWORD]
    named = [p.name for p in parameters if p.kind is Parameter.KEYWORD_ONLY]
    own = plain[:1] == ["self"]

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if len(args) <= len(plain):
            return function(*args, **kwargs)
        taken = plain[own:]
        message = f"`{function.__name__}` takes {counted(len(taken), 'argument')} by position ({', '.join(taken)})"
        help = f"give the others by name: {', '.join(f'`{name}=`' for name in named)}" if named else "remove the others"
        raise TypeError(f"{message}, found {len(args) - own}; {help}")

    return cast("Function", call)


def typed(function: Function) -> Function:
    """The function, made to raise a `TypeError` that names the argument which its annotation does not allow."""
    names = [p.name for p in signature(function).parameters.values() if p.kind is not Parameter.VAR_KEYWORD]
    called = by_name(function)

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        hints = _hints(function)
        for name, value in (*zip(names, args, strict=False), *kwargs.items()):
            if name in names:
                require(hints.get(name, Any), **{name: value})
        return called(*args, **kwargs)

    return cast("Function", call)


def require(hint: Any, **arguments: object) -> None:
    """Raises a `TypeError` that names the first argument which an annotation does not allow."""
    for name, value in arguments.items():
        if wrong := _wrong(hint, value):
            raise TypeError(f"`{name}{wrong.at}` must be {wrong.expected}, found {_shown(wrong.found)}")


def _wrong(hint: Any, value: object, depth: int = 0) -> Wrong | None:
    if get_origin(hint) is Annotated:
        of, *more = get_args(hint)
        return None if LATER in more else _wrong(of, value, depth)
    if get_origin(hint) in (Union, UnionType):
        found: list[Wrong] = []
        for part in get_args(hint):
            if (wrong := _wrong(part, value, depth)) is None:
                return None
            found.append(wrong)
        deepest = max(found, key=lambda w: len(w.at))
        return deepest if deepest.at else Wrong("", _words(hint), value)
    if not _is(hint, value):
        return Wrong("", _words(hint), value)
    parts = _parts(hint, value) if depth < DEEPEST else ()
    below = ((at, _wrong(part, inner, depth + 1)) for at, part, inner in parts)
    return next((wrong._replace(at=at + wrong.at) for at, wrong in below if wrong), None)


def _is(hint: Any, value: Any) -> bool:
    """As far as can be seen from outside."""
    kind = get_origin(hint) or hint
    if kind in PLAIN:
        return PLAIN[kind][1](value)
    if get_origin(hint) is Literal:
        return isinstance(value, str) and value in get_args(hint)
    if kind is Any or not isinstance(kind, type):  # such as a type variable
        return True
    if getattr(kind, "_is_protocol", False):
        return all(hasattr(value, name) for name in (*vars(kind), *kind.__annotations__) if not name.startswith("_"))
    if kind.__name__ in ARRAYS:
        return hasattr(value, "dtype") or _is_number(value, Real)
    return isinstance(value, kind)


def _words(hint: Any) -> str:
    kind, parts = get_origin(hint) or hint, get_args(hint)
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(dict.fromkeys(map(_words, parts)))
    if get_origin(hint) is Literal:
        return " or ".join(map(repr, parts))
    name = getattr(kind, "__name__", str(kind))
    return PLAIN[kind][0] if kind in PLAIN else "an array" if name in ARRAYS else f"of the type `{name}`"


def _parts(hint: Any, value: Any) -> Iterator[tuple[str, Any, object]]:
    """What is inside a value: where, what it must be, and what it is."""
    parts = get_args(hint)
    if isinstance(value, Mapping) and len(parts) == 2:
        for key, part in cast("Mapping[Any, Any]", value).items():
            yield ".keys()", parts[0], key
            yield f"[{key!r}]", parts[1], part
    elif isinstance(value, Collection) and get_origin(hint) in PLAIN and not isinstance(value, str):
        entries = parts[:1] * len(value) if len(parts) == 1 or parts[-1] is ... else parts
        yield from ((f"[{i}]", part, inner) for i, (part, inner) in enumerate(zip(entries, value, strict=False)))
    elif is_dataclass(value) and is_dataclass(hint):
        yield from ((f".{name}", part, getattr(value, name)) for name, part in _hints(type(value)).items())


def _is_number(value: object, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # of a foreign class, which may do anything
        text = ""
    fits = 0 < len(text) <= LONGEST_SHOWN and "\n" not in text
    return f"`{text}`" if fits else f"a value of the type `{type(value).__name__}`"


# ------------------------------------------------------------- annotations


@cache
def _hints(of: Any) -> Mapping[str, Any]:
    """The annotations of a function's arguments, or of a dataclass's fields, by name. Not until they are needed: some
    name what is expensive to import."""
    names = [f.name for f in fields(of)] if is_dataclass(of) else [*signature(of).parameters]
    owners = {name: _owner(of, name) for name in names}
    return {name: _evaluated(owner.__annotations__[name], owner.__module__) for name, owner in owners.items() if owner}


def _owner(of: Any, name: str) -> Any:
    """The function, or the class that declares a field: its module knows what the annotation means."""
    classes = of.__mro__ if isinstance(of, type) else (of,)
    return next((o for o in classes if name in getattr(o, "__annotations__", ())), None)


def _evaluated(hint: Any, module: str) -> Any:
    return eval(hint, vars(sys.modules[module]), _Promised(module)) if isinstance(hint, str) else hint


class _Promised(dict[str, Any]):
    """What a module imports for type checkers alone."""

    def __init__(self, module: str):
        super().__init__()
        self._module = sys.modules[module]

    def __missing__(self, name: str) -> Any:
        places = promised(self._module)
        if hasattr(self._module, name) or name not in places:
            raise KeyError(name)  # `eval` looks further
        return getattr(sys.modules.get(places[name]) or __import__(places[name], fromlist=[name]), name)
