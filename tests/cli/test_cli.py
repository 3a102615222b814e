"""The command line: what every command prints and writes, and how it fails."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from blurc import __version__
from blurc.cli import COMMANDS, cli
from blurc.codes import CODES
from blurc.language.library import specs_path

XOR = "networks/xor.blur"
BROKEN = "genome g { state a  synapse w ~ ones  sense { a <- inptu }  readout a }\n"
TWO_ERRORS = "genome g { state a  synapse w ~ ones  sense { a <- inptu }  readout b }\n"
WARNED = """\
import "rules/backprop.blur"
network n uses backprop { input x[2]  hidden h[2]  output y[2]  x -> y  x -> h }
"""


def blurc(*args: object) -> Result:
    return CliRunner().invoke(cli, [str(arg) for arg in args])


def spec(tmp_path: Path, text: str, name: str = "mine.blur") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


# ---------------------------------------------------------------- the whole


def test_version() -> None:
    assert blurc("--version").output == f"blurc {__version__}\n"


def test_help_lists_every_command() -> None:
    output = blurc("--help").output
    assert all(re.search(rf"^  {name} ", output, re.MULTILINE) for name in COMMANDS)


def test_an_unknown_command_is_wrong_usage() -> None:
    assert blurc("compil").exit_code == 2


def test_a_mistyped_command_gets_the_nearest_one() -> None:
    assert "did you mean 'check'?" in blurc("chek").stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is full")
@pytest.mark.parametrize("what", ["specs", "--help"])
def test_a_full_disk_behind_stdout_is_no_traceback(what: str) -> None:
    command = [sys.executable, "-m", "blurc", what]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "error[E907]: cannot write the output" in done.stderr


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    shell = f"set -o pipefail; {sys.executable} -m blurc compile {XOR} --emit hlo | true"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (141, "")


SIGNALS = {signal.SIGINT: (130, "interrupted"), signal.SIGTERM: (143, "terminated")}


@pytest.mark.parametrize(("number", "said"), SIGNALS.items())
def test_a_signal_ends_training_quietly(number: int, said: tuple[int, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "blurc", "train", XOR, "--data", "xor", "--steps", "1000000000"]
    running = subprocess.Popen(
        [*command, "--json", tmp_path / "out.json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # What a shell starts in the background ignores interrupts, and so would this.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert running.stdout
    assert "xor with backprop" in running.stdout.readline()
    time.sleep(0.5)
    running.send_signal(number)
    _, errors = running.communicate(timeout=60)
    assert (running.returncode, errors.strip()) == said
    assert list(tmp_path.iterdir()) == []


DROPS = """
import signal, sys, time
from blurc.cli.shared.failure import on_interrupts

class Finalizer:
    def __del__(self):
        signal.raise_signal(int(sys.argv[1]))

signal.signal(signal.SIGINT, signal.default_int_handler)
on_interrupts()
try:
    Finalizer()
    time.sleep(60)
except KeyboardInterrupt as interrupt:
    print(type(interrupt).__name__)
