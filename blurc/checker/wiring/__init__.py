"""The checks of a network.

network.py      networks and blocks as a whole, the unit neuron
bodies.py       what the names of a network or a block in use mean
blocks.py       loops unrolled, blocks put where they are used
populations.py  populations and their options
projections.py  projections and their attributes
topologies.py   which neurons a projection joins
sizes.py        whether its populations have the sizes for that
totals.py       running totals in projections that have no order
"""
