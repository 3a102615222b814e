"""`blurc bench`: compiled rules against handwritten programs, measured in one run.

handwritten.py   backpropagation as a JAX user writes it
einsum.py        the BLUR rule as usually written: states last, one full synapse matrix per layer
products.py      only the matrix products of a `blur` step
specs.py         the same networks in the language
graphs.py        convolutions and sparse projections
meta.py          meta-learning: a generation of genomes, a long gradient
cores.py         candidates of a search on one core and on all
timing.py        alternating measurements
processes.py     functions in fresh processes, peak memory
rows.py          rows of a table
devices.py       what a device can do at best
scale.py         what many of them can
step_times.py    step times of training
run.py           the table
peers/           what other tools and programs by hand take for the same
gpu.py           the table on a GPU
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.bench import gpu, peers, run
    from blurc.bench.devices import DEVICES, Device, this_cpu
    from blurc.bench.run import Row
    from blurc.bench.scale import Divided, Search

__all__ = ["DEVICES", "Device", "Divided", "Row", "Search", "gpu", "peers", "run", "this_cpu"]

face(__name__)