"""


@pytest.mark.parametrize(("number", "name"), [(signal.SIGINT, "KeyboardInterrupt"), (signal.SIGTERM, "Terminated")])
def test_an_interrupt_in_a_finalizer_is_not_lost(number: int, name: str) -> None:
    done = subprocess.run([sys.executable, "-c", DROPS, str(int(number))], capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr) == (f"{name}\n", "")


# ---------------------------------------------------------------- check


def test_check_of_a_sound_spec() -> None:
    done = blurc("check", XOR)
    assert (done.exit_code, done.output) == (0, "1 spec checked: no errors\n")


def test_check_says_all_errors_at_once_on_stderr(tmp_path: Path) -> None:
    done = blurc("check", spec(tmp_path, TWO_ERRORS), XOR)
    assert done.exit_code == 1
    assert done.stderr.count("error[E") == 2
    assert done.stdout.startswith("2 specs checked: 2 errors")


def test_check_names_file_line_and_column(tmp_path: Path) -> None:
    path = spec(tmp_path, BROKEN)
    assert f"{path}:1:{BROKEN.index('inptu') + 1}: error[E201]: " in blurc("check", path).stderr


def test_warnings_do_not_fail(tmp_path: Path) -> None:
    done = blurc("check", spec(tmp_path, WARNED))
    assert done.exit_code == 0
    assert "warning[W503]" in done.stderr
    assert done.stdout == "1 spec checked: 1 warning\n"


def test_what_is_wrong_with_a_shared_import_is_said_once(tmp_path: Path) -> None:
    spec(tmp_path, BROKEN, "rule.blur")
    both = [spec(tmp_path, 'import "rule.blur"\n', name) for name in ("a.blur", "b.blur")]
    assert blurc("check", *both).stderr.count("error[E201]") == 1


def test_check_as_json(tmp_path: Path) -> None:
    path = spec(tmp_path, BROKEN)
    done = blurc("check", path, "--json", "-")
    (found,) = (d for d in json.loads(done.stdout)["diagnostics"] if d["severity"] == "error")
    assert (found["code"], found["file"], found["line"]) == ("E201", str(path), 1)


def test_check_says_how_far_each_genome_sees(tmp_path: Path) -> None:
    text = 'import "rules/hebb.blur"\ngenome g { state a  sense { a <- input }  readout softmax(a) }'
    path = spec(tmp_path, text)
    assert blurc("check", path, "-v").stdout.splitlines()[1:] == ["  g: population (softmax)", "  hebb: local"]
    found = json.loads(blurc("check", path, "-v", "--json", "-").stdout)
    assert found["locality"] == {"hebb": "local", "g": "population"}


def test_check_without_a_spec_is_wrong_usage() -> None:
    assert blurc("check").exit_code == 2


def test_check_of_a_missing_file() -> None:
    done = blurc("check", "nowhere.blur")
    assert done.exit_code == 1
    assert "error[E103]" in done.stderr


@pytest.mark.parametrize("name", ["digits", "digits.blur"])
def test_a_missing_file_is_looked_for_in_the_library_by_its_stem(name: str) -> None:
    assert "did you mean `networks/digits.blur`?" in blurc("check", name).stderr


def test_a_folder_is_not_suggested_for_itself(tmp_path: Path) -> None:
    (tmp_path / "d.blur").mkdir()
    assert "did you mean" not in blurc("check", tmp_path / "d.blur").stderr


@pytest.mark.parametrize("command", [("check",), ("compile",), ("graph", "-o", "never.svg")])
def test_an_artifact_is_no_spec(tmp_path: Path, command: tuple[str, ...]) -> None:
    path = tmp_path / "x.blurx"
    path.write_bytes(b"PK\x03\x04")
    done = blurc(*command, path)
    assert done.exit_code == 1
    assert "`blurc.load` run an artifact" in done.stderr


SLOW = ["jax", "matplotlib", "networkx", "numpy", "optax", "rich", "sklearn", "yaml", "importlib.metadata"]


@pytest.mark.parametrize("args", [["--help"], ["check", "networks/digits.blur"]])
def test_what_is_asked_often_imports_nothing_slow(args: list[str]) -> None:
    program = (
        "import sys; from blurc.cli import cli\n"
        f"cli.main({args}, standalone_mode=False)\n"
        f"print([n for n in {SLOW} if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"


EXTRA = ["matplotlib", "PIL", "nir", "pygls", "sklearn"]


def test_the_usual_commands_need_no_extra() -> None:
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({EXTRA}))\n"
        "from importlib import import_module\n"
        "import blurc; from blurc import tasks; from blurc.cli import COMMANDS\n"
        "print([import_module(f'blurc.cli.commands.{name}').command.name for name in COMMANDS] == [*COMMANDS])\n"
        "print(len(tasks.load('digits').x_train), tasks.task(tasks.TaskChoice(data='moons')).name)\n"
        "print(blurc.compile('networks/xor.blur').model.network.name)\n"
        "print(len({blurc.meta.run, blurc.meta.follow, blurc.meta.internals.evaluated}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines() == ["True", "1437 moons", "xor", "3"], done.stderr


@pytest.mark.parametrize("args", [["graph", XOR], ["report", "run"], ["train", XOR, "--curve", "f.svg"]])
def test_pictures_without_their_extra_say_what_to_install(
    args: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "experiment.yaml").write_text("name: e\n")
    monkeypatch.setattr("blurc.guards.packages.find_spec", lambda name: None)
    done = blurc(*args)
    assert done.exit_code == 1
    assert "error[E921]" in done.stderr
    assert "pip install 'blurc[pictures]'" in done.stderr


def test_a_run_that_is_not_there_is_said_before_a_package_that_its_report_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("blurc.guards.packages.find_spec", lambda name: None)
    done = blurc("report", "none")
    assert (done.exit_code, "`none` is not a run folder: there is no such folder" in done.stderr) == (1, True)
    assert "E921" not in done.stderr


def test_diagnostics_are_coloured_only_where_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = spec(tmp_path, BROKEN)
    on = CliRunner().invoke(cli, ["check", str(path)], color=True).stderr
    assert "\x1b[31m" in on
    assert re.sub(r"\x1b\[\d+m", "", on) == blurc("check", path).stderr
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in CliRunner().invoke(cli, ["check", str(path)], color=True).stderr


# ---------------------------------------------------------------- explain


def test_a_code_is_explained_with_an_example_and_its_repair() -> None:
    assert blurc("explain", "E303").output == (
        """\
