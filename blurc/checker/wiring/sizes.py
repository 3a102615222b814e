"""Whether a network is of a size that some machine may hold."""

from __future__ import annotations

from blurc.diagnostics import Report
from blurc.model import Genome, Network, size, synapses_of

MOST_BYTES = 2**40  # of the state: more than any device has


def check_size(network: Network, genome: Genome, report: Report) -> None:
    found = size(network, genome)
    if found.bytes <= MOST_BYTES:
        return
    largest = max(network.projections, key=lambda p: synapses_of(p, network), default=None)
    message = (
        f"the state of the network `{network.name}` takes {found.bytes:,} bytes for one example, at most "
        f"{MOST_BYTES:,}: it has {found.neurons:,} neurons and {found.synapses:,} synapses"
    )
    help = "use smaller populations, fewer synapses (`sparse(fan_in = 100)`) or shorter delays"
    report.error("E427", message, largest.span if largest else network.span, help=help)
