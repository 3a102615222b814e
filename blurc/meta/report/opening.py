"""How a report opens: a picture of the network."""

from __future__ import annotations

from blurc.api import Net
from blurc.meta.report import style
from blurc.pictures import draw


def picture(net: Net) -> style.Picture:
    network = net.model.network
    sizes = ", ".join(f"{p.name} {list(p.shape)}" for p in network.populations if p.role != "unit")
    return style.Picture(draw.render(network, style.FORM), f"The network {network.name}: {sizes}.", natural=True)
