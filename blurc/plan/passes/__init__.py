"""Passes: one per file, each a pure function from one frozen value to the next.

schedule     phases x graph        -> visits in order
elaborate    visits x equations    -> blocks of flat operations; uses versions, expressions and scopes
simplify     block -> block        zeros, ones, common subexpressions
factor       block -> block        moves numbers out of the products of a projection
assemble     blocks -> plan        adds everything they refer to; sparse_form chooses how sparse products are computed
liveness     plan  -> plan         drops what no prediction depends on
merge        plan  -> plan         makes one product of several that differ in one neuron factor; `sums` finds them
seen         plan  -> plan         computes only the rows of ids that occur; `unseen` proves where this is enough
roll         plan  -> plan         turns runs of equal layers, and of equal rounds, into loops
"""
