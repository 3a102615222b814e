"""The language server, asked by a client over its stdin and stdout."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from click.testing import CliRunner
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import LanguageClient

import blurc
from blurc import editor
from blurc.cli import cli
from blurc.language import functions

RULE = """\
# A rule of our own.
genome own(rate = 0.1) {
  state   act, err  # what every neuron keeps
  synapse w ~ normal(1 / sqrt(fan_in))
  learn   eta = rate, tau[2] = 1 per neuron
  fn      phi = tanh

  sense    { act <- input }
  forward  {
    let z = incoming(w * pre.act)
    act <- phi(z)
    err <- phi'(z) * tau[0]
  }
  update   { w <- w + eta * batch_mean(pre.act * post.err) }
  readout  act
}
"""
NETWORK = """\
import "rule.blur"

network n(size = 4) uses own(rate = 0.5) {
  input  x[2]
  hidden h{1}[size] { phi = relu }
  output y[1]
  x -> h{1}
  h{1} -> y [label = last]
}
"""
SECONDS = 60


class Editor:
    """A client, its event loop and the server, with files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.client = LanguageClient("tests", "1")
        self.shown: dict[str, list[lsp.Diagnostic]] = {}
        self.news = threading.Event()
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

        @self.client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def shown(params: lsp.PublishDiagnosticsParams) -> None:
            self.shown[params.uri] = list(params.diagnostics)
            self.news.set()

    def ask(self, what: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self.loop).result(SECONDS)

    def start(self) -> None:
        self.ask(self.client.start_io(sys.executable, "-m", "blurc", "lsp"))
        folder = lsp.WorkspaceFolder(self.folder.as_uri(), "folder")
        params = lsp.InitializeParams(lsp.ClientCapabilities(), workspace_folders=[folder])
        self.ask(self.client.initialize_async(params))
        self.client.initialized(lsp.InitializedParams())

    def stop(self) -> None:
        self.ask(self.client.shutdown_async(None))
        self.client.exit(None)
        self.ask(self.client.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def open(self, name: str, text: str) -> list[lsp.Diagnostic]:
        """Opens or changes a file. What is wrong with it."""
        self.news.clear()
        uri = self.uri(name)
        if uri in self.shown:
            version = lsp.VersionedTextDocumentIdentifier(2, uri)
            whole = lsp.TextDocumentContentChangeWholeDocument(text)
            change = lsp.DidChangeTextDocumentParams(version, [whole])
            self.client.text_document_did_change(change)
        else:
            item = lsp.TextDocumentItem(uri, "blur", 1, text)
            self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
        assert self.news.wait(SECONDS)
        return self.shown[uri]

    def at(self, name: str, text: str, place: str) -> Any:
        """The place marked by | in a piece of the text."""
        before = text[: text.index(place.replace("|", "")) + place.index("|")]
        where = lsp.Position(before.count("\n"), len(before) - before.rfind("\n") - 1)
        return {"text_document": lsp.TextDocumentIdentifier(self.uri(name)), "position": where}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    folder = tmp_path_factory.mktemp("spec")
    (folder / "rule.blur").write_text(RULE)
    (folder / "net.blur").write_text(NETWORK)
    editor = Editor(folder)
    editor.start()
    yield editor
    editor.stop()


@pytest.fixture
def opened(here: Editor) -> Editor:
    here.open("rule.blur", RULE)
    here.open("net.blur", NETWORK)
    return here


def hovered(e: Editor, name: str, text: str, place: str) -> str:
    found = e.ask(e.client.text_document_hover_async(lsp.HoverParams(**e.at(name, text, place))))
    return found.contents.value if found else ""


def offered(e: Editor, name: str, text: str, place: str) -> set[str]:
    found = e.ask(e.client.text_document_completion_async(lsp.CompletionParams(**e.at(name, text, place))))
    return {item.label for item in found}


def texts(e: Editor, locations: list[lsp.Location]) -> list[tuple[str, int]]:
    return sorted((location.uri.rsplit("/", 1)[1], location.range.start.line + 1) for location in locations)


def applied(text: str, edits: list[lsp.TextEdit]) -> str:
    lines = [0, *(i + 1 for i, c in enumerate(text) if c == "\n")]
    for edit in sorted(edits, key=lambda e: (e.range.start.line, e.range.start.character), reverse=True):
        start, stop = (lines[at.line] + at.character for at in (edit.range.start, edit.range.end))
        text = text[:start] + edit.new_text + text[stop:]
    return text


def fixed(e: Editor, name: str, text: str, mistake: lsp.Diagnostic) -> str:
    document = lsp.TextDocumentIdentifier(e.uri(name))
    params = lsp.CodeActionParams(document, mistake.range, lsp.CodeActionContext([mistake]))
    (action,) = e.ask(e.client.text_document_code_action_async(params))
    return applied(text, action.edit.changes[e.uri(name)])


def test_mistakes_are_shown_while_a_file_is_written(opened: Editor) -> None:
    assert opened.open("a.blur", RULE) == []
    (found,) = opened.open("a.blur", RULE.replace("pre.act)\n", "post.act)\n"))
    assert (found.code, found.severity, found.range.start) == (
        "E301",
        lsp.DiagnosticSeverity.Error,
        lsp.Position(9, 25),
    )
    assert "help: write `pre.act`" in found.message
    assert opened.open("a.blur", RULE) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("w * pre.act)\n", "w * post.act)\n"),
        ("act <- phi(z)", "act = phi(z)"),
        ("eta * b", "eat * b"),
        ("tanh", "tahn"),
    ],
)
def test_a_fix_mends_the_mistake(opened: Editor, right: str, wrong: str) -> None:
    text = RULE.replace(right, wrong)
    (mistake,) = opened.open("a.blur", text)
    assert fixed(opened, "a.blur", text, mistake) == RULE


