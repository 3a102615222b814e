"""Plain values to YAML that people read: floats as short as they come back, rows on one line, no aliases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

import numpy as np
import yaml
from numpy.typing import NDArray

from blurc.diagnostics import BlurError, Diagnostic
from blurc.storage.yaml import LIMIT
from blurc.storage.yaml_nodes import MOST_DEPTH, MOST_KEYS, MOST_NODES
from blurc.storage.yaml_rows import SHORTEST

TOO_LONG = f"takes more than {LIMIT // 2**20} MiB"
MAP, SEQUENCE = "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"


class OneLine(dict[str, Any]):
    """A mapping to be written on one line."""


class _OneLineList(list[Any]):
    """A list to be written on one line."""


def dump(tree: Any, *, width: int = 2**31, flow: bool | None = False) -> str:
    """The YAML of a tree. flow: whether mappings and lists stand on one line; None: those without others in them.
    Raises `yaml.YAMLError` for what YAML has no words for, and `BlurError` (E611) for what could not be read again."""
    text = yaml.dump(tree, Dumper=_Dumper, sort_keys=False, default_flow_style=flow, allow_unicode=True, width=width)
    if len(text.encode()) > LIMIT:
        raise _too_large(TOO_LONG)
    return text


def rows(array: NDArray[np.floating[Any]]) -> Any:
    """The tree of an array: one row a line."""
    if array.ndim == 0:
        return array[()]
    return _OneLineList(array) if array.ndim == 1 else [rows(part) for part in array]


def to_python(value: Any) -> Any:
    """NumPy's and JAX's numbers and arrays, and tuples, in plain Python."""
    if isinstance(value, Mapping):
        return {to_python(k): to_python(v) for k, v in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [to_python(v) for v in cast("Iterable[Any]", value)]
    return value.tolist() if hasattr(value, "tolist") else value


def float_text(value: np.floating[Any]) -> str:
    """The shortest text that reads back as the same float, with the point that YAML asks for: `1.0e-05`."""
    is_plain = value == 0 or 1e-4 <= abs(value) < 1e7
    write = np.format_float_positional if is_plain else np.format_float_scientific
    text = write(value, unique=True, trim="0")
    # A float32 is read as a float64 and then rounded; twice rounded may be once too often.
    return text if type(value)(float(text)) == value else float_text(np.float64(value))


class _Dumper(yaml.SafeDumper):
    """Counts as those do who read."""

    _nodes = _keys = _depth = 0

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_data(self, data: Any) -> yaml.Node:
        self._nodes += 1
        self._keys += len(cast("Mapping[Any, Any]", data)) if isinstance(data, dict) else 0
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise _too_large(f"has lists and mappings in each other more than {MOST_DEPTH} levels deep")
        if self._keys > MOST_KEYS:
            raise _too_large(f"has more than {MOST_KEYS:,} keys")
        if self._nodes > MOST_NODES:
            raise _too_large(f"has more than {MOST_NODES:,} values")
        node = super().represent_data(data)
        self._depth -= 1
        return node

    def row(self, row: _OneLineList) -> yaml.Node:
        if len("0.0, ") * len(row) - 2 >= SHORTEST:  # it is read as a whole
            self._nodes -= len(row)
        return self.represent_sequence(SEQUENCE, row, flow_style=True)


def _too_large(how: str) -> BlurError:
    return BlurError(Diagnostic("E611", f"cannot write what could not be read again: it {how}"))


def _float(dumper: Any, value: np.floating[Any]) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:float", float_text(value))


def _text(dumper: Any, text: str) -> yaml.Node:
    """PyYAML folds single quoted texts at the line breaks of Unicode, and loses these."""
    if len(text) > LIMIT:
        raise _too_large(TOO_LONG)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"')


_Dumper.add_representer(np.float32, _float)
_Dumper.add_representer(np.float64, _float)
_Dumper.add_representer(str, _text)
_Dumper.add_representer(OneLine, lambda d, row: d.represent_mapping(MAP, row.items(), flow_style=True))
_Dumper.add_representer(_OneLineList, _Dumper.row)
