"""Several processes that share one run.

join.py       how the processes of a run find each other
detect.py     what a cluster says of them: SLURM, Kubernetes, Open MPI
processes.py  what they tell each other, and what happens when one ends
wire.py       messages over a connection

Programs do not cross the border of a process: each one computes its share of the candidates by programs of its own, and
the results are exchanged as bytes. Therefore nothing depends on the collectives of a backend, a candidate goes through
the same program in any layout, and the death of a process is a closed connection and not a program that never ends.
"""