def test_a_rule_is_written_mended_and_trained(opened: Editor) -> None:
    text = """\
genome hebbian {
  state x
  synapse w ~ normal(0, 0.1)
  learn lr = 0.01
  sense { x = input }
  forward { x <- tanh(sum(w * pre.x)) }
  update { w += lr * pre.x * post.x }
}
network small uses hebbian { input pixels(64); output out[10]; pixels -> out }
"""
    for _ in range(12):
        mistakes = opened.open("mine.blur", text)
        if not mistakes:
            break
        text = fixed(opened, "mine.blur", text, mistakes[0])
    assert "w <- w + batch_mean(lr * pre.x * post.x)" in text
    (opened.folder / "mine.blur").write_text(text)
    net = blurc.compile(opened.folder / "mine.blur")
    genome = net.init_genome(jax.random.key(0))
    state, outs = net.train(genome, net.init(jax.random.key(1), genome), jnp.ones((3, 2, 64)))
    assert outs.shape == (3, 2, 10)
    assert jnp.isfinite(state.synapses["pixels->out"]["w"]).all()


def test_a_mistake_in_an_import_is_shown_at_the_top(opened: Editor) -> None:
    opened.open("rule.blur", RULE.replace("input }", "inptu }"))
    (found,) = opened.open("net.blur", NETWORK + "\n")
    assert found.range.start == lsp.Position(0, 0)
    assert "rule.blur:8:21: unknown name `inptu`" in found.message


def test_a_hover_says_what_a_name_is(opened: Editor) -> None:
    about = hovered(opened, "rule.blur", RULE, "phi(|z)")
    assert "let z = incoming(w * pre.act)" in about
    assert "declared on line 10" in about
    about = hovered(opened, "rule.blur", RULE, "post.e|rr")
    assert "state of `own`, a number; declared on line 3" in about
    assert "what every neuron keeps" in about
    assert "shape `[2]`" in hovered(opened, "rule.blur", RULE, "t|au[2]")
    about = hovered(opened, "net.blur", NETWORK, "uses o|wn")
    assert "genome own(rate = 0.1)" in about
    assert "A rule of our own." in about


def test_a_hover_says_what_a_function_means(opened: Editor) -> None:
    assert "sum of E over the neuron's incoming synapses" in hovered(opened, "rule.blur", RULE, "inc|oming")
    assert hovered(opened, "rule.blur", RULE, "sense |   {") == ""


def test_a_hover_over_a_mistake_has_the_page_of_its_code(opened: Editor) -> None:
    text = RULE.replace("input }", "inptu }")
    opened.open("a.blur", text)
    about = hovered(opened, "a.blur", text, "in|ptu")
    assert "**E201**: an unknown name" in about
    assert "Right" in about


def test_only_what_may_stand_there_is_offered(opened: Editor) -> None:
    found = offered(opened, "rule.blur", RULE, "act <- |phi(z)")
    assert {"act", "z", "eta", "phi", "incoming", "softmax", "rate"} <= found
    assert not found & {"w", "pre", "target", "input", "batch_mean"}
    found = offered(opened, "rule.blur", RULE, "incoming(|w")
    assert {"w", "pre", "eta", "fan_in"} <= found
    assert not found & {"act", "z", "post", "tau", "softmax"}
    assert offered(opened, "rule.blur", RULE, "pre.|act)\n") == {"act", "err", "tau", "outgoing", "outgoing_until"}
    assert {"let", "w"} == offered(opened, "rule.blur", RULE, "{ |w <-")
    assert "normal" in {o.split("(")[0] for o in offered(opened, "rule.blur", RULE, "w ~ |normal")}
    assert offered(opened, "rule.blur", RULE, "per |neuron") == {"population", "projection", "neuron", "synapse"}
    assert offered(opened, "rule.blur", RULE, "# what |every") == set()


