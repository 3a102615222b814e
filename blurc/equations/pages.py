"""A rule on a page: text for terminals, Markdown and LaTeX with formulas in LaTeX, HTML with MathML."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from itertools import groupby
from textwrap import wrap

from blurc.equations.formula import Formula
from blurc.equations.mathml import mathml
from blurc.equations.notation import GREEK, latex, latex_name, unicode
from blurc.equations.rule import Explained, Step, Value

FORMS = (".html", ".tex", ".md")
WORDS = {
    "state": "Every neuron j keeps", "channel": "Every synapse from i to j keeps", "signal": "Fed in with every step",
    "meta-parameter": "Meta-learning may change", "constant": "Constants", "function": "Functions",
}  # fmt: skip
GRADES = {
    "local": "A neuron sees itself and its synapses, a synapse itself and its two neurons.",
    "population": "A neuron also sees the others of its population.",
    "projection": "A synapse also sees the others of its projection.",
}
WIDTH = 100  # of text in terminals
INDICES = (
    "j is the neuron that is visited, i a neuron that projects to it, k one that it projects to; in `update` a synapse "
    "leads from i to j. Angle brackets are means over the batch. Phases run in this order, statements too."
)


def page(rules: Sequence[Explained], form: str = "") -> str:
    """`form`: "html", "tex" or "md"; "" for a terminal."""
    return {"": _text, "md": _markdown, "tex": _latex, "html": _html}[form](rules)


def _groups(rule: Explained) -> Iterator[tuple[str, list[Value]]]:
    kind: Callable[[Value], int] = lambda value: [*WORDS].index(value.kind)  # noqa: E731
    for _, found in groupby(sorted(rule.values, key=kind), kind):
        values = list(found)
        yield WORDS[values[0].kind], values


def _said(value: Value) -> str:
    return "; ".join(filter(None, (value.about, value.used)))


def _graded(rule: Explained) -> Iterator[str]:
    """How far it sees, what it costs, and what it is like."""
    if rule.locality:
        yield f"Locality: {rule.locality}. {GRADES[rule.locality.grade]}"
    if rule.cost:
        yield f"Cost: {rule.cost}"
    if rule.nearest:
        yield f"Nearest other rule of the library: {rule.nearest}"


def _title(step: Step) -> str:
    return f"{step.title}{', ' if step.where and step.title != 'repeat' else ' '}{step.where}".strip()


# ---------------------------------------------------------------- text


def _text(rules: Sequence[Explained]) -> str:
    return "\n\n".join("\n".join(_text_lines(rule)) for rule in rules) + "\n"


def _text_lines(rule: Explained) -> Iterator[str]:
    yield rule.head
    yield from rule.about
    for words, values in _groups(rule):
        yield from ("", words)
        shown = [unicode(value.formula) for value in values]
        width = min(max(map(len, shown)), 44)
        yield from (f"  {text:{width}}  {_said(value)}".rstrip() for text, value in zip(shown, values, strict=True))
    yield from ("", "A step")
    for step in rule.steps:
        indent = "  " * (step.depth + 1)
        yield f"{indent}{_title(step)}"
        yield from (f"{indent}    {unicode(equation)}" for equation in step.equations)
    if rule.readout:
        yield from ("", f"Prediction: {unicode(rule.readout)} of the output neurons")
    yield from (*_graded(rule), "", *wrap(INDICES, WIDTH))


# ---------------------------------------------------------------- Markdown and LaTeX


def _markdown(rules: Sequence[Explained]) -> str:
    return "\n".join(line for rule in rules for line in _markdown_lines(rule)) + "\n"


def _markdown_lines(rule: Explained) -> Iterator[str]:
    yield from (f"# `{rule.head}`", "", " ".join(rule.about), "")
    for words, values in _groups(rule):
        yield from (f"## {words}", "")
        yield from (f"- ${latex(v.formula)}${f': {_said(v)}' if _said(v) else ''}" for v in values)
        yield ""
    yield from ("## A step", "")
    for step in rule.steps:
        yield from (f"{'#' * min(6, step.depth + 3)} {_title(step)}", "")
        yield from (f"$${latex(equation)}$$\n" for equation in step.equations)
    if rule.readout:
        yield from (f"Prediction: ${latex(rule.readout)}$ of the output neurons.", "")
    for line in (*_graded(rule), INDICES):
        yield from (line, "")


def _latex(rules: Sequence[Explained]) -> str:
    body = "\n".join(line for rule in rules for line in _latex_lines(rule))
    return (
        "\\documentclass{article}\n\\usepackage{amsmath,amssymb}\n\\usepackage[T1]{fontenc}\n\\begin{document}\n"
        f"{body}\n\\end{{document}}\n"
    )


def _latex_lines(rule: Explained) -> Iterator[str]:
    yield from (rf"\section*{{{_plain(rule.head)}}}", _plain(" ".join(rule.about)))
    for words, values in _groups(rule):
        yield from (rf"\subsection*{{{words}}}", r"\begin{itemize}")
        yield from (rf"\item ${latex(v.formula)}${f': {_plain(_said(v))}' if _said(v) else ''}" for v in values)
        yield r"\end{itemize}"
    yield r"\subsection*{A step}"
    for step in rule.steps:
        yield rf"\paragraph{{{_plain(_title(step))}}}"
        if step.equations:
            rows = " \\\\\n".join(latex(equation) for equation in step.equations)
            yield f"\\begin{{gather*}}\n{rows}\n\\end{{gather*}}"
    if rule.readout:
        yield f"\n\\noindent Prediction: ${latex(rule.readout)}$ of the output neurons.\n"
    yield from (f"\n\\noindent {_plain(line)}\n" for line in (*_graded(rule), INDICES))


PLAIN: Mapping[str, str] = {
    "\\": r"\textbackslash{}", "_": r"\_", "#": r"\#", "%": r"\%", "&": r"\&", "$": r"\$", "{": r"\{", "}": r"\}",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "“": "``", "”": "''", "`": "'", "→": r"$\to$",
    "←": r"$\leftarrow$", "≤": r"$\le$", "≥": r"$\ge$", "−": "$-$", "∑": r"$\sum$", "√": r"$\sqrt{}$", "∞": r"$\infty$",
    **{letter: f"${latex_name(name)}$" for name, letter in GREEK.items()},
}  # fmt: skip


def _plain(text: str) -> str:
    return "".join(PLAIN.get(c, c) for c in text)


# ---------------------------------------------------------------- HTML

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem }
body { color: #22252b }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem } h3 { font-size: 1rem; font-weight: 600 }
math[display=block] { text-align: left; margin: .4rem 0 .4rem 1.5rem } td { padding: .1rem 1rem .1rem 0 }
.about { color: #6b717d }"""


