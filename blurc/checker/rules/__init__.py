"""The checks of a genome.

genome.py       declarations, phases, readout
names.py        what an expression may see
expressions.py  names and locality in expressions
wrong_names.py  errors about a name: unknown, or out of reach
wrong_calls.py  errors about a call
shapes.py       shapes of expressions
starts.py       start values
separable.py    sums that cannot be separated
unsummed.py     how to write the missing sum around a product
foreign.py      what to write for names from other languages
unused.py       unused declarations
"""
