"""The pages of the site that are not files of docs/: README, the manual of the language and the changelog, which stand
where GitHub shows them; the Python interface and the command line, which are read from the code; and the gallery."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from blurc import pictures
from blurc.diagnostics import Report
from blurc.language import library, specs_path
from blurc.model import Network
from blurc.spec import select_model

ROOT = Path(__file__).parent.parent
ELSEWHERE = {"README.md": "index.md", "grammar/LANGUAGE.md": "LANGUAGE.md", "CHANGELOG.md": "CHANGELOG.md"}
LINK = re.compile(r"(?<!!)\[([^]\n]*)\]\(([^)\s]+)\)")
PICTURE = re.compile(r"!\[([^]\n]*)\]\(([^)\s]+)\)")

EVERYWHERE = "backprop"  # the rule that most networks of the library use

# What shows a rule that no network of the library uses.
STANDARD = """import "rules/{file}"
network example uses {rule} {{
  input x[8, 8]  hidden h1[64]  hidden h2[32]  output y[10]
  x -> h1  h1 -> h2  h2 -> y
}}
"""

# mkdocstrings takes `blurc.tasks.task` and `blurc.meta.run` for the modules of these names: the functions stand apart.
INTERFACE = """# Python interface

::: blurc
    options:
      members: [compile, check, from_networkx, load, read_nir, write_nir, Net, State, BlurError, Diagnostic]
      inherited_members: true

::: blurc.genome
::: blurc.tasks
::: blurc.tasks.task.task
    options: {heading: blurc.tasks.task, heading_level: 3}
::: blurc.meta
::: blurc.meta.run.loop.run
    options: {heading: blurc.meta.run, heading_level: 3}
"""

COMMANDS = """# Command line

::: mkdocs-click
    :module: blurc.cli
    :command: cli
    :prog_name: blurc
    :depth: 1
    :style: table
    :list_subcommands: true
"""


def on_files(files: Files, config: MkDocsConfig) -> None:
    for path, name in ELSEWHERE.items():
        files.append(File.generated(config, name, content=(ROOT / path).read_text(encoding="utf-8")))
    files.append(File.generated(config, "api.md", content=INTERFACE))
    files.append(File.generated(config, "cli.md", content=COMMANDS))
    for name, content in gallery():
        files.append(File.generated(config, f"gallery/{name}", content=content))


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links as they are right on GitHub, made right for the site. Links to sources become plain text."""
    source = next((path for path, name in ELSEWHERE.items() if name == page.file.src_uri), None)
    folder = posixpath.dirname(source or f"docs/{page.file.src_uri}")

    def moved(target: str) -> str | None:
        file, _, anchor = target.partition("#")
        if "://" in target or not file:
            return target
        path = posixpath.normpath(posixpath.join(folder, file))
        name = ELSEWHERE.get(path) or path.removeprefix("docs/")
        if not path.startswith("docs/") and path not in ELSEWHERE:
            return None
        near = posixpath.relpath(name, posixpath.dirname(page.file.src_uri) or ".")
        return f"{near}#{anchor}" if anchor else near

    def link(found: re.Match[str]) -> str:
        target = moved(found[2])
        return f"[{found[1]}]({target})" if target else f"`{found[1]}`"

    def picture(found: re.Match[str]) -> str:
        return f"![{found[1]}]({moved(found[2])})"

    return LINK.sub(link, PICTURE.sub(picture, markdown))


# ---------------------------------------------------------------- the gallery


def gallery() -> Iterator[tuple[str, str | bytes]]:
    """The files of the gallery: a page and a picture for each rule and network of the library, and their list."""
    index = ["# Gallery", "", "The library of rules and networks that comes with blurc."]
    for kind in ("rules", "networks"):
        index += ["", f"## {kind.capitalize()}", "", "| | |", "|---|---|"]
        for path in sorted((specs_path() / kind).glob("*.blur")):
            text = path.read_text(encoding="utf-8")
            about = text.partition("\n")[0].removeprefix("# ")
            shown: list[str] = []
            for network in networks(path):
                shown.append(f"![{network.name}]({path.stem}.{network.name}.svg)")
                yield f"{path.stem}.{network.name}.svg", pictures.draw.render(network, "svg")
            page = [f"# {path.stem}", about, *shown, f"```\n{text}```"]
            yield f"{path.stem}.md", "\n\n".join(page) + "\n"
            index.append(f"| [{path.stem}]({path.stem}.md) | {about} |")
    yield "index.md", "\n".join(index) + "\n"


def networks(path: Path) -> Iterator[Network]:
    """The networks that show a file of the library: its own, those that use its rule, or else an example."""
    tree = library.load(str(path), Report())[0]
    if tree.networks:
        yield from (select_model(str(path), network=n.name).network for n in tree.networks)
        return
    rule = tree.genomes[0].name
    if rule != EVERYWHERE and (shown := [network for used, network in users() if used == rule]):
        yield from shown
    else:
        yield select_model(STANDARD.format(file=path.name, rule=rule)).network


@cache
def users() -> list[tuple[str, Network]]:
    """Every network of the library, with the rule that it uses."""
    files = sorted((specs_path() / "networks").glob("*.blur"))
    trees = [(str(file), library.load(str(file), Report())[0].networks) for file in files]
    return [
        (n.uses.genome, select_model(file, network=n.name).network)
        for file, networks in trees
        for n in networks
        if n.uses
    ]
