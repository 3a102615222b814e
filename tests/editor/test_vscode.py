"""The VS Code extension: its colours come from the grammar of the language, and agree with it on the library."""

from __future__ import annotations

import json
import re
import runpy
import shutil
import subprocess
import zipfile
from functools import cache
from pathlib import Path
from shutil import which
from typing import Any
from xml.etree import ElementTree

import pytest

from blurc.diagnostics import Report, Source
from blurc.language import parse, specs_path
from blurc.language.parse import tokens_of

FOLDER = Path(__file__).parents[2] / "grammar/vscode"
MAKE = runpy.run_path(str(FOLDER / "make_grammar.py"))
PACK = runpy.run_path(str(FOLDER / "pack.py"))
VSX = "{http://schemas.microsoft.com/developer/vsx-schema/2011}"
TEXT = """\
import "a.blur"
genome input_like(rate = .5e-2) extends b {  # a network
  state   act persistent, update
  synapse w ~ normal(1 / sqrt(fan_in)) per example
  fn      phi = tanh, f(x) = step(x - 1) slope sigmoid'(x)
  sense   { act <- input }
  forward free of inhibitory { update <- act ^ 2 + pre.state - incoming[dendrite](w * pre.act) }
  repeat 2 { free }
  readout update
}
network n uses input_like { input item ids 100; hidden state[2] { phi = relu }; item -> state }
"""


@cache
def patterns() -> list[tuple[re.Pattern[str], str]]:
    found = json.loads((FOLDER / "syntaxes/blur.tmLanguage.json").read_text())["patterns"]
    return [(re.compile(p["match"]), p["name"]) for p in found]


def coloured(line: str) -> list[tuple[int, str, str]]:
    """As an editor does it: of the first matches in the rest of the line, that of the first pattern."""
    found, at = [], 0
    while matches := [(m, name) for pattern, name in patterns() if (m := pattern.search(line, at)) and m[0]]:
        match, name = min(matches, key=lambda found: found[0].start())
        found.append((match.start(), match[0], name))
        at = match.end()
    return found


