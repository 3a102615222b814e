"""Tasks and objectives of a user's own: Python objects, or names in a Python file (`waves.py:Waves`).

choosing.py   what a choice of tasks names
protocol.py   what such a task has: `sample` and `score`
file.py       finds what `FILE.py:NAME` names, which runs the file
tokens.py     what a file says, without comments and layout
guard.py      what users' functions raise, as diagnostics with the line of their file
checks.py     whether they return what they should, before anything starts
source.py     such a task as a source of episodes
objective.py  a function of outputs and targets as an objective
"""
