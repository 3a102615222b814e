"""Whether what an optimizer is given are trees with the same leaves."""

from __future__ import annotations

from typing import Any

import jax

from blurc.diagnostics import BlurError, Diagnostic

INIT = "make the state by `init(params)`, with the same parameters"
EXAMPLE = "as `jax.grad` gives, with zeros where nothing is to change"


def check_arrays(params: Any) -> None:
    """Raises `BlurError` (E923) if a leaf is not an array."""
    for name, leaf in _leaves(params).items():
        if leaf is not None and not _is_array(leaf):
            raise _refused(
                f"the parameter {name} is a `{type(leaf).__name__}`, not an array", "leave it out, or as None"
            )


def check_alike(gradients: Any, params: Any) -> None:
    """Raises `BlurError` (E923) that names the first leaf which only one of them has, or of which they differ."""
    check_arrays(params)
    given, wanted = _leaves(gradients), _leaves(params)
    for name, param in wanted.items():
        gradient = given.get(name)
        if param is None:
            continue
        if gradient is None:
            found = "is None" if name in given else "is missing"
            raise _refused(f"the gradient of the parameter {name} {found}", f"give an array, {EXAMPLE}")
        if not _is_array(gradient):
            message = f"the gradient of the parameter {name} is a `{type(gradient).__name__}`, not an array"
            raise _refused(message, f"give an array, {EXAMPLE}")
        if gradient.shape != param.shape:
            message = f"the gradient of the parameter {name} has the shape {gradient.shape}, and it has {param.shape}"
            raise _refused(message, f"give an array of the same shape, {EXAMPLE}")
    for name, gradient in given.items():
        if gradient is not None and wanted.get(name) is None:
            raise _refused(f"there is a gradient for {name}, and no such parameter", "give the same tree for both")


def check_state(traces: Any, params: Any) -> None:
    """Raises `BlurError` (E923) if the state is of other parameters, or None."""
    wanted = {name: tuple(param.shape) for name, param in _leaves(params).items() if param is not None}
    if traces is None:
        raise _refused("the state is not one of this optimizer", INIT)
    for channel, tree in traces.items():
        kept = {name: tuple(trace.shape) for name, trace in _leaves(tree).items() if trace is not None}
        for name in (*wanted, *kept):
            if name not in wanted:
                raise _refused(f"the state has `{channel}` of {name}, and there is no such parameter", INIT)
            if name not in kept or kept[name][len(kept[name]) - len(wanted[name]) :] != wanted[name]:
                raise _refused(f"the state has no `{channel}` that fits the parameter {name}", INIT)


def _leaves(tree: Any) -> dict[str, Any]:
    """By their paths, such as `['layers'][0]`; None counts as one."""
    pairs = jax.tree_util.tree_flatten_with_path(tree, is_leaf=lambda leaf: leaf is None)[0]
    return {f"`{jax.tree_util.keystr(path)}`" if path else "(the whole)": leaf for path, leaf in pairs}


def _is_array(leaf: Any) -> bool:
    return hasattr(leaf, "shape") and hasattr(leaf, "dtype")


def _refused(message: str, help: str) -> BlurError:
    return BlurError(Diagnostic("E923", message, help=help))
