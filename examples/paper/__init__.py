"""The figures of Sandler et al. (arXiv:2104.04657), measured anew by `python examples/paper.py FIGURE`.

figures.py    the figures: what each asks, its experiment, its variants, and what the paper says of it
figure.py     the types of that table
learned.py    meta-trains the variants, and measures the genomes on test examples
spread.py     figure 15, and why genomes decay: synapses and states while a network learns
rates.py      figure 6: rules at many rates, without a search
metric.py     appendix A: null space and closed orbits
draw.py       results as SVG
page.py       docs/PAPER.md, from the results in docs/paper/
*.yaml        the experiments, at full size
*.blur        networks and rules
"""
