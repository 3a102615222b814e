"""The plan, the waist of the compiler: flat blocks of operations, with every shape known and nothing of JAX.

plan.py      the types of a plan, and its verification
pipeline.py  the passes in order
counting.py  what the operations of a block cost
cost.py      what a network costs
sharding.py  how it is divided over devices
passes/      one pass per file, each a pure function from one frozen value to the next
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.plan.cost import Cost, cost_of
    from blurc.plan.passes.schedule import schedule
    from blurc.plan.passes.sparse_form import sparse_form
    from blurc.plan.pipeline import Pipeline, plan_of
    from blurc.plan.plan import (
        DRAWS,
        EACH,
        Block,
        Factors,
        Op,
        Plan,
        Projection,
        Result,
        Stack,
        Type,
        Variable,
        loop_of,
    )
    from blurc.plan.sharding import Axis, Split, part_of_state, split

__all__ = [
    "DRAWS",
    "EACH",
    "Axis",
    "Block",
    "Cost",
    "Factors",
    "Op",
    "Pipeline",
    "Plan",
    "Projection",
    "Result",
    "Split",
    "Stack",
    "Type",
    "Variable",
    "cost_of",
    "loop_of",
    "part_of_state",
    "plan_of",
    "schedule",
    "sparse_form",
    "split",
]

face(__name__)
