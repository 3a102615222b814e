"""A rule that normalizes activity over the batch predicts the better, the more examples it is asked about at once.

Trains a network by the genome `bounded` for 100 steps, on the digits or on another data set (`.. mnist`), and asks it
about the test examples in batches of several sizes.
"""

import sys

import jax
import numpy as np

import blurc
from blurc import genome, tasks

data = tasks.load(sys.argv[1] if len(sys.argv) > 1 else "digits")
side = data.input_shape[0]
bounded = genome.read("genomes/bounded.yaml")
net = blurc.compile("networks/mnist.blur", network="mnist", genome=bounded.rule, side=side)
values = dict(bounded.values)

state = net.init(jax.random.key(0), values)
state, _ = net.train(values, state, *tasks.batches(data, batch=128, steps=100, seed=0))
for size in (1000, 128, 32, 8):
    size = min(size, len(data.x_test))
    count = len(data.x_test) // size * size
    parts = np.split(data.x_test[:count], count // size)
    outputs = np.concatenate([net.predict(values, state, x) for x in parts])
    right = outputs.argmax(-1) == data.y_test[:count].argmax(-1)
    print(f"in batches of {size:4}: test accuracy {right.mean():.3f}")
