"""What test files share."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import jax
import jaxlib
import pytest
from jax.experimental.compilation_cache import compilation_cache

# Most of the tests' time is compiling, so XLA optimises little here. `XLA_FLAGS= pytest` tests what users get.
QUICK = ["backend_optimization_level=0", "llvm_disable_expensive_passes=true", "cpu_parallel_codegen_split_count=1"]
if jaxlib.version.__version_info__[:2] < (0, 11):  # XLA aborts on a flag that it does not know
    QUICK.append("cpu_use_fusion_emitters=false")
os.environ.setdefault("XLA_FLAGS", " ".join(f"--xla_{flag}" for flag in QUICK))

# Commands that tests start do not read what the user's own have compiled.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", "")

# With Python's own threshold, the collector takes a tenth of the time: JAX makes many objects that stay.
gc.set_threshold(100_000, 20, 20)

# The same cases each time, so that a change is judged by what it changes; BLURC_EXPLORE=1 looks for new ones.
hypothesis.settings.register_profile("blurc", derandomize=not os.environ.get("BLURC_EXPLORE"))
hypothesis.settings.load_profile("blurc")


@pytest.fixture(scope="module", autouse=True)
def _forgotten() -> Iterator[None]:
    """What a file compiled is of no use to the next ones, and takes hundreds of megabytes."""
    yield
    jax.clear_caches()


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of compiled programs, which all processes of a run share."""
    folder = tmp_path_factory.getbasetemp()
    return (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "compiled"


@pytest.fixture(scope="module")
def compiled_fast(compiled: Path) -> Iterator[None]:
    """For files that compile the same programs again and again: they are read from a folder instead, by the processes
    that tests start too. Not for files that compare two compilations of one program."""
    settings = {
        "jax_compilation_cache_dir": str(compiled),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    before = {name: jax.config.values[name] for name in settings}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name.upper(), str(value))
            jax.config.update(name, value)
        compilation_cache.reset_cache()
        yield
    for name, value in before.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()
