"""Genome files: meta-parameters as YAML that a person can read, compare and edit.

    name: digits-2               # required: what this genome is called
    rule: blur                   # required: the genome of a spec that it is for
    parameters: {k: 2}           # the compile-time parameters of that rule
    spec: networks/digits.blur   # where it was found, and the hash of that spec
    hash: sha256:5a0c..
    dtype: float32               # or float64: what the values are rounded to; float32 where it is missing
    values:                      # required
      eta: 1.0e-05
      nu:
      - [0.5, -1.25]
      - [0.0, 2.0]
      gate: {x->h: 0.1, h->y: 0.2}    # one for each projection; or population, neuron or synapse
    found: {steps: 1000, by: cma}     # anything that says how it was found

Values come back bit by bit. They are finite: a genome with a NaN is a search that failed, and is refused on
the way out as well as on the way in. Comments are lost when a file is read and written again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

import numpy as np
import yaml
from numpy.typing import NDArray

from blurc.diagnostics import BlurError, Diagnostic, Report, Source, did_you_mean
from blurc.language import resolve_import, specs_path
from blurc.model import Model, ParamValue
from blurc.storage import Document, compose, number, read_source, why, write_atomically

if TYPE_CHECKING:
    from blurc.runtime import GenomeValues
    from blurc.spec import Sources

Array: TypeAlias = "NDArray[np.floating[Any]]"
Values: TypeAlias = "Mapping[str, Array | Mapping[str, Array]]"


@dataclass(frozen=True, eq=False)
class GenomeFile:
    """`values[name]` is an array, or one for each projection: `values[name]["a->b"]`."""

    name: str
    rule: str
    values: Values
    parameters: Mapping[str, ParamValue] = field(default_factory=dict[str, ParamValue])
    spec: str = ""
    hash: str = ""
    found: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def dtype(self) -> str:
        """float32 where all values are, else float64."""
        return "float32" if all(a.dtype == np.float32 for _, a in named(self.values)) else "float64"


class Described(Protocol):
    """A compiled network, for all that a genome file says of it."""

    @property
    def model(self) -> Model: ...
    @property
    def sources(self) -> Sources: ...


def describe(
    net: Described, values: GenomeValues, *, name: str = "", found: Mapping[str, object] | None = None
) -> GenomeFile:
    """Makes the genome file for meta-parameters of a compiled network.

    Args:
        net: the network.
        values: its meta-parameters.
        name: what to call the genome; the name of its rule if it is empty.
        found: how it was found, in what YAML has words for.
    """
    return GenomeFile(
        name=name or net.model.genome.name,
        rule=net.model.genome.name,
        values=_changed(values, np.asarray),
        parameters=dict(net.model.genome.params),
        spec=_name(net.sources.texts[0][0]),
        hash=spec_hash(net),
        found=found or {},
    )


def _name(path: str) -> str:
    """Without folders of this machine alone."""
    return PurePath(path).name if PurePath(path).is_absolute() else path


def spec_hash(net: Described) -> str:
    """Equal for equal source texts, rule, network and compile-time parameters, wherever the files lie."""
    model = net.model
    identity = {
        "sources": [text for _, text in net.sources.texts],
        "rule": [model.genome.name, dict(model.genome.params)],
        "network": [model.network.name, dict(model.network.params)],
    }
    return "sha256:" + hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def named(values: GenomeValues) -> Iterator[tuple[str, Array]]:
    """Every array with its name in words: "nu", or "nu of a->b"."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from ((f"{name} of {projection}", np.asarray(part)) for projection, part in value.items())
        else:
            yield name, np.asarray(value)


def rounded(genome: GenomeFile, dtype: str) -> GenomeFile:
    """With all values as `dtype`."""
    return replace(genome, values=_changed(genome.values, lambda a: np.asarray(a, dtype)))


