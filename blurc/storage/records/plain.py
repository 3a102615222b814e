"""From dataclasses to trees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from typing import Any, cast

from blurc.storage.records.shape import TAG, own_keys, variants


def plain(value: Any) -> Any:
    """The tree of a record: with every value in it but empty ones. It reads back equal."""
    if is_dataclass(value):
        return dict(_pairs(value))
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in cast("Mapping[Any, Any]", value).items()}
    return [plain(v) for v in cast("Iterable[Any]", value)] if isinstance(value, list | tuple) else value


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    for name, key in own_keys(cast("Any", type(value))).items():
        part = getattr(value, name)
        if key.rest:
            yield from plain(part).items()
            continue
        if not is_dataclass(part):
            empty = part is None or (isinstance(part, str | tuple | Mapping) and not part)
            if not (empty and part == key.fallback):
                yield name, plain(part)
        elif key.inline:
            yield from _pairs(part)
        elif variants(key.hint):
            yield name, {TAG: type(part).__name__.lower(), **plain(part)}
        else:
            yield name, plain(part)
