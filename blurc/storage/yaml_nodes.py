"""The nodes of a YAML text, restricted: no aliases, no duplicate keys, and not too many of anything.

libyaml parses where PyYAML was built with it, several times as fast as PyYAML's own parser. That one says better what
is wrong, so it has the word on short texts that libyaml refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn, cast

import yaml
from yaml.composer import Composer

from blurc.diagnostics import BlurError, Diagnostic, Report, Source, Span
from blurc.storage.yaml_rows import Numbers, Row, without_rows

SHORT = 2**18  # characters
MOST_DEPTH = 50  # of lists and mappings in each other
MOST_KEYS = 10_000
MOST_NODES = 150_000  # where a long row of numbers is one

NONE: Mapping[int, Numbers] = {}


def parsed(source: Source, report: Report, rows: bool) -> tuple[Any, yaml.Node | None]:
    """The root of a text, and who knows what nodes stand for. rows: see `compose`. Raises `yaml.YAMLError`, and
    `BlurError` (E602, E603); reports duplicate keys (E604)."""
    text, cut = without_rows(source.text) if rows else (source.text, NONE)
    found = Report()
    loader, root = _parsed(text, source, found, cut)
    if loader.met < len(cut):  # one of them is in a text or a comment
        return _parsed(source.text, source, report, NONE)
    for diagnostic in found.diagnostics:
        report.add(diagnostic)
    return loader, root


def _parsed(text: str, source: Source, report: Report, rows: Mapping[int, Numbers]) -> tuple[Any, yaml.Node | None]:
    if Quick:
        try:
            quick = Quick(text, source, report, rows)
            return quick, quick.get_single_node()
        except UnicodeEncodeError:  # half a character, which libyaml cannot be given
            pass
        except yaml.YAMLError:
            if len(text) > SHORT:
                raise
    thorough = Thorough(text, source, report, rows)
    return thorough, thorough.get_single_node()


class Restricted(Composer):
    """Composes nodes from the events of a parser."""

    _depth = _keys = _nodes = 0
    met = 0  # of `rows`

    def __init__(self, source: Source, report: Report, rows: Mapping[int, Numbers]) -> None:
        Composer.__init__(self)
        self._source, self._report, self._rows = source, report, rows

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: Any = cast("Any", self).peek_event()
        if isinstance(event, yaml.AliasEvent):
            self._refuse("E603", f"found the YAML alias `*{event.anchor}`", event, "write the value out")
        self._depth += 1
        self._nodes += 1
        self._keys += isinstance(parent, yaml.MappingNode)
        if self._depth > MOST_DEPTH:
            self._refuse("E602", f"lists and mappings stand in each other more than {MOST_DEPTH} levels deep", event)
        if self._keys > 2 * MOST_KEYS:
            self._refuse("E602", f"there are more than {MOST_KEYS:,} keys", event)
        if self._nodes > MOST_NODES:
            self._refuse("E602", f"there are more than {MOST_NODES:,} values", event)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def compose_scalar_node(self, anchor: Any) -> yaml.ScalarNode:
        node = super().compose_scalar_node(anchor)
        node.style = node.style or None  # libyaml says '' where there is none
        return node

    def compose_sequence_node(self, anchor: Any) -> yaml.SequenceNode:
        node = super().compose_sequence_node(anchor)
        if (numbers := self._rows.get(node.start_mark.index)) is None:
            return node
        self.met += 1
        return Row(node, numbers)

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen: dict[str, Any] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and (first := seen.setdefault(key.value, key)) is not key:
                self._report.error(
                    "E604",
                    f"the key `{key.value}` is given twice",
                    at(self._source, key.start_mark.index),
                    notes=[f"first on line {first.start_mark.line + 1}"],
                    help="remove one of them",
                )
        return node

    def _refuse(self, code: str, message: str, event: Any, help: str | None = None) -> NoReturn:
        refuse(code, message, at(self._source, event.start_mark.index), help)


class Thorough(Restricted, yaml.SafeLoader):
    def __init__(self, text: str, source: Source, report: Report, rows: Mapping[int, Numbers]) -> None:
        yaml.SafeLoader.__init__(self, text)
        Restricted.__init__(self, source, report, rows)


Quick: Any = None

if yaml.__with_libyaml__:

    class _Quick(Restricted, yaml.CSafeLoader):
        def __init__(self, text: str, source: Source, report: Report, rows: Mapping[int, Numbers]) -> None:
            yaml.CSafeLoader.__init__(self, text)
            Restricted.__init__(self, source, report, rows)

    Quick = _Quick


def at(source: Source, offset: int) -> Span:
    return Span(source, offset, offset + 1)


def refuse(code: str, message: str, span: Span | None = None, help: str | None = None) -> NoReturn:
    raise BlurError(Diagnostic(code, message, span, (), help))
