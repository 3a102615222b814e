"""Several writers of one artifact: whoever reads it finds a whole one."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jax
import pytest

import blurc

SPECS = [
    'import "rules/backprop.blur"\n'
    f"network n{size} uses backprop {{ input x[2]  hidden h[{size}]  output y[2]  x -> h  h -> y }}"
    for size in (3, 4)
]
WRITING = """
import sys
from pathlib import Path
from blurc.storage import write_file
data = [Path(name).read_bytes() for name in ("n3.blurx", "n4.blurx")]
print("ready", flush=True)
for i in range(300):
    write_file("shared.blurx", data[i % 2])
"""


@pytest.fixture
def nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[blurc.Net]:
    monkeypatch.chdir(tmp_path)
    return [blurc.compile(text) for text in SPECS]


def test_processes_that_write_one_artifact_leave_a_whole_one_at_every_moment(nets: list[blurc.Net]) -> None:
    for net in nets:
        net.save(f"{net.plan.name}.blurx", platforms=["cpu"])
    Path("shared.blurx").write_bytes(Path("n3.blurx").read_bytes())
    writers = [subprocess.Popen([sys.executable, "-c", WRITING], stdout=subprocess.PIPE) for _ in range(3)]
    for writer in writers:
        assert writer.stdout
        assert writer.stdout.readline() == b"ready\n"
    seen = {blurc.load("shared.blurx").manifest.network}
    while any(writer.poll() is None for writer in writers):
        seen.add(blurc.load("shared.blurx").manifest.network)
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert seen <= {"n3", "n4"}
    assert Path("shared.blurx").read_bytes() in (Path("n3.blurx").read_bytes(), Path("n4.blurx").read_bytes())
    assert sorted(p.name for p in Path().iterdir()) == ["n3.blurx", "n4.blurx", "shared.blurx"]


def test_threads_that_save_at_once_save_what_one_saves(nets: list[blurc.Net]) -> None:
    config: Any = jax.config
    before = config.jax_traceback_in_locations_limit
    for net in nets:
        net.save(f"{net.plan.name}.blurx", platforms=["cpu"])
    with ThreadPoolExecutor(4) as threads:
        done = [threads.submit(nets[i % 2].save, f"{i}.blurx", platforms=["cpu"]) for i in range(4)]
        done += [threads.submit(nets[i % 2].save, "shared.blurx", platforms=["cpu"]) for i in range(2)]
    for one in done:
        one.result()
    for i in range(4):
        assert Path(f"{i}.blurx").read_bytes() == Path(f"{nets[i % 2].plan.name}.blurx").read_bytes()
    assert blurc.load("shared.blurx").manifest.network in ("n3", "n4")
    assert config.jax_traceback_in_locations_limit == before
