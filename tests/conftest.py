"""What test files share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import hypothesis
import jax
import pytest
from jax.experimental.compilation_cache import compilation_cache

# The same cases each time, so that a change is judged by what it changes; BLURC_EXPLORE=1 looks for new ones.
hypothesis.settings.register_profile("blurc", derandomize=not os.environ.get("BLURC_EXPLORE"))
hypothesis.settings.load_profile("blurc")


@pytest.fixture(scope="module")
def compiled_fast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """For files whose networks run for no time: compiles without optimizations, and what is compiled once is compiled
    for all tests and for the processes that they start. Files that compare what is compiled have none of it."""
    settings = {
        "jax_disable_most_optimizations": True,
        "jax_compilation_cache_dir": str(tmp_path_factory.mktemp("compiled")),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    before = {name: jax.config.values[name] for name in settings}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name.upper(), str(value))
            jax.config.update(name, value)
        forget()
        yield
    for name, value in before.items():
        jax.config.update(name, value)
    forget()


def forget() -> None:
    jax.clear_caches()
    compilation_cache.reset_cache()
