"""What the helps of diagnostics say to write, as whole texts.

One of the texts that a help quotes stands in place of what it is about, or is declared in the genome; or what the
diagnostic points at goes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import filterfalse

from blurc.diagnostics import Diagnostic

QUOTED = re.compile(r"`([^`]+)`")
REMOVE = re.compile(r"remove|keep one|leave it out|drop one")
OF_GENOME = re.compile(r"(state|synapse|learn|const|fn|signal|readout|sense)\b")
OF_NETWORK = re.compile(r"(input|hidden|output)\b|[\w.]+ -> ")
PLACE_HOLDER = re.compile(r"\.\.\.|(?<![\w)])\.\.(?!\w)")  # `{ ... }`, `f(..)`; but not the range `1..n`
EXPECTED = re.compile(r"found `[^`]+`, expected `([^`]+)`")
WHOLE = re.compile(r"<-|->|^(state|synapse|learn|const|fn|signal|readout|input|hidden|output)\b")
WORD, PATH = re.compile(r"\w+"), re.compile(r"(?<=\")[^\"\n]+(?=\")|\bper \w+")
TOKEN = re.compile(r"\w+|\S")


def repaired(d: Diagnostic) -> Iterator[str]:
    """The whole texts that the help of a diagnostic may mean, likely ones first. Whether one mends the mistake is for
    the checker to say."""
    if d.span is None or not d.help:
        return
    whole, start, stop = d.span.source.text, d.span.start, d.span.stop
    if REMOVE.match(d.help):
        yield from _without(whole, start, stop)
    quotes = [*filterfalse(PLACE_HOLDER.search, _quoted(d.help))]
    if not quotes and (sign := EXPECTED.fullmatch(d.message)):
        yield whole[:start] + sign[1] + whole[stop:]
    for quoted in quotes:
        if OF_GENOME.match(quoted):
            yield whole[:start] + quoted.partition(" ")[2] + whole[stop:]  # one more behind the keyword
        for low in _starts(whole, start, quoted):
            for high in (*_stops(whole, stop, quoted), len(whole[:start].rstrip())):
                if high > low:
                    yield whole[:low] + quoted + whole[high:]
        if d.help.startswith("did you mean"):
            for word in (*WORD.finditer(whole, start, stop), *PATH.finditer(whole, start, stop)):
                yield whole[: word.start()] + quoted + whole[word.end() :]
        if re.search(rf"drop (the )?`{re.escape(quoted)}`", d.help):
            for found in re.finditer(rf" ?{re.escape(quoted)}", whole):
                yield whole[: found.start()] + whole[found.end() :]
        yield from _given(whole, start, stop, quoted)
        yield from _inserted(whole, start, d.help, quoted)
        yield from _declared(whole, start, quoted)
    if d.help.startswith("a phase has braces"):
        yield _braced(whole, start, stop)
    if "leave the value out" in d.help:
        yield whole[:start].rstrip() + re.sub(r"^[^,\n]*", "", whole[start:])


def _quoted(help: str) -> list[str]:
    """The texts that it quotes, first those that it says to write."""
    before, _, after = help.partition("write `")
    return [*QUOTED.findall(f"`{after}"), *QUOTED.findall(before)] if after else QUOTED.findall(help)


def _without(whole: str, start: int, stop: int) -> Iterator[str]:
    """Without a part, and without what goes with it: a comma, a sign, or the keyword before the last of its kind."""
    before, after = whole[:start], whole[stop:]
    yield before + after
    yield re.sub(r"\s*[-+]\s*$", "", before) + after
    yield before + re.sub(r"^\s*,", "", after)
    yield re.sub(r",\s*$", "", before) + after
    yield re.sub(r"\w+\s*$", "", before) + after
    yield re.sub(r"\(\s*$", "", before) + re.sub(r"^\s*\)", "", after)
    for opening, closing in ("[]", "{}"):
        yield re.sub(rf"\s*\{opening}\s*$", "", before) + re.sub(rf"^\s*\{closing}", "", after)


def _given(whole: str, start: int, stop: int, quoted: str) -> Iterator[str]:
    """With another value or one more, where the help quotes `name = value`."""
    name, equal, _ = quoted.partition(" = ")
    if equal and whole[stop - 1] == ")":
        yield f"{whole[: stop - 1]}, {quoted}{whole[stop - 1 :]}"
    for found in (
        re.finditer(rf"\b{name} = [^,)\]}}]*[^,)\]}} ]", whole[start:stop]) if equal and WORD.fullmatch(name) else ()
    ):
        yield whole[: start + found.start()] + quoted + whole[start + found.end() :]


def _inserted(whole: str, start: int, help: str, quoted: str) -> Iterator[str]:
    """With what the help says to write before a place, or with a parameter, `(size = 1)`."""
    if f"write `{quoted}` before it" in help:
        yield whole[:start] + quoted + whole[start:]
    if f"as a parameter: `{quoted}`" in help:
        for header in reversed([*re.finditer(r"\bnetwork\s+\w+", whole[:start])]):
            yield whole[: header.end()] + quoted + whole[header.end() :]


def _declared(whole: str, start: int, quoted: str) -> Iterator[str]:
    """With a declaration or a projection in a genome or network, or with a declaration instead of another."""
    for word, of in (("genome", OF_GENOME), ("network", OF_NETWORK)):
        if of.match(quoted):
            for header in _nearest(re.finditer(rf"\b{word} [^{{]*\{{", whole), start):
                at = _closing(whole, header.end()) if quoted.startswith("readout") else header.end()
                yield f"{whole[:at]}\n  {quoted}{whole[at:]}"
    if declared := re.fullmatch(r"(\w+ )?(\w+)\[.*", quoted):
        role = f"{declared[1].strip()}\\s+" if declared[1] else ""
        yield re.sub(rf"\b{role}{declared[2]}\b(\[[^\]]*\])?", lambda _: quoted, whole, count=1)


def _closing(whole: str, start: int) -> int:
    """Behind the last thing inside braces that are open at a place."""
    depth = 1
    for found in re.finditer(r"[{}]", whole[start:]):
        depth += 1 if found[0] == "{" else -1
        if not depth:
            return len(whole[: start + found.start()].rstrip())
    return start


def _braced(whole: str, start: int, stop: int) -> str:
    """With braces for a colon, around all lines that are indented deeper."""
    indent = re.match(r"[ \t]*", whole[whole.rfind("\n", 0, start) + 1 :])
    margin = indent[0] if indent else ""
    inside = re.match(rf"[^\n]*(\n({margin}[ \t]+[^\n]*|[ \t]*(?=\n)))*", whole[stop:])
    end = stop + len(inside[0].rstrip()) if inside else stop
    return f"{whole[:start]} {{{whole[stop:end]}\n{margin}}}{whole[end:]}"


def _nearest(headers: Iterable[re.Match[str]], start: int) -> list[re.Match[str]]:
    """The last one before a place, then the others."""
    found = [*headers]
    return sorted(found, key=lambda header: (header.start() > start, abs(header.start() - start)))


def _token(text: str) -> str:
    return rf"\b{text}\b" if WORD.fullmatch(text) else re.escape(text)


def _starts(whole: str, start: int, quoted: str) -> list[int]:
    """Where the quoted text may begin: at the span, or before it on its line, where its first token stands; first there
    for a whole statement, projection or declaration."""
    line = whole.rfind("\n", 0, start) + 1
    first = TOKEN.findall(quoted)[0]
    sign = "[~=]" if first == "~" else _token(first)  # a value is drawn instead of given
    found = [start, *(one.start() + line for one in re.finditer(sign, whole[line:start]))]
    return found[::-1] if WHOLE.search(quoted) else found


def _stops(whole: str, stop: int, quoted: str) -> list[int]:
    """Where what it replaces may end: with the span, or behind it on its line, at the quoted text's last token or at
    the end of a statement; there first, if it is a whole statement, projection or declaration."""
    end = whole.find("\n", stop)
    last = TOKEN.findall(quoted)[-1]
    behind = rf"{_token(last)}|(?= *[;}}])|$"
    found = [stop, *(one.end() + stop for one in re.finditer(behind, whole[stop : end if end >= 0 else None]))]
    return found[::-1] if WHOLE.search(quoted) else found