def test_networks_get_populations_attributes_and_options(opened: Editor) -> None:
    assert offered(opened, "net.blur", NETWORK, "x -> |h") == {"x", "h", "y"}
    assert {"conv", "label", "fixed"} <= offered(opened, "net.blur", NETWORK, "[|label")
    assert offered(opened, "net.blur", NETWORK, "{ |phi") == {"bias", "kind", "phi"}
    assert "relu" in offered(opened, "net.blur", NETWORK, "phi = |relu")
    assert offered(opened, "net.blur", NETWORK, "uses |own") == {"own"}
    assert offered(opened, "net.blur", NETWORK, "own(|rate") == {"rate"}
    assert "hidden" in offered(opened, "net.blur", NETWORK, "|output")


def test_completion_works_in_text_that_does_not_parse(opened: Editor) -> None:
    text = RULE.replace("act <- phi(z)", "act <- eta * ")
    opened.open("a.blur", text)
    assert {"z", "act"} <= offered(opened, "a.blur", text, "eta * |")


def test_a_definition_may_lie_in_another_file(opened: Editor) -> None:
    ask = opened.client.text_document_definition_async
    found = opened.ask(ask(lsp.DefinitionParams(**opened.at("net.blur", NETWORK, "{ p|hi"))))
    assert texts(opened, [found]) == [("rule.blur", 6)]
    found = opened.ask(ask(lsp.DefinitionParams(**opened.at("net.blur", NETWORK, 'import "r|ule'))))
    assert texts(opened, [found]) == [("rule.blur", 1)]
    assert opened.ask(ask(lsp.DefinitionParams(**opened.at("rule.blur", RULE, "batch|_mean")))) is None


def test_references_are_found_across_imports(opened: Editor) -> None:
    context = lsp.ReferenceContext(include_declaration=True)
    params = lsp.ReferenceParams(context=context, **opened.at("rule.blur", RULE, "(|rate"))
    found = opened.ask(opened.client.text_document_references_async(params))
    assert texts(opened, found) == [("net.blur", 3), ("rule.blur", 2), ("rule.blur", 5)]


def test_renaming_changes_every_place(opened: Editor) -> None:
    params = lsp.RenameParams(new_name="speed", **opened.at("rule.blur", RULE, "= |rate"))
    changes = opened.ask(opened.client.text_document_rename_async(params)).changes
    assert applied(RULE, changes[opened.uri("rule.blur")]) == RULE.replace("rate", "speed")
    assert applied(NETWORK, changes[opened.uri("net.blur")]) == NETWORK.replace("rate", "speed")


@pytest.mark.parametrize("name", ["eta", "2x", "let", "input"])
def test_a_name_that_would_clash_is_refused(opened: Editor, name: str) -> None:
    params = lsp.RenameParams(new_name=name, **opened.at("rule.blur", RULE, "= |rate"))
    with pytest.raises(JsonRpcException):
        opened.ask(opened.client.text_document_rename_async(params))


def test_the_library_is_not_renamed(opened: Editor) -> None:
    text = 'import "rules/backprop.blur"\nnetwork m uses backprop { input x[2]; output y[1]; x -> y }\n'
    opened.open("a.blur", text)
    params = lsp.RenameParams(new_name="mine", **opened.at("a.blur", text, "uses |back"))
    with pytest.raises(JsonRpcException, match="library"):
        opened.ask(opened.client.text_document_rename_async(params))


def test_a_file_is_laid_out(opened: Editor) -> None:
    text = RULE.replace("<- phi(z)", "<-phi( z )")
    opened.open("a.blur", text)
    options = lsp.FormattingOptions(tab_size=2, insert_spaces=True)
    params = lsp.DocumentFormattingParams(lsp.TextDocumentIdentifier(opened.uri("a.blur")), options)
    edits = opened.ask(opened.client.text_document_formatting_async(params))
    neat = applied(text, edits)
    assert "    act <- phi(z)\n" in neat
    opened.open("a.blur", neat)
    assert not opened.ask(opened.client.text_document_formatting_async(params))
    opened.open("a.blur", "genome a { const c = 1e999 }\n" * 200)  # too many errors to list
    assert not opened.ask(opened.client.text_document_formatting_async(params))


def test_the_outline_has_the_parts(opened: Editor) -> None:
    params = lsp.DocumentSymbolParams(lsp.TextDocumentIdentifier(opened.uri("net.blur")))
    (network,) = opened.ask(opened.client.text_document_document_symbol_async(params))
    assert network.name == "n"
    assert [part.name for part in network.children] == ["x", "h{1}", "y"]


def test_places_count_units_of_utf16(opened: Editor) -> None:
    text = RULE.replace("act <- phi(z)", "act <- phi(z) # 🧠 and π\n    act <- inptu")
    (found,) = opened.open("a.blur", text)
    assert found.range.start == lsp.Position(11, 11)


def test_every_function_has_a_meaning() -> None:
    assert set(editor.FUNCTIONS) == set(functions.ALL)


def test_without_the_extra_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blurc.guards.packages.find_spec", lambda name: None)
    done = CliRunner().invoke(cli, ["lsp"])
    assert done.exit_code == 1
    assert "error[E921]" in done.stderr
    assert "blurc[editor]" in done.stderr
