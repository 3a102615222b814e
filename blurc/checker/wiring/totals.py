"""Running totals need an order of a neuron's synapses, which only dense projections have."""

from __future__ import annotations

from blurc.checker import mentions
from blurc.diagnostics import Report
from blurc.language import RUNNING, syntax
from blurc.model import Dense, Network


def check_running(network: Network, genome: syntax.Genome, report: Report) -> None:
    """Whether a rule with a running total learns only on dense projections."""
    found = next((name for name in RUNNING if name in mentions.names(genome.items)), None)
    for p in network.projections if found else ():
        if p.plastic and not isinstance(p.topology, Dense):
            report.error(
                "E313",
                f"the genome `{genome.name}` adds up synapses in the order of their neurons (`{found}`), which only "
                f"dense projections have, but `{p.name}` is {p.topology}",
                p.span,
                help="make it dense, or `fixed`, so that it does not learn",
            )
