"""What to say of a text that does not parse: every mistake once, each with what to write instead.

outline.py     blocks, items and brackets of a text that need not be correct
beginnings.py  what begins at a token of such a text
blocks.py      the parts of an outline
recover.py     the text without its broken items, so that one mistake spoils one item
piece.py       a piece of text that does not parse: what was found, what could stand there
slips.py       the table of slips, each with what to write instead
pattern.py     how a row of the table is matched
characters.py  what is no token
"""