def _changed(values: Mapping[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    """`values` with every array changed."""
    changed: dict[str, Any] = {}
    for name, value in values.items():
        part = _changed(cast("Mapping[str, Any]", value), change) if isinstance(value, Mapping) else None
        changed[name] = change(value) if part is None else part
    return changed


# ------------------------------------------------------------------- writing


def write(path: str | os.PathLike[str], genome: GenomeFile) -> None:
    """Writes a genome file, whole or not at all.

    Args:
        path: the file, `NAME.yaml`.
        genome: what to write.

    Raises:
        BlurError: E609 for values that are not finite, E610 for a `found` that YAML has no words for, E611 where the
            file cannot be written.
    """
    text = dump(genome)
    try:
        write_atomically(path, text.encode())
    except (OSError, ValueError) as error:
        reason = why(error) if isinstance(error, OSError) else str(error)
        raise _error("E611", f"cannot write `{os.fspath(path)}`: {reason}") from None


def dump(genome: GenomeFile) -> str:
    """The text of a genome file.

    Raises:
        BlurError: E609 for values that are not finite, E610 for a `found` that YAML has no words for.
    """
    for name, array in named(genome.values):
        if not np.all(np.isfinite(array)):
            raise _error("E609", f"the meta-parameter `{name}` of `{genome.name}` is not finite", help=FINITE)
    dtype = genome.dtype
    fields = {
        "name": genome.name,
        "rule": genome.rule,
        "parameters": _Row(genome.parameters),
        "spec": genome.spec,
        "hash": genome.hash,
        "dtype": dtype,
        "values": _changed(genome.values, lambda a: _rows(np.asarray(a, dtype))),
        "found": _plain(genome.found),
    }
    written = {key: value for key, value in fields.items() if value or key in REQUIRED}
    try:
        return yaml.dump(written, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**31)
    except yaml.YAMLError as error:
        message = f"`found` of `{genome.name}` cannot be written as YAML: {error}"
        raise _error("E610", message, help=PLAIN) from None


FINITE = "store a genome whose values are all finite"
PLAIN = "keep numbers, texts, lists and dicts in it"


class _Row(dict[str, Any]):
    """A mapping to be printed on one line."""


class _Numbers(list[Any]):
    """A row of numbers, to be printed on one line."""


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _float(dumper: Any, value: np.floating[Any]) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:float", float_text(value))


_Dumper.add_representer(np.float32, _float)
_Dumper.add_representer(np.float64, _float)
_Dumper.add_representer(
    _Row, lambda dumper, row: dumper.represent_mapping("tag:yaml.org,2002:map", row.items(), flow_style=True)
)
_Dumper.add_representer(
    _Numbers, lambda dumper, row: dumper.represent_sequence("tag:yaml.org,2002:seq", row, flow_style=True)
)


def float_text(value: np.floating[Any]) -> str:
    """The shortest text that reads back as the same float, with the point that YAML asks for: `1.0e-05`."""
    plain = value == 0 or 1e-4 <= abs(value) < 1e7
    write = np.format_float_positional if plain else np.format_float_scientific
    text = write(value, unique=True, trim="0")
    # A float32 is read as a float64 and then rounded; twice rounded may be once too often.
    return text if type(value)(float(text)) == value else float_text(np.float64(value))


def _rows(array: Array) -> Any:
    if array.ndim == 0:
        return array[()]
    return _Numbers(array) if array.ndim == 1 else [_rows(part) for part in array]


def _plain(value: Any) -> Any:
    """NumPy's and JAX's numbers and arrays, and tuples, in plain Python."""
    if isinstance(value, Mapping):
        return {_plain(k): _plain(v) for k, v in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in cast("Iterable[Any]", value)]
    return value.tolist() if hasattr(value, "tolist") else value


# ------------------------------------------------------------------- reading


def read(path: str | os.PathLike[str]) -> GenomeFile:
    """Reads a genome file, or one of the packaged library (`genomes/swift.yaml`) where there is no such file.

    Args:
        path: the file.

    Raises:
        BlurError: E601 to E609, with all that is wrong with it.
    """
    if PurePath(path).suffix == ".blur":
        help = "write the name of its rule where a rule is asked for (`--rule NAME`), or give a genome file (.yaml)"
        raise _error(
            "E605", f"`{os.fspath(path)}` is a spec: a genome file holds the values of its rule", help
        )
    return parse(read_source(resolve_import(os.fspath(path), None) or path))


def parse(source: Source) -> GenomeFile:
    """The genome file in a text. Raises `BlurError` (E602 to E609) with all that is wrong with it."""
    report = Report()
    genome = _Reader(compose(source, report), report).genome()
    report.check()
    return genome


def specs(path: str | os.PathLike[str], genome: GenomeFile) -> list[Path]:
    """Where the spec may lie that the genome file at `path` names: as seen from the working folder, beside the file,
    in the copy that a run folder keeps (`spec/`), in the library."""
    beside = Path(path).parent
    places = (Path(), beside, beside / "spec", specs_path())
    return [*dict.fromkeys(place / genome.spec for place in places)] if genome.spec else []


REQUIRED = {
    "name": "what it is called, `name: mine`",
    "rule": "which genome of a spec it is for, `rule: blur`",
    "values": "the meta-parameters, `values: {eta: 0.1}`",
}
KEYS = ("name", "rule", "parameters", "spec", "hash", "dtype", "values", "found")
DTYPES = ("float32", "float64")
LONGEST_SHOWN = 40  # characters of a value in a message: a whole file may be one text
MOST_AXES = 7  # a matrix for each synapse of a convolution with three axes: [a, b, *kernel, in, out]


@dataclass(frozen=True)
class _Reader:
    document: Document
    report: Report

    def genome(self) -> GenomeFile:
        found = self.mapping(self.document.root, "a genome file")
        if "tasks" in found and "values" not in found:
            file = self.document.source.name
            message = f"`{file}` is an experiment, which finds a genome: `blurc meta {file}`"
            self.report.error("E605", message, None)
            self.report.check()
        if isinstance(self.document.root, yaml.MappingNode):
            self.check_keys(found)
        node = {name: value for name, (_, value) in found.items()}
        dtype = self.dtype(node.get("dtype"))
        return GenomeFile(
            name=self.text(node.get("name"), "name"),
            rule=self.text(node.get("rule"), "rule"),
            values=self.values(node.get("values"), dtype),
            parameters=self.parameters(node.get("parameters")),
            spec=self.text(node.get("spec"), "spec"),
            hash=self.text(node.get("hash"), "hash"),
            found=self.plain_mapping(node.get("found")),
        )

    def check_keys(self, found: Mapping[str, tuple[yaml.Node, yaml.Node]]) -> None:
        for name, (key, _) in found.items():
            if name not in KEYS:
                near = did_you_mean(name, KEYS)
                help = f"did you mean `{near}`?" if near else f"the keys are {', '.join(KEYS)}"
                self.wrong("E607", f"a genome file has no key `{name}`", key, help)
        missing = [name for name in REQUIRED if name not in found]
        if missing:
            names = " and ".join(f"`{name}`" for name in missing)
            help = "add " + " and ".join(REQUIRED[name] for name in missing)
            self.wrong("E606", f"the genome file lacks {names}", self.document.root, help)

    # ------------------------------------------------------------ small parts

    def wrong(self, code: str, message: str, node: yaml.Node, help: str | None = None) -> None:
        self.report.error(code, message, self.document.span(node), help=help)

    def mapping(self, node: yaml.Node | None, what: str) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """Keys and values by name. Keys that stand twice are reported already."""
        if node is None:
            return {}
        if not isinstance(node, yaml.MappingNode):
            self.wrong("E605", f"{what} is a mapping `key: value`, found {_kind(node)}", node)
            return {}
        pairs: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                pairs[key.value] = (key, value)
            else:
                self.wrong("E605", f"a key of {what} is a word, found {_kind(key)}", key)
        return pairs

    def text(self, node: yaml.Node | None, key: str) -> str:
        if node is None:
            return ""
        if isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:str":
            return node.value
        help = "put it in quotes" if isinstance(node, yaml.ScalarNode) and node.value else None
        self.wrong("E605", f"`{key}` is a text, found {_kind(node)}", node, help)
        return ""

    def dtype(self, node: yaml.Node | None) -> str:
        found = self.text(node, "dtype") or DTYPES[0]
        if node is not None and found not in DTYPES:
            self.wrong("E605", f"`dtype` is {' or '.join(DTYPES)}, found `{found}`", node)
        return found if found in DTYPES else DTYPES[0]

    def parameters(self, node: yaml.Node | None) -> dict[str, ParamValue]:
        found: dict[str, ParamValue] = {}
        for name, (_, value) in self.mapping(node, "`parameters`").items():
            x = number(value)
            if x is not None:
                found[name] = int(x) if x.is_integer() and "." not in str(value.value) else x
            elif isinstance(value, yaml.ScalarNode):
                found[name] = value.value
            else:
                self.wrong("E605", f"`{name}` is a number or a word, found {_kind(value)}", value)
        return found

    def plain_mapping(self, node: yaml.Node | None) -> dict[str, Any]:
        self.mapping(node, "`found`")
        return self.document.plain(node, self.report) or {} if isinstance(node, yaml.MappingNode) else {}

    # ----------------------------------------------------------------- values

    def values(self, node: yaml.Node | None, dtype: str) -> dict[str, Any]:
        return {
            name: {
                projection: self.array(part, f"{name} of {projection}", dtype)
                for projection, (_, part) in self.mapping(value, f"`{name}`").items()
            }
            if isinstance(value, yaml.MappingNode)
            else self.array(value, name, dtype)
            for name, (_, value) in self.mapping(node, "`values`").items()
        }

    def array(self, node: yaml.Node, name: str, dtype: str) -> Array:
        """The numbers of a node, or a 0 where something is wrong with them, which is reported then."""
        numbers = self.numbers(node, name, dtype, depth=0)
        return np.asarray(0.0 if numbers is None else numbers, dtype)

    def numbers(self, node: yaml.Node, name: str, dtype: str, depth: int) -> Any:
        """A float, a row or rows of equal length; None where something is wrong."""
        if not isinstance(node, yaml.SequenceNode):
            return self.number(node, name, dtype)
        if depth == MOST_AXES:
            what = f"more than {MOST_AXES} rows in rows"
            self.wrong("E608", f"`{name}` is a number, a row or rows of numbers, found {what}", node)
            return None
        rows = [self.numbers(part, name, dtype, depth + 1) for part in node.value]
        if any(row is None for row in rows):
            return None
        shapes = [np.shape(row) for row in rows]
        for part, shape in zip(node.value, shapes, strict=True):
            if shape != shapes[0]:
                message = f"`{name}` has {_row(shape)} after {_row(shapes[0])}"
                self.wrong("E608", message, part, "give all rows one length")
                return None
        return rows

    def number(self, node: yaml.Node, name: str, dtype: str) -> float | None:
        x = number(node)
        if x is None:
            self.wrong("E608", f"`{name}` is a number, a row or rows of numbers, found {_kind(node)}", node)
            return None
        with np.errstate(over="ignore"):
            finite = bool(np.isfinite(np.asarray(x, dtype)))
        if not finite:
            message = f"`{name}` is not finite as {dtype}: `{node.value}`"
            self.wrong("E609", message, node, "give a finite number")
            return None
        return x


def _row(shape: tuple[int, ...]) -> str:
    return f"a row of {shape[0]}" if shape else "a single number"


def _kind(node: yaml.Node) -> str:
    if isinstance(node, yaml.ScalarNode):
        shown = f"`{node.value}`" if len(node.value) <= LONGEST_SHOWN else "a text"
        return shown if node.value else "nothing"
    return "a mapping" if isinstance(node, yaml.MappingNode) else "a list"


def _error(code: str, message: str, help: str | None = None) -> BlurError:
    return BlurError(Diagnostic(code, message, None, (), help))
