"""The files of a spec and what they declare, found by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from blurc import library, syntax
from blurc.diagnostics import Report, Span, did_you_mean

Spec: TypeAlias = "str | Path"  # a path, or source text


@dataclass(frozen=True)
class Sources:
    """The files of a spec, the root first, and what they declare."""

    files: tuple[syntax.File, ...]
    genomes: Mapping[str, syntax.Genome]
    networks: Mapping[str, syntax.Network]

    @staticmethod
    def load(spec: Spec, report: Report) -> Sources:
        files = library.load(spec, report)
        genomes: dict[str, syntax.Genome] = {}
        networks: dict[str, syntax.Network] = {}
        for file in files:
            for item in (*file.genomes, *file.networks):
                _declare(item, genomes, networks, report)
        return Sources(files, genomes, networks)

    @property
    def texts(self) -> tuple[tuple[str, str], ...]:
        """Names and texts of the sources."""
        return tuple((f.span.source.name, f.span.source.text) for f in self.files)


def _declare(
    item: syntax.Genome | syntax.Network,
    genomes: dict[str, syntax.Genome],
    networks: dict[str, syntax.Network],
    report: Report,
) -> None:
    earlier = genomes.get(item.name) or networks.get(item.name)
    if earlier:
        same_file = earlier.name_span.source is item.name_span.source
        # The root file comes first: of two files, the one that imports the other can be changed.
        blamed, other = (item, earlier) if same_file else (earlier, item)
        report.error(
            "E106",
            f"`{item.name}` is declared twice",
            blamed.name_span,
            notes=[f"also in {other.name_span}"],
            help="rename one of them",
        )
    elif isinstance(item, syntax.Genome):
        genomes[item.name] = item
    else:
        networks[item.name] = item


def used_genome(sources: Sources, tree: syntax.Network, report: Report) -> syntax.Genome | None:
    if tree.uses is None or tree.uses.genome in sources.genomes:
        return sources.genomes[tree.uses.genome] if tree.uses else None
    unknown("genome", tree.uses.genome, sources.genomes, tree.uses.span, report)
    return None


def unknown(
    kind: str,
    name: str,
    known: Mapping[str, Any],
    span: Span | None,
    report: Report,
    *,
    others: Iterable[str] = (),
    help: str | None = None,
) -> None:
    """`others`: what else may be named here. `help`: what to do where no name is near."""
    near = did_you_mean(name, [*known, *others])
    report.error(
        "E211",
        f"unknown {kind} `{name}`",
        span,
        notes=[f"known here: {', '.join(known) or 'none'}"],
        help=f"did you mean `{near}`?" if near else help or f"declare it, or {_import_of(kind, name)}",
    )


def _import_of(kind: str, name: str) -> str:
    path = f"{'rules' if kind == 'genome' else 'networks'}/{name}.blur"
    if (library.specs_path() / path).is_file():
        return f'import it from the library: `import "{path}"`'
    return "import the file that declares it"
