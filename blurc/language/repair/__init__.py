"""Errors for text that does not parse: each mistake is reported once, with a fix.

outline.py     blocks, items and brackets of possibly broken text
beginnings.py  what starts at a token of such text
blocks.py      the parts of an outline
recover.py     drops broken items, so that one mistake spoils only one item
piece.py       a piece of text that does not parse: what was found, what was expected
slips.py       the table of common slips and their fixes
pattern.py     matches rows of the table
characters.py  invalid characters and unclosed strings
"""
