"""Values that are set from outside at dotted paths of a YAML tree, `tasks.0.crop=20`, before it is read.

The nodes point into the text of the setting. What is no key there is refused by the reader, like any other key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args, get_origin

import yaml

from blurc.diagnostics import BlurError, Report, Source, Span
from blurc.meta.experiment import yaml_shape
from blurc.storage import compose

STRING = "tag:yaml.org,2002:str"


@dataclass
class Override:
    """Changes the tree of `root` in place. sources: of the nodes that were added."""

    root: yaml.Node
    cls: Any
    report: Report
    sources: dict[yaml.Node, Source] = field(default_factory=dict[yaml.Node, Source])

    def set_all(self, settings: Mapping[str, str]) -> None:
        for path, text in settings.items():
            setting = _Setting(path, Source("--set", f"{path}={text}"))
            value = setting.value(self.report)
            if value is not None:
                self._set(setting, value)
                self._note(value, setting.source)

    def _set(self, setting: _Setting, value: yaml.Node) -> None:
        """Follows all names but the last, through mappings that are made where there are none."""
        node, hint = self.root, self.cls
        *names, last = setting.names
        for i, name in enumerate(names):
            child = self._child(node, name, setting, i)
            hint = _hint(hint, name)
            if child is None:
                if not self._put(node, name, child := setting.empty(i), setting, i):
                    return
                self.sources[child] = setting.source
            elif (key := yaml_shape.short_key(hint)) and isinstance(child, yaml.ScalarNode):
                child = self._spelt_out(node, name, child, key)
            node = child
        self._put(node, last, value, setting, len(names))

    def _child(self, node: yaml.Node, name: str, setting: _Setting, at: int) -> yaml.Node | None:
        if isinstance(node, yaml.MappingNode):
            return next((value for key, value in node.value if key.value == name), None)
        if isinstance(node, yaml.SequenceNode) and name.isdecimal() and int(name) < len(node.value):
            return node.value[int(name)]
        return None

    def _put(self, node: yaml.Node, name: str, value: yaml.Node, setting: _Setting, at: int) -> bool:
        """Whether `node` can have an entry `name`, which is `value` then."""
        if isinstance(node, yaml.MappingNode):
            key = setting.key(at)
            self.sources[key] = setting.source
            node.value = [pair for pair in node.value if pair[0].value != name] + [(key, value)]
            return True
        if isinstance(node, yaml.SequenceNode) and name.isdecimal() and int(name) < len(node.value):
            node.value[int(name)] = value
            return True
        what = ".".join(setting.names[:at])
        found = len(node.value) if isinstance(node, yaml.SequenceNode) else 0
        help = f"its entries are 0 to {found - 1}" if found else "a value without entries is set as a whole"
        self.report.error("E607", f"`{what}` has no entry `{name}`", setting.span(at), help=help)
        return False

    def _spelt_out(self, parent: yaml.Node, name: str, short: yaml.Node, key: str) -> yaml.Node:
        """The mapping that a plain word stands for, put in its place."""
        marks = (short.start_mark, short.end_mark)
        full = yaml.MappingNode("", [(yaml.ScalarNode(STRING, key, *marks), short)], *marks)
        if isinstance(parent, yaml.SequenceNode):
            parent.value[int(name)] = full
        else:
            parent.value = [(k, full if v is short else v) for k, v in parent.value]
        if short in self.sources:
            self.sources |= dict.fromkeys((full, full.value[0][0]), self.sources[short])
        return full

    def _note(self, node: yaml.Node, source: Source) -> None:
        self.sources[node] = source
        if isinstance(node, yaml.SequenceNode):
            for part in node.value:
                self._note(part, source)
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                self._note(key, source)
                self._note(value, source)


def _hint(hint: Any, name: str) -> Any:
    """Of the entry `name` of a value; None where there is no such entry."""
    hint = yaml_shape.optional(hint) or hint
    if get_origin(hint) is tuple:
        return get_args(hint)[0]
    kinds = [*yaml_shape.variants(hint).values()] or ([hint] if isinstance(hint, type) else [])
    found = [yaml_shape.keys(k) for k in kinds if hasattr(k, "__dataclass_fields__")]
    return next((known[name].hint for known in found if name in known), None)


@dataclass(frozen=True)
class _Setting:
    path: str
    source: Source  # PATH=VALUE

    @property
    def names(self) -> list[str]:
        return self.path.split(".")

    def span(self, at: int) -> Span:
        start = sum(len(name) + 1 for name in self.names[:at])
        return Span(self.source, start, start + max(1, len(self.names[at])))

    def key(self, at: int) -> yaml.ScalarNode:
        return yaml.ScalarNode(STRING, self.names[at], *self._marks(at))

    def empty(self, at: int) -> yaml.Node:
        return yaml.MappingNode("tag:yaml.org,2002:map", [], *self._marks(at))

    def _marks(self, at: int) -> tuple[yaml.Mark, yaml.Mark]:
        span = self.span(at)
        start, stop = (yaml.Mark(self.source.name, i, 0, i, None, 0) for i in (span.start, span.stop))
        return start, stop

    def value(self, report: Report) -> yaml.Node | None:
        """What stands behind the `=`, nothing being null; None where it is no YAML, which is reported."""
        width = len(self.path) + 1
        text = self.source.text[width:]
        try:
            # Blanks in the place of the path: the marks are then those of the whole setting.
            padded = Source(self.source.name, " " * width + (text if text.strip() else "null"))
            return compose(padded, report).root
        except BlurError as error:
            for d in error.diagnostics:
                span = (
                    Span(self.source, min(d.span.start, len(self.source.text)), d.span.stop)
                    if d.span
                    else None
                )
                report.error(d.code, d.message, span, help=d.help)
            return None
