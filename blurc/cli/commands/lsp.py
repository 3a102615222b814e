"""`blurc lsp`: the language server."""

from __future__ import annotations

import click

from blurc import editor
from blurc.guards import check_package


@click.command("lsp")
def command() -> None:
    """Serve editors by the Language Server Protocol, on stdin and stdout.

    Editors start this themselves: docs/TOOLS.md says how. Needs the extra `editor`.
    """
    check_package("pygls", "the language server needs")
    editor.serve()
