"""A run: meta-steps one after the other, and what they leave on the disk.

setup.py       from the names of an experiment to programs
persistent.py  episodes in pieces, for PES
step.py        one meta-step
best.py        the best genome so far, judged apart
loop.py        meta-steps, one after another
resuming.py    going on from a checkpoint
checkpoint.py folder.py pinned.py  what a run leaves
finishing.py   what follows a run
replaying.py   where a genome left the finite numbers
"""
