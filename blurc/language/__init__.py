"""The language: text to tree and back, and the files that make up a spec.

tokens.py     the tokens: words, signs, brackets
syntax.py     the tree: frozen dataclasses, every node with its span
functions.py  the built-in functions: names, arities, where they are allowed
parse.py      text -> tree, using the grammar in `grammar/blur.lark`
tables.py     the parser, loaded from prebuilt tables
tree.py       lark's tree -> the syntax tree
chains.py     long sums and products, as trees that are not deep
unparse.py    tree -> text
format/       text -> the same text in one layout, with its comments
prune.py      a genome without the terms whose coefficient is 0
library.py    a spec with everything it imports
packaged.py   the locations of the grammar, the spec library and the files of `blurc init`
repair/       error messages and fixes for text that does not parse
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurc.faces import face

if TYPE_CHECKING:
    from blurc.language import functions, library, syntax
    from blurc.language.format import formatted
    from blurc.language.functions import RUNNING, STANDARDIZE_EPS
    from blurc.language.packaged import examples_path, resolve_import, specs_path, starter_path
    from blurc.language.parse import parse
    from blurc.language.prune import prune
    from blurc.language.syntax import PhaseKind
    from blurc.language.unparse import unparse

__all__ = [
    "RUNNING",
    "STANDARDIZE_EPS",
    "PhaseKind",
    "examples_path",
    "formatted",
    "functions",
    "library",
    "parse",
    "prune",
    "resolve_import",
    "specs_path",
    "starter_path",
    "syntax",
    "unparse",
]

face(__name__)
