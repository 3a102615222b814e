"""What a file says is shown to those who may have written it: not what lies outside the folder of the spec."""

from __future__ import annotations

from pathlib import Path

import pytest

from blurc import check, genome, meta
from blurc.diagnostics import BlurError

SECRET = "hunter2"
NETWORK = "network n uses g { input x[2]  output y[1]  x -> y }\n"
WIRED = 'import "rules/backprop.blur"\nnetwork n uses backprop { input x[2]  output y[1]  x -> y [edges("%s")] }\n'
GENOME = "genome g { forward { z <- hunter2 }  readout 1 }\n"

# What the spec says, and what stands outside its folder under `../out/NAME`.
OUTSIDE: dict[str, tuple[str, str, str]] = {
    "passwords": ('import "../out/p.blur"\n' + NETWORK, "p.blur", "root:hunter2:0:0:root\n"),
    "nothing but a word": ('import "../out/p.blur"\n' + NETWORK, "p.blur", SECRET),
    "a broken genome": ('import "../out/g.blur"\n' + NETWORK, "g.blur", "genome g { state hunter2 = }\n"),
    "a wrong genome": ('import "../out/g.blur"\n' + NETWORK, "g.blur", "genome g { readout 1 + }  # hunter2\n"),
    "a comment": ('import "../out/g.blur"\n' + NETWORK, "g.blur", "genome g { state z = 0  readout q } # hunter2\n"),
    "an import": ('import "../out/g.blur"\n' + NETWORK, "g.blur", 'import "no.blur"  # hunter2\n'),
    "an alphabet": ('import "../out/p.blur"\n' + NETWORK, "p.blur", "§§§ hunter2 ¿"),
    "a pair": (WIRED % "../out/w.csv", "w.csv", "0,0\nhunter2,1\n"),
    "three columns": (WIRED % "../out/w.csv", "w.csv", "0,0,hunter2\n"),
    "a list": (WIRED % "../out/w.txt", "w.txt", "0 0\nlogin hunter2\n"),
    "a number": (WIRED % "../out/w.edgelist", "w.edgelist", "0 0\n1 271828\n"),
    "no graph": (WIRED % "../out/w.graphml", "w.graphml", "<a>&hunter2;</a>"),
}


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "in")
    return tmp_path / "in"


@pytest.mark.parametrize("kind", OUTSIDE)
def test_what_lies_outside_is_not_quoted(inside: Path, kind: str) -> None:
    spec, name, text = OUTSIDE[kind]
    (inside / "../out" / name).write_text(text, encoding="utf-8")
    (inside / "spec.blur").write_text(spec)
    found = check("spec.blur")
    assert any(d.severity == "error" for d in found)
    said = "\n".join(d.render() for d in found)
    assert SECRET not in said
    assert "271828" not in said


@pytest.mark.parametrize("kind", OUTSIDE)
def test_a_link_leads_outside(inside: Path, kind: str) -> None:
    spec, name, text = OUTSIDE[kind]
    (inside / "../out" / name).write_text(text, encoding="utf-8")
    (inside / "linked").mkdir()
    (inside / "linked" / name).symlink_to(inside / "../out" / name)
    (inside / "spec.blur").write_text(spec.replace("../out/", "linked/"))
    found = check("spec.blur")
    assert any(d.severity == "error" for d in found)
    assert SECRET not in "\n".join(d.render() for d in found)


@pytest.mark.parametrize("kind", OUTSIDE)
def test_what_lies_inside_is(inside: Path, kind: str) -> None:
    spec, name, text = OUTSIDE[kind]
    (inside / name).write_text(text, encoding="utf-8")
    (inside / "spec.blur").write_text(spec.replace("../out/", ""))
    said = "\n".join(d.render() for d in check("spec.blur"))
    assert SECRET in said or "271828" in said or name.endswith("graphml")


def test_the_file_that_was_asked_for_is_quoted_wherever_it_lies(inside: Path) -> None:
    (inside / "../out/p.blur").write_text(f"{SECRET}\n")
    (inside / "link.blur").symlink_to("../out/p.blur")
    for name in ("../out/p.blur", "link.blur"):
        assert SECRET in "\n".join(d.render() for d in check(name))


def test_the_help_leads_to_what_is_wrong(inside: Path) -> None:
    spec, name, text = OUTSIDE["a broken genome"]
    (inside / "../out" / name).write_text(text)
    (inside / "spec.blur").write_text(spec)
    (error,) = (d for d in check("spec.blur") if d.code == "E101")
    assert error.message == "`../out/g.blur` is not grammatical: it has 1 mistake"
    assert error.help == "`blurc check ../out/g.blur` shows what is wrong"
    assert len(check("../out/g.blur")) >= 1


EXPERIMENT = "name: x\ntasks: [xor]\nspec: {spec}\n{more}\n"


@pytest.mark.parametrize("text", ["root:hunter2:0", GENOME, "genome g { readout z } # hunter2"])
def test_the_spec_of_an_experiment_is_not_quoted(inside: Path, text: str) -> None:
    (inside / "../out/s.blur").write_text(text)
    (inside / "e.yaml").write_text(EXPERIMENT.format(spec="../out/s.blur", more=""))
    with pytest.raises(BlurError) as found:
        meta.read("e.yaml")
    assert SECRET not in str(found.value)
    assert found.value.diagnostics[0].help == "`blurc check ../out/s.blur` shows what is wrong"


@pytest.mark.parametrize(
    "text", ["password: hunter2", "hunter2", "- hunter2", "name: x\nrule: y\nvalues: hunter2", "*hunter2"]
)
def test_the_genome_of_an_experiment_is_not_quoted(inside: Path, text: str) -> None:
    (inside / "../out/g.yaml").write_text(text)
    (inside / "e.yaml").write_text(EXPERIMENT.format(spec="networks/xor.blur", more="start: ../out/g.yaml"))
    with pytest.raises(BlurError) as found:
        meta.read("e.yaml")
    assert SECRET not in str(found.value)
    with pytest.raises(BlurError, match=SECRET):
        genome.read("../out/g.yaml")


@pytest.mark.parametrize("key", ["spec", "start"])
@pytest.mark.parametrize("name", ["/etc/passwd", "link.blur", "link.yaml"])
def test_passwords_are_no_experiment(inside: Path, key: str, name: str) -> None:
    (inside / "link.blur").symlink_to("/etc/passwd")
    (inside / "link.yaml").symlink_to("/etc/passwd")
    (inside / "e.yaml").write_text(f"name: x\ntasks: [xor]\nspec: networks/xor.blur\n{key}: {name}\n")
    with pytest.raises(BlurError) as found:
        meta.run(meta.read("e.yaml"), inside / "run")
    assert "root:" not in str(found.value)
