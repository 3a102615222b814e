"""Reasons why a network may not learn although nothing is wrong, one line each, shown before training.

An artifact has no plan to look at, so it only gets the hints that its signature allows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import blurc
from blurc import training

if TYPE_CHECKING:
    from blurc.runtime import GenomeValues, Program
    from blurc.tasks import Dataset


COMPARED = ("less", "at_most", "greater", "at_least")


def of(net: Program, genome: GenomeValues | None, data: Dataset) -> Iterator[str]:
    """`genome` is None if the meta-parameters are fresh."""
    if not net.signature.uses_target:
        yield "this rule never reads `target`: it learns without a teacher"
    yield from training.doubts(net, data.name, data.time, data.mask_train is not None)
    if data.kind == "values" and training.may_be_labels(data):
        yield f"the targets of {data.name} are whole numbers, learned as values: save classes as integers"
    if not data.in_order and (missing := training.never_seen(data)):
        yield f"no example of {data.name} has the class {missing[0]}: is it meant that its output is never asked for?"
    if not isinstance(net, blurc.Net):
        return
    if genome is None and any(v.init is not None and v.init.is_random for v in net.plan.metas):
        yield "the rule's meta-parameters are random: a meta-learned genome (--genome) is needed to learn well"
    if data.time and any(op.name in COMPARED for op in net.plan.run.all_ops()):
        yield (
            f"`{net.plan.genome}` compares numbers, which has no slope, so Adam through time sees nothing behind it: "
            "write a `fn` with a `slope`"
        )
    if data.classes is None and any(op.name == "softmax" for op in net.plan.step.all_ops()):
        yield (
            f"`{net.plan.genome}` has a softmax, for classes, but these targets are numbers: "
            "`--rule backprop3_mse` learns them"
        )
