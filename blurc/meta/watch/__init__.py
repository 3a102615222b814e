"""Who follows a run: `meta.run(.., watch=)`.

metrics.py      a line of metrics.jsonl
follower.py     what a follower is
follow.py       for people: on a terminal, in a notebook, in a log
so_far.py       what is known of a search so far
curves.py       that in letters
page.py         that in HTML
numbers.py      the numbers of a meta-step, by name
tensorboard.py  to TensorBoard
wandb.py        to Weights & Biases
"""
