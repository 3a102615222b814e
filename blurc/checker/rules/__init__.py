"""The checks of a genome.

genome.py       declarations, phases, readout
names.py        what an expression may see
expressions.py  names and locality of expressions
shapes.py       shapes of expressions
starts.py       start values
separable.py    sums that cannot be taken apart
unsummed.py     a product that lacks its sum: how it is written
foreign.py      what other languages call it, and what to write here
unused.py       what is never used
"""
