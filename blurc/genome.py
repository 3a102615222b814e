"""Genome files: meta-parameters as YAML that a person can read, compare and edit.

    name: digits-2               # required: what this genome is called
    rule: blur                   # required: the genome of a spec that it is for
    parameters: {k: 2}           # the compile-time parameters of that rule
    spec: networks/digits.blur   # where it was found
    hash: rule1:5a0c..           # of the rule as it was then, by what it means; a changed one is warned of (W601)
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

import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, cast, get_args

import numpy as np
import yaml
from numpy.typing import NDArray

from blurc import notebooks
from blurc.checker import check_genome
from blurc.diagnostics import BlurError, BlurWarning, Diagnostic, Report, Source
from blurc.guards import typed
from blurc.language import resolve_import, specs_path
from blurc.model import RULE, Model, ParamValue, rule_hash
from blurc.storage import MOST_NUMBERS, YamlArrays, YamlTree, compose, read_source, records, why, write_file, yaml_write

if TYPE_CHECKING:
    from blurc.runtime import GenomeValues
    from blurc.spec import Sources

Array: TypeAlias = NDArray[np.floating[Any]]
Values: TypeAlias = Mapping[str, Array | Mapping[str, Array]]
DType: TypeAlias = Literal["float32", "float64"]
DTYPES = get_args(DType)


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

    def _repr_html_(self) -> str:
        """In a notebook, its matrices."""
        return f"<p>{escape(self.name)}, for the rule {escape(self.rule)}</p>{notebooks.matrices(named(self.values))}"


class Described(Protocol):
    """A compiled network, for all that a genome file says of it."""

    @property
    def model(self) -> Model: ...
    @property
    def sources(self) -> Sources: ...


@typed
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
        hash=rule_hash(net.model.genome),
        found=found or {},
    )


def _name(path: str) -> str:
    """Without folders of this machine alone."""
    return PurePath(path).name if PurePath(path).is_absolute() else path


@typed
def check_rule(genome: GenomeFile, model: Model, sources: Sources) -> None:
    """Warns (W601) if the rule of a model is not the one that a genome was found with.

    Other compile-time parameters are not another rule: `genome.parameters` apply to the comparison.
    """
    rule = model.genome
    tree = sources.genomes.get(rule.name)
    if tree and dict(rule.params) != dict(genome.parameters):
        rule = check_genome(tree, genome.parameters, Report()) or rule
    compare_rule(genome, rule.name, rule_hash(rule))


@typed
def compare_rule(genome: GenomeFile, rule: str, hash: str) -> None:
    """Warns (W601) if `hash`, that of the rule as it is now, is not the one in the file."""
    if genome.hash in ("", hash):
        return
    if genome.hash.startswith(RULE):
        same = f"the rule `{rule}` is not what it was when the genome `{genome.name}` was found"
        other = f"the genome `{genome.name}` was found with another rule than `{rule}`"
        message = same if rule == genome.rule else other
        help = "undo the change, or find the genome again; if its values are right as they are"
    else:
        message = f"whether the rule `{rule}` has changed is not known: the `hash` of the genome `{genome.name}` is of "
        message += "another version of blurc"
        help = "if the rule is the same"
    help += f", write `hash: {hash}` into the genome file"
    warnings.warn(BlurWarning(Diagnostic("W601", message, help=help, severity="warning")), stacklevel=2)


@typed
def named(values: GenomeValues) -> Iterator[tuple[str, Array]]:
    """Every array with its name in words: "nu", or "nu of a->b"."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from ((f"{name} of {projection}", np.asarray(part)) for projection, part in value.items())
        else:
            yield name, np.asarray(value)


@typed
def rounded(genome: GenomeFile, dtype: DType) -> GenomeFile:
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


@typed
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
        write_file(path, text.encode())
    except OSError as error:
        raise _error("E611", f"cannot write `{os.fspath(path)}`: {why(error)}") from None


