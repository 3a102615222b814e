"""`genome b extends a { .. }`, written out: the genome that results, as if somebody had typed it.

Before:  genome b(k = 3) extends a { learn eta = 0.5  backward { .. } }
After:   genome b(k = 3, ..) { .. }, with all that `a` has but for its k, its eta and its backward phase

Every part keeps its span, so diagnostics point at the text where it stands, in whichever file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from blurc.checker import mentions
from blurc.diagnostics import Report, Span
from blurc.language import syntax
from blurc.spec.phase_places import with_phases
from blurc.spec.stray_phases import warn_of_strays
from blurc.spec.unknown import unknown

KEPT = (syntax.Fn, syntax.Function)


def written_out(files: Sequence[syntax.File], report: Report, lacks_imports: bool = False) -> dict[str, syntax.Genome]:
    """All genomes by name, the first of each name, those that extend others written out.

    Args:
        files: as they were parsed. A genome is looked for in the file that extends it, in those after it, and then in
            those before it.
        report: takes E211 where there is no such genome, and E221 where genomes extend each other in a circle.
        lacks_imports: whether an unknown genome may be declared in a file that cannot be read.
    """
    bases = _Bases(files, report, lacks_imports)
    found: dict[str, syntax.Genome] = {}
    for tree in (genome for file in files for genome in file.genomes):
        found.setdefault(tree.name, bases.written_out(tree))
    return found


@dataclass(slots=True)
class _Bases:
    files: Sequence[syntax.File]
    report: Report
    lacks_imports: bool
    done: dict[Span, syntax.Genome] = field(default_factory=dict[Span, syntax.Genome])

    def written_out(self, tree: syntax.Genome, above: tuple[syntax.Genome, ...] = ()) -> syntax.Genome:
        """`above`: the genomes that extend this one, outermost first."""
        if tree.name_span not in self.done:
            base = self._base(tree, tree.extends, (*above, tree)) if tree.extends else None
            broken = replace(tree, damaged=True) if tree.extends else tree
            self.done[tree.name_span] = extended(tree, base) if base else broken
            if base:
                warn_of_strays(tree, base, self.report)
        return self.done[tree.name_span]

    def _base(
        self, tree: syntax.Genome, extends: syntax.Extends, above: tuple[syntax.Genome, ...]
    ) -> syntax.Genome | None:
        base = self._find(extends.genome, tree.span)
        if base is not None and base in above:
            names = [genome.name for genome in above[above.index(base) :]]
            message = f"genomes extend each other in a circle: {' -> '.join([*names, base.name])}"
            help = f"remove `extends {base.name}`, and declare here what `{tree.name}` needs"
            self.report.error("E221", message, extends.span, help=help)
        elif base is not None:
            return self.written_out(base, above)
        elif not self.lacks_imports:
            known = {genome.name: genome for file in self.files for genome in file.genomes if genome is not tree}
            unknown("genome", extends.genome, known, extends.span, self.report)
        return None

    def _find(self, name: str, at: Span) -> syntax.Genome | None:
        here = next(i for i, file in enumerate(self.files) if file.span.source is at.source)
        genomes = (genome for file in (*self.files[here:], *self.files[:here]) for genome in file.genomes)
        return next((genome for genome in genomes if genome.name == name), None)


def extended(tree: syntax.Genome, base: syntax.Genome) -> syntax.Genome:
    """The genome `tree`, which extends `base`, with all that it takes from it."""
    own = {item.name for item in tree.items if isinstance(item, syntax.Declaration)} | {p.name for p in tree.params}
    params = (*tree.params, *(p for p in base.params if p.name not in own))
    readouts = [item for item in tree.items if isinstance(item, syntax.Readout)]
    items = (
        *_declarations(tree, base, own),
        *with_phases(tree.items, base.items),
        *(readouts or (item for item in base.items if isinstance(item, syntax.Readout))),
    )
    damaged = tree.damaged or base.damaged
    whole = replace(tree, params=params, items=items, damaged=damaged)
    return whole if damaged else _without_unread(whole)


def _declarations(tree: syntax.Genome, base: syntax.Genome, own: set[str]) -> Iterator[syntax.Declaration]:
    """A declaration stands where `base` declares the same name; a new one comes after those of `base`."""
    new = [item for item in tree.items if isinstance(item, syntax.Declaration)]
    for item in base.items:
        if isinstance(item, syntax.Declaration):
            yield from (d for d in new if d.name == item.name) if item.name in own else (item,)
            new = [d for d in new if d.name != item.name]
    yield from new


def _without_unread(tree: syntax.Genome) -> syntax.Genome:
    """Leaves out what is inherited and has lost its last use: the variant has no place to remove it. What networks may
    fill stays: slots, with the functions that go into them, and values per population or projection."""
    named = mentions.names([*tree.params, *tree.items])
    named |= {s.name for phase in mentions.phases(tree) for s in phase.statements}
    named |= {*mentions.valued(tree, "population"), *mentions.valued(tree, "projection")}

    def kept(part: syntax.Node) -> bool:
        if not isinstance(part, syntax.Declaration | syntax.Param) or isinstance(part, KEPT):
            return True
        return part.name in named or tree.span.contains(part.span)

    less = replace(tree, params=tuple(filter(kept, tree.params)), items=tuple(filter(kept, tree.items)))
    lost = len(less.params) < len(tree.params) or len(less.items) < len(tree.items)
    return _without_unread(less) if lost else less
