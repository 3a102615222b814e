"""What a run of meta-learning depends on.

experiment.py  the types
schema.py      the same as YAML: reading, checking, writing, comparing
override.py    values that are set from outside, `--set method.steps=100`
checks.py      what must fit together
optimizers.py  those of optax, by name
files.py       the files that it names
"""