@typed
def dump(genome: GenomeFile) -> str:
    """The text of a genome file.

    Raises:
        BlurError: E609 for values that are not finite, E610 for a `found` that YAML has no words for, E611 for more
            than a genome file may hold.
    """
    check_size(genome.values)
    for name, array in named(genome.values):
        if not np.all(np.isfinite(array)):
            raise _error("E609", f"the meta-parameter `{name}` of `{genome.name}` is not finite", help=FINITE)
    dtype = genome.dtype
    fields = {
        "name": genome.name,
        "rule": genome.rule,
        "parameters": yaml_write.OneLine(genome.parameters),
        "spec": genome.spec,
        "hash": genome.hash,
        "dtype": dtype,
        "values": _changed(genome.values, lambda a: yaml_write.rows(np.asarray(a, dtype))),
    }
    try:
        fields["found"] = yaml_write.to_python(genome.found)
        return yaml_write.dump({key: value for key, value in fields.items() if value or key in REQUIRED})
    except (yaml.YAMLError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise _error("E610", f"`found` of `{genome.name}` cannot be written as YAML: {why}", help=PLAIN) from None


@typed
def check_size(values: GenomeValues) -> None:
    """Raises `BlurError` (E611) for more values than a genome file may have, which could not be read again."""
    sizes = {name: array.size for name, array in named(values)}
    if sum(sizes.values()) > MOST_NUMBERS:
        message = f"the genome has {sum(sizes.values()):,} values, and a genome file holds {MOST_NUMBERS:,}"
        largest = max(sizes, key=lambda name: sizes[name])
        raise _error("E611", message, help=f"most of them are in `{largest}`: declare it `per projection`, for example")


FINITE = "store a genome whose values are all finite"
PLAIN = "keep numbers, texts, lists and dicts in it"


# ------------------------------------------------------------------- reading


@typed
def read(path: str | os.PathLike[str]) -> GenomeFile:
    """Reads a genome file, or one of the packaged library (`genomes/swift.yaml`) where there is no such file.

    Args:
        path: the file.

    Raises:
        BlurError: E601 to E609, with all that is wrong with it.
    """
    if PurePath(path).suffix == ".blur":
        help = "write the name of its rule where a rule is asked for (`--rule NAME`), or give a genome file (.yaml)"
        raise _error("E605", f"`{os.fspath(path)}` is a spec: a genome file holds the values of its rule", help)
    return parse(read_source(resolve_import(os.fspath(path), None) or path))


@typed
def specs(path: str | os.PathLike[str], genome: GenomeFile) -> list[Path]:
    """Where the spec may lie that the genome file at `path` names: as seen from the working folder, beside the file,
    in the copy that a run folder keeps (`spec/`), in the library."""
    beside = Path(path).parent
    places = (Path(), beside, beside / "spec", specs_path())
    return [*dict.fromkeys(place / genome.spec for place in places)] if genome.spec else []


@dataclass(frozen=True)
class _Written:
    """What a genome file holds, before its values are arrays."""

    name: str = field(metadata=records.write("what it is called, `name: mine`"))
    rule: str = field(metadata=records.write("which genome of a spec it is for, `rule: blur`"))
    values: Mapping[str, Any] = field(metadata=records.write("the meta-parameters, `values: {eta: 0.1}`"))
    parameters: Mapping[str, ParamValue] = field(default_factory=dict[str, ParamValue])
    spec: str = ""
    hash: str = ""
    dtype: DType = "float32"
    found: Mapping[str, Any] = field(default_factory=dict[str, Any])


REQUIRED = ("name", "rule", "values")


@typed
def parse(source: Source) -> GenomeFile:
    """The genome file in a text. Raises `BlurError` (E602 to E609) with all that is wrong with it."""
    report = Report()
    tree = YamlTree(report, compose(source, report, rows=True), "a genome file")
    if ("tasks",) in tree and ("values",) not in tree:
        message = f"`{source.name}` is an experiment, which finds a genome: `blurc meta {source.name}`"
        report.error("E605", message, None)
        report.check()
    reader = records.Reader("a genome file", tree)
    written = reader.read(_Written, tree.root)
    genome = GenomeFile(
        name=written.name,
        rule=written.rule,
        values=YamlArrays(reader, written.dtype).all(("values",), written.values),
        parameters=written.parameters,
        spec=written.spec,
        hash=written.hash,
        found=tree.construct("found") if written.found else {},
    )
    report.check()
    return genome


def _error(code: str, message: str, help: str | None = None) -> BlurError:
    return BlurError(Diagnostic(code, message, None, (), help))
