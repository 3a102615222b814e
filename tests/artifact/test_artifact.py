"""Artifacts: what is loaded computes what was saved, on any sizes; what is damaged or foreign is refused."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jax import export as jax_export
from numpy.testing import assert_allclose

import blurc
from blurc import genome as genomes
from blurc.artifact import container, export, load, manifest, save
from blurc.artifact.loaded import Loaded
from blurc.model import model_hash, rule_hash

BACKPROP = """
genome backprop(rate = 0.1) {
  state   act, err
  synapse w ~ normal(1 / sqrt(fan_in))
  learn   eta = rate
  fn      phi = tanh
  sense    { act <- input }
  forward  { let z = incoming(w * pre.act); act <- phi(z); err <- phi'(z) }
  feedback { err <- err * (softmax(act) - target) }
  backward { err <- err * outgoing(w * post.err) }
  update   { w <- w - eta * batch_mean(pre.act * post.err) }
  readout  act
}
"""

BLUR = """
genome blur(k = 2) {
  state   a[k]
  synapse w[k] ~ normal(1 / sqrt(fan_in))
  synapse v[k] ~ normal(1 / sqrt(fan_out))
  learn nu[k, k] ~ normal(1), mu[k, k] ~ normal(1), hp[k, k] ~ normal(1), hq[k, k] ~ normal(1)
  learn f = 0.0, eta = 1.0, fs = 1.0, es = -0.001, oja = 0.0
  learn gain[k] = 1.0, shift[k] = 0.0
  fn    phi = tanh
  sense    { a[0] <- input }
  forward  { a <- phi(gain * standardize(f * a + eta * incoming(w * (nu @ pre.a))) + shift) }
  feedback { a[1] <- 2 * target - 1;  a[2:] <- 0 }
  backward { a <- phi(gain * standardize(f * a + eta * outgoing(v * (mu @ post.a))) + shift) }
  update {
    w <- fs * w + es * batch_mean((hp @ pre.a) * (hq @ post.a)) - oja * w * post.incoming(w ^ 2)
    v <- fs * v + es * batch_mean((hp @ post.a) * (hq @ pre.a)) - oja * v * pre.outgoing(v ^ 2)
  }
  readout a[0]
}
"""

# Unsupervised, with a memory, and with a meta-parameter for each projection.
TRACE = """
genome trace {
  state   act, past[2] persistent
  synapse w ~ uniform(-1, 1)
  learn   eta ~ normal(0.1) per projection, decay = 0.5
  sense   { act <- input }
  forward {
    act <- tanh(incoming(w * pre.act) + past[0])
    past <- decay * past + act
  }
  update  { w <- w + eta * batch_mean(pre.act * post.act) }
  readout act
}
"""

# 40 x 3: wide to narrow, where the update on CPU takes another form for large batches than for small ones.
CHAIN = "input x[2, 20]  hidden h[4]  output y[3] { phi = linear }  x -> h  h -> y  x -> y [label = skip]"
TWINS = "input left[3]  input right[2, 2]  hidden h[4]  output up[2]  output down[3]\n"
TWINS += "left -> h  right -> h  h -> up  h -> down"

SPECS = {
    "backprop": f"{BACKPROP} network n uses backprop {{ {CHAIN} }}",
    "blur": f"{BLUR} network n uses blur {{ input x[5]  hidden h[4]  output y[3]  x -> h  h -> y }}",
    "memory": f"{TRACE} network n uses trace {{ input x[3]  hidden h[2, 2]  output y[2]  x -> h  h -> y }}",
    "twins": f"{BACKPROP} network n uses backprop(rate = 0.5) {{ {TWINS} }}",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("artifacts")


@pytest.fixture(scope="module", params=SPECS)
def pair(request: pytest.FixtureRequest, folder: Path) -> tuple[blurc.Net, Loaded]:
    """A network, and what comes out of its artifact."""
    net = blurc.compile(SPECS[request.param])
    net.save(folder / f"{request.param}.blurx")
    return net, load(folder / f"{request.param}.blurx")


@pytest.fixture(scope="module")
def net() -> blurc.Net:
    return blurc.compile(SPECS["backprop"])


@pytest.fixture(scope="module")
def stored(net: blurc.Net, folder: Path) -> Path:
    """The artifact of `net`, with a genome."""
    net.save(folder / "stored.blurx", genome=net.init_genome(jax.random.key(5)))
    return folder / "stored.blurx"


@pytest.fixture(scope="module")
def loaded(stored: Path) -> Loaded:
    return load(stored)


def examples(net: blurc.Net, *leading: int) -> tuple[Any, Any]:
    """Inputs and targets for a network: an array, or a dict of them."""

    def draw(shapes: dict[str, tuple[int, ...]], seed: int) -> Any:
        random = np.random.default_rng(seed)
        drawn = {name: random.normal(size=(*leading, *shape)).astype("float32") for name, shape in shapes.items()}
        return next(iter(drawn.values())) if len(drawn) == 1 else drawn

    return draw(net.signature.inputs, 1), draw(net.signature.outputs, 2)


def started(net: blurc.Net, batch: int) -> tuple[Any, Any]:
    key = jax.random.key(0)
    genome = net.init_genome(key)
    return genome, net.init(key, genome, batch)


def assert_same(found: Any, expected: Any) -> None:
    """Equal trees of arrays, up to the order of sums."""
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert a.dtype == b.dtype
        assert_allclose(a, b, rtol=2e-5, atol=1e-6)


def code(call: Callable[[], Any]) -> str:
    with pytest.raises(blurc.BlurError) as caught:
        call()
    (diagnostic,) = caught.value.diagnostics
    return diagnostic.code


# ----------------------------------------------------------- the same program


def test_a_loaded_network_draws_the_same_genome_and_state(pair: tuple[blurc.Net, Loaded]):
    net, loaded = pair
    key = jax.random.key(3)
    genome = net.init_genome(key)
    assert_same(loaded.init_genome(key), genome)
    assert_same(loaded.init(key, genome, 5), net.init(key, genome, 5))


@pytest.mark.parametrize("batch", [1, 150])
def test_a_loaded_network_steps_alike_for_any_batch(pair: tuple[blurc.Net, Loaded], batch: int):
    net, loaded = pair
    genome, state = started(net, batch)
    x, y = examples(net, batch)
    assert_same(loaded.step(genome, state, x, y), net.step(genome, state, x, y))


def test_a_loaded_network_predicts_and_trains_alike(pair: tuple[blurc.Net, Loaded]):
    net, loaded = pair
    genome, state = started(net, 4)
    xs, ys = examples(net, 6, 4)
    assert_same(loaded.train(genome, state, xs, ys), net.train(genome, state, xs, ys))
    x, _ = examples(net, 4)
    assert_same(loaded.predict(genome, state, x), net.predict(genome, state, x))


@pytest.mark.parametrize("steps", [1, 50])
def test_a_loaded_network_trains_alike_for_any_number_of_steps(net: blurc.Net, loaded: Loaded, steps: int):
    genome, state = started(net, 2)
    xs, ys = examples(net, steps, 2)
    assert_same(loaded.train(genome, state, xs, ys), net.train(genome, state, xs, ys))


def test_a_raw_key_draws_like_a_typed_one(loaded: Loaded):
    assert_same(loaded.init_genome(jax.random.PRNGKey(4)), loaded.init_genome(jax.random.key(4)))


NO_KEYS: dict[str, Callable[[], Any]] = {
    "a seed": lambda: 3,
    "another kind": lambda: jax.random.key(0, impl="rbg"),
    "several": lambda: jax.random.split(jax.random.key(0)),
    "floats": lambda: jnp.ones(2),
}


@pytest.mark.parametrize("what", NO_KEYS)
def test_what_is_no_threefry_key_is_refused(loaded: Loaded, what: str):
    assert code(lambda: loaded.init_genome(NO_KEYS[what]())) == "E712"


def test_a_second_call_does_not_compile_again(net: blurc.Net, loaded: Loaded):
    genome, state = started(net, 3)
    x, y = examples(net, 3)
    loaded.step(genome, state, x, y)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jax_export.Exported, "call", None)  # tracing would need it
        loaded.step(genome, state, x, y)


def test_loaded_calls_compose_with_jit_and_scan(net: blurc.Net, loaded: Loaded):
    genome, state = started(net, 4)
    xs, ys = examples(net, 5, 4)

    @jax.jit
    def train(state: Any) -> Any:
        return jax.lax.scan(lambda s, xy: loaded.step(genome, s, *xy), state, (xs, ys))

    assert_same(train(state), net.train(genome, state, xs, ys))


def test_loaded_calls_compose_with_vmap(net: blurc.Net, loaded: Loaded):
    _, state = started(net, 4)
    x, y = examples(net, 4)
    rates = jnp.array([0.1, 0.2, 0.4])
    found = jax.vmap(lambda eta: loaded.step({"eta": eta}, state, x, y))(rates)
    assert_same(found, jax.vmap(lambda eta: net.step({"eta": eta}, state, x, y))(rates))


def test_a_derivative_is_refused_with_a_diagnostic(net: blurc.Net, loaded: Loaded):
    _, state = started(net, 4)
    x, y = examples(net, 4)
    assert code(lambda: jax.grad(lambda eta: loaded.step({"eta": eta}, state, x, y)[1].sum())(0.1)) == "E716"


def test_donating_gives_the_memory_of_the_state_away(net: blurc.Net, loaded: Loaded):
    genome, state = started(net, 4)
    xs, ys = examples(net, 5, 4)
    expected = net.train(genome, state, xs, ys)
    assert not state.synapses["skip"]["w"].is_deleted()
    assert_same(loaded.train(genome, state, xs, ys, donate=True), expected)
    assert state.synapses["skip"]["w"].is_deleted()


def test_callers_are_checked_as_by_the_compiled_network(net: blurc.Net, loaded: Loaded):
    genome, state = started(net, 4)
    x, y = examples(net, 4)
    assert code(lambda: loaded.step(genome, state, x[:, :1], y)) == "E901"
    assert code(lambda: loaded.step({"etta": 1.0}, state, x, y)) == "E902"
    assert code(lambda: loaded.step(genome, state._replace(synapses={}), x, y)) == "E904"


def test_no_examples_and_no_steps_are_refused(net: blurc.Net, loaded: Loaded):
    genome, state = started(net, 4)
    xs, ys = examples(net, 5, 4)
    assert code(lambda: loaded.train(genome, state, xs[:0], ys[:0])) == "E717"
    assert code(lambda: loaded.predict(genome, state, xs[0, :0])) == "E717"


def test_a_memory_of_another_batch_size_is_refused(folder: Path):
    net = blurc.compile(SPECS["memory"])
    net.save(folder / "memory.blurx", platforms=["cpu"])
    loaded = load(folder / "memory.blurx")
    genome, state = started(net, 4)
    assert code(lambda: loaded.init(jax.random.key(0), genome)) == "E903"
    assert code(lambda: loaded.step(genome, state, examples(net, 5)[0])) == "E904"


# ------------------------------------------------------------- what is inside


def test_the_genome_comes_back_bit_by_bit(loaded: Loaded, net: blurc.Net):
    assert loaded.genome is not None
    assert loaded.genome["eta"] == net.init_genome(jax.random.key(5))["eta"]


def test_an_artifact_may_hold_no_genome(pair: tuple[blurc.Net, Loaded]):
    assert pair[1].genome is None


PER_SYNAPSE = """
genome scaled {
  state   act
  synapse w ~ normal(1)
  learn   a = 0.5 per synapse, b[2, 2] = 0.25 per synapse
  sense   { act <- input }
  forward { act <- incoming(a * b[0, 1] * w * pre.act) }
  update  { w <- w + 0.1 * batch_mean(pre.act * post.act) }
  readout act
}
network n uses scaled {
  input x[4]  hidden h[2, 2, 2, 2] { bias = shared }  input z[3, 3, 3, 1]  output y[2]
  z -> h [conv(2, 2, 2, padding = valid)]  h -> y  x -> y [sparse(p = 0.0001, seed = 1)]
}
"""


def test_meta_parameters_of_no_synapses_and_of_many_axes_come_back(folder: Path):
    net = blurc.compile(PER_SYNAPSE)
    genome = net.init_genome(jax.random.key(0))
    assert 0 in genome["a"]["x->y"].shape
    assert genome["b"]["z->h"].ndim == 7
    net.save(folder / "synapses.blurx", genome=genome, platforms=["cpu"])
    kept = load(folder / "synapses.blurx").genome
    assert kept is not None
    assert_same(kept, genome)
    net.signature.check_genome(kept)


def test_a_genome_file_keeps_its_name_and_history(net: blurc.Net, folder: Path):
    mine = genomes.describe(net, net.init_genome(jax.random.key(0)), name="mine", found={"by": "hand"})
    net.save(folder / "named.blurx", genome=mine, platforms=["cpu"])
    kept = load(folder / "named.blurx").genome_file
    assert kept is not None
    assert (kept.name, kept.found, kept.hash) == ("mine", {"by": "hand"}, rule_hash(net.model.genome))


def test_the_sources_come_back(loaded: Loaded):
    assert loaded.sources == (("<text>", SPECS["backprop"]),)


def test_imports_are_kept_without_the_folders_of_the_machine(folder: Path):
    (folder / "rule.blur").write_text(BACKPROP)
    (folder / "net.blur").write_text(f'import "rule.blur"\nnetwork n uses backprop {{ {CHAIN} }}\n')
    blurc.compile(folder / "net.blur").save(folder / "net.blurx", platforms=["cpu"])
    assert [name for name, _ in load(folder / "net.blurx").sources] == ["net.blur", "rule.blur"]
    for name, data in members(folder / "net.blurx").items():
        for private in (str(folder), str(Path(blurc.__file__).parent), str(Path(__file__).parent)):
            assert private.encode() not in data, name


def test_the_hashes_are_those_of_what_the_model_means(net: blurc.Net, loaded: Loaded):
    m = loaded.manifest
    assert (m.model_hash, m.rule_hash) == (model_hash(net.model), rule_hash(net.model.genome))


def test_a_loaded_network_knows_how_far_its_rule_sees(pair: tuple[blurc.Net, Loaded]):
    net, loaded = pair
    assert loaded.locality == net.locality


def test_the_manifest_comes_back_as_it_was(loaded: Loaded):
    assert manifest.parse(loaded.manifest.to_json()) == loaded.manifest


def test_the_same_network_gives_the_same_bytes(net: blurc.Net, folder: Path, stored: Path):
    net.save(folder / "again.blurx", genome=net.init_genome(jax.random.key(5)))
    assert (folder / "again.blurx").read_bytes() == stored.read_bytes()


@pytest.mark.slow
def test_another_process_gives_the_same_bytes(folder: Path):
    blurc.compile(SPECS["twins"]).save(folder / "here.blurx")
    program = f"import blurc; blurc.compile({SPECS['twins']!r}).save({str(folder / 'there.blurx')!r})"
    subprocess.run([sys.executable, "-c", program], check=True, env={**os.environ, "PYTHONHASHSEED": "7"})
    assert (folder / "here.blurx").read_bytes() == (folder / "there.blurx").read_bytes()


def test_saving_leaves_the_settings_of_jax_alone(net: blurc.Net, folder: Path):
    before = jax.config.jax_traceback_in_locations_limit
    net.save(folder / "again.blurx", platforms=["cpu"])
    assert jax.config.jax_traceback_in_locations_limit == before


NO_COMPILER = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("lark", "networkx"):
            raise ImportError(f"{name} is not to be imported")

sys.meta_path.insert(0, Refuse())
import jax, numpy as np, blurc

net = blurc.load(sys.argv[1])
genome = net.genome
state = net.init(jax.random.key(0), genome)
state, out = net.train(genome, state, np.ones((2, 3, 40)), np.ones((2, 3, 3)))
print(float(out.sum()), "blurc.language.parse" in sys.modules)
"""


def test_an_artifact_runs_where_lark_and_networkx_cannot_be_imported(net: blurc.Net, loaded: Loaded, stored: Path):
    ran = subprocess.run([sys.executable, "-c", NO_COMPILER, str(stored)], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    genome = loaded.genome
    _, out = net.train(genome, net.init(jax.random.key(0), genome), np.ones((2, 3, 40)), np.ones((2, 3, 3)))
    total, parsed = ran.stdout.split()
    assert parsed == "False"
    assert_allclose(float(total), float(out.sum()), rtol=1e-5)


# ------------------------------------------------------------------ platforms


@pytest.mark.parametrize("entry", ["init_genome", "init", "step", "predict", "train"])
def test_the_stablehlo_for_each_platform_is_there(stored: Path, entry: str):
    exported = jax_export.deserialize(bytearray(members(stored)[manifest.stablehlo(entry)]))
    assert exported.platforms == ("cpu", "cuda", "tpu")
    assert "stablehlo" in exported.mlir_module()


@pytest.mark.parametrize("platform", ["cpu", "cuda", "tpu"])
def test_a_loaded_step_lowers_to_each_platform(net: blurc.Net, loaded: Loaded, platform: str):
    genome, state = started(net, 4)
    x, y = examples(net, 4)
    traced = jax.jit(loaded.step).trace(genome, state, x, y)
    assert "stablehlo.dot_general" in traced.lower(lowering_platforms=(platform,)).as_text()


@pytest.mark.parametrize("batch", [4, 150])
def test_what_hangs_on_platform_and_batch_is_decided_before_it_runs(net: blurc.Net, loaded: Loaded, batch: int):
    genome, state = started(net, batch)
    x, y = examples(net, batch)
    lowered = jax.jit(loaded.step).lower(genome, state, x, y)
    assert "stablehlo.case" in lowered.as_text()
    assert "conditional(" not in lowered.compile().as_text()


def test_an_artifact_for_other_platforms_is_refused(net: blurc.Net, folder: Path):
    net.save(folder / "other.blurx", platforms=["cpu" if jax.default_backend() == "tpu" else "tpu"])
    assert code(lambda: load(folder / "other.blurx")) == "E710"


UNKNOWN_PLATFORMS = [
    (["gpu"], "did you mean `cuda`"),
    ("cdua", "did you mean `cuda`"),
    (["abacus"], "cpu, cuda"),
    ([], "at least one platform"),
]


@pytest.mark.parametrize(("platforms", "expected"), UNKNOWN_PLATFORMS)
def test_an_unknown_platform_is_refused(net: blurc.Net, folder: Path, platforms: Any, expected: str):
    with pytest.raises(blurc.BlurError, match=f"E715(.|\n)*{expected}"):
        net.save(folder / "none.blurx", platforms=platforms)
    assert not (folder / "none.blurx").exists()


# ------------------------------------------------------------------ precision


def test_an_artifact_computes_in_the_precision_it_was_saved_in(folder: Path):
    with jax.enable_x64(True):
        net = blurc.compile(SPECS["backprop"])
        genome = net.init_genome(jax.random.key(0))
        net.save(folder / "double.blurx", genome=genome, platforms=["cpu"])
        loaded = load(folder / "double.blurx")
        state = loaded.init(jax.random.key(0), loaded.genome)
        assert_same(state, net.init(jax.random.key(0), genome))
        assert state.synapses["skip"]["w"].dtype == "float64"
    with pytest.raises(blurc.BlurError, match=r"E711(.|\n)*jax_enable_x64"):
        loaded.init(jax.random.key(0), loaded.genome)


def test_a_float32_artifact_is_refused_in_x64_mode(loaded: Loaded):
    with jax.enable_x64(True):
        assert code(lambda: loaded.init_genome(jax.random.key(0))) == "E711"


# --------------------------------------------------------------------- saving


@pytest.mark.parametrize("path", ["no/such/folder/n.blurx", ""])
def test_an_artifact_that_cannot_be_written_is_a_diagnostic(net: blurc.Net, folder: Path, path: str):
    assert code(lambda: net.save(folder / path, platforms=["cpu"])) == "E714"


def test_a_save_that_fails_leaves_the_old_file_and_nothing_else(
    net: blurc.Net, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "n.blurx"
    path.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert code(lambda: net.save(path, platforms=["cpu"])) == "E714"
    assert [p.name for p in tmp_path.iterdir()] == ["n.blurx"]
    assert path.read_bytes() == b"old"


def test_a_genome_of_another_rule_is_not_saved(net: blurc.Net, folder: Path):
    assert code(lambda: save(net, folder / "none.blurx", genome={"nu": np.ones((2, 2))})) == "E902"


def test_a_genome_that_is_not_finite_is_not_saved(net: blurc.Net, folder: Path):
    assert code(lambda: save(net, folder / "none.blurx", genome={"eta": np.nan})) == "E609"


# ------------------------------------------------------------------- refusals


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def zipped(pairs: list[tuple[str, bytes]]) -> bytes:
    """A zip with these members, whatever their names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in pairs:
            info = zipfile.ZipInfo("x")
            info.filename, info.compress_type = name, zipfile.ZIP_DEFLATED
            file.writestr(info, data)
    return buffer.getvalue()


def relisted(parts: dict[str, bytes]) -> dict[str, bytes]:
    """With a manifest whose hashes are right again: what somebody would do who means harm."""
    tree = json.loads(parts[manifest.MEMBER])
    tree["members"] = {
        name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in parts.items()
        if name != manifest.MEMBER
    }
    return parts | {manifest.MEMBER: json.dumps(tree).encode()}


def edited(parts: dict[str, bytes], **changes: Any) -> dict[str, bytes]:
    tree = json.loads(parts[manifest.MEMBER])
    return parts | {manifest.MEMBER: json.dumps(tree | changes).encode()}


def without(parts: dict[str, bytes], name: str) -> dict[str, bytes]:
    return {n: data for n, data in parts.items() if n != name}


STEP = manifest.stablehlo("step")
GENOME = b"{name: a, rule: b, values: {%s}}"
Parts = dict[str, bytes]

DAMAGED_ZIPS: dict[str, tuple[str, Callable[[bytes, Parts], bytes]]] = {
    "empty": ("E702", lambda whole, parts: b""),
    "no zip": ("E702", lambda whole, parts: b"genome backprop { }"),
    "cut short": ("E702", lambda whole, parts: whole[: len(whole) // 2]),
    "a byte changed": ("E702", lambda whole, parts: whole[:300] + bytes([whole[300] ^ 1]) + whole[301:]),
    "up and out": ("E703", lambda whole, parts: zipped([*parts.items(), ("../evil.py", b"")])),
    "up inside": ("E703", lambda whole, parts: zipped([*parts.items(), ("a/../../evil.py", b"")])),
    "absolute": ("E703", lambda whole, parts: zipped([*parts.items(), ("/tmp/evil.py", b"")])),
    "backslash": ("E703", lambda whole, parts: zipped([*parts.items(), ("..\\evil.py", b"")])),
    "drive": ("E703", lambda whole, parts: zipped([*parts.items(), ("C:evil.py", b"")])),
    "hidden": ("E703", lambda whole, parts: zipped([*parts.items(), (".bashrc", b"")])),
    "a folder": ("E703", lambda whole, parts: zipped([*parts.items(), ("sources/", b"")])),
    "encrypted": ("E703", lambda whole, parts: encrypted(zipped([*parts.items()]))),
    "bomb": ("E704", lambda whole, parts: zipped([*parts.items(), ("bomb", bytes(64 * 2**20))])),
}

DAMAGED_CONTENT: dict[str, tuple[str, Callable[[Parts], Parts]]] = {
    "no manifest": ("E705", lambda parts: without(parts, manifest.MEMBER)),
    "a member missing": ("E705", lambda parts: without(parts, STEP)),
    "a source missing": ("E705", lambda parts: relisted(without(parts, "sources/00-text.blur"))),
    "an entry missing": ("E705", lambda parts: relisted(without(parts, STEP))),
    "a member too many": ("E705", lambda parts: parts | {"extra.txt": b"hello"}),
    "a listed member too many": ("E705", lambda parts: relisted(parts | {"extra.txt": b"hello"})),
    "a genome smuggled in": ("E705", lambda parts: unlisted_genome(parts)),
    "another checksum": ("E706", lambda parts: parts | {"sources/00-text.blur": b"genome"}),
    "a future format": ("E707", lambda parts: edited(parts, version=manifest.VERSION + 1)),
    "a format of another type": ("E707", lambda parts: edited(parts, version=[1])),
    "a foreign format": ("E708", lambda parts: edited(parts, format="zip")),
    "no JSON": ("E708", lambda parts: parts | {manifest.MEMBER: b"{"}),
    "JSON, but a list": ("E708", lambda parts: parts | {manifest.MEMBER: b"[]"}),
    "deep JSON": ("E708", lambda parts: parts | {manifest.MEMBER: b"[" * 100_000}),
    "bytes": ("E708", lambda parts: parts | {manifest.MEMBER: b"\xff\x00"}),
    "a key too many": ("E708", lambda parts: edited(parts, extra=1)),
    "a wrong type": ("E708", lambda parts: edited(parts, platforms="cpu")),
    "true as a version": ("E707", lambda parts: edited(parts, version=True)),
    "a foreign dtype": ("E708", lambda parts: edited(parts, dtype="float16")),
    "another precision": ("E708", lambda parts: edited(parts, dtype="float64")),
    "other entries": ("E708", lambda parts: edited(parts, entries={})),
    "other platforms": ("E709", lambda parts: edited(parts, platforms=["cpu"])),
    "no module": ("E709", lambda parts: relisted(parts | {STEP: b"not StableHLO"})),
    "an empty module": ("E709", lambda parts: relisted(parts | {STEP: b""})),
    "half a module": ("E709", lambda parts: relisted(parts | {STEP: parts[STEP][: len(parts[STEP]) // 2]})),
    "a module exchanged": ("E709", lambda parts: relisted(parts | {STEP: parts[manifest.stablehlo("init")]})),
    "a spoilt genome": ("E608", lambda parts: relisted(parts | {manifest.GENOME: GENOME % b"eta: x"})),
    "a foreign genome": ("E902", lambda parts: relisted(parts | {manifest.GENOME: GENOME % b"mu: 1"})),
}


def encrypted(data: bytes) -> bytes:
    """With the flag that says so set in the first entry of the central directory."""
    at = data.index(b"PK\x01\x02") + 8
    return data[:at] + bytes([data[at] | 1]) + data[at + 1 :]


def unlisted_genome(parts: Parts) -> Parts:
    tree = json.loads(parts[manifest.MEMBER])
    del tree["members"][manifest.GENOME]
    return parts | {manifest.MEMBER: json.dumps(tree).encode()}


@pytest.fixture
def untouched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Nothing may appear in the folder besides the artifact, and nothing may be called."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(jax_export.Exported, "call", None)
    yield tmp_path
    assert [p.name for p in tmp_path.iterdir()] == ["bad.blurx"]


@pytest.mark.parametrize("how", DAMAGED_ZIPS)
def test_a_damaged_or_unsafe_zip_is_refused(untouched: Path, stored: Path, how: str):
    expected, damage = DAMAGED_ZIPS[how]
    (untouched / "bad.blurx").write_bytes(damage(stored.read_bytes(), members(stored)))
    assert code(lambda: load(untouched / "bad.blurx")) == expected


@pytest.mark.parametrize("how", DAMAGED_CONTENT)
def test_wrong_content_is_refused(untouched: Path, stored: Path, how: str):
    expected, damage = DAMAGED_CONTENT[how]
    (untouched / "bad.blurx").write_bytes(container.pack(damage(members(stored))))
    assert code(lambda: load(untouched / "bad.blurx")) == expected


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_twice_is_refused(untouched: Path, stored: Path):
    (untouched / "bad.blurx").write_bytes(zipped([*members(stored).items(), (STEP, b"")]))
    assert code(lambda: load(untouched / "bad.blurx")) == "E703"


@pytest.mark.parametrize("limit", ["FILE_LIMIT", "UNPACKED_LIMIT"])
def test_an_oversized_artifact_is_refused(untouched: Path, stored: Path, limit: str, monkeypatch: pytest.MonkeyPatch):
    (untouched / "bad.blurx").write_bytes(stored.read_bytes())
    monkeypatch.setattr(container, limit, 2000)
    assert code(lambda: load(untouched / "bad.blurx")) == "E704"


def test_a_member_larger_than_it_says_is_refused(untouched: Path):
    data = bytearray(zipped([("manifest.json", b"x" * 1000)]))
    at = data.index(b"PK\x01\x02") + 24  # the unpacked size, in the central directory
    data[at : at + 4] = (10).to_bytes(4, "little")
    (untouched / "bad.blurx").write_bytes(data)
    assert code(lambda: load(untouched / "bad.blurx")) == "E702"


@pytest.mark.parametrize("path", ["none.blurx", ".", "a\0b"])
def test_a_file_that_cannot_be_read_is_a_diagnostic(tmp_path: Path, path: str):
    assert code(lambda: load(tmp_path / path)) == "E701"


def test_a_module_that_leaves_stablehlo_is_refused(net: blurc.Net, untouched: Path):
    """Well-formed in all, but its `predict` calls a function of jaxlib."""
    path = untouched / "bad.blurx"
    net.save(path, platforms=["cpu"])
    point = load(path).manifest.entries["predict"]

    def predict(*arrays: Any) -> Any:
        x = arrays[-1]
        return (jnp.zeros((x.shape[0], 3), x.dtype) + jnp.linalg.cholesky(jnp.eye(2) * x[0, 0])[0, 0],)

    module = jax_export.export(jax.jit(predict), platforms=["cpu"])(*export.avals(point.arguments))
    evil = {manifest.stablehlo("predict"): bytes(module.serialize())}
    path.write_bytes(container.pack(relisted(members(path) | evil)))
    with pytest.raises(blurc.BlurError, match=r"E709.*it calls lapack"):
        load(path)


def test_a_module_of_a_newer_jax_is_refused(untouched: Path, stored: Path, monkeypatch: pytest.MonkeyPatch):
    def newer(*_: object) -> None:
        raise ValueError("cannot deserialize version 99")

    (untouched / "bad.blurx").write_bytes(stored.read_bytes())
    monkeypatch.setattr(jax_export, "deserialize", newer)
    with pytest.raises(blurc.BlurError, match=r"E709(.|\n)*version 99(.|\n)*written with jax"):
        load(untouched / "bad.blurx")


def problems(path: Path) -> list[str]:
    """The codes of the diagnostics that loading gives; none where it goes well."""
    try:
        load(path)
    except blurc.BlurError as error:
        return [d.code for d in error.diagnostics]
    return []


ODD = st.sampled_from([None, True, -1, 0, 1.5, "", "cpu", "../x", [], {}, [[]], {"a": 1}, 10**30, "x" * 50])


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_manifest_with_any_part_replaced_loads_or_is_refused(stored: Path, tmp_path: Path, data: st.DataObject):
    """It loads, or is refused."""
    parts = members(stored)
    tree = json.loads(parts[manifest.MEMBER])
    node: Any = tree
    while True:
        key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else list(range(len(node)))))
        if not node[key] or not isinstance(node[key], dict | list) or data.draw(st.booleans()):
            break
        node = node[key]
    node[key] = data.draw(ODD)
    (tmp_path / "odd.blurx").write_bytes(container.pack(parts | {manifest.MEMBER: json.dumps(tree).encode()}))
    assert all(code.startswith("E7") for code in problems(tmp_path / "odd.blurx"))


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_artifact_with_any_bytes_changed_loads_or_is_refused(stored: Path, tmp_path: Path, data: st.DataObject):
    """It loads, or is refused."""
    whole = bytearray(stored.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.just(len(whole)) | st.integers(0, len(whole)))
    (tmp_path / "odd.blurx").write_bytes(whole[:cut])
    assert all(code.startswith("E7") for code in problems(tmp_path / "odd.blurx"))
