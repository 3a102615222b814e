"""One network over many devices: the same numbers, and no device has all of what is divided."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import jax
import numpy as np
import pytest
from click.testing import CliRunner
from jax.sharding import Mesh

import blurc
from blurc.cli import cli
from blurc.cli.shared import compile_cache
from blurc.diagnostics import BlurError
from blurc.plan import split

NETWORKS = {
    "dense": "input x[24]  hidden h[40]  output y[6]  x -> h -> y",
    "ids": "input x ids 64  hidden h[40]  output y[6]  x -> h -> y",
    "sparse": "input x[24]  hidden h[36]  output y[6]  x -> h [sparse(fan_in = 5, form = segments)]  h -> y",
}
WHOLE = {
    "dense": ["24,40", "40,24", "40,6", "6,40"],
    "ids": ["64,40", "40,64", "40,6", "6,40"],
    "sparse": ["180", "36,6"],
}
ON_EIGHT = """
import json, sys, jax, jax.numpy as jnp, numpy as np, blurc
from blurc.cli import cli
from blurc.cli.shared.progress import Lines
found = {}
for name, wiring in json.loads(sys.argv[1]).items():
    net = blurc.compile('import "rules/backprop.blur"  network n uses backprop { ' + wiring + " }")
    keys = jax.random.split(jax.random.key(0), 4)
    genome = net.init_genome(keys[0])
    state = net.init(keys[1], genome, batch=16)
    xs = jax.random.randint(keys[2], (3, 16), 0, 64) if name == "ids" else jax.random.normal(keys[2], (3, 16, 24))
    ys = jax.nn.one_hot(jax.random.randint(keys[3], (3, 16), 0, 6), 6)
    places = net.sharding(jax.make_mesh((4, 2), ("data", "model")))
    given = jax.device_put((genome, state, xs, ys), (places.genome, places.state, places.xs, places.ys))
    train = jax.jit(net.train)
    one, many = train(genome, state, xs, ys), train(*given)
    far = [float(abs(a - np.asarray(b)).max()) for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(many))]
    ends = zip(jax.tree.leaves(many[0].synapses), jax.tree.leaves(places.state.synapses))
    stays = all(a.sharding.is_equivalent_to(place, a.ndim) for a, place in ends)
    found[name] = [max(far), stays, str(places), train.lower(*given).compile().as_text()]

def stop(self, name, point):
    if point.step == 3:
        raise KeyboardInterrupt

