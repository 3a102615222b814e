"""Values that are set from outside at dotted paths of a tree, `tasks.0.crop=20`, before it is read.

Their spans are in the text of the setting. The reader refuses unknown keys, as it does in the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import yaml

from blurc.diagnostics import BlurError, Report, Source, Span
from blurc.storage import YamlTree, compose, node_span, records


@dataclass(frozen=True)
class Override:
    """Changes `tree` in place. cls: what will be read from it."""

    tree: YamlTree
    cls: Any
    report: Report

    def set_all(self, settings: Mapping[str, str]) -> None:
        if not isinstance(self.tree.root, dict):
            return  # which the reader reports
        for path, text in settings.items():
            self._set(_Setting(tuple(path.split(".")), Source("--set", f"{path}={text}")))

    def _set(self, setting: _Setting) -> None:
        """Follows all names but the last, through mappings that are made where there are none."""
        value = setting.value(self.report)
        if value is None:
            return
        node, hint = self.tree.root, self.cls
        for i, name in enumerate(setting.names[:-1]):
            child, hint = _entry(node, name), records.entry(hint, name)
            short = records.short_key(hint)
            if child is None or self.tree.is_nothing(child):
                child = self.tree.place(setting.names[: i + 1], None, setting.span(i), setting.span(i))
                if not self._put(node, i, child, hint, setting):
                    return
            elif short and not isinstance(child, dict | list):
                self._put(node, i, child := {short: child}, hint, setting)
            node = child
        last, span = len(setting.names) - 1, node_span(setting.source, value)
        placed = self.tree.place(setting.names, value, span, setting.span(last))
        self._put(node, last, placed, records.entry(hint, setting.names[last]), setting)

    def _put(self, node: Any, at: int, value: Any, hint: Any, setting: _Setting) -> bool:
        """Whether `node` can have an entry of the name at `at`, which is `value` then. hint: of the entry."""
        name = setting.names[at]
        if isinstance(node, dict):
            node[name] = value
        elif _entry(node, name) is not None:
            node[int(name)] = value
        elif hint is not None and not isinstance(node, list):
            return False  # a plain value in place of a mapping or a list, which the reader reports
        else:
            what = ".".join(setting.names[:at])
            entries = f"its entries are 0 to {len(node) - 1}" if isinstance(node, list) and node else ""
            help = entries or "a value without entries is set as a whole"
            message = f"`{what}` has no entry `{name}`"
            self.report.error("E607", message, setting.span(at), help=help)
            return False
        return True


def _entry(node: Any, name: str) -> Any:
    if isinstance(node, list):
        is_index = name.isdecimal() and len(name) < 10 and int(name) < len(node)
        return node[int(name)] if is_index else None
    return node.get(name) if isinstance(node, dict) else None


@dataclass(frozen=True)
class _Setting:
    names: records.Path
    source: Source  # PATH=VALUE

    def span(self, at: int) -> Span:
        start = sum(len(name) + 1 for name in self.names[:at])
        return Span(self.source, start, start + max(1, len(self.names[at])))

    def value(self, report: Report) -> yaml.Node | None:
        """What follows the `=`, where nothing means null; None if it is not YAML, which is reported."""
        width = len(".".join(self.names)) + 1
        text = self.source.text[width:]
        # Blanks replace the path, so that positions are those in the whole setting.
        padded, found = Source(self.source.name, " " * width + (text if text.strip() else "null")), Report()
        try:
            return compose(padded, found).root
        except BlurError as error:
            found.diagnostics += error.diagnostics
            return None
        finally:
            for d in found.diagnostics:
                report.add(replace(d, span=d.span and self._mine(d.span)))

    def _mine(self, span: Span) -> Span:
        return Span(self.source, min(span.start, len(self.source.text)), span.stop)
