"""Families of tasks with parameters, each a file: `{data: copying, parameters: {length: 5}}`.

A family is a frozen dataclass whose fields are its parameters. Episodes vary in what the name says: another function,
other symbols. Its NAME and DESCRIPTION are what users see.

family.py      the list of them, and how a choice of tasks makes one
parametric.py  what they have in common

random_projection.py   classes by random projections
boolean.py             Boolean functions
familiarity.py         whether an example was shown before

sequences.py           what those with time have in common
adding.py              the sum of two marked numbers
copying.py             symbols, again after a delay
delayed_match.py       whether two stimuli are the same
associative_recall.py  the value that went with a key
"""
