"""A run in TensorBoard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from blurc.guards import check_package, typed
from blurc.meta.watch.numbers import numbers

if TYPE_CHECKING:
    from tensorboardX import SummaryWriter

    from blurc.meta.watch.metrics import Metrics
    from blurc.tasks import Objective


class TensorBoard:
    """A follower that writes the numbers of every meta-step for TensorBoard, under the names of metrics.jsonl.

    Args:
        folder: where TensorBoard looks for them, `tensorboard --logdir FOLDER`. What a run that was interrupted wrote
            after its checkpoint is replaced when it goes on in the same folder.

    Raises:
        BlurError: E921 without the package `tensorboardX`.
    """

    _writer: SummaryWriter | None = None

    @typed
    def __init__(self, folder: str | Path):
        check_package("tensorboardX", "logs for TensorBoard need")
        self._folder = folder

    def begin(self, done: int, steps: int, objective: Objective) -> None:
        from tensorboardX import SummaryWriter

        self._writer = SummaryWriter(str(self._folder), purge_step=done, flush_secs=5)  # it may be looked at meanwhile

    def line(self, line: Metrics) -> None:
        assert self._writer, "`begin` comes first"
        for name, value in numbers(line).items():
            self._writer.add_scalar(name, value, line["step"])

    def end(self) -> None:
        if self._writer:
            self._writer.close()
