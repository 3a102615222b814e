"""The files of a spec and their declarations by name, with the edge files that they use."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

from blurc.checker import RESERVED, Around, FunctionScope, mentions, reserved
from blurc.diagnostics import Report, Source, did_you_mean
from blurc.graph import SUFFIXES, EdgeFile
from blurc.language import library, specs_path, syntax
from blurc.spec.extends import written_out
from blurc.spec.unknown import unknown
from blurc.storage import is_inside, read_file, text_of, why

Spec: TypeAlias = str | Path  # a path, or source text
LIMIT = 48 * 2**20  # bytes of an edge file: four million edges
XML_LIMIT = 8 * 2**20
Declaration: TypeAlias = "syntax.Genome | syntax.Network | syntax.Block | syntax.Function"


@dataclass(frozen=True)
class Sources:
    """The files of a spec, the root first, and their declarations, genomes with all that they inherit. `edges` maps a
    source and the name it uses for an edge file to that file."""

    files: tuple[syntax.File, ...]
    genomes: Mapping[str, syntax.Genome]
    networks: Mapping[str, syntax.Network]
    blocks: Mapping[str, syntax.Block]
    edges: Mapping[tuple[Source, str], EdgeFile] = field(repr=False)
    functions: Mapping[str, syntax.Function] = field(default_factory=dict[str, syntax.Function])
    lacks_imports: bool = False  # as far as can be told: an unknown name may be declared in one

    @staticmethod
    def load(
        spec: Spec,
        report: Report,
        files: Mapping[str, str] | None = None,
        quoted: bool = True,
        unsaved: Mapping[Path, str] | None = None,
    ) -> Sources:
        """`files`: texts of edge files by name; they take precedence over those on disk. `quoted`: whether diagnostics
        may show lines of the spec. `unsaved`: texts of specs, by resolved path, that stand for what is on disk."""
        found = library.load_with_folders(spec, report, quoted, unsaved)
        known = [folder for _, folder in found[:1] if quoted]
        unread = any(d.code in ("E103", "E104", "E105") for d in report.errors)
        trees = tuple(file for file, _ in found)
        damaged = unread or any(file.damaged for file in trees)
        declared = _declared(trees, report)
        called = {name: tree for name, tree in declared.items() if isinstance(tree, syntax.Function)}
        around = tuple(called.values())
        genomes = written_out(trees, report, damaged)
        return Sources(
            trees,
            {
                name: replace(genomes[name], around=around, lacks_imports=damaged)
                for name, tree in declared.items()
                if isinstance(tree, syntax.Genome)
            },
            {name: tree for name, tree in declared.items() if isinstance(tree, syntax.Network)},
            {name: tree for name, tree in declared.items() if isinstance(tree, syntax.Block)},
            {key: edges for file, folder in found for key, edges in _edge_files(file, folder, files or {}, known)},
            called,
            damaged,
        )

    @property
    def texts(self) -> tuple[tuple[str, str], ...]:
        """Names and texts of the sources, then of the edge files that were read."""
        specs = {f.span.source.name: f.span.source.text for f in self.files}
        edges = {e.name: e.text for e in self.edges.values() if not e.problem}
        return (*specs.items(), *edges.items())

    def files_of(self, genome: syntax.Genome) -> tuple[syntax.File, ...]:
        """The file that declares a genome, and those of the genomes that it extends and the functions that it calls."""
        own = tuple(file for file in self.files if file.span.source is genome.span.source)
        others = tuple(file for file in self.files if file.span.source is not genome.span.source)
        return (*own, *others) if genome.extends or genome.around else own

    @cached_property
    def around(self) -> Around:
        """What a network may refer to outside itself."""
        others = {**dict.fromkeys(self.genomes, "genome"), **dict.fromkeys(self.networks, "network")}
        own = (item for tree in self.genomes.values() for item in tree.items if isinstance(item, syntax.Function))
        functions = FunctionScope(self.functions, [f.name for f in own])
        of_populations, of_projections = (
            frozenset(name for tree in self.genomes.values() for name in mentions.valued(tree, per))
            for per in ("population", "projection")
        )
        damaged = self.lacks_imports or any(tree.damaged for tree in self.genomes.values())
        return Around(self.blocks, self.edges, others, functions, of_populations, of_projections, damaged)


def _declared(files: Iterable[syntax.File], report: Report) -> dict[str, Declaration]:
    """Genomes, networks, blocks and functions share one namespace."""
    found: dict[str, Declaration] = {}
    for file in files:
        for item in (*file.genomes, *file.networks, *file.blocks, *file.functions):
            if isinstance(item, syntax.Function) and item.name in RESERVED:
                reserved(item.name, "a function", item.name_span, report)
            elif earlier := found.get(item.name):
                _declared_twice(item, earlier, report)
            else:
                found[item.name] = item
    return found


def _declared_twice(item: Declaration, earlier: Declaration, report: Report) -> None:
    same_file = earlier.name_span.source is item.name_span.source
    # The root file comes first, and the user can change the importing file.
    blamed, other = (item, earlier) if same_file else (earlier, item)
    message = f"`{item.name}` is declared twice"
    help = "rename one of them"
    report.error("E106", message, blamed.name_span, notes=[f"also in {other.name_span}"], help=help)


def _edge_files(
    file: syntax.File, folder: Path, virtual: Mapping[str, str], known: Iterable[Path]
) -> Iterator[tuple[tuple[Source, str], EdgeFile]]:
    source = file.span.source
    for name in names_of_edge_files(file):
        if name in virtual:
            yield (source, name), EdgeFile(name, virtual[name])
        else:
            beside = "" if source.name == library.TEXT_NAME else os.path.dirname(source.name)
            shown = os.path.normpath(os.path.join(beside, name))
            quoted = is_inside(folder / name, specs_path(), *known)
            yield (source, name), _read(name, shown, folder / name, quoted)


def names_of_edge_files(file: syntax.File) -> dict[str, None]:
    nodes = (node for tree in (*file.networks, *file.blocks) for node in mentions.walk(tree))
    texts = (a for n in nodes if isinstance(n, syntax.Attr) and n.name == "edges" for a in n.args or ())
    return dict.fromkeys(text.value for text in texts if isinstance(text, syntax.Text))


REMEDIES = {
    errno.EILSEQ: "save it as UTF-8",
    errno.EFBIG: "divide its edges between several files, each with a projection of its own",
}


def _read(written: str, name: str, path: Path, quoted: bool) -> EdgeFile:
    remedy = "give its path relative to the .blur file"
    most = XML_LIMIT if path.suffix.lower() == ".graphml" else LIMIT
    try:
        return EdgeFile(name, text_of(read_file(path, SUFFIXES, most)), quoted=quoted)
    except FileNotFoundError as error:
        near = _near(written, path) if quoted else None
        return EdgeFile(name, "", why(error), f"did you mean `{near}`?" if near else remedy)
    except OSError as error:
        plain = quoted or error.errno != errno.EILSEQ
        return EdgeFile(name, "", why(error) if plain else "it is not text", REMEDIES.get(error.errno or 0, remedy))


def _near(written: str, path: Path) -> str | None:
    """An edge file in the same folder that was probably meant."""
    if not os.path.isdir(path.parent):
        return None
    names = [p.name for p in path.parent.iterdir() if p.suffix in SUFFIXES]
    return did_you_mean(written, [os.path.join(os.path.dirname(written), name) for name in names])


def used_genome(sources: Sources, tree: syntax.Network, report: Report) -> syntax.Genome | None:
    if tree.uses is None or tree.uses.genome in sources.genomes:
        return sources.genomes[tree.uses.genome] if tree.uses else None
    name = tree.uses.genome
    if sources.lacks_imports and not did_you_mean(name, sources.genomes):
        return None
    help = (
        f"a network uses a genome; a block belongs in its body: `part = {name}(..)`" if name in sources.blocks else None
    )
    unknown("genome", name, sources.genomes, tree.uses.span, report, help=help)
    return None
