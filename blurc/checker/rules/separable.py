"""Separability: every sum over synapses, and over the batch, is a sum of products of local factors.

`model/separate.py` separates them; this is what to say if it cannot.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from blurc.checker.wording import code
from blurc.diagnostics import Report
from blurc.model import (
    MOST_POWER,
    MOST_TERMS,
    Apply,
    Expr,
    Inseparable,
    Literal,
    Modulator,
    Over,
    Reduce,
    Total,
    Until,
    children,
    inline,
    separate,
    walk,
)

GROUPS = {Over.SYNAPSE: "synapse", Over.PRE: "presynaptic neuron", Over.POST: "postsynaptic neuron"}


def separable(value: Expr, lets: Mapping[str, Expr], report: Report) -> bool:
    """Whether all sums and reductions in a value can be separated, after its `lets` are expanded. Those that read a
    channel `per example` need not be."""
    sound = True
    for e in walk(value):
        if isinstance(e, Total | Reduce) and Over.BUILT not in e.body.over:
            whole = inline(e, lets)
            assert isinstance(whole, Total | Reduce), "inlining replaces only lets"
            found = separate(whole)
            if isinstance(found, Inseparable):
                _refuse(whole, found.node, report)
                sound = False
    return sound


def _refuse(whole: Total | Reduce, node: Expr, report: Report) -> None:
    kind = whole.direction if isinstance(whole, Total) else whole.kind
    example = "phi(incoming(w * pre.x))" if isinstance(whole, Total) else "phi(batch_mean(pre.x * post.y))"
    if any(isinstance(x, Until) for x in walk(node)):
        report.error(
            "E306",
            f"`{code(node.span)}` would need a value for every example and synapse: a running total that varies over "
            "the batch can be multiplied by the postsynaptic neuron and by what does not vary, but by nothing else",
            node.span,
            help="write `batch_mean(post.x * pre.outgoing_until(w * post.x))`",
        )
        return
    if _is_long(node):
        message = f"`{code(node.span)}` has more than {MOST_TERMS:,} terms when multiplied out"
        help = "name a part of it as a state, or write a lower power"
        report.error("E306", message, node.span, help=help)
        return
    notes = [
        "sums over synapses become matrix products of a synapse factor, a presynaptic and a postsynaptic "
        "factor; a non-linear function of a mixture would need a value for every example and synapse, as a "
        "channel `per example` has"
    ]
    if isinstance(node, Apply) and node.function == "pow":
        notes.append(f"whole powers from 1 to {MOST_POWER} are multiplied out")
    message = f"`{code(node.span)}` mixes {_mixture(node)}, and {kind}(..) cannot separate them"
    help = f"apply the function to one of them alone, or to the finished sum: `{example}`"
    report.error("E306", message, node.span, notes=notes, help=help)


def _is_long(node: Expr) -> bool:
    """Whether a node could be multiplied out but is too long."""
    match node:
        case Apply(function="mul" | "matmul"):
            return True
        case Apply(function="square", prime=False):
            return True
        case Apply(function="pow", args=(_, Literal(value=float(n)))):
            return n == int(n) and 1 <= n <= MOST_POWER
        case _:
            return False


def _mixture(node: Expr) -> str:
    """Names the factors that a node mixes: "`w` (synapse) with `pre.a` (presynaptic neuron)"."""
    leaves = list(_leaves(node))
    named: dict[str, str] = {}
    for flag, words in GROUPS.items():
        leaf = next((x for x in leaves if flag in x.over), None)
        if leaf is not None:
            named[words] = code(leaf.span)
    fed = next((x for x in leaves if isinstance(x, Modulator) and Over.EXAMPLE in x.over), None)
    if fed is not None:
        named["example"] = code(fed.span)
    return " with ".join(f"`{text}` ({words})" for words, text in named.items())


def _leaves(e: Expr) -> Iterator[Expr]:
    """A total is a leaf: the synapses inside it have other ends."""
    if isinstance(e, Total | Until) or not children(e):
        yield e
    else:
        for child in children(e):
            yield from _leaves(child)
