"""Trains the network of rule.blur on handwritten digits, with the genome that `blurc meta` learned, if there is one."""

from pathlib import Path

import jax

import blurc
from blurc import tasks

HERE = Path(__file__).parent
LEARNED = HERE / "runs/mine/genome.yaml"

digits = tasks.load("digits")
net = blurc.compile(HERE / "rule.blur")
genome = net.init_genome(jax.random.key(0))
if LEARNED.exists():
    genome = blurc.genome.read(LEARNED).values
for steps in (20, 300):
    state = net.init(jax.random.key(1), genome)
    state, _ = net.train(genome, state, *tasks.batches(digits, batch=64, steps=steps, seed=0))
    right = net.predict(genome, state, digits.x_test).argmax(-1) == digits.y_test.argmax(-1)
    print(f"after {steps} batches: test accuracy {right.mean():.3f}")
