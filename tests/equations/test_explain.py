"""`blurc explain SPEC`: rules as equations."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from shutil import which
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from blurc.cli import cli
from blurc.diagnostics import Report, Source
from blurc.equations import explained, nearest, page
from blurc.equations.notation import latex, unicode
from blurc.equations.rule import Explained
from blurc.language import parse, specs_path
from blurc.spec import Sources, localities

RULES = sorted((specs_path() / "rules").glob("*.blur"))
GENOME = """\
genome g(k = 2) {{
  state   act, err, a[k]  # α_0 → β²: 100 % of ∑ & co. ≤ ∞
  synapse w ~ normal(1 / sqrt(fan_in))
  learn   eta = 0.1, mu[k, k] ~ normal(1), tau = 1 per neuron
  fn      phi = tanh
  {phase}
  readout act
}}
"""


def rule(phase: str) -> Explained:
    (genome,) = parse(Source("g.blur", GENOME.format(phase=phase)), Report()).genomes
    return explained(genome, None)


def equation(phase: str) -> tuple[str, str]:
    """The last one, in Unicode and in LaTeX."""
    last = rule(phase).steps[-1].equations[-1]
    return unicode(last), latex(last)


@pytest.mark.parametrize(
    ("phase", "text", "tex"),
    [
        (
            "forward { act <- phi(incoming(w * pre.act)) }",
            "actⱼ ← φ(∑ᵢ wᵢⱼ actᵢ)",
            r"\mathrm{act}_{j} \leftarrow \varphi\left(\sum_{i} w_{i j}\,\mathrm{act}_{i}\right)",
        ),
        (
            "backward { err <- phi'(act) * outgoing(w * post.err) }",
            "errⱼ ← φ′(actⱼ) ∑ₖ wⱼₖ errₖ",
            r"\mathrm{err}_{j} \leftarrow \varphi'\left(\mathrm{act}_{j}\right)\,\sum_{k} w_{j k}\,\mathrm{err}_{k}",
        ),
        (
            "update { w <- w - eta * batch_mean(pre.act * post.err) / sqrt(post.incoming(w ^ 2)) }",
            "wᵢⱼ ← wᵢⱼ − η ⟨actᵢ errⱼ⟩ / √(∑ᵢ′ wᵢ′ⱼ²)",
            r"w_{i j} \leftarrow w_{i j}-\frac{\eta\,\left\langle \mathrm{act}_{i}\,\mathrm{err}_{j} \right\rangle}"
            r"{\sqrt{\sum_{i'} {w_{i' j}}^{2}}}",
        ),
        (
            "forward { act <- tau * incoming[soma](w / 2 * pre.tau) }",
            "actⱼ ← τⱼ ∑ᵢ[soma] (wᵢⱼ / 2) τᵢ",
            r"\in \text{soma}",
        ),
        ("forward { a[0] <- (mu @ a)[1] - (act + err) }", "aⱼ₀ ← (μ · aⱼ)[1] − (actⱼ + errⱼ)", r"a_{j,0}"),
        (
            "forward { act <- where(act > 1, -act ^ 2, 3e-4) }",
            "actⱼ ← (−actⱼ² if actⱼ > 1 else 3e-4)",
            r"\begin{cases}",
        ),
        ("forward { let z = act; err <- abs(z) ^ (z + 1) }", "errⱼ ← |zⱼ|^(zⱼ + 1)", "|z_{j}|"),
        ("update { let g = err; w <- g * batch_sum(1) }", "wᵢⱼ ← gᵢⱼ ∑_batch(1)", r"\sum_{\text{batch}}"),
    ],
)
def test_equations_have_the_indices_of_their_scope(phase: str, text: str, tex: str) -> None:
    found, source = equation(phase)
    assert found == text
    assert tex in source


def test_values_say_where_they_are_set_and_read() -> None:
    found = {unicode(v.formula): v.used for v in rule("forward { act <- incoming(w * pre.err) }").values}
    assert found["actⱼ"] == "set in forward"
    assert found["errⱼ"] == "read in forward"
    assert "wᵢⱼ ~ 𝒩(0, (1 / √n_in)²)" in found
    assert "aⱼ ∈ ℝ^k" in found
    assert "μ ~ 𝒩(0, 1) ∈ ℝ^(k × k)" in found


def test_shapes_come_after_values_and_are_written_in_ascii_for_latex() -> None:
    (genome,) = parse(Source("g.blur", "genome g(k = 2) { synapse u[2] ~ zeros; state a[2 * k, 3] }"), Report()).genomes
    shown = {unicode(v.formula): latex(v.formula) for v in explained(genome, None).values}
    assert list(shown) == ["uᵢⱼ = 0 ∈ ℝ²", "aⱼ ∈ ℝ^(2 k × 3)"]
    assert list(shown.values()) == [r"u_{i j} = 0 \in {\mathbb{R}}^{2}", r"a_{j} \in {\mathbb{R}}^{2\,k \times 3}"]


def test_phases_say_where_they_run() -> None:
    phases = "forward free of output { act <- 1 } repeat k { free update of soma { w <- 0 } }"
    assert [(step.title, step.where, step.depth) for step in rule(phases).steps] == [
        ("forward “free”", "at every output neuron j, from the inputs to the outputs", 0),
        ("repeat", "k times", 0),
        ("“free” again", "", 1),
        ("update", "at every synapse of kind soma from i to j", 1),
    ]


@pytest.mark.parametrize("path", RULES[::3], ids=lambda p: p.stem)
def test_the_library_is_explained_in_every_form(path: Path) -> None:
    sources, grades = Sources.load(path, Report()), localities(path)
    rules = [explained(sources.genomes[genome.name], grades[genome.name]) for genome in sources.files[0].genomes]
    assert "Locality: " in page(rules)
    body = page(rules, "html").partition("<body>")[2].partition("</body>")[0]
    assert ElementTree.fromstring(f"<body>{body}</body>").findall(".//math")
    for form in ("tex", "md"):
        text = page(rules, form).replace(r"\{", "").replace(r"\}", "")
        assert text.count("{") == text.count("}")
        assert "".join(re.findall(r"\$(.*?)\$", text)).isascii()  # pdflatex knows no other signs in formulas
        assert text.count(r"\left") == text.count(r"\right") + text.count(r"\leftarrow")


@pytest.mark.skipif(which("pdflatex") is None, reason="LaTeX is not installed")
def test_latex_sets_the_library_and_what_comments_say(tmp_path: Path) -> None:
    rules: list[Explained] = []
    for path in RULES:
        sources = Sources.load(path, Report())
        rules += [explained(sources.genomes[genome.name], None) for genome in sources.files[0].genomes]
    rules.append(rule("forward { act <- 1 }"))
    (tmp_path / "rules.tex").write_text(page(rules, "tex"))
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "-draftmode", "rules.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]


# ---------------------------------------------------------------- the command


def blurc(*args: object) -> Result:
    return CliRunner().invoke(cli, ["explain", *map(str, args)])


def test_a_spec_is_explained_with_what_it_inherits() -> None:
    output = blurc("rules/swift.blur").output
    assert "errⱼ ← errⱼ ∑ₖ wⱼₖ errₖ" in output.partition("swift_deep")[2]
    assert "Locality: population (softmax). A neuron also sees the others of its population." in output


def test_a_network_is_explained_by_the_rule_that_it_uses() -> None:
    assert blurc("networks/xor.blur").output.startswith("backprop(rate = 0.1)\n")


@pytest.mark.parametrize(
    ("rule", "cost"),
    [
        ("backprop", "64-64-64-10 with 128 examples takes 1.0 times the arithmetic of backprop"),
        ("general", "64-64-64-10 with 128 examples takes 5.1 times the arithmetic of backprop"),
        (
            "lstm",
            "64-64-64-10 with 128 examples takes 1.5 times the arithmetic of backprop with one projection instead",
        ),
        ("urbanczik_senn", "64-10 with 128 examples takes 1.6 times the arithmetic of backprop with one projection"),
        ("melon", "`ratings` with 128 examples takes 3.8 times the arithmetic of backprop"),
    ],
)
def test_the_cost_is_that_of_the_plan(rule: str, cost: str) -> None:
    assert f"Cost: a step of {cost}" in blurc(f"rules/{rule}.blur").output


def test_a_rule_with_kinds_of_populations_has_a_cost_in_its_own_network_or_in_layers(tmp_path: Path) -> None:
    file, own = tmp_path / "mine.blur", "genome mine extends dale {}\n"
    file.write_text(f'import "rules/dale.blur"\n{own}')
    assert "64-64-64-10, hidden populations of each kind, with 128 examples takes 1.0 times" in blurc(file).output
    inhibited = "input x[4]; hidden h[4] { kind = inhibitory }; output y[2]; x -> h; h -> y"
    file.write_text(f'import "rules/dale.blur"\n{own}network small uses mine {{ {inhibited} }}\n')
    assert re.search("a step of `small` with 128 examples takes 1.. times", blurc(file).output)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("paper_backprop", "`blur_from_backprop`: its equations are the same, apart from names, numbers, signs"),
        ("gru", "`lstm`: it has 2 of these 3 equations, apart from names, numbers, signs and slots."),
        ("oja", "`softhebb`: it has 2 of these 3 equations"),
        ("weight_perturbation", "`node_perturbation`: it has"),
    ],
)
def test_the_nearest_rule_of_the_library_is_named(rule: str, said: str) -> None:
    assert f"Nearest other rule of the library: {said}" in blurc(f"rules/{rule}.blur").output


def test_names_lets_order_signs_and_numbers_make_no_other_rule(tmp_path: Path) -> None:
    file = tmp_path / "mine.blur"
    file.write_text(
        """genome mine {
  state   out, miss
  synapse s ~ normal(0.1)
  learn   speed = -3
  fn      f = relu
  sense    { out <- input }
  forward  { miss <- f'(incoming(pre.out * s));  out <- f(incoming(s * pre.out)) }
  feedback { miss <- (target - softmax(out)) * miss }
  backward { miss <- outgoing(post.miss * s) * miss }
  update   { s <- exp(speed) * batch_mean(post.miss * pre.out) + s }
  readout  out
}
"""
    )
    assert "`backprop`: its equations are the same, apart from names, numbers, signs" in blurc(file).output


def test_a_rule_that_is_like_no_other_has_no_nearest_one() -> None:
    (genome,) = parse(Source("g.blur", "genome g { state act; readout act }"), Report()).genomes
    assert nearest(genome) == "none has a part of an equation in common with this one."


def test_a_page_is_written(tmp_path: Path) -> None:
    page = tmp_path / "rule.tex"
    assert blurc("rules/oja.blur", "-o", page).output == f"{page}: oja\n"
    assert page.read_text().startswith("\\documentclass")


def test_what_cannot_be_explained_is_said(tmp_path: Path) -> None:
    wrong, empty = tmp_path / "wrong.blur", tmp_path / "empty.blur"
    wrong.write_text(GENOME.format(phase="forward { act <- atc }"))
    empty.write_text("network n { input x[1]; output y[1]; x -> y }\n")
    assert "error[E201]" in blurc(wrong).stderr
    assert "has no genome" in blurc(empty).stderr
    assert "error[E103]" in blurc("rules/none.blur").stderr
    assert blurc("E306", "-o", "page.md").exit_code == 2
