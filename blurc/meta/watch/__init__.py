"""Who follows a run: `meta.run(.., watch=)`.

watch.py        what a watch is
follow.py       for people: on a terminal, in a notebook, in a log
search.py       what is known of a search so far
curves.py       that in letters
page.py         that in HTML
numbers.py      the numbers of a meta-step, by name
tensorboard.py  to TensorBoard
wandb.py        to Weights & Biases
"""
