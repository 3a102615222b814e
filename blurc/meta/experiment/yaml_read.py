"""Dataclasses from YAML nodes, driven by their fields and type hints. What is wrong is reported, and stands in the
result as its fallback; `wrong` says where."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, is_dataclass
from typing import Any, get_args, get_origin

import yaml

from blurc.diagnostics import Report, Source, Span, did_you_mean
from blurc.meta.experiment import yaml_shape
from blurc.meta.experiment.yaml_shape import LIMITS, TAG, Key, Limit
from blurc.model import ParamValue
from blurc.storage import Document, number

Pairs = Mapping[str, tuple[yaml.Node, yaml.Node]]
NULL = "tag:yaml.org,2002:null"
STRING = "tag:yaml.org,2002:str"
BOOLEAN = "tag:yaml.org,2002:bool"
TRUE = ("true", "yes", "on")
KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


@dataclass
class Reader:
    """`nodes` are those of the values by their dotted paths, `wrong` the paths that were reported. elsewhere: the
    source of nodes that are not of the document."""

    document: Document
    report: Report
    elsewhere: Mapping[yaml.Node, Source] = field(default_factory=dict[yaml.Node, Source])
    nodes: dict[str, yaml.Node] = field(default_factory=dict[str, yaml.Node])
    wrong: set[str] = field(default_factory=set[str])

    def error(self, code: str, message: str, node: yaml.Node, path: str, help: str | None = None) -> None:
        self.wrong.add(path)
        self.report.error(code, message, self.span(node), help=help)

    def span(self, node: yaml.Node) -> Span:
        if node not in self.elsewhere:
            return self.document.span(node)
        start = node.start_mark.index
        return Span(self.elsewhere[node], start, max(start + 1, node.end_mark.index))

    # ------------------------------------------------------------- dataclasses

    def read(self, cls: Any, node: yaml.Node, path: str = "", more: Iterable[str] = ()) -> Any:
        """A dataclass. more: keys that belong to it as well, and are read already."""
        short = yaml_shape.SHORT.get(cls)
        if short and isinstance(node, yaml.ScalarNode) and node.tag == STRING:
            return self._fill(cls, {short: (node, node)}, path)
        pairs = self._mapping(node, path)
        if pairs is None:
            return self._fill(cls, {}, path)
        self._check_keys(yaml_shape.keys(cls), pairs, node, path, more)
        return self._fill(cls, pairs, path)

    def _fill(self, cls: Any, pairs: Pairs, path: str) -> Any:
        values: dict[str, Any] = {}
        for name, key in yaml_shape.own_keys(cls).items():
            inline = yaml_shape.INLINE.get((cls, name))
            if inline:
                values[name] = self._fill(inline, pairs, path)
            elif name in pairs:
                values[name] = self._limited(cls, key, pairs[name][1], _join(path, name))
            else:
                values[name] = key.fallback
        return cls(**values)

    def _limited(self, cls: Any, key: Key, node: yaml.Node, path: str) -> Any:
        self.nodes[path] = node
        value = self.value(key.hint, node, path, key.fallback)
        limit = LIMITS.get(cls, {}).get(key.name)
        if limit is None or self.is_wrong(path) or _holds(limit, value):
            return value
        near = did_you_mean(value, limit.words.replace(",", "").split()) if isinstance(value, str) else None
        help = f"did you mean `{near}`?" if near else None
        self.error("E612", f"`{path}` is {limit.words}, found {self._shown(node)}", node, path, help)
        return key.fallback

    def is_wrong(self, path: str) -> bool:
        """Whether something at `path` or below it was reported."""
        return any(p == path or p.startswith(f"{path}.") for p in self.wrong)

    def _variant(self, hint: Any, node: yaml.Node, path: str, fallback: Any) -> Any:
        """One of several dataclasses, by its name; without, that of the fallback."""
        found = yaml_shape.variants(hint)
        word = isinstance(node, yaml.ScalarNode) and node.tag == STRING
        pairs = {TAG: (node, node)} if word else self._mapping(node, path)
        if pairs is None:
            return fallback
        if TAG not in pairs:
            return self.read(type(fallback), node, path, [TAG])
        tag = pairs[TAG][1]
        name = self.value(str, tag, _join(path, TAG), "")
        if name in found:
            return found[name]() if word else self.read(found[name], node, path, [TAG])
        if not self.is_wrong(_join(path, TAG)):
            limit = yaml_shape.one_of(*found)
            near = did_you_mean(name, found)
            help = f"did you mean `{near}`?" if near else None
            self.error("E612", f"`{_join(path, TAG)}` is {limit.words}, found `{name}`", tag, path, help)
        return fallback

    def _mapping(self, node: yaml.Node, path: str) -> Pairs | None:
        what = f"`{path}`" if path else "an experiment"
        if not isinstance(node, yaml.MappingNode):
            self.error("E605", f"{what} is a mapping `key: value`, found {self._shown(node)}", node, path)
            return None
        pairs: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                pairs[key.value] = (key, value)
            else:
                self.error("E605", f"a key of {what} is a word, found {self._shown(key)}", key, path)
        return pairs

    def _check_keys(
        self, known: Mapping[str, Key], pairs: Pairs, node: yaml.Node, path: str, more: Iterable[str]
    ) -> None:
        what = f"`{path}`" if path else "an experiment"
        names = [*more, *known]
        meant: set[str] = set()
        for name, (key, _) in pairs.items():
            if name not in names:
                near = did_you_mean(name, [n for n in names if n not in pairs])
                meant.add(near or "")
                help = f"did you mean `{near}`?" if near else f"the keys are {', '.join(names)}"
                self.error("E607", f"{what} has no key `{name}`", key, _join(path, name), help)
        missing = [name for name, key in known.items() if key.required and name not in pairs]
        self.wrong |= {_join(path, name) for name in missing}
        if lacking := [f"`{name}`" for name in missing if name not in meant]:
            help = "add " + " and ".join(f"`{name}: ..`" for name in missing if name not in meant)
            self.report.error("E606", f"{what} lacks {' and '.join(lacking)}", self.span(node), help=help)

    # ------------------------------------------------------------------ values

    def value(self, hint: Any, node: yaml.Node, path: str, fallback: Any) -> Any:
        """What a node stands for as `hint` has it."""
        if inner := yaml_shape.optional(hint):
            nothing = isinstance(node, yaml.ScalarNode) and node.tag == NULL
            return None if nothing else self.value(inner, node, path, fallback)
        if yaml_shape.variants(hint):
            return self._variant(hint, node, path, fallback)
        if is_dataclass(hint):
            return self.read(hint, node, path)
        if get_origin(hint) is tuple:
            return self._entries(get_args(hint)[0], node, path)
        if hint in KINDS:
            found = self._scalar(hint, node)
            return self._refuse(KINDS[hint], node, path, fallback) if found is None else found
        return self._parameters(node, path)

    def _entries(self, hint: Any, node: yaml.Node, path: str) -> tuple[Any, ...]:
        if not isinstance(node, yaml.SequenceNode):
            return self._refuse("a list", node, path, (), _as_list(node))
        paths = [_join(path, str(i)) for i in range(len(node.value))]
        self.nodes |= dict(zip(paths, node.value, strict=True))
        return tuple(self.value(hint, part, at, None) for part, at in zip(node.value, paths, strict=True))

    def _parameters(self, node: yaml.Node, path: str) -> dict[str, ParamValue]:
        found: dict[str, ParamValue] = {}
        for name, (_, value) in (self._mapping(node, path) or {}).items():
            self.nodes[_join(path, name)] = value
            read = next(
                (r for r in (self._scalar(k, value) for k in (int, float, str)) if r is not None), None
            )
            if read is None:
                self._refuse("a number or a word", value, _join(path, name), None)
            else:
                found[name] = read
        return found

    def _scalar(self, kind: Any, node: yaml.Node) -> Any:
        """None where it is no such value."""
        if not isinstance(node, yaml.ScalarNode):
            return None
        if kind is str:
            return node.value if node.tag == STRING else None
        if kind is bool:
            return node.value.lower() in TRUE if node.tag == BOOLEAN else None
        x = number(node)
        if x is None or not math.isfinite(x):
            return None
        if kind is float:
            return x
        return int(x) if x.is_integer() and "." not in node.value else None

    def _refuse(
        self, expected: str, node: yaml.Node, path: str, fallback: Any, help: str | None = None
    ) -> Any:
        quotes = expected == KINDS[str] and isinstance(node, yaml.ScalarNode) and node.value
        help = "put it in quotes" if quotes else help
        self.error("E605", f"`{path}` is {expected}, found {self._shown(node)}", node, path, help)
        return fallback

    def _shown(self, node: yaml.Node) -> str:
        if isinstance(node, yaml.ScalarNode):
            return f"`{node.value}`" if node.value else "nothing"
        if not node.value:
            return "nothing in it"
        text = self.span(node).text
        flat = "\n" not in text and len(text) <= 40
        return f"`{text}`" if flat else "a mapping" if isinstance(node, yaml.MappingNode) else "a list"


def _as_list(node: yaml.Node) -> str | None:
    """What a value, or values with commas between them, look like as a list."""
    parts = [part.strip() for part in node.value.split(",")] if isinstance(node, yaml.ScalarNode) else []
    return f"write [{', '.join(parts)}]" if any(parts) else None


def _holds(limit: Limit, value: Any) -> bool:
    return all(map(limit.holds, value)) if limit.each else bool(limit.holds(value))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
