"""A few words can stand for more than fits anywhere: what they come to is counted first, and said soon."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pace import within

from blurc import check
from blurc.diagnostics import MOST, Report, Source, Span, TooMany
from blurc.language import library
from blurc.language.parse import Left
from blurc.spec import sizes

RULE = 'import "rules/backprop.blur"\n'
NETWORK = "network n uses backprop {{ input x[2]  output y[2]  x -> y  {} }}"
LEAF = "block b0 { input x[2]  output y[2]  x -> y }\n"


def nested(levels: int, uses: int) -> str:
    """Blocks of which each uses the one before several times."""
    each = "".join(f"p{i} = b{{0}}(x = x)  p{i}.y -> y  " for i in range(uses))
    blocks = "".join(
        f"block b{i} {{ input x[2]  output y[2]  {each.replace('{0}', str(i - 1))} }}\n" for i in range(1, levels + 1)
    )
    return LEAF + blocks


def lines(text: str, count: int = 4000) -> str:
    return "\n".join(text.replace("%", str(i)) for i in range(count))


WRONG: dict[str, str] = {
    "empty loops": NETWORK.format("for i in 0..999 { for j in 0..999 { for k in 0..999 { } } }"),
    "a long loop": NETWORK.format("for i in 0..1000000000 { }"),
    "loops": NETWORK.format("for i in 0..999 { for j in 0..999 { hidden h{i, j}[2] } }"),
    "chains": NETWORK.format("for i in 0..9999 { x -> y -> y -> y -> y -> y }"),
    "2^25 blocks": nested(25, 2) + NETWORK.format("p = b25(x = x)  p.y -> y"),
    "3^20 blocks": nested(20, 3) + NETWORK.format("p = b20(x = x)  p.y -> y"),
    "a chain of blocks": nested(2000, 1) + NETWORK.format("p = b2000(x = x)  p.y -> y"),
    "blocks with loops": "".join(
        f"block b{i}(n = 30000) {{ input x[2]  output y[2]  for i in 1..n {{ hidden h{{i}}[2] }} x -> y }}\n"
        for i in range(50)
    ),
    "blocks that get the variable of a loop": "block b(n = 2) { input x[2]  output y[2]  for i in 1..n { x -> y } }\n"
    + NETWORK.format("for i in 1..30000 { p{i} = b(x = x, n = i) }"),
    "unknown names in a loop": NETWORK.format("for i in 1..10000 { hidden h{i}[1]  h{i} -> k{i} }"),
    "unknown names": NETWORK.format(lines("hidden h%[1]\nx -> k%")),
    "long unknown names": NETWORK.format(lines("hidden h%_" + "a" * 60 + "[1]\nx -> k%_" + "a" * 60, 900)),
    "unknown attributes": NETWORK.format(lines("x -> y [spares%]")),
    "unknown blocks": NETWORK.format(lines("p% = bb%(x = x)")),
    "names declared twice": NETWORK.format(lines("hidden h[%]")),
    "wrong sizes": NETWORK.format(lines("hidden h%[0]")),
    "unknown values": "genome g { state z\nforward {\n" + lines("z <- zz%") + "\n}\nreadout z }",
    "unknown functions": "genome g { state z\nforward {\n" + lines("z <- tanj%(z)") + "\n}\nreadout z }",
    "unknown imports": lines('import "no%.blur"', 300),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_wrong_is_told_soon_and_in_few_words(kind: str) -> None:
    check(RULE)  # the grammar is read
    with within(2):
        found = check(RULE + WRONG[kind])
    assert 1 <= len(found) <= MOST + 1
    assert all(len(d.render()) < 2000 for d in found)


def chain(folder: Path, files: int) -> str:
    for i in range(files):
        (folder / f"f{i}.blur").write_text(f'import "f{i + 1}.blur"\n')
    return 'import "f0.blur"\n'


def fan(folder: Path, files: int) -> str:
    for i in range(files):
        (folder / f"f{i}.blur").write_text(f"fn g{i}(x) = x\n")
    return "".join(f'import "f{i}.blur"\n' for i in range(files))


@pytest.mark.parametrize("imports", [chain, fan])
def test_a_spec_has_so_many_files(
    imports: Callable[[Path, int], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = RULE + imports(tmp_path, 1000)
    with within(2):
        found = check(text)
    (told,) = [d for d in found if d.severity == "error"]
    assert (told.code, "a spec has at most 100 files" in told.message) == ("E103", True)


def test_all_files_of_a_spec_together_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(library, "Left", lambda: Left(1000))
    text = RULE + fan(tmp_path, 50)
    assert check(text) == []
    (tmp_path / "f49.blur").write_text(f"fn g49(x) = x{' + x' * 500}\n")
    assert any("names, numbers and signs in a spec" in d.message for d in check(text))


def test_functions_call_each_other_only_so_deep() -> None:
    calls = "\n".join(f"fn f{i}(x) = f{i + 1}(x)" for i in range(150)) + "\nfn f150(x) = x\n"
    leaf_first = "\n".join(reversed(calls.splitlines()))
    sized = "\nnetwork n uses backprop { input x[f0(2)]  output y[1]  x -> y }"
    assert [(d.code, d.span and d.span.line) for d in check(calls)] == [("E218", 100)]
    assert [(d.code, d.span and d.span.line) for d in check(RULE + leaf_first + sized)] == [("E218", 53)]


def test_a_report_has_enough_at_some_time() -> None:
    source, report = Source("x", "-" * MOST), Report()
    for i in range(MOST):
        report.error("E101", "wrong", Span(source, i, i + 1))
        report.warn("W501", "doubtful", Span(source, i, i + 1))
    report.error("E101", "wrong", Span(source, 0, 1))
    report.warn("W501", "doubtful", Span(source, MOST, MOST))
    assert len(report.warnings) == MOST
    with pytest.raises(TooMany) as found:
        report.error("E101", "wrong", Span(source, MOST, MOST))
    assert len(found.value.diagnostics) == MOST
    assert found.value.diagnostics[-1].notes == (f"there are more: these are the first {MOST}",)


def test_a_long_line_is_shown_around_its_place() -> None:
    source, report = Source("x", "a" * 5000 + "!" + "b" * 5000), Report()
    report.error("E101", "wrong", Span(source, 5000, 5001))
    _, line, caret = report.diagnostics[0].render().splitlines()
    assert line[caret.index("^")] == "!"
    assert len(line) < 200


LARGE: dict[str, tuple[str, str]] = {
    "dense": ("input x[10000000]  output y[1000000]  x -> y", "E427"),
    "dense, in many parts": ("input x[1000000]  output y[100000]  for i in 1..10 { x -> y }", "E427"),
    "delayed": ("input x[2000000000]  output y[1]  x -> y [delay = 1024]", "E427"),
    "a convolution": ("input x[100, 100, 30000]  output y[100, 100, 30000]  x -> y [conv(99, 99)]", "E427"),
    "fan_in": ("input x[1000000]  output y[1000000]  x -> y [sparse(fan_in = 900000)]", "E412"),
    "more than half": ("input x[10000]  output y[10000]  x -> y [sparse(fan_in = 5001)]", "E412"),
    "p": ("input x[100000]  output y[100000]  x -> y [sparse(p = 0.5)]", "E412"),
    "one for each": ("input x[10]  output y[1000000000]  x -> y [sparse(fan_in = 1)]", "E412"),
}


@pytest.mark.parametrize("kind", LARGE)
def test_what_no_machine_can_hold_is_refused_before_it_is_made(kind: str) -> None:
    body, code = LARGE[kind]
    (found,) = check(f"{RULE}network n uses backprop {{ {body} }}")
    assert found.code == code


def test_what_some_machine_can_hold_is_right() -> None:
    assert check(f"{RULE}network n uses backprop {{ input x[100000]  output y[1000000]  x -> y }}") == []


def test_the_size_of_a_network_is_known_without_making_it() -> None:
    text = "input x[10]  hidden h[20]  output y[5]  x -> h [sparse(p = 0.5)]  h -> y  x -> y [delay = 3]"
    found = sizes(f"{RULE}network n uses backprop {{ {text} }}")["n"]
    assert (found.neurons, found.synapses) == (35, 100 + 100 + 50 + 20 + 5)
    assert found.bytes == 4 * (found.synapses + 2 * (35 + 3 * 10))  # backprop has one channel and two states
