"""Data to train on: built-in sets by name, a user's own arrays from `FILE.npz`, and batches of either.

`load` and `names` give the data sets, `batches` and `stream` sample them. All arrays are NumPy. A set is held in memory
as float32: 188 MB for MNIST's images. Tasks for meta-learning, whose episodes are sampled on the device, are in
`task.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.tasks.choice import Augment, TaskChoice
    from blurc.tasks.dataset import Dataset, Floats
    from blurc.tasks.draws import generator
    from blurc.tasks.endless import Stream
    from blurc.tasks.examples import Examples
    from blurc.tasks.sampling import batches, stream
    from blurc.tasks.sets import load, names
    from blurc.tasks.task import Episode, Task, task, task_names

__all__ = [
    "Augment",
    "Dataset",
    "Episode",
    "Examples",
    "Floats",
    "Stream",
    "Task",
    "TaskChoice",
    "batches",
    "generator",
    "load",
    "names",
    "stream",
    "task",
    "task_names",
]

face(__name__)
