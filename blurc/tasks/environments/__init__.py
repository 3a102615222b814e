"""Worlds that networks act in, and are rewarded by.

environment.py  what an environment is: `reset` and `step`, in JAX
bandit.py       arms that pay with chances of their own
maze.py         a goal to find, elsewhere in every lifetime
t_maze.py       a cue to remember until the junction
of_gymnax.py    those of the package `gymnax`
checks.py       whether an environment has what it needs, and returns what it should
make.py         makes one from a choice of tasks
wandering.py    a lifetime of random actions
world.py        an environment as a task: what is observed of it, and how it varies between lifetimes
"""
