"""`a -> b [same = LABEL]`: the synapses of another projection."""

from __future__ import annotations

from dataclasses import dataclass, replace

from blurc.checker.wiring.bodies import Wiring
from blurc.checker.wiring.topologies import Ends
from blurc.checker.wording import code, listed
from blurc.diagnostics import suggest
from blurc.language import syntax
from blurc.model import End, Projection


@dataclass(frozen=True)
class Tie:
    """What `same` says of a projection; `label` is the other's name in the network."""

    name: str
    label: str
    attr: syntax.Attr
    ends: Ends


def tie(ties: list[Tie], wiring: Wiring) -> None:
    """Gives projections the synapses, and with them the topology, of others. Those may stand further down."""
    tied = {found.name: found for found in ties}
    for found in ties:
        if owner := _owner(found, tied, wiring):
            plain = wiring.projections[found.name]
            plastic = plain.plastic and owner.topology.has_synapses
            wiring.projections[found.name] = replace(plain, topology=owner.topology, plastic=plastic, same=owner.name)


def _owner(tie: Tie, tied: dict[str, Tie], wiring: Wiring) -> Projection | None:
    """The projection that has the synapses, if the other may have them, too."""
    report, written = tie.ends.body.report, code(tie.attr.value.span) if tie.attr.value else ""
    owner = wiring.projections.get(tie.label)
    if owner is None:
        if tie.label not in wiring.labels:  # else its mistake has been reported
            known = [label.removeprefix(tie.ends.body.prefix) for label in sorted(wiring.labels)]
            help = suggest(written, known, f"give it to the projection that has the synapses: `[label = {written}]`")
            message, notes = f"no projection has the label `{written}`", [f"labels: {listed(known)}"]
            report.error("E428", message, tie.attr.span, notes=notes, help=help)
        return None
    if tie.label in tied:
        _of_another(tie, tied)
    elif not owner.topology.has_synapses:
        message = f"`{written}` has no synapses of its own that another could have: it is `{owner.topology}`"
        report.error("E428", message, tie.attr.span, help="remove it")
    elif misfit := _misfit(owner, tie, wiring):
        report.error("E428", misfit[0], tie.attr.span, help=misfit[1])
    else:
        return owner
    return None


def _of_another(tie: Tie, tied: dict[str, Tie]) -> None:
    """The other has none of its own, either. Where all have one another's, this is said once."""
    report, last, names = tie.ends.body.report, tie, [tie.name]
    while last.label in tied and last.label not in names:
        last = tied[last.label]
        names.append(last.name)
    written = code(last.attr.value.span) if last.attr.value else ""
    if last.label not in tied:
        message = f"`{tie.label}` itself has the synapses of `{tied[tie.label].label}`"
        report.error("E428", message, tie.attr.span, help=f"write `same = {written}`")
    elif names == [last.label]:
        report.error("E428", "a projection has its own synapses anyway", tie.attr.span, help="remove it")
    elif last.label == tie.name == min(names):
        *others, end = (f"`{name}`" for name in names)
        whose, help = "each other's synapses, so neither has any", "remove it in one of them"
        if len(names) > 2:
            whose = "one another's synapses, so none of them has any"
            help = f"remove it here, and write `same = {written}` in the others"
        report.error("E428", f"{', '.join(others)} and {end} have {whose}", tie.attr.span, help=help)


def _misfit(owner: Projection, tie: Tie, wiring: Wiring) -> tuple[str, str] | None:
    """Why the synapses do not fit between the other populations, and what to do."""
    pre, post = (wiring.populations[name] for name in (owner.source, owner.target))
    ends, topology = tie.ends, owner.topology
    there = [f"`{p.name}` is {list(p.shape)}" for p in (ends.pre, ends.post)]
    if misfit := topology.misfit(str(topology), _end(ends, 0), _end(ends, 1)):
        return misfit.message, misfit.help
    if topology.shares:
        own, other = (topology.synapse_shape(a.shape, b.shape) for a, b in ((pre, post), (ends.pre, ends.post)))
        message = f"the synapses of `{owner.name}` join {own[-2]} channels with {own[-1]}, but {' and '.join(there)}"
        return None if own == other else (message, "connect populations with these channels, or remove it")
    message = f"the synapses of `{owner.name}` lead from {pre.size} to {post.size} neurons, but {' and '.join(there)}"
    help = "connect populations of these sizes, in this direction, or remove it"
    return None if (pre.size, post.size) == (ends.pre.size, ends.post.size) else (message, help)


def _end(ends: Ends, at: int) -> End:
    name, population = ((ends.source, ends.pre), (ends.target, ends.post))[at]
    return End(name, code(ends.written[at].span), population.role, population.shape)
