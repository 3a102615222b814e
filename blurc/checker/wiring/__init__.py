"""The checks of a network.

network.py      networks and blocks as a whole, the unit neuron
bodies.py       what the names of a network or a block in use mean
counting.py     what it all comes to, before it is built
blocks.py       loops unrolled, blocks put where they are used
populations.py  populations and their options
projections.py  projections and their attributes
ties.py         projections with the synapses of others
kinds.py        kinds of projections and populations, and whether the rule knows them
values.py       values of the rule that the network file gives
topologies.py   which neurons a projection joins
sizes.py        whether a machine may hold it
totals.py       running totals in projections that have no order
"""
