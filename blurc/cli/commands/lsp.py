"""`blurc lsp`: the language server."""

from __future__ import annotations

from importlib.util import find_spec

import click

from blurc import editor
from blurc.diagnostics import BlurError, Diagnostic


@click.command("lsp")
def command() -> None:
    """Serve editors by the Language Server Protocol, on stdin and stdout.

    Editors start this themselves: docs/TOOLS.md says how. Needs the extra `editor`.
    """
    if find_spec("pygls") is None:
        message = "the language server needs the package `pygls`, which is not installed"
        raise BlurError(Diagnostic("E921", message, help="pip install 'blurc[editor]'"))
    editor.serve()
