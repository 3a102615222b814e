"""Families of tasks, each a file: every episode has another function, or other symbols.

Most have parameters, `{data: copying, parameters: {length: 5}}`: a frozen dataclass whose fields these are. NAME and
DESCRIPTION are what users see.

family.py      the list of those with parameters, and how a choice of tasks makes one
parametric.py  what these have in common

sinusoid.py    a sinusoid to regress on
teacher.py     random functions of correlated inputs, with or without a hidden layer
component.py   the first principal component of a random cloud

random_projection.py   classes by random projections
boolean.py             Boolean functions
familiarity.py         whether an example was shown before

sequences.py           what those with time have in common
adding.py              the sum of two marked numbers
copying.py             symbols, again after a delay
delayed_match.py       whether two stimuli are the same
associative_recall.py  the value that went with a key
"""
