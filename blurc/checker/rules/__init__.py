"""The checks of a genome.

genome.py         a genome: its phases and its readout
phases.py         in which order phases run, and under which names
declarations.py   its declarations
names.py          what an expression may see
expressions.py    names and locality in expressions
own_functions.py  functions of one's own, and calls of them
wrong_names.py    errors about a name: unknown, or out of reach
wrong_calls.py    errors about a call
wrong_targets.py  errors about an assignment
shapes.py         shapes of expressions
variants.py       phases for one kind of populations or projections
starts.py         start values
separable.py      sums that cannot be separated
unsummed.py       how to write the missing sum around a product
foreign.py        what to write for names from other languages
unused.py         unused declarations
"""
