"""The requests of an editor, answered."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TypeAlias

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from blurc.diagnostics import Diagnostic, Report, Source, Span, TooMany
from blurc.editor import positions
from blurc.editor.analysis import Analysis
from blurc.editor.complete import offers
from blurc.editor.cursor import cursor
from blurc.editor.hover import hover
from blurc.editor.outline import Outlined, outline
from blurc.editor.workspace import CannotRename, Workspace
from blurc.language import formatted
from blurc.version import __version__

PAUSE = 0.15  # seconds of no typing before mistakes are shown
BREATH = 0.01  # seconds in which other requests are answered

SEVERITIES = {
    "error": lsp.DiagnosticSeverity.Error,
    "warning": lsp.DiagnosticSeverity.Warning,
    "note": lsp.DiagnosticSeverity.Information,
}
OUTLINED = {
    "genome": lsp.SymbolKind.Class, "network": lsp.SymbolKind.Module, "block": lsp.SymbolKind.Module,
    "function": lsp.SymbolKind.Function, "phase": lsp.SymbolKind.Method, "population": lsp.SymbolKind.Object,
    "block in use": lsp.SymbolKind.Object, "for": lsp.SymbolKind.Array, "function slot": lsp.SymbolKind.Function,
}  # fmt: skip
OFFERED = {
    "function": lsp.CompletionItemKind.Function, "function slot": lsp.CompletionItemKind.Function,
    "keyword": lsp.CompletionItemKind.Keyword, "value": lsp.CompletionItemKind.Constant,
    "genome": lsp.CompletionItemKind.Class, "network": lsp.CompletionItemKind.Module,
    "block": lsp.CompletionItemKind.Module, "population": lsp.CompletionItemKind.Field,
    "state": lsp.CompletionItemKind.Field, "channel": lsp.CompletionItemKind.Field,
}  # fmt: skip


Asked: TypeAlias = (
    lsp.HoverParams | lsp.CompletionParams | lsp.DefinitionParams | lsp.ReferenceParams | lsp.RenameParams
)  # about a place


class Server(LanguageServer):
    def __init__(self) -> None:
        super().__init__("blurc", __version__, lsp.TextDocumentSyncKind.Full)
        self.files = Workspace()
        self.changes: dict[str, int] = {}  # of every open file, how often it was changed

    def at(self, where: Asked) -> tuple[Analysis, int]:
        """What is asked about: a file and a place in it."""
        analysis = self.files.analysis(positions.path(where.text_document.uri))
        return analysis, positions.offset(analysis.root, where.position)

    def text(self, uri: str) -> Source:
        path = positions.path(uri)
        return Source(str(path), self.files.open.get(path, ""))

    def show_mistakes(self, uri: str) -> None:
        analysis = self.files.analysis(positions.path(uri))
        found = [_shown(d, analysis.root) for d in analysis.diagnostics]
        self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, found))

    async def changed(self, uri: str, text: str, pause: float) -> None:
        self.files.change(positions.path(uri), text)
        number = self.changes[uri] = self.changes.get(uri, 0) + 1
        await asyncio.sleep(pause)
        if self.changes.get(uri) == number:
            self.show_mistakes(uri)
            await self.look_for_fixes(uri, number)

    async def look_for_fixes(self, uri: str, number: int) -> None:
        """Each takes some checks of the whole text, so they are looked for before they are asked for."""
        path = positions.path(uri)
        for which in count():
            await asyncio.sleep(BREATH)
            if self.changes.get(uri) != number or which >= len(self.files.analysis(path).diagnostics):
                return
            self.files.fix(path, which)


server = Server()


def serve() -> None:
    """Answers on stdin and stdout until the editor ends."""
    server.start_io()


# ---------------------------------------------------------------- files


@server.feature(lsp.INITIALIZED)
def initialized(ls: Server, params: lsp.InitializedParams) -> None:
    ls.files.folders = [positions.path(uri) for uri in ls.workspace.folders]


@server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
async def opened(ls: Server, params: lsp.DidOpenTextDocumentParams) -> None:
    await ls.changed(params.text_document.uri, params.text_document.text, 0)


@server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
async def changed(ls: Server, params: lsp.DidChangeTextDocumentParams) -> None:
    uri = params.text_document.uri
    await ls.changed(uri, ls.workspace.get_text_document(uri).source, PAUSE)


@server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
def closed(ls: Server, params: lsp.DidCloseTextDocumentParams) -> None:
    uri = params.text_document.uri
    ls.changes.pop(uri, None)
    ls.files.change(positions.path(uri), None)
    ls.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, []))


def _shown(d: Diagnostic, root: Source) -> lsp.Diagnostic:
    """What is wrong in another file is shown at the top of this one."""
    here = d.span is not None and d.span.source is root
    at = d.span if d.span and here else Span(root, 0, 0)
    said = d.message if here or not d.span else f"{d.span}: {d.message}"
    more = [*(f"note: {note}" for note in d.notes), *([f"help: {d.help}"] if d.help else [])]
    return lsp.Diagnostic(
        positions.range_of(at), "\n".join([said, *more]), SEVERITIES[d.severity], code=d.code, source="blurc"
    )


# ---------------------------------------------------------------- questions about a place


@server.feature(lsp.TEXT_DOCUMENT_HOVER)
def hovered(ls: Server, params: lsp.HoverParams) -> lsp.Hover | None:
    text, span = hover(*ls.at(params))
    content = lsp.MarkupContent(lsp.MarkupKind.Markdown, text)
    return lsp.Hover(content, positions.range_of(span) if span else None) if text else None


@server.feature(lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=["."]))
def completed(ls: Server, params: lsp.CompletionParams) -> list[lsp.CompletionItem]:
    analysis, offset = ls.at(params)
    found = offers(cursor(analysis.root.text, offset), analysis.names)
    return [
        lsp.CompletionItem(o.name, kind=OFFERED.get(o.kind, lsp.CompletionItemKind.Variable), detail=o.about or o.kind)
        for o in found
    ]


@server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
def defined(ls: Server, params: lsp.DefinitionParams) -> lsp.Location | None:
    _, offset = ls.at(params)
    found = ls.files.definition(positions.path(params.text_document.uri), offset)
    return positions.location(*found) if found else None


@server.feature(lsp.TEXT_DOCUMENT_REFERENCES)
def referred(ls: Server, params: lsp.ReferenceParams) -> list[lsp.Location]:
    _, offset = ls.at(params)
    found = ls.files.references(positions.path(params.text_document.uri), offset)
    return [positions.location(path, span) for path, spans in found.items() for span in spans]


@server.feature(lsp.TEXT_DOCUMENT_RENAME)
def renamed(ls: Server, params: lsp.RenameParams) -> lsp.WorkspaceEdit:
    _, offset = ls.at(params)
    name = params.new_name
    try:
        found = ls.files.rename(positions.path(params.text_document.uri), offset, name)
    except CannotRename as error:
        raise JsonRpcInvalidParams(str(error)) from None
    edits = {positions.uri(p): [lsp.TextEdit(positions.range_of(s), name) for s in spans] for p, spans in found.items()}
    return lsp.WorkspaceEdit(edits)


# ---------------------------------------------------------------- questions about a file


@server.feature(lsp.TEXT_DOCUMENT_FORMATTING)
def laid_out(ls: Server, params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit]:
    source = ls.text(params.text_document.uri)
    try:
        text = formatted(source, Report())
    except TooMany:
        return []
    return [] if text in (None, source.text) else [_whole(source, text or "")]


def _whole(source: Source, text: str) -> lsp.TextEdit:
    return lsp.TextEdit(positions.range_of(Span(source, 0, len(source.text))), text)


@server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
def outlined(ls: Server, params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
    analysis = ls.files.analysis(positions.path(params.text_document.uri))
    return [_outlined(part) for part in outline(analysis.sources.files[0])] if analysis.sources.files else []


def _outlined(part: Outlined) -> lsp.DocumentSymbol:
    kind = OUTLINED.get(part.kind, lsp.SymbolKind.Variable)
    ranges = positions.range_of(part.span), positions.range_of(part.name_span)
    return lsp.DocumentSymbol(part.name, kind, *ranges, detail=part.kind, children=[*map(_outlined, part.parts)])


@server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions([lsp.CodeActionKind.QuickFix]))
def mended(ls: Server, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    path = positions.path(params.text_document.uri)
    analysis = ls.files.analysis(path)
    start, stop = (positions.offset(analysis.root, at) for at in (params.range.start, params.range.end))
    found: list[lsp.CodeAction] = []
    for which, d in enumerate(analysis.diagnostics):
        if d.span and d.span.source is analysis.root and d.span.start <= stop and start <= d.span.stop:
            mending = ls.files.fix(path, which)
            if mending:
                at = positions.range_of(Span(analysis.root, mending.start, mending.stop))
                edit = lsp.WorkspaceEdit({params.text_document.uri: [lsp.TextEdit(at, mending.text)]})
                mended_ones = [_shown(d, analysis.root)]
                found.append(
                    lsp.CodeAction(
                        mending.title, lsp.CodeActionKind.QuickFix, mended_ones, is_preferred=True, edit=edit
                    )
                )
    return found
