"""A YAML document as a tree that `records.Reader` reads: its leaves are nodes, and every path has a span."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, cast

import yaml

from blurc.diagnostics import Source, Span
from blurc.storage.records import LONGEST_SHOWN, Front, Path, Problem, dotted
from blurc.storage.yaml import Document, node_span, number
from blurc.storage.yaml_rows import Row

NULL = "tag:yaml.org,2002:null"
STRING = "tag:yaml.org,2002:str"
BOOLEAN = "tag:yaml.org,2002:bool"
TRUE = ("true", "yes", "on")


@dataclass
class YamlTree(Front):
    """what: the record that the whole document is."""

    document: Document
    what: str
    root: Any = field(init=False)
    _spans: dict[Path, Span] = field(init=False, default_factory=dict[Path, Span])  # but for those in `_lists`
    _lists: dict[Path, yaml.SequenceNode] = field(init=False, default_factory=dict[Path, yaml.SequenceNode])
    _keys: dict[Path, Span] = field(init=False, default_factory=dict[Path, Span])

    def __post_init__(self) -> None:
        self.root = self._tree(self.document.root, (), self.document.source)

    def __contains__(self, path: Path) -> bool:
        return self._span(path) is not None

    def span(self, path: Path) -> Span:
        """Of the value at a path; where it is left out or is said by a short form, of what is around it."""
        while (found := self._span(path)) is None:
            path = path[:-1]
        return found

    def _span(self, path: Path) -> Span | None:
        if path in self._spans or path[:-1] not in self._lists or not path[-1].isdecimal():
            return self._spans.get(path)
        i, parts = int(path[-1]), self._lists[path[:-1]].value
        return node_span(self._spans[path[:-1]].source, parts[i]) if i < len(parts) else None

    def is_from_elsewhere(self, path: Path) -> bool:
        """Whether the value was put in place of the document's own."""
        return self.span(path).source is not self.document.source

    # ------------------------------------------------------------- nodes

    def place(self, path: Path, node: yaml.Node | None, value: Span, key: Span) -> Any:
        """Notes that `node`, or an empty mapping, stands at `path` from now on, and returns its tree."""
        for known in (self._spans, self._lists, self._keys):
            for old in [p for p in known if p[: len(path)] == path]:
                del known[old]
        self._keys[path], self._spans[path] = key, value
        return {} if node is None else self._tree(node, path, value.source)

    def _tree(self, node: yaml.Node, path: Path, source: Source) -> Any:
        self._spans[path] = node_span(source, node)
        if isinstance(node, Row):
            self._lists[path] = node
            return node
        if isinstance(node, yaml.SequenceNode):
            if all(isinstance(part, yaml.ScalarNode) for part in node.value):
                self._lists[path] = node
                return list(node.value)
            return [self._tree(part, (*path, str(i)), source) for i, part in enumerate(node.value)]
        if not isinstance(node, yaml.MappingNode):
            return node
        found: dict[str, Any] = {}
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                self._keys[*path, key.value] = node_span(source, key)
                found[key.value] = self._tree(value, (*path, key.value), source)
            else:
                what, span = f"`{dotted(path)}`" if path else self.what, node_span(source, key)
                self.report.error("E605", f"a key of {what} is a word, found {_shown(span)}", span)
        return found

    def construct(self, key: str) -> Any:
        """What the whole value of a key of the document stands for by the rules of YAML. Reported (E602) and {} where
        that is nothing."""
        node = next(value for name, value in reversed(self.document.root.value) if name.value == key)
        return self.document.construct(node, self.report) or {}

    # ---------------------------------------------------- what Reader asks for

    def tell(self, problem: Problem) -> None:
        span = self._keys[problem.path] if problem.at_key else self.span(problem.path)
        self.report.error(problem.code, problem.message, span, help=problem.help)

    def read(self, kind: Any, leaf: yaml.ScalarNode) -> Any:
        if kind is str:
            return leaf.value if leaf.tag == STRING else None
        if kind is bool:
            return leaf.value.lower() in TRUE if leaf.tag == BOOLEAN else None
        x = number(leaf)
        if x is None or not math.isfinite(x):
            return None
        if kind is float:
            return x
        if not x.is_integer() or "." in leaf.value:
            return None
        return int(x) if "e" in leaf.value.lower() else int(leaf.value)  # no float has all of 2**53 + 1

    def is_nothing(self, leaf: Any) -> bool:
        return isinstance(leaf, yaml.ScalarNode) and leaf.tag == NULL

    def shown(self, path: Path, value: Any) -> str:
        if isinstance(value, yaml.ScalarNode):
            text = cast("str", value.value)
            return ("a text" if len(text) > LONGEST_SHOWN else f"`{text}`") if text else "nothing"
        if not value:
            return "nothing in it"
        text = self.span(path).text
        flat = "\n" not in text and len(text) <= LONGEST_SHOWN
        return f"`{text}`" if flat else "a mapping" if isinstance(value, dict) else "a list"

    def help(self, path: Path, kind: Any, value: Any) -> str | None:
        if not isinstance(value, yaml.ScalarNode) or not value.value:
            return None
        if kind is str:
            return "put it in quotes"
        parts = [part.strip() for part in value.value.split(",")] if kind is tuple else []
        return f"write [{', '.join(parts)}]" if any(parts) else None


def _shown(span: Span) -> str:
    return f"`{span.text}`" if "\n" not in span.text and len(span.text) <= LONGEST_SHOWN else "a mapping or a list"
