"""A recurrent network on sequences: it learns to say whether a bit differs from the one before.

The network of Elman reads its hidden population as it was in the last step. `reset` says where a new sequence begins:
there the neurons forget, and the synapses do not.
"""

import jax
import numpy as np

import blurc

LENGTH, SEQUENCES, BATCH = 8, 24, 32

net = blurc.compile("networks/elman.blur")
genome = net.init_genome(jax.random.key(0))
state = net.init(jax.random.key(1), genome, batch=BATCH)

rng = np.random.default_rng(0)
bits = rng.integers(2, size=(SEQUENCES, LENGTH, BATCH))
before = np.concatenate([np.zeros((SEQUENCES, 1, BATCH), int), bits[:, :-1]], axis=1)  # a sequence begins after a 0
xs = (2.0 * bits - 1).reshape(SEQUENCES * LENGTH, BATCH, 1)
ys = np.eye(2)[bits ^ before].reshape(SEQUENCES * LENGTH, BATCH, 2)
begins = np.arange(SEQUENCES * LENGTH) % LENGTH == 0

state, outs = net.train(genome, state, xs, ys, reset=begins)
right = np.asarray(outs.argmax(-1) == ys.argmax(-1)).reshape(SEQUENCES, LENGTH * BATCH).mean(-1)
for first in range(0, SEQUENCES, 4):
    print(f"sequences {first + 1:2d} to {first + 4:2d}   right {right[first : first + 4].mean():.3f}")