def scopes(text: str) -> dict[str, list[str]]:
    """Of every word, its colours in turn."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        for _, word, name in coloured(line):
            found.setdefault(word, []).append(name.removesuffix(".blur"))
    return found


def test_the_file_is_what_the_grammar_makes() -> None:
    assert (FOLDER / "syntaxes/blur.tmLanguage.json").read_text() == MAKE["written"]()


def test_every_keyword_has_a_colour() -> None:
    assert MAKE["keywords"]() == {word for words in MAKE["FOLLOWED"].values() for word in words.split()}


def test_words_have_the_colours_of_what_they_are() -> None:
    found = scopes(TEXT)
    assert found["# a network"] == ["comment.line.number-sign"]
    assert found['"a.blur"'] == ["string.quoted.double"]
    assert found[".5e-2"] == ["constant.numeric"]
    assert found["persistent"] == ["keyword.other"]
    assert found["input"] == ["variable.language", "storage.type"]
    assert found["incoming"] == ["support.function.sum"]
    assert {"step", "sigmoid", "relu", "sqrt"} <= found.keys()
    assert found["forward"] == ["keyword.control"]


def test_a_keyword_that_is_a_name_has_none() -> None:
    found = scopes(TEXT)
    assert "update" not in found  # here it is a state
    assert found["state"] == ["storage.type"]  # and here a population


@pytest.mark.parametrize("path", sorted(specs_path().rglob("*.blur"))[::6], ids=lambda p: p.stem)
def test_keywords_of_the_library_are_coloured_where_they_are_keywords(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    source = Source(path.name, text)
    keyword: set[tuple[int, str]] = set()
    for number, line in enumerate(text.splitlines()):
        keyword |= {(source.line_starts[number] + at, word) for at, word, name in coloured(line) if is_keyword(name)}
    for token in tokens_of(text):
        if token.type in ("GENOME", "SYNAPSE", "FORWARD", "UPDATE", "READOUT", "LET", "NETWORK", "HIDDEN", "FOR"):
            assert ((token.start_pos, str(token)) in keyword) == is_item(text, token), token


def is_keyword(scope: str) -> bool:
    return scope.startswith(("keyword.control", "keyword.other", "storage"))


def is_item(text: str, token: Any) -> bool:
    """Whether it begins a line or follows a sign that ends an item: then it is not a name, in the library."""
    before = text[: token.start_pos].rstrip(" ")
    return before[-1:] in ("", "\n", ";", "{")


def test_the_extension_names_only_files_that_are_there() -> None:
    package = json.loads((FOLDER / "package.json").read_text())
    parts = package["contributes"]
    named = [package["main"], *(g["path"] for kind in ("grammars", "snippets") for g in parts[kind])]
    named += [language["configuration"] for language in parts["languages"]]
    assert [name for name in named if not (FOLDER / name).is_file()] == []


@pytest.fixture
def extension(tmp_path: Path) -> Path:
    """With what npm would have installed."""
    folder = tmp_path / "vscode"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("node_modules", "*.vsix", "__pycache__"))
    for name in ("vscode-languageclient/node.js", "vscode-languageclient/License.txt", ".bin/semver"):
        (folder / "node_modules" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "node_modules" / name).write_text("module.exports = {}\n")
    return folder


def test_it_is_packed_with_all_that_it_needs(extension: Path) -> None:
    package = json.loads((extension / "package.json").read_text())
    path = PACK["pack"](extension)
    assert path.name == f"blur-{package['version']}.vsix"
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        types = ElementTree.fromstring(archive.read("[Content_Types].xml"))
        manifest = ElementTree.fromstring(archive.read("extension.vsixmanifest"))
        assert archive.read("extension/extension.js") == (FOLDER / "extension.js").read_bytes()
    suffixes = {Path(name).suffix for name in names} - {".xml", ""}
    assert {entry.get("Extension") for entry in types} == suffixes
    (identity,) = manifest.iter(f"{VSX}Identity")
    assert identity.attrib == {"Language": "en-US", "Id": "blur", "Version": package["version"], "Publisher": "blurc"}
    assert {asset.get("Path") for asset in manifest.iter(f"{VSX}Asset")} <= names
    assert {"extension/node_modules/vscode-languageclient/node.js", "extension/syntaxes/blur.tmLanguage.json"} <= names
    assert {name for name in names if ".bin" in name or "make_grammar" in name} == set()


def test_packing_says_what_is_not_installed(extension: Path) -> None:
    shutil.rmtree(extension / "node_modules")
    with pytest.raises(SystemExit, match="vscode-languageclient is not installed: run `npm install`"):
        PACK["pack"](extension)


@pytest.mark.skipif(which("node") is None, reason="Node is not installed")
def test_the_extension_starts_the_server_that_the_settings_name(extension: Path) -> None:
    modules = extension / "node_modules"
    (modules / "vscode-languageclient/node.js").write_text(
        """exports.LanguageClient = class {
             constructor(id, name, server, client) { console.log(JSON.stringify({ server, client })) }
             async start() {}
             async stop() { console.log("stopped") }
           }"""
    )
    (modules / "vscode").mkdir()
    (modules / "vscode/index.js").write_text(
        """exports.workspace = {
             getConfiguration: section => ({ get: name => section + name === "blurcommand" && ".venv/bin/blurc" }),
             workspaceFolders: [{ uri: { fsPath: "/home/me" } }],
           }"""
    )
    script = "const e = require('./extension.js'); e.activate().then(e.deactivate)"
    done = subprocess.run(["node", "-e", script], cwd=extension, capture_output=True, text=True, check=True)
    started, stopped = done.stdout.splitlines()
    assert json.loads(started) == {
        "server": {"command": "/home/me/.venv/bin/blurc", "args": ["lsp"]},
        "client": {"documentSelector": [{"scheme": "file", "language": "blur"}]},
    }
    assert stopped == "stopped"


def test_snippets_are_grammatical() -> None:
    for snippet in json.loads((FOLDER / "snippets.json").read_text()).values():
        text = re.sub(r"\$\{\d+:((?:[^{}]|\{[^{}]*\})*)\}", r"\1", "\n".join(snippet["body"]))
        report = Report()
        inside = text if not text.startswith("for") else f"network n {{\n{text}\n}}"
        parse(Source("snippet", inside), report)
        assert not report.errors, text
