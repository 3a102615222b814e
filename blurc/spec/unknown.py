"""The error about a name of a genome, network or block that nothing has."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from blurc.diagnostics import Report, Span, suggest
from blurc.language import specs_path


def unknown(
    kind: str,
    name: str,
    known: Mapping[str, Any],
    span: Span | None,
    report: Report,
    *,
    others: Iterable[str] = (),
    help: str | None = None,
    where: str = "here",
) -> None:
    """`others`: other names allowed here. `help`: used if no name is similar. `where`: what has the known names."""
    report.error(
        "E211",
        f"unknown {kind} `{name}`",
        span,
        notes=[f"known {where}: {', '.join(known) or 'none'}"],
        help=suggest(name, [*known, *others], help or f"declare it, or {_import_of(kind, name)}"),
    )


def _import_of(kind: str, name: str) -> str:
    path = f"{'rules' if kind == 'genome' else 'networks'}/{name}.blur"
    if os.path.isfile(specs_path() / path):
        return f'import it from the library: `import "{path}"`'
    return "import the file that declares it"
