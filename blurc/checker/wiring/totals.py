"""Running totals need an order of the synapses of a neuron, which only dense projections have."""

from __future__ import annotations

from blurc.checker import mentions
from blurc.diagnostics import Report
from blurc.language import RUNNING, syntax
from blurc.model import Dense, Network


def check_running(network: Network, genome: syntax.Genome, report: Report) -> None:
    """Whether a rule with a running total meets none but dense projections where it learns."""
    found = next((name for name in RUNNING if name in mentions.names(genome.items)), None)
    for p in network.projections if found else ():
        if p.plastic and not isinstance(p.topology, Dense):
            report.error(
                "E313",
                f"the genome `{genome.name}` adds up synapses in the order of their neurons (`{found}`), which a "
                f"projection has only where it is dense, but `{p.name}` is {p.topology}",
                p.span,
                help="make it dense, or `fixed`, so that it does not learn",
            )
