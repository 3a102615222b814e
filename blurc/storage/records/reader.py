"""From trees to dataclasses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, is_dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin

from blurc.diagnostics import did_you_mean
from blurc.storage.limits import Limit
from blurc.storage.records.front import Front, Path, Problem, dotted
from blurc.storage.records.shape import TAG, Key, keys, own_keys, rest, short_key, variants

T = TypeVar("T")
WORDS: Mapping[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
}  # in the order in which a union is tried


@dataclass
class Reader:
    """What is wrong is told to the front, all of it, and stands in the result as its fallback. what: the record."""

    what: str
    front: Front
    _wrong: set[Path] = field(default_factory=set[Path])

    def read(self, cls: type[T], tree: Any) -> T:
        return self._record(cls, tree, ())

    def refuse(self, path: Path, code: str, message: str, help: str | None = None) -> None:
        self._mark(path)
        self.front.tell(Problem(path, code, message, help))

    def is_wrong(self, path: Path) -> bool:
        """Whether something at `path` or below it was refused."""
        return path in self._wrong

    def _mark(self, path: Path) -> None:
        self._wrong |= {path[:i] for i in range(len(path) + 1)}

    def _is_word(self, tree: Any) -> bool:
        return not isinstance(tree, dict | list) and self.front.read(str, tree) is not None

    def _named(self, path: Path) -> str:
        return f"`{dotted(path)}`" if path else self.what

    # ------------------------------------------------------------- dataclasses

    def _record(self, cls: Any, tree: Any, path: Path, more: Iterable[str] = ()) -> Any:
        """more: keys that belong to it as well, and are read already."""
        shorter = short_key(cls)
        if shorter and self._is_word(tree):
            return self._filled(cls, {shorter: tree}, path)
        pairs = self._mapping(tree, path, shorter)
        if pairs is None:  # nothing follows from any of its keys
            for name in keys(cls):
                self._mark((*path, name))
            return self._filled(cls, {}, path)
        own = {name: part for name, part in pairs.items() if not rest(cls) or name in keys(cls)}
        self._check_keys(keys(cls), own, path, more)
        return self._filled(cls, pairs, path)

    def _filled(self, cls: Any, pairs: Mapping[str, Any], path: Path) -> Any:
        values: dict[str, Any] = {}
        for name, key in own_keys(cls).items():
            if key.inline:
                values[name] = self._filled(key.hint, pairs, path)
            elif key.rest:
                others = {n: part for n, part in pairs.items() if n not in keys(cls)}
                values[name] = self._value(key.hint, others, path, key.fallback)
            elif name in pairs:
                values[name] = self._value(key.hint, pairs[name], (*path, name), key.fallback)
            else:
                values[name] = key.fallback
        return cls(**values)

    def _mapping(self, tree: Any, path: Path, shorter: str | None = None) -> dict[str, Any] | None:
        """shorter: the key whose value may stand in the place of the mapping."""
        if isinstance(tree, dict):
            return cast("dict[str, Any]", tree)
        short = f"a text, its `{shorter}`, or " if shorter else ""
        found, help = self.front.shown(path, tree), None
        if (
            shorter
            and isinstance(tree, list)
            and len(words := cast("list[Any]", tree)) == 1
            and self._is_word(words[0])
        ):
            help = f"write {self.front.read(str, words[0])}, without brackets"
        self.refuse(path, "E605", f"{self._named(path)} is {short}a mapping `key: value`, found {found}", help)
        return None

    def _check_keys(self, known: Mapping[str, Key], pairs: Mapping[str, Any], path: Path, more: Iterable[str]) -> None:
        names = [*more, *known]
        meant = {self._unknown(name, names, pairs, path) for name in pairs if name not in names}
        missing = [key for name, key in known.items() if key.required and name not in pairs]
        for key in missing:
            self._mark((*path, key.name))
        if lacking := [key for key in missing if key.name not in meant]:
            named = " and ".join(f"`{key.name}`" for key in lacking)
            help = "add " + " and ".join(key.write for key in lacking)
            self.front.tell(Problem(path, "E606", f"{self._named(path)} lacks {named}", help))

    def _unknown(self, name: str, names: list[str], pairs: Mapping[str, Any], path: Path) -> str | None:
        """Reports a key, and returns the one that was meant."""
        near = did_you_mean(name, set(names) - set(pairs))
        help = f"did you mean `{near}`?" if near else f"the keys are {', '.join(names)}"
        self._mark((*path, name))
        message = f"{self._named(path)} has no key `{name}`"
        self.front.tell(Problem((*path, name), "E607", message, help, at_key=True))
        return near

    def _variant(self, kinds: Mapping[str, type], tree: Any, path: Path, fallback: Any) -> Any:
        """One of several dataclasses, by its name; without, that of the fallback."""
        pairs = {TAG: tree} if self._is_word(tree) else self._mapping(tree, path, TAG)
        if pairs is None:
            return fallback
        if TAG not in pairs:
            return self._record(type(fallback), pairs, path, [TAG])
        at, written = (*path, TAG), pairs[TAG]
        name = self._value(str, written, at, "")
        if name in kinds:
            return self._record(kinds[name], pairs, path, [TAG])
        self._limited(Limit.one_of(*kinds), name, written, at, "")
        return fallback

    # ------------------------------------------------------------------ values

    def _value(self, hint: Any, tree: Any, path: Path, fallback: Any) -> Any:
        """What a tree stands for as `hint` has it."""
        kind, parts = get_origin(hint), get_args(hint)
        if kind is Annotated:
            value = self._value(parts[0], tree, path, fallback)
            return self._limited(parts[1], value, tree, path, fallback)
        if hint is Any:
            return tree
        if is_dataclass(hint):
            return self._record(hint, tree, path)
        if kinds := variants(hint):
            return self._variant(kinds, tree, path, fallback)
        if NoneType in parts:
            rest = Union[tuple(p for p in parts if p is not NoneType)]  # noqa: UP007 - of any length
            return None if self.front.is_nothing(tree) else self._value(rest, tree, path, fallback)
        if kind is tuple:
            return self._entries(parts, tree, path)
        if kind in (dict, Mapping):
            pairs = self._mapping(tree, path) or {}
            return {name: self._value(parts[1], part, (*path, name), None) for name, part in pairs.items()}
        return self._leaf(hint, tree, path, fallback)

    def _entries(self, parts: tuple[Any, ...], tree: Any, path: Path) -> tuple[Any, ...]:
        if not isinstance(tree, list):
            return self._refused("a list", tuple, tree, path, ())
        found = cast("list[Any]", tree)
        if parts[-1] is ...:
            parts = parts[:1] * len(found)
        if len(found) != len(parts):
            return self._refused(f"a list of {len(parts)}", None, tree, path, ())
        pairs = zip(parts, found, strict=True)
        return tuple(self._value(part, leaf, (*path, str(i)), None) for i, (part, leaf) in enumerate(pairs))

    def _leaf(self, hint: Any, tree: Any, path: Path, fallback: Any) -> Any:
        kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
        if not isinstance(tree, dict | list):
            for kind in sorted(kinds, key=lambda k: [*WORDS].index(k) if k in WORDS else -1):
                value = self._plain(kind, tree)
                if value is not None:
                    return value
        words = [_words(k) for k in kinds if not (k is int and float in kinds)]
        return self._refused(" or ".join(words), kinds[0], tree, path, fallback)

    def _plain(self, kind: Any, tree: Any) -> Any:
        if get_origin(kind) is Literal:
            value = self.front.read(str, tree)
            return value if value in get_args(kind) else None
        return self.front.read(kind, tree)

    def _refused(self, expected: str, kind: Any, tree: Any, path: Path, fallback: Any) -> Any:
        message = f"{self._named(path)} is {expected}, found {self.front.shown(path, tree)}"
        self.refuse(path, "E605", message, self.front.help(path, kind, tree))
        return fallback

    def _limited(self, limit: Limit, value: Any, tree: Any, path: Path, fallback: Any) -> Any:
        if self.is_wrong(path) or limit.holds(value):
            return value
        near = did_you_mean(value, limit.choices) if limit.choices else None
        help = f"did you mean `{near}`?" if near else None
        message = f"{self._named(path)} must be {limit.words}, found {self.front.shown(path, tree)}"
        self.refuse(path, "E612", message, help)
        return fallback


def _words(kind: Any) -> str:
    return WORDS.get(kind) or " or ".join(map(str, get_args(kind)))
