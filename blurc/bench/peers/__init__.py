"""What `blurc bench --peers` compares with: other tools, and the same by hand. First the results, then the time.

generation.py  a generation of CMA-ES: evosax's, around an episode by hand
gradient.py    a meta-gradient through many steps, by hand with jax.checkpoint
spiking.py     a sparse recurrent network of spiking neurons in Brian2
cell.py        the LSTM in every synapse of VSML, by hand
table.py       the table of these
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.bench.peers.table import check, run

__all__ = ["check", "run"]

face(__name__)
