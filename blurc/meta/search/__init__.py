"""The search for a genome.

episode.py     train a fresh network, then test it
differentiate.py  gradients of episodes, in forward or reverse mode
combine.py     several tasks as one number
mixed.py       judges genomes on several networks at once
lifetimes.py   judges genomes in environments
interpreted.py judges the candidates of a symbolic search
many.py        many candidates in one program
curriculum.py  how long episodes are, and which replicas survive
methods/       gradients, CMA-ES and PES behind one interface
"""
