"""The statements that a search rewrites, and what their expressions may read.

A *site* is one assignment of a searched phase. Its right-hand side becomes an expression over *leaves*:

    update     w <- w + batch_mean(E)    pre.x, post.x, channels
    backward   err <- E                  own states, the `let`s before it, outgoing(c * post.x)

for all states x and channels c, those that are vectors or matrices entry by entry. In `forward` the sums are
`incoming(c * pre.x)`; `sense` has `input` and `feedback` has `target` instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from blurc import model as m
from blurc.checker import check_genome, mentions
from blurc.diagnostics import BlurError, Diagnostic, Report, Source, Span
from blurc.language import parse, syntax, unparse

NOWHERE = Span(Source("a candidate", ""), 0, 0)
SUMS: Mapping[str, tuple[str, str]] = {"forward": ("incoming", "pre"), "backward": ("outgoing", "post")}
SIGNALS: Mapping[str, str] = {"sense": "input", "feedback": "target"}


@dataclass(frozen=True)
class Leaf:
    """A term, as it is written and as the checker understands it."""

    tree: syntax.Expr
    meaning: m.Expr

    @property
    def text(self) -> str:
        return unparse(self.tree)


@dataclass(frozen=True)
class Site:
    """`number`: of the statement among those of its `phase`."""

    phase: syntax.Phase
    number: int
    leaves: tuple[Leaf, ...] = ()

    @property
    def target(self) -> syntax.Assign:
        found = self.phase.statements[self.number]
        assert isinstance(found, syntax.Assign)
        return found

    @property
    def name(self) -> str:
        """`w of update`."""
        return f"{unparse(self._own())} of {self.phase.kind}"

    def assigned(self, value: syntax.Expr) -> syntax.Assign:
        """The assignment of an expression; to a synapse as a change."""
        own = self._own()
        whole = syntax.Binary("+", own, value, span=NOWHERE) if self.phase.kind == "update" else value
        return replace(self.target, value=whole)

    def changed_by(self, value: syntax.Expr) -> syntax.Expr:
        """What is assigned: of what differs over the batch, a synapse takes the mean."""
        return syntax.Call("batch_mean", (value,), span=NOWHERE) if self.phase.kind == "update" else value

    def _own(self) -> syntax.Expr:
        name = syntax.Name(self.target.name, span=NOWHERE)
        return syntax.Index(name, self.target.items, span=NOWHERE) if self.target.items else name


def sites(
    tree: syntax.Genome, rule: m.Genome, phases: Sequence[str], leaves: Mapping[str, Sequence[str]]
) -> tuple[Site, ...]:
    """The sites of a rule.

    Args:
        tree: the rule as it is written, with all that it inherits.
        rule: the same, checked.
        phases: which phases to search, by kind or by name.
        leaves: for some of these, the terms to use instead of all that there are.

    Raises:
        BlurError: E613 if a phase is not there or assigns nothing, or a leaf is not a number there.
    """
    found: list[Site] = []
    if lost := [name for name in leaves if name not in phases]:
        raise _refused(
            f"`leaves` has those of `{lost[0]}`, which `search` does not search", "search it, or remove them"
        )
    for name in dict.fromkeys(phases):
        here = [p for p in mentions.phases(tree) if name in (p.name or p.kind, p.kind)]
        bare = [Site(p, i) for p in here for i, s in enumerate(p.statements) if isinstance(s, syntax.Assign)]
        if not bare:
            raise _refused(f"the rule `{tree.name}` assigns nothing in a phase `{name}`", _phases(tree))
        for site in bare:
            given = leaves.get(name)
            texts = _all(site, rule) if given is None else [*map(_parsed, given)]
            checked = [_checked(tree, rule, site, text, strict=given is not None) for text in texts]
            found.append(replace(site, leaves=tuple(leaf for leaf in checked if leaf)))
    return tuple(found)


def _phases(tree: syntax.Genome) -> str:
    names = dict.fromkeys(p.name or p.kind for p in mentions.phases(tree) if p.statements)
    return f"`search` takes some of {', '.join(names)}; write what is searched as `x <- 0`"


def with_statements(tree: syntax.Genome, new: Iterable[tuple[Site, Sequence[syntax.Statement]]]) -> syntax.Genome:
    """The rule with other statements at some sites."""
    changed = {(site.phase.span, site.number): statements for site, statements in new}

    def phase(p: syntax.Phase) -> syntax.Phase:
        parts = (changed.get((p.span, i), (s,)) for i, s in enumerate(p.statements))
        return replace(p, statements=tuple(s for part in parts for s in part))

    def item(x: syntax.GenomeItem) -> syntax.GenomeItem:
        if isinstance(x, syntax.Repeat):
            return replace(x, phases=tuple(phase(p) if isinstance(p, syntax.Phase) else p for p in x.phases))
        return phase(x) if isinstance(x, syntax.Phase) else x

    return replace(tree, items=tuple(map(item, tree.items)))


# -------------------------------------------------------------------- leaves


def _all(site: Site, rule: m.Genome) -> Iterator[syntax.Expr]:
    """All leaves of a site, whether or not the checker allows them there."""
    kind = site.phase.kind
    states = [part for v in rule.states for part in _entries(v)]
    channels = [part for v in rule.channels for part in _entries(v)]
    if kind == "update":
        yield from (_of(side, state) for side in ("pre", "post") for state in states)
        yield from channels
        return
    yield from states
    lets = (s for s in site.phase.statements[: site.number] if isinstance(s, syntax.Let))
    yield from (syntax.Name(s.name, span=NOWHERE) for s in lets)
    if kind in SIGNALS:
        yield syntax.Name(SIGNALS[kind], span=NOWHERE)
    if kind in SUMS:
        function, side = SUMS[kind]
        for channel, state in product(channels, states):
            body = syntax.Binary("*", channel, _of(side, state), span=NOWHERE)
            yield syntax.Call(function, (body,), span=NOWHERE)


def _entries(v: m.Declared) -> Iterator[syntax.Expr]:
    name = syntax.Name(v.name, span=NOWHERE)
    for place in product(*map(range, v.shape)):
        items = tuple(syntax.Number(i, span=NOWHERE) for i in place)
        yield syntax.Index(name, items, span=NOWHERE) if items else name


def _of(side: str, state: syntax.Expr) -> syntax.Expr:
    match state:
        case syntax.Index(base=syntax.Name(name=name), items=items):
            return syntax.Index(syntax.Attribute(side, name, span=NOWHERE), items, span=NOWHERE)
        case syntax.Name(name=name):
            return syntax.Attribute(side, name, span=NOWHERE)
        case _:
            raise AssertionError(state)


def _parsed(text: str) -> syntax.Expr:
    """Raises `BlurError` (E613) if it is not an expression."""
    report = Report()
    start = "genome g { readout "
    file = parse(Source("leaves", f"{start}{text}\n}}"), report)
    items = [item for genome in file.genomes for item in genome.items]
    if report.errors or len(items) != 1 or not isinstance(items[0], syntax.Readout):
        raise _refused(f"the leaf `{text}` is not one expression", "write a term of the language, such as `pre.act`")
    return items[0].value


def _checked(tree: syntax.Genome, rule: m.Genome, site: Site, leaf: syntax.Expr, strict: bool) -> Leaf | None:
    """The leaf with its meaning at the site; None if it has none there, or if it is not a number, unless `strict`."""
    report = Report()
    alone = with_statements(tree, [(site, [site.assigned(site.changed_by(leaf))])])
    checked = check_genome(alone, dict(rule.params), report)
    meaning = _meaning(checked, site) if checked else None
    if meaning is not None and not meaning.shape and (site.phase.kind != "update" or group_of(meaning)):
        return Leaf(leaf, meaning)
    if strict:
        what = "it is not a number" if meaning and meaning.shape else "it mixes what a candidate multiplies itself"
        what = report.errors[0].message if report.errors else what
        raise _refused(f"the leaf `{unparse(leaf)}` does not fit {site.name}: {what}", None)
    return None


def group_of(e: m.Expr) -> str | None:
    """Of what stands below `batch_mean`: `still`, `pre` or `post`; None for a mixture."""
    found = m.separate(m.Reduce("batch_mean", e, shape=e.shape, over=e.over, span=e.span))
    if not isinstance(found, m.Terms) or len(found.products) != 1:
        return None
    factors = found.products[0].factors()
    return next(iter(factors)) if len(factors) == 1 and found.products[0].sign > 0 else None


def _meaning(rule: m.Genome, site: Site) -> m.Expr | None:
    """What the checker made of the expression at a site."""
    value = statement(rule, site).value
    if site.phase.kind != "update":
        return value
    return next((e.body for e in m.walk(value) if isinstance(e, m.Reduce)), None)


def statement(rule: m.Genome, site: Site) -> m.Assign:
    """The checked statement of a site, which keeps its place in the text."""
    written = (s for p in rule.phases for part in (p, *p.variants) for s in part.statements)
    return next(s for s in written if isinstance(s, m.Assign) and s.span == site.target.span)


def _refused(message: str, help: str | None) -> BlurError:
    return BlurError(Diagnostic("E613", message, help=help))
