"""Passes: one a file, each a pure function from one frozen value to the next.

schedule     phases x graph        -> visits in order
elaborate    visits x equations    -> blocks of flat operations; versions, scope and scopes are what it works with
simplify     block -> block        zeros, ones, common subexpressions
factor       block -> block        numbers move out of the products of a projection
assemble     blocks -> plan        with all that they are about; sparse_form says how sparse products are computed
liveness     plan  -> plan         what no prediction depends on is dropped
roll         plan  -> plan         runs of equal layers, and of equal rounds, become loops
"""