command, kept = sys.argv[2:], ["--checkpoint", "c.npz"]
cli.main(command, standalone_mode=False)
show, Lines.point = Lines.point, stop
assert cli.main([*command, *kept], standalone_mode=False) == 130
Lines.point = show
cli.main([*command, *kept, "--resume", "--save", "resumed.npz"], standalone_mode=False)
print(json.dumps(found))
"""


BACKPROP = 'import "rules/backprop.blur"  network n uses backprop { '
TRAIN = ["train", "n.blur", "--no-baselines", "--steps", "5", "--json", "-", "--save"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sharding")
    (folder / "n.blur").write_text(BACKPROP + "input x[64]  hidden h[32]  output y[10] { phi = linear }  x -> h -> y }")
    return folder


@pytest.fixture(scope="module")
def on_eight(folder: Path) -> dict[str, Any]:
    """Of each network: how far numbers differ, whether synapses stay where they were, the division, the program. Also
    trains that of the folder by the command, in one go and with an interruption."""
    devices = f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count=8"
    environment = {**os.environ, "XLA_FLAGS": devices, "JAX_PLATFORMS": "cpu", **compile_cache.THRESHOLDS}
    environment[compile_cache.FOLDER] = str(folder / "programs")  # of the first of these three commands
    command = [sys.executable, "-c", ON_EIGHT, json.dumps(NETWORKS), *TRAIN, "many.npz", "--shard", "data=4,model=2"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", NETWORKS)
def test_many_devices_compute_what_one_does(on_eight: dict[str, Any], name: str) -> None:
    far, stays, division, program = on_eight[name]
    assert far < 1e-6
    assert stays
    assert f"x->h by {'synapses' if name == 'sparse' else 'post'}; h->y by pre" in division
    for shape in WHOLE[name]:
        assert not re.search(rf"f32\[(1,)*{shape}\]", program), f"a device has all of [{shape}]"
    collected = [m[1].split(",") for m in re.finditer(r"= \w+\[([\d,]*)\]\S* all-gather\(", program)]
    assert max(np.prod([*map(int, shape)]) for shape in collected) <= 16 * 40  # of neurons


def test_the_command_trains_a_divided_network(
    on_eight: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    done = CliRunner().invoke(cli, [*TRAIN, "one.npz"])
    assert done.exit_code == 0, done.output
    one, many = (np.load(folder / name) for name in ("one.npz", "many.npz"))
    assert set(one) == set(many) == {"x->h/w", "h->y/w", "unit->h/w", "unit->y/w"}
    for name in one:
        np.testing.assert_allclose(many[name], one[name], atol=1e-6)


@pytest.mark.usefixtures("on_eight")
def test_divided_training_goes_on_to_the_same_bits(folder: Path) -> None:
    whole, resumed = (np.load(folder / name) for name in ("many.npz", "resumed.npz"))
    assert {name: whole[name].tobytes() for name in whole} == {name: resumed[name].tobytes() for name in resumed}


@pytest.mark.parametrize(
    ("shard", "status", "said"),
    [
        ("data=3", 1, "a batch of 32 cannot be divided by 3"),
        ("model=64", 1, "64 devices are needed to divide the network like this, and 1 can be seen"),
        ("rows=2", 2, "'rows=2': write into how many parts, such as data=4,model=2"),
        ("data=2,data=2", 2, "write into how many parts"),
        ("data=0", 2, "write into how many parts"),
    ],
)
def test_divisions_that_cannot_be(
    shard: str, status: int, said: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    done = CliRunner().invoke(cli, ["train", "n.blur", "--no-baselines", "--shard", shard])
    assert (done.exit_code, said in " ".join(done.stderr.split())) == (status, True)


def planned(wiring: str, rule: str = "backprop") -> Any:
    return blurc.compile(f'import "rules/{rule}.blur"  network n uses {rule} {{ {wiring} }}').plan


@pytest.mark.parametrize(
    ("sizes", "division"),
    [
        # Nothing goes back to inputs, so the first layer sends nothing; the second adds 8 numbers on all devices.
        ((16, 64, 8), "x->h by post; h->y by pre; unit->h by post; unit->y by post; 16 numbers"),
        # Sizes that cannot be divided by 4 leave the other axis, or none.
        ((15, 64, 10), "x->h by post; h->y by pre; unit->h by post; unit->y whole; 20 numbers"),
        ((16, 7, 8), "x->h by pre; h->y by post; unit->h whole; unit->y by post; "),
        ((15, 7, 9), "x->h whole; h->y whole; unit->h whole; unit->y whole; 0 numbers"),
    ],
)
def test_what_sends_least(sizes: tuple[int, int, int], division: str) -> None:
    x, h, y = sizes
    assert str(split(planned(f"input x[{x}]  hidden h[{h}]  output y[{y}]  x -> h -> y"), 4)).startswith(division)


def test_one_to_one_is_divided_with_its_neurons() -> None:
    plan = planned("input x[16]  hidden h[16]  output y[16]  x -> h [one_to_one]  h -> y")
    assert split(plan, 4).axes["x->h"] == "both"


def test_equal_layers_are_divided_alike() -> None:
    layers = " ".join(f"hidden h{i}[32]" for i in range(16))
    plan = planned(f"input x[8] {layers} output y[8] x -> {' -> '.join(f'h{i}' for i in range(16))} -> y")
    assert plan.step.stacks
    axes = split(plan, 4).axes
    assert len({axes[name] for name in plan.step.stacks[0].members}) == 1


def test_on_one_device_nothing_is_sent() -> None:
    plan = planned("input x[16] hidden h[64] output y[10] x -> h -> y")
    net = blurc.compile('import "rules/backprop.blur"  network n uses backprop { input x[3] output y[2] x -> y }')
    mesh = Mesh(np.asarray(jax.devices()[:1]), ("data",))
    assert (split(plan, 1).sent, net.sharding(mesh, model=None).split.sent) == (0, 0)


def test_an_axis_that_the_mesh_lacks() -> None:
    net = blurc.compile('import "rules/backprop.blur"  network n uses backprop { input x[3] output y[2] x -> y }')
    mesh = Mesh(np.asarray(jax.devices()[:1]), ("data",))
    with pytest.raises(BlurError, match=r"E926.*the mesh has no axis `model`: it has data"):
        net.sharding(mesh)
    with pytest.raises(BlurError, match=r"E926.*`data` and `model` are the same axis of the mesh, `data`"):
        net.sharding(mesh, model="data")
    with pytest.raises(TypeError, match="`mesh` must be of the type `Mesh`, found `'data'`"):
        net.sharding(cast("Any", "data"))
