"""What to say of a text that does not parse: every mistake once, each with what to write instead.

outline.py    blocks, items and brackets of a text that need not be correct
recover.py    the text without its broken items, so that one mistake spoils one item
slips/        what was found, what could stand there, what to write
"""
