"""Rolling: turns a chain of equal stretches of operations into a loop, so that a network of many equal layers, or a
phase repeated many times, compiles as fast as a short one.

    before   %3 = to_post %w1 %a {h1->h2}            after    %3 = loop %a %w {2 times}
             %4 = tanh %3                                         %0 = each {0}
             %5 = to_post %w2 %4 {h2->h3}                         %1 = carry {0}
             %6 = tanh %5                                         %2 = to_post %0 %1 {h1->h2}
                                                                  %3 = tanh %2
                                                                  carry 0 <- %3
                                                         %4 = final %3 {0}

stretches.py finds repetitions, match.py decides which of them are chains, loops.py writes the loops. The rest is rolled
again: the rounds of a `repeat` contain loops over layers.
"""

from __future__ import annotations

from dataclasses import replace

from blurc.plan.passes.roll.alike import Classes, Tokens
from blurc.plan.passes.roll.loops import build
from blurc.plan.passes.roll.match import Matcher
from blurc.plan.plan import Block, Plan

# Measured for backprop on chains of 10 to 100 layers of 32 and 128 neurons, batch 128, on two shared CPU cores: a step
# of a rolled `train` takes 1.1 to 1.5 times as long, as values are copied into stacks, while 300 layers compile in 2.2
# times the time of 10. A larger LEAST favours the step time of networks of ten to a hundred equal layers.
LEAST = 8  # segments in a chain
WORTH = 96  # operations saved in a block
LEVELS = 3


def roll(plan: Plan, least: int = LEAST, worth: int = WORTH) -> Plan:
    """Rolls `step` and `predict` where this saves `worth` operations. `trace` is not changed, nor is `run` where
    something is kept of neurons or examples: it does not read that from stacks."""
    step, predict = (_rolled(plan, block, least, worth) for block in (plan.step, plan.predict))
    return replace(plan, step=step, predict=predict, run=plan.run if plan.carried or plan.examples else predict)


def _rolled(plan: Plan, block: Block, least: int, worth: int) -> Block:
    classes = Classes(plan)
    for _ in range(LEVELS):
        matcher = Matcher(Tokens.of(block, classes), classes, least)
        chains = matcher.match()
        if not chains or sum((c.count - 1) * c.stretch.period for c in chains) < worth:
            break
        block = build(matcher, chains)
    return block
