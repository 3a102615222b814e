"""YAML with positions: nodes that diagnostics can point at."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any

import yaml

from blurc.diagnostics import Report, Source, Span
from blurc.storage.files import read_file, why
from blurc.storage.yaml_nodes import at, parsed, refuse

SUFFIXES = (".yaml", ".yml")
LIMIT = 16 * 2**20  # bytes; a genome takes kilobytes
LONGEST = 400  # characters of a number


def read_source(path: str | os.PathLike[str]) -> Source:
    """The text of a YAML file. Raises `BlurError` (E601)."""
    name = os.fspath(path)
    try:
        return Source(name, read_file(path, SUFFIXES, LIMIT).decode("utf-8-sig"))
    except OSError as error:
        refuse("E601", f"cannot read `{name}`: {why(error)}")
    except UnicodeDecodeError as error:
        refuse("E601", f"cannot read `{name}`: it is not UTF-8 text, see byte {error.start}")


@dataclass(frozen=True)
class Document:
    """The nodes of one file."""

    source: Source
    root: yaml.Node
    _loader: Any

    def construct(self, node: yaml.Node, report: Report) -> Any:
        """The Python value of a node by `safe_load`'s rules, or None and a report (E602)."""
        try:
            return self._loader.construct_object(node, deep=True)
        except yaml.MarkedYAMLError as error:
            where = _mark_span(self.source, error.problem_mark)
            report.error("E602", f"not plain YAML: {error.problem}", where)
        except (ValueError, OverflowError) as error:  # such as 2024-99-99
            report.error("E602", f"not plain YAML: {error}", node_span(self.source, node))
        except RecursionError:
            report.error("E602", "nested too deeply", node_span(self.source, node))
        return None


def compose(source: Source, report: Report, *, rows: bool = False) -> Document:
    """The nodes of a YAML text. Raises `BlurError` (E602, E603) if it has none; reports duplicate keys (E604). rows:
    whether rows of many numbers are leaves of it (`Row`)."""
    if len(source.text) > LIMIT:
        refuse("E602", f"`{source.name}` is larger than {LIMIT // 2**20} MiB")
    try:
        loader, root = parsed(source, report, rows)
    except yaml.reader.ReaderError as error:
        character = chr(error.character) if isinstance(error.character, int) else error.character
        refuse("E602", f"not YAML: found the character {character!r}", at(source, error.position))
    except yaml.MarkedYAMLError as error:
        problem = ", ".join(p for p in (error.context, error.problem) if p)
        refuse("E602", f"not YAML: {problem}", _mark_span(source, error.problem_mark or error.context_mark))
    except RecursionError:
        refuse("E602", f"`{source.name}` is nested too deeply")
    if root is None:
        refuse("E602", f"`{source.name}` is empty", at(source, 0))
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


def _mark_span(source: Source, mark: yaml.Mark | None) -> Span | None:
    return at(source, mark.index) if mark else None
