"""How genomes are searched.

objective.py   what is judged, and which way is better
episode.py     a fresh network learns, and is asked
many.py        many candidates in one program
curriculum.py  how long episodes are, and who goes on
methods/       gradients, CMA-ES, PES behind one interface
"""
