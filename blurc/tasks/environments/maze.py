"""A square of cells with a hidden goal, which is in another place in every lifetime: a water maze on a grid.

The agent sees which cell it is in (one-hot), and moves to one of the four neighbours; a wall stops it. An episode
starts in a random cell and ends at the goal, with a reward of 1, or after `LIMIT` moves with none: the return is the
share of episodes in which the goal is found. Nothing but these rewards says where the goal is. After Morris, "Spatial
localization does not require the presence of local cues", Learning and Motivation 12 (1981), with one place cell for
each cell of the grid, and Miconi, Stanley and Clune, "Differentiable plasticity" (ICML 2018), section 4.4.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import jax
import jax.numpy as jnp

NAME = "maze"
DESCRIPTION = "a grid of 5 x 5 cells with a goal to find, in another place in each lifetime"
SIDE = 5
CELLS = SIDE**2
MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))  # rows and columns: up, right, down, left
LIMIT = 15


class Place(NamedTuple):
    """at: row and column [2]. moves: in this episode so far."""

    at: jax.Array
    moves: jax.Array


@dataclass(frozen=True, eq=False)
class Maze:
    """goal: the number of its cell, of one lifetime."""

    goal: jax.Array | None = None
    observations: int = CELLS
    actions: int = len(MOVES)
    bounds: None = None

    def variation(self, key: jax.Array) -> Maze:
        return replace(self, goal=jax.random.randint(key, (), 0, CELLS))

    def reset(self, key: jax.Array) -> tuple[Place, jax.Array]:
        """In any cell but that of the goal."""
        assert self.goal is not None
        cell = (self.goal + jax.random.randint(key, (), 1, CELLS)) % CELLS
        at = jnp.stack([cell // SIDE, cell % SIDE])
        return Place(at, jnp.asarray(0)), _seen(at)

    def step(self, key: jax.Array, state: Place, action: jax.Array) -> tuple[Place, jax.Array, jax.Array, jax.Array]:
        at, moves = jnp.clip(state.at + jnp.asarray(MOVES)[action], 0, SIDE - 1), state.moves + 1
        found = _cell(at) == self.goal
        return Place(at, moves), _seen(at), found.astype(float), found | (moves >= LIMIT)


def _cell(at: jax.Array) -> jax.Array:
    return at[0] * SIDE + at[1]


def _seen(at: jax.Array) -> jax.Array:
    return jax.nn.one_hot(_cell(at), CELLS)
