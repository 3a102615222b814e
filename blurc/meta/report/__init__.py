"""`report.html` of a run folder: one self-contained page without scripts.

    contents.py    the contents of the folder, as values
    training.py    figure: the objective over meta-steps, with stages and divergences
    accuracy.py    figures and a table: accuracy against unroll step; the transfer matrix
    matrices.py    figures and a table: the meta-parameters by name
    regions.py     figures: decision regions of a network with two inputs, as it learns
    style.py       the look of figures, and how they are embedded in the page
    sections.py    the sections of the page, built from the above
    page.py        the HTML, written into the folder

With the same matplotlib and JAX, the same folder gives the same bytes.
"""
