"""YAML with positions, restricted: nodes that diagnostics can point at, no aliases, no duplicate keys.

Uses PyYAML's Python parser for its marks; the C scanner has none, though it is 10 times as fast.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any, NoReturn, cast

import yaml

from blurc.diagnostics import BlurError, Diagnostic, Report, Source, Span
from blurc.storage.files import read_file, why

SUFFIXES = (".yaml", ".yml")
LIMIT = 16 * 2**20  # bytes; a genome takes kilobytes
MOST_DEPTH = 50  # of lists and mappings in each other
MOST_KEYS = 10_000
LONGEST = 400  # characters of a number


def read_source(path: str | os.PathLike[str]) -> Source:
    """The text of a YAML file. Raises `BlurError` (E601)."""
    name = os.fspath(path)
    try:
        return Source(name, read_file(path, SUFFIXES, LIMIT).decode("utf-8-sig"))
    except OSError as error:
        _refuse("E601", f"cannot read `{name}`: {why(error)}")
    except UnicodeDecodeError as error:
        _refuse("E601", f"cannot read `{name}`: it is not UTF-8 text, see byte {error.start}")


@dataclass(frozen=True)
class Document:
    """The nodes of one file."""

    source: Source
    root: yaml.Node
    _constructor: Any

    def construct(self, node: yaml.Node, report: Report) -> Any:
        """The Python value of a node by `safe_load`'s rules, or None and a report (E602)."""
        try:
            return self._constructor.construct_object(node, deep=True)
        except yaml.MarkedYAMLError as error:
            where = _mark_span(self.source, error.problem_mark)
            report.error("E602", f"not plain YAML: {error.problem}", where)
        except (ValueError, OverflowError) as error:  # such as 2024-99-99
            report.error("E602", f"not plain YAML: {error}", node_span(self.source, node))
        except RecursionError:
            report.error("E602", "nested too deeply", node_span(self.source, node))
        return None


def compose(source: Source, report: Report) -> Document:
    """The nodes of a YAML text. Raises `BlurError` (E602, E603) if it has none; reports duplicate keys (E604)."""
    try:
        loader = _Loader(source.text, source, report)
        root = loader.get_single_node()
    except yaml.reader.ReaderError as error:
        character = chr(error.character) if isinstance(error.character, int) else error.character
        _refuse("E602", f"not YAML: found the character {character!r}", _at(source, error.position))
    except yaml.MarkedYAMLError as error:
        problem = ", ".join(p for p in (error.context, error.problem) if p)
        _refuse("E602", f"not YAML: {problem}", _mark_span(source, error.problem_mark or error.context_mark))
    except RecursionError:
        _refuse("E602", f"`{source.name}` is nested too deeply")
    if root is None:
        _refuse("E602", f"`{source.name}` is empty", _at(source, 0))
    return Document(source, root, loader)


def node_span(source: Source, node: yaml.Node) -> Span:
    start = node.start_mark.index
    return Span(source, start, max(start + 1, node.end_mark.index))


def number(node: yaml.Node) -> float | None:
    """The value of an unquoted number. `1e-5` is a number here; strictly, YAML 1.1 makes it text."""
    if not isinstance(node, yaml.ScalarNode) or node.style is not None or len(node.value) > LONGEST:
        return None
    special = {".nan": math.nan, ".inf": math.inf, "+.inf": math.inf, "-.inf": -math.inf}
    try:
        return special.get(node.value.lower()) or float(node.value)
    except ValueError:
        return None


class _Loader(yaml.SafeLoader):
    def __init__(self, text: str, source: Source, report: Report) -> None:
        super().__init__(text)
        self._source = source
        self._report = report
        self._depth = self._keys = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: Any = cast("Any", self).peek_event()
        if isinstance(event, yaml.AliasEvent):
            where = _mark_span(self._source, event.start_mark)
            _refuse("E603", f"found the YAML alias `*{event.anchor}`", where, "write the value out")
        self._depth += 1
        if self._depth > MOST_DEPTH:
            where = _mark_span(self._source, event.start_mark)
            _refuse("E602", f"lists and mappings stand in each other more than {MOST_DEPTH} levels deep", where)
        node = super().compose_node(parent, index)
        self._depth -= 1
        self._keys += isinstance(parent, yaml.MappingNode)
        if self._keys > 2 * MOST_KEYS:
            _refuse("E602", f"there are more than {MOST_KEYS:,} keys", _mark_span(self._source, event.start_mark))
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen: dict[str, Any] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and (first := seen.setdefault(key.value, key)) is not key:
                self._report.error(
                    "E604",
                    f"the key `{key.value}` is given twice",
                    _mark_span(self._source, key.start_mark),
                    notes=[f"first on line {first.start_mark.line + 1}"],
                    help="remove one of them",
                )
        return node


def _mark_span(source: Source, mark: yaml.Mark | None) -> Span | None:
    return _at(source, mark.index) if mark else None


def _at(source: Source, offset: int) -> Span:
    return Span(source, offset, offset + 1)


def _refuse(code: str, message: str, span: Span | None = None, help: str | None = None) -> NoReturn:
    raise BlurError(Diagnostic(code, message, span, (), help))
