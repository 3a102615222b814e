"""What only shows after a while or beside others: memory that grows, processes, devices, threads, other precisions.

pytest -m soak tests/soak/test_long.py
"""

from __future__ import annotations

import gc
import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np
import pytest
from soak.targets import ROOT

import blurc

pytestmark = pytest.mark.soak

NETWORKS = ["networks/xor.blur", "networks/digits_residual.blur", "networks/elman.blur"]
COMPILES = 200
GROWTH = 40 * 2**20  # bytes that the allocator may hold back; one leaked program has more than a tenth of this


def resident() -> int:
    """Bytes of memory that this process has now."""
    with open("/proc/self/statm", encoding="ascii") as numbers:
        return int(numbers.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def started(net: blurc.Net, batch: int) -> tuple[Any, Any]:
    """Its genome and state, drawn in the precision that JAX has now."""
    genome = net.init_genome(jax.random.key(0))
    return genome, net.init(jax.random.key(1), genome, batch=batch)


def trained(name: str, dtype: Any = np.float32, start: Any = None, steps: int = 3, batch: int = 4) -> Any:
    """State and outputs after some steps on random data."""
    net = blurc.compile(name)
    genome, state = start or started(net, batch)
    rng = np.random.default_rng(0)
    (x,), (y,) = net.signature.inputs.values(), net.signature.outputs.values()
    xs = rng.integers(0, 8, (steps, batch, *x)).astype(dtype) / 8  # exact in every precision
    ys = rng.integers(0, 2, (steps, batch, *y)).astype(dtype)
    state, outs = net.train(genome, state, xs, ys)
    return jax.tree.map(np.asarray, (state, outs))


def digest(tree: Any) -> str:
    whole = hashlib.sha256()
    for leaf in jax.tree.leaves(tree):
        whole.update(str((leaf.dtype, leaf.shape)).encode() + np.ascontiguousarray(leaf).tobytes())
    return whole.hexdigest()


def test_memory_does_not_grow_with_the_number_of_compiled_networks():
    sizes: list[int] = []
    for count in range(COMPILES):
        net = blurc.compile("networks/xor.blur", rate=0.1 + count / 1000)
        genome = net.init_genome(jax.random.key(0))
        net.step(genome, net.init(jax.random.key(1), genome), np.zeros((4, 2)), np.zeros((4, 2)))
        del net, genome
        gc.collect()
        sizes.append(resident())
    assert sizes[-1] - sizes[COMPILES // 4] < GROWTH, sizes[:: COMPILES // 10]


@pytest.mark.parametrize("name", NETWORKS)
def test_two_processes_give_the_same_bits(name: str):
    program = f"from soak.test_long import *; print(digest(trained({name!r})))"
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            check=True, capture_output=True, text=True, cwd=ROOT / "tests",
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(found) == 1


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_data_of_another_precision_mean_their_values(name: str, dtype: Any):
    assert digest(trained(name, dtype)) == digest(trained(name))


@pytest.mark.parametrize("name", NETWORKS)
def test_doubles_agree_with_single_precision(name: str):
    start = started(blurc.compile(name), batch=4)
    single = trained(name, start=start)
    with jax.enable_x64(True):
        wide = jax.tree.map(lambda a: np.asarray(a, np.float64 if a.dtype == np.float32 else a.dtype), start)
        double = trained(name, np.float64, wide)
    for a, b in zip(jax.tree.leaves(single), jax.tree.leaves(double), strict=True):
        assert (a.dtype == np.float32) == (b.dtype == np.float64)
        assert np.max(np.abs(a - b), initial=0) <= 1e-4 * max(1, np.max(np.abs(b), initial=0))


def test_every_device_gives_the_same_bits():
    program = (
        "from soak.test_long import *\n"
        "assert jax.device_count() == 8\n"
        "for device in jax.devices():\n"
        "    with jax.default_device(device):\n"
        f"        print(*(digest(trained(name)) for name in {NETWORKS!r}))\n"
    )
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=8"
    found = subprocess.run(
        [sys.executable, "-c", program],
        check=True, capture_output=True, text=True, cwd=ROOT / "tests",
        env={**os.environ, "XLA_FLAGS": flags, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
    ).stdout.splitlines()  # fmt: skip
    assert len(found) == 8
    assert len({*found}) == 1


def test_threads_do_not_disturb_each_other():
    alone = {name: digest(trained(name)) for name in NETWORKS}
    with ThreadPoolExecutor(8) as pool:
        beside = [*pool.map(lambda name: (name, digest(trained(name))), NETWORKS * 8)]
    assert all(found == alone[name] for name, found in beside)
