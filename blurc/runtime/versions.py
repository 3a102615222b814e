"""What exact results depend on, besides what is computed."""

from __future__ import annotations

import importlib.metadata
import platform
from typing import Any

import jax
import numpy as np

from blurc.runtime.lower import dtype

PACKAGES = ("blurc", "jax", "jaxlib", "numpy", "optax", "cma")


def versions() -> dict[str, str]:
    """Of packages and the machine, by name."""
    device = jax.devices()[0]
    config: Any = jax.config
    products = config.jax_default_matmul_precision
    found = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {
        **found,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "device": f"{device.platform}: {device.device_kind}",
        "precision": f"{np.dtype(dtype()).name}{f', products in {products}' if products else ''}",
    }
