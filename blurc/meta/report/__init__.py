"""`report.html` of a run folder: one page with everything in it, no script, nothing from elsewhere.

    contents.py    what the folder holds, as values
    training.py    figure: the objective over the meta-steps, with stages and divergences
    accuracy.py    figures and a table: accuracy against unroll step; the transfer matrix
    matrices.py    figures and a table: the meta-parameters by name
    regions.py     figures: what a network of the plane has learned after so many steps
    style.py       how figures look, and how they come into the page
    sections.py    the parts of the page, from the above
    page.py        the page
    write.py       the page, in its place

The same folder gives the same bytes with the same matplotlib and JAX.
"""
