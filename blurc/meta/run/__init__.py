"""A run: a sequence of meta-steps, and the files it writes.

setup.py       turns an experiment into programs
compiling.py   the network that an experiment names
loading.py     its tasks, and what else it names
lessons.py     what learns each task, and in which batches
mode.py        how gradients are taken
on_worlds.py on_recordings.py  what experiments on these cannot have
room.py        whether that fits into memory
memory.py      how much of a device's memory a candidate takes
dividing.py    over how many devices of a CPU candidates can be divided
persistent.py  truncated episodes, for PES
step.py        one meta-step
best.py        the best genome so far, judged on separate episodes
front.py       of a symbolic search: the best rule of each length
found.py       the same as files, judged as what they say
loop.py        the loop over meta-steps
result.py      what it returns
sharing.py     the same for the other processes of a run
resuming.py    resumes from a checkpoint
checkpoint.py folder.py pinned.py  the files of a run
lock.py        one run at a time in a folder
finishing.py   the evaluation and report after a run
replaying.py   finds where a genome diverged; in environments: replaying_lives.py
"""