def _html(rules: Sequence[Explained]) -> str:
    body = "\n".join(line for rule in rules for line in _html_lines(rule))
    title = escape(", ".join(rule.head.partition("(")[0] for rule in rules))
    head = f'<meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body>\n{body}\n</body></html>\n'


def _html_lines(rule: Explained) -> Iterator[str]:
    yield f"<h1><code>{escape(rule.head)}</code></h1><p>{escape(' '.join(rule.about))}</p>"
    for words, values in _groups(rule):
        rows = "".join(f"<tr><td>{_inline(v.formula)}</td><td>{escape(_said(v))}</td></tr>" for v in values)
        yield f"<h2>{words}</h2><table>{rows}</table>"
    yield "<h2>A step</h2>"
    for step in rule.steps:
        equations = "".join(map(mathml, step.equations))
        yield f'<div style="margin-left: {2 * step.depth}rem"><h3>{escape(_title(step))}</h3>{equations}</div>'
    if rule.readout:
        yield f"<p>Prediction: {_inline(rule.readout)} of the output neurons.</p>"
    yield from (f"<p>{escape(line)}</p>" for line in _graded(rule))
    yield f'<p class="about">{escape(INDICES)}</p>'


def _inline(formula: Formula) -> str:
    return mathml(formula).replace(' display="block"', "")
