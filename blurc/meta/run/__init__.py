"""A run: a sequence of meta-steps, and the files it writes.

setup.py       turns an experiment into programs
persistent.py  truncated episodes, for PES
step.py        one meta-step
<<<<<<< HEAD
best.py        the best genome so far, judged apart
loop.py        meta-steps, one after another
resuming.py    going on from a checkpoint
checkpoint.py folder.py pinned.py  what a run leaves
finishing.py   what follows a run
replaying.py   where a genome left the finite numbers
=======
best.py        the best genome so far, judged on separate episodes
loop.py        the loop over meta-steps
checkpoint.py folder.py  the files of a run
finishing.py   the evaluation and report after a run
replaying.py   finds where a genome diverged
>>>>>>> 6ee4b65 (Search and run say what they do in plain English)
"""
