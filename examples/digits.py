"""A compiled network in ten lines: handwritten digits, learned by a rule from a file."""

import jax

import blurc
from blurc import tasks

digits = tasks.load("digits")
net = blurc.compile("networks/digits.blur", hidden=128)
genome = net.init_genome(jax.random.key(0))
state = net.init(jax.random.key(1), genome)
state, _ = net.train(genome, state, *tasks.batches(digits, batch=64, steps=300, seed=0))
right = net.predict(genome, state, digits.x_test).argmax(-1) == digits.y_test.argmax(-1)
print(f"test accuracy {right.mean():.3f}")