E303: a synapse's value in the scope of a neuron
      locality and separability

Wrong, in a genome:

    forward { act <- w * pre.act }

error[E303]: `w * pre.act` belongs to one synapse, but the scope here is one neuron, which has many synapses
   help: sum over them: `incoming(w * pre.act)`

Right:

    forward { act <- incoming(w * pre.act) }
"""
    )


def test_a_code_that_no_spec_provokes_is_explained_in_words() -> None:
    assert blurc("explain", "e901").output == f"E901: {CODES['E901']}\n      calls and runs\n"


def test_without_a_code_all_are_listed() -> None:
    assert set(re.findall(r"^  ([EW]\d{3})  ", blurc("explain").output, re.MULTILINE)) == set(CODES)


@pytest.mark.parametrize(
    ("code", "help"),
    [("E30", "did you mean `E3"), ("digits", "`blurc explain networks/digits.blur`"), ("zzz", "lists all codes")],
)
def test_what_is_not_a_code_is_refused(code: str, help: str) -> None:
    done = blurc("explain", code)
    assert done.exit_code == 1
    assert f"error[E917]: expected the code of a diagnostic, such as E306, or a spec, found `{code}`" in done.stderr
    assert help in done.stderr


@pytest.mark.parametrize(("name", "file"), [("general", "general"), ("backprop3_mse", "backprop3")])
def test_a_rule_to_explain_is_found_by_its_name(name: str, file: str) -> None:
    assert f"help: write `blurc explain rules/{file}.blur`" in blurc("explain", name).stderr


# ---------------------------------------------------------------- compile


@pytest.mark.parametrize(
    ("stage", "part"),
    [
        ("tree", "genome backprop(rate = 0.1) {"),
        ("model", "err <- phi'(z)"),
        ("graph", "x->h         x     h      both ways  plastic   dense"),
        ("plan", "plan of xor with backprop"),
        ("jaxpr", "dot_general"),
        ("stablehlo", "stablehlo.dot_general"),
        ("hlo", "HloModule"),
    ],
)
def test_every_stage_can_be_printed(stage: str, part: str) -> None:
    done = blurc("compile", XOR, "--emit", stage)
    assert done.exit_code == 0, done.output
    assert part in done.output


def test_the_tree_that_is_printed_is_a_spec(tmp_path: Path) -> None:
    text = blurc("compile", "rules/blur.blur", "--emit", "tree").output
    assert blurc("check", spec(tmp_path, text)).exit_code == 0


@pytest.mark.parametrize("entry", ["step", "train", "predict", "init"])
def test_every_entry_can_be_printed(entry: str) -> None:
    output = blurc("compile", XOR, "--emit", "stablehlo", "--entry", entry, "--batch", 7).output
    assert f"module @jit_{entry}" in output


NETWORKS = [
    (path.stem, network)
    for path in sorted(specs_path().glob("networks/*.blur"))
    for network in re.findall(r"^network (\w+)", path.read_text(), re.MULTILINE)
]


@pytest.mark.parametrize(("file", "network"), NETWORKS)
def test_every_network_of_the_library_compiles(file: str, network: str) -> None:
    done = blurc("compile", f"networks/{file}.blur", "--network", network, "--batch", 2, "--json", "-")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["network"] == network


@pytest.mark.parametrize(
    "rule", ["weight_mirror", "three_factor", "abcd", "equilibrium_propagation", "predictive_coding"]
)
def test_every_kind_of_rule_compiles(rule: str) -> None:
    done = blurc("compile", XOR, "--rule", rule, "--json", "-")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["rule"] == rule


@pytest.mark.parametrize(
    "options", [("networks/attractor.blur",), (XOR, "--rule", "weight_mirror"), (XOR, "--rule", "three_factor")]
)
@pytest.mark.parametrize("entry", ["step", "train", "predict"])
def test_programs_are_fed_signals_and_keys(options: tuple[str, ...], entry: str) -> None:
    done = blurc("compile", *options, "--emit", "stablehlo", "--entry", entry, "--batch", 2)
    assert done.exit_code == 0, done.output
    assert f"module @jit_{entry}" in done.output


@pytest.mark.parametrize("options", [("networks/attractor.blur",), (XOR, "--rule", "weight_mirror")])
def test_an_artifact_with_signals_or_noise(tmp_path: Path, options: tuple[str, ...]) -> None:
    done = blurc("compile", *options, "-o", tmp_path / "n.blurx", "--platform", "cpu")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "n.blurx").stat().st_size > 1000


def test_stablehlo_for_a_platform_that_is_not_here() -> None:
    output = blurc("compile", XOR, "--emit", "stablehlo", "--platform", "tpu").output
    assert "func.func public @main" in output


def test_settings_reach_the_network_and_its_rule() -> None:
    output = blurc("compile", XOR, "--set", "hidden=3", "--set", "rate=0.25", "--emit", "model").output
    assert "hidden h[3]" in output
    assert "learn   eta = 0.25" in output


def test_another_rule() -> None:
    output = blurc("compile", XOR, "--rule", "blur", "--set", "k=3", "--emit", "model").output
    assert "genome blur(k = 3)" in output


@pytest.mark.parametrize("network", [[":mnist"], ["", "--network", "mnist"], [":mnist", "--network", "mnist"]])
@pytest.mark.parametrize("command", [["compile", "--emit", "tree"], ["graph", "-o", "{tmp}/net.dot"]])
def test_a_network_is_named_behind_its_spec_or_apart(command: list[str], network: list[str], tmp_path: Path) -> None:
    name, *options = network
    args = [part.format(tmp=tmp_path) for part in command]
    done = blurc(args[0], f"networks/mnist.blur{name}", *args[1:], *options)
    assert done.exit_code == 0, done.output


def test_two_names_of_a_network_that_differ_are_wrong_usage() -> None:
    done = blurc("compile", "networks/mnist.blur:mnist", "--network", "mnist_wide")
    assert (done.exit_code, "`blurc compile networks/mnist.blur:mnist ..`" in done.stderr) == (2, True)


def test_an_unknown_rule_gets_the_nearest_one_of_the_library() -> None:
    done = blurc("compile", XOR, "--rule", "feedback_alignmnt")
    assert "did you mean `feedback_alignment`?" in done.stderr


@pytest.mark.parametrize(
    ("option", "part"), [("--rule", "lists the rules of the library"), ("--network", "choose one of these")]
)
def test_an_unknown_choice_near_nothing_says_where_to_look(option: str, part: str) -> None:
    assert part in blurc("compile", XOR, option, "zzzz").stderr


OWN = """
genome own_delta(rate = 0.1) {
  state   act, err
  synapse w ~ normal(1 / sqrt(fan_in))
  learn   eta = rate
  sense    { act <- input }
  forward  { let z = incoming(w * pre.act)  act <- tanh(z)  err <- tanh'(z) }
  feedback { err <- err * (act - target) }
  backward { err <- err * outgoing(w * post.err) }
  update   { w <- w - eta * batch_mean(pre.act * post.err) }
  readout act
}
genome backprop { state a  synapse w ~ ones  sense { a <- input }  readout a }
network small uses own_delta { input x[2]  output y[2]  x -> y }
"""
OWN_GENOME = "name: mine\nrule: own_delta\nspec: own.blur\nparameters: {rate: 0.2}\nvalues: {eta: 0.1}\n"


@pytest.mark.parametrize("place", [".", "runs/x", "runs/x/spec"])
def test_the_rule_of_a_genome_file_is_found_through_its_spec(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`backprop` is declared in both specs: what is not asked for does not matter."""
    monkeypatch.chdir(tmp_path)
    Path("runs/x/spec").mkdir(parents=True)
    Path(place, "own.blur").write_text(OWN)
    Path("runs/x/genome.yaml").write_text(OWN_GENOME)
    done = blurc("compile", XOR, "--genome", "runs/x/genome.yaml", "--emit", "tree")
    assert (done.exit_code, "eta * batch_mean(pre.act * post.err)" in done.stdout) == (0, True), done.output


def test_a_genome_file_without_its_spec_says_how_rule_and_network_come_together(tmp_path: Path) -> None:
    file = spec(tmp_path, OWN_GENOME, "genome.yaml")
    done = blurc("compile", XOR, "--genome", file)
    assert done.exit_code == 1
    assert "unknown genome `own_delta`" in done.stderr
    assert f"{tmp_path / 'spec' / 'own.blur'}" in done.stderr
    assert f'import "{XOR}"' in done.stderr
    assert "`both.blur:xor` as the spec, with `--rule own_delta`" in done.stderr


@pytest.mark.parametrize("value", ["1e40", "-1e40", "1" + 400 * "0"])
def test_a_setting_that_float32_does_not_hold_is_refused(value: str) -> None:
    done = blurc("compile", XOR, "--set", f"rate={value}")
    assert done.exit_code == 1
    assert "error[E206]" in done.stderr


def test_the_platform_gpu_is_told_its_names() -> None:
    assert "'cuda'" in blurc("compile", XOR, "-o", "x.blurx", "--platform", "gpu").stderr


def test_the_summary_counts_and_times(tmp_path: Path) -> None:
    done = blurc("compile", XOR, "--json", tmp_path / "s.json")
    summary = json.loads((tmp_path / "s.json").read_text())
    assert "42 values in 4 projections, with biases" in done.output
    assert summary["synapse_values"] == 2 * 8 + 8 + 8 * 2 + 2
    assert [p["name"] for p in summary["populations"]] == ["x", "h", "class"]
    stages = list(summary["seconds"])
    assert (stages[0], stages[-3:]) == ("check", ["trace", "lower", "xla"])
    assert {"schedule", "elaborate", "liveness"} < set(stages)


@pytest.mark.parametrize("value", ["hidden", "hidden=", "=3", "hidden=1 + 1", "hidden=nan", "2x=1"])
def test_a_malformed_setting_is_wrong_usage(value: str) -> None:
    done = blurc("compile", XOR, "--set", value)
    assert done.exit_code == 2
    assert "NAME=VALUE" in done.stderr


def test_an_unknown_setting_is_a_wrong_spec() -> None:
    done = blurc("compile", XOR, "--set", "hiden=3")
    assert done.exit_code == 1
    assert "did you mean `hidden`?" in done.stderr


@pytest.mark.parametrize(
    "options",
    [
        ("--emit", "plan", "--entry", "train"),
        ("--emit", "plan", "--batch", "8"),
        ("--emit", "plan", "--json", "-"),
        ("--entry", "train"),
        ("--platform", "tpu"),
        ("--platform", "abacus", "-o", "f.blurx"),
        ("--set", "hidden=3", "--set", "hidden=4"),
        ("-o", "f.zip"),
    ],
)
def test_options_that_would_do_nothing_are_wrong_usage(options: tuple[str, ...]) -> None:
    assert blurc("compile", XOR, *options).exit_code == 2


def test_the_genome_file_chooses_rule_parameters_and_values(tmp_path: Path) -> None:
    import blurc as package

    matrices = ", ".join(f"{name}: [[1, 0], [0, 1]]" for name in ("nu", "mu", "hp", "hq"))
    rest = "f: 0.5, eta: 1, fs: 1, es: 0.25, oja: 0, gain: [1, 1], shift: [0, 0]"
    values = f"{{{matrices}, {rest}}}"
    genome = spec(tmp_path, f"name: mine\nrule: blur\nparameters: {{k: 2}}\nvalues: {values}\n", "g.yaml")
    done = blurc("compile", XOR, "--genome", genome, "-o", tmp_path / "x.blurx")
    assert done.exit_code == 0, done.output
    stored = package.load(tmp_path / "x.blurx").genome
    assert stored is not None
    assert float(stored["es"]) == 0.25


def test_a_genome_of_another_rule_is_refused(tmp_path: Path) -> None:
    genome = spec(tmp_path, "name: mine\nrule: backprop\nvalues: {nu: 1}\n", "g.yaml")
    done = blurc("compile", XOR, "--genome", genome, "-o", tmp_path / "x.blurx")
    assert done.exit_code == 1
    assert "error[E902]" in done.stderr
    assert not (tmp_path / "x.blurx").exists()


def test_an_output_that_cannot_be_written_is_said_before_the_work(tmp_path: Path) -> None:
    done = blurc("compile", XOR, "-o", tmp_path / "no" / "x.blurx")
    assert done.exit_code == 1
    assert "error[E907]: cannot write" in done.stderr


# ---------------------------------------------------------------- specs


def test_specs_lists_networks_and_rules() -> None:
    entries = json.loads(blurc("specs", "--json", "-").stdout)
    found = {(e["kind"], e["name"]): e for e in entries}
    assert found["network", "xor"]["parameters"] == {"hidden": "8"}
    assert found["rule", "blur"]["file"] == "rules/blur.blur"
    assert all(e["description"] for e in entries)


def test_specs_lists_rules_by_family() -> None:
    entries = json.loads(blurc("specs", "--json", "-").stdout)
    assert {e["family"] for e in entries if e["name"] in ("hebb", "oja", "sanger")} == {"Hebbian"}
    lines = blurc("specs").stdout.split("\n")
    start = next(i for i, line in enumerate(lines) if line.startswith("  family "))
    families = [line.split("  ")[1].strip() for line in lines[start + 2 : lines.index("", start)]]
    assert families == sorted(families, key=str.lower)
    assert len(set(families)) > 5


def test_networks_of_one_file_have_descriptions_of_their_own() -> None:
    entries = json.loads(blurc("specs", "mnist", "--json", "-").stdout)["declares"]
    assert len({e["description"] for e in entries}) == len(entries) == 4


def test_a_table_in_a_file_has_no_padding() -> None:
    lines = blurc("specs").stdout.split("\n")
    assert lines[0].startswith("  network ")
    assert all(line == line.rstrip() for line in lines)


def test_a_table_in_a_file_has_whole_lines() -> None:
    entries = json.loads(blurc("specs", "--json", "-").stdout)
    lines = [line for line in blurc("specs").stdout.split("\n") if line.strip(" ─")]
    assert len(lines) == len(entries) + 3
    assert all(any(entry["description"] in line for line in lines) for entry in entries)


@pytest.mark.parametrize("name", ["xor", "networks/xor.blur", "xor.blur"])
def test_specs_prints_a_source(name: str) -> None:
    assert "network xor(hidden = 8)" in blurc("specs", name).output


def test_specs_of_an_unknown_name() -> None:
    done = blurc("specs", "backprob")
    assert done.exit_code == 1
    assert "did you mean `backprop`?" in done.stderr


@pytest.mark.parametrize("columns", ["40", "80", "120"])
def test_a_terminal_shows_names_and_files_whole(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", columns)
    entries = json.loads(blurc("specs", "--json", "-").stdout)
    shown = re.sub(r"\x1b\[[\d;]*m", "", blurc("specs").stdout)
    assert [e for e in entries if e["file"] not in shown or e["name"] not in shown] == []


# ---------------------------------------------------------------- graph


@pytest.mark.parametrize(
    ("suffix", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("dot", b'digraph "xor"'), ("graphml", b"<graphml")]
)
def test_graph_writes_every_form(tmp_path: Path, suffix: str, start: bytes) -> None:
    path = tmp_path / f"net.{suffix}"
    assert blurc("graph", XOR, "-o", path).exit_code == 0
    assert path.read_bytes().startswith(start)


def test_graph_without_a_name_draws_beside_the_spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "network one { input x[2]; output y[1]; x -> y }\nnetwork two { input x[2]; output y[2]; x -> y }\n"
    path = spec(tmp_path, f'import "rules/backprop.blur"\n{text}'.replace(" {", " uses backprop {"))
    drawn = path.with_name("mine.two.svg")
    assert blurc("graph", f"{path}:two").output == f"{drawn}: two, 2 populations\n"
    assert drawn.read_bytes().startswith(b"<?xml")
    monkeypatch.chdir(tmp_path)
    assert blurc("graph", XOR).output == "xor.svg: xor, 3 populations\n"


def test_graph_of_an_unknown_form_is_wrong_usage(tmp_path: Path) -> None:
    assert blurc("graph", XOR, "-o", tmp_path / "net.gif").exit_code == 2


def test_an_output_that_is_a_device_stays_one(tmp_path: Path) -> None:
    link = tmp_path / "net.svg"
    link.symlink_to("/dev/null")
    assert blurc("graph", XOR, "-o", link).exit_code == 0
    assert not os.path.isfile("/dev/null")


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = spec(tmp_path, "as it was", "net.svg")
    broken = spec(tmp_path, BROKEN)
    assert blurc("graph", broken, "-o", path).exit_code == 1
    assert path.read_text() == "as it was"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine.blur", "net.svg"]


# ---------------------------------------------------------------- bench


def test_bench_shows_bounds_and_writes_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from blurc.bench import run

    rows = [run.Row("step", "a / b", 1.5, "x", (1.4, 1.6), 1.05), run.Row("step", "b / a", 3.0, "x", (3, 3), 2.0, ">=")]
    monkeypatch.setattr(run, "run", lambda quick, report: rows)
    monkeypatch.setattr(run, "hardware", lambda: {"cores": 2})
    done = blurc("bench", "--quick", "--json", tmp_path / "rows.json")
    assert done.exit_code == 0, done.output
    assert re.search(r"a / b .*<= 1.05 +missed", done.output)
    assert re.search(r"b / a .*>= 2 +ok", done.output)
    assert [row["ok"] for row in json.loads((tmp_path / "rows.json").read_text())["rows"]] == [False, True]


@pytest.mark.parametrize(
    "args",
    [
        ("train", "networks/xor.blur", "--data", "xor", "--batch", "1000000000000"),
        ("train", "networks/xor.blur", "--data", "xor", "--batch", "2000000000"),
        ("compile", "networks/xor.blur", "--batch", "9" * 5000),
        ("compile", "networks/xor.blur", "--set", "hidden=" + "9" * 5000),
        ("compile", "networks/xor.blur", "--set", "hidden=1e300"),
        ("eval", "genomes/swift.yaml", "--network", "networks/xor.blur", "--steps", "9" * 5000),
    ],
)
def test_numbers_without_measure_are_no_traceback(args: tuple[str, ...]) -> None:
    done = blurc(*args)
    assert done.exit_code in (1, 2)
    assert isinstance(done.exception, SystemExit)
