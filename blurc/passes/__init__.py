"""Passes: one a file, each a pure function from one frozen value to the next.

schedule    phases x graph        -> visits in order
separate    a sum over synapses   -> sums of (synapse factor) x (presynaptic factor) x (postsynaptic factor)
elaborate   visits x equations    -> blocks of flat operations
simplify    block -> block        zeros, ones, common subexpressions
factor      block -> block        numbers move out of the products of a projection
liveness    plan  -> plan         what no prediction depends on is dropped
"""
