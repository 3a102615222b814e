"""`blurc.compile` and `blurc.load`: the two ways to a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from blurc.program import Net

if TYPE_CHECKING:
    from blurc.artifact import Loaded
    from blurc.compiler import Spec
    from blurc.model import ParamValue


def compile(
    spec: Spec, *, network: str | None = None, genome: str | None = None, **parameters: ParamValue
) -> Net:
    """Compiles one network of a spec.

    spec: a path (looked up in the working directory, then in the packaged library) or source text.
    network, genome: names, where a spec has several; `genome` may also be a rule of the packaged library.
    parameters: values of the compile-time parameters of the network and its genome.

    Raises `BlurError` with all diagnostics if the spec is wrong.
    """
    from blurc import compiler

    model, sources, warnings = compiler.select(spec, network=network, genome=genome, params=parameters)
    return Net(compiler.plan(model), model, sources, warnings)


def load(path: Any) -> Loaded:
    """Loads an artifact that `Net.save` or `blurc compile -o` wrote. Needs neither lark nor networkx.

    Raises `BlurError` if the file is damaged, foreign or made for other platforms; nothing of it is executed then.
    """
    from blurc import artifact

    return artifact.load(path)
