"""A network that lives in an environment."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import blurc
from blurc.tasks import OBJECTIVES, Augment, TaskChoice, world
from blurc.training import Living

# Noise in `forward`, so that the answer that is acted on has to be that of the step itself.
RULE = """
genome rewarded {{
  state   act, err
  signal  reward{each}, done{each}
  synapse w ~ normal(1), trace ~ zeros
  learn   eta = 0.5

  sense    {{ act <- input }}
  forward  {{ act <- incoming(w * pre.act) + noise(0.5) }}
  feedback {{ err <- target - softmax(act) }}
  update   {{
    w     <- w + {learned}
    trace <- 0.5 * trace + batch_mean(pre.act * post.err)
  }}
  readout  act
}}
network tiny uses rewarded {{
  input  seen[26]
  output act[4]
  seen -> act
}}
"""
MAZE = TaskChoice("maze", observe=("reward",), augment=Augment(permute_labels=True))
STEPS, BATCH = 20, 8


@pytest.mark.parametrize("each", [True, False])
def test_a_lifetime_is_a_loop_over_steps(each: bool) -> None:
    """Actions are chosen from what the network answers, and learned from in the same step; their rewards are heard of
    in the next one, by each example or as their mean."""
    learned = "eta * batch_mean((reward - done) * post.act)" if each else "eta * (reward - done) * trace"
    net = blurc.compile(RULE.format(each=" per example" if each else "", learned=learned))
    maze, genome = world(MAZE), net.init_genome(jax.random.key(0))
    lifetime = maze.lifetime(jax.random.key(1), STEPS)
    living = Living(net, maze, BATCH)
    born = living.born(genome, jax.random.key(2), lifetime)
    alive, fate = jax.jit(living.lived)(genome, born, lifetime)

    here = maze.variation(lifetime.variation)
    state, places, seen = net.init(jax.random.key(2), genome, batch=BATCH), born.places, born.observation
    felt, total, totals = born.felt, jnp.zeros(BATCH), []
    for key in lifetime.keys:
        noise, choose, move = jax.random.split(key, 3)
        heard = {"reward": felt.reward, "done": felt.done}
        heard = heard if each else {name: value.mean() for name, value in heard.items()}
        x = jnp.concatenate([seen, felt.reward[:, None]], axis=1)
        out = net.trace(genome, state, x, jnp.zeros((BATCH, 4)), signals=heard, key=noise)["forward"]["act"]["act"]
        actions, target = here.act(out, choose)
        state, answer = net.step(genome, state, x, target, signals=heard, key=noise)
        np.testing.assert_allclose(answer, out, rtol=1e-6)
        places, seen, reward, done = here.move(move, places, actions)
        felt, total = type(felt)(target, reward, done), total + reward
        totals.append(total)
        total = total * (1 - done)
    np.testing.assert_allclose(fate.totals, jnp.stack(totals))
    np.testing.assert_allclose(alive.network.synapses["seen->act"]["w"], state.synapses["seen->act"]["w"], rtol=1e-5)
    assert 0 < fate.totals.mean() < 1
    assert fate.sound.all()


def test_a_longer_lifetime_begins_like_a_shorter_one() -> None:
    maze = world(MAZE)
    long, short = (maze.lifetime(jax.random.key(1), steps) for steps in (9, 4))
    assert (long.keys[:4] == short.keys).all()


def test_one_layer_learns_where_the_goal_is() -> None:
    """In the last quarter of 600 steps it is found far more often than in the first, and than by chance, 0.26."""
    net, maze = blurc.compile("networks/actor.blur"), world(TaskChoice("maze"))
    genome = net.init_genome(jax.random.key(0))
    living = Living(net, maze, 1)

    def life(key: jax.Array) -> tuple[jax.Array, jax.Array]:
        lifetime = maze.lifetime(key, 600)
        fate = living.lived(genome, living.born(genome, key, lifetime), lifetime)[1]
        early = type(fate)(*(part[:150] for part in fate))
        return early.worth(OBJECTIVES["return"], 150), fate.worth(OBJECTIVES["return"], 150)

    first, last = jax.jit(jax.vmap(life))(jax.random.split(jax.random.key(3), 24))
    assert first.mean() < 0.6
    assert last.mean() > 0.8
