"""Prints the stages of the compiler, for `blurc compile --emit`.

The programs (jaxpr, stablehlo, hlo) are for a given batch size, and `train` is a scan over `STEPS` steps, a number that
appears only in shapes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from blurc import language, model, runtime
from blurc import plan as plans
from blurc import spec as specs
from blurc.cli.shared.subjects import Choice
from blurc.diagnostics import Report

if TYPE_CHECKING:
    from blurc.model import Network
    from blurc.plan import Block, Plan

TREES = ("tree", "model", "graph", "plan")
PROGRAMS = ("jaxpr", "stablehlo", "hlo")
ALL = (*TREES, *PROGRAMS)
ENTRIES = ("step", "train", "predict", "init")
BATCH, STEPS = 32, 100


def text(choice: Choice, stage: str, entry: str, batch: int, platforms: tuple[str, ...] | None) -> str:
    if stage in TREES:
        return {"tree": _tree, "model": _model, "graph": _graph, "plan": _plan}[stage](choice)

    return _program(traced(plans.plan_of(choice.select()[0]), entry, batch), stage, platforms)


def _tree(choice: Choice) -> str:
    """The spec and its imports as parsed, but not checked."""
    report = Report()
    sources = specs.Sources.load(choice.spec, report)
    report.check()
    return "\n".join(f"# {file.span.source.name}\n{language.unparse(file)}" for file in sources.files).rstrip()


def _model(choice: Choice) -> str:
    return model.show(choice.select()[0])


def _plan(choice: Choice) -> str:
    return str(plans.plan_of(choice.select()[0]))


def _graph(choice: Choice) -> str:
    """Populations and projections as two tables."""
    network = choice.select()[0].network
    return f"graph {network.name}\n\n{_aligned(_nodes(network))}\n\n{_aligned(_edges(network))}"


def _nodes(network: Network) -> list[tuple[str, ...]]:
    rows = [(p.name, p.role, "x".join(map(str, p.shape)) or "1", str(p.size)) for p in network.populations]
    return [("population", "role", "shape", "neurons"), *rows]


def _edges(network: Network) -> list[tuple[str, ...]]:
    rows = [
        (
            e.name,
            e.source,
            e.target,
            _way(e.forward, e.feedback),
            "plastic" if e.plastic else "fixed",
            f"{e.topology}{f', delay = {e.delay}' if e.delay else ''}",
        )
        for e in network.projections
    ]
    return [("projection", "from", "to", "carries", "synapses", "topology"), *rows]


def _way(forward: bool, feedback: bool) -> str:
    return "both ways" if forward and feedback else "forward" if forward else "backward"


def _aligned(rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines)


def traced(plan: Plan, entry: str, batch: int) -> Any:
    """An entry point of the compiled network, traced on shapes alone and ready to `.lower()`."""
    import jax

    functions = runtime.jitted(plan)
    key = jax.eval_shape(lambda: jax.random.key(0))
    genome = jax.eval_shape(functions.init_genome, key)
    if entry == "init":
        return jax.jit(functions.init, static_argnums=2).trace(key, genome, batch)
    state = jax.eval_shape(lambda *args: functions.init(*args, batch), key, genome)
    leading = (STEPS, batch) if entry == "train" else (batch,)
    x, y = _examples(plan, "input", leading), _examples(plan, "output", leading)
    block = plan.predict if entry == "predict" else plan.step
    fed = _fed(plan, block, (STEPS,) if entry == "train" else (), key)
    if entry == "predict":
        predict: Any = functions.predict
        return predict.trace(genome, state, x, fed)
    function: Callable[..., Any] = getattr(functions, entry).trace
    return function(genome, state, x, y if plan.step.uses_target else {}, fed)


def _examples(plan: Plan, role: str, leading: tuple[int, ...]) -> dict[str, Any]:
    return {p.name: _array(*leading, p.size) for p in plan.with_role(role)}


def _fed(plan: Plan, block: Block, leading: tuple[int, ...], key: Any) -> runtime.Fed:
    dims = {v.name: v.dims for v in plan.modulators}
    modulators = {name: _array(*leading, *dims[name]) for name in block.modulators}
    return runtime.Fed(modulators, key if block.uses("noise") else None)


def _array(*shape: int) -> Any:
    import jax

    return jax.ShapeDtypeStruct(shape, runtime.dtype())


def _program(program: Any, stage: str, platforms: tuple[str, ...] | None) -> str:
    match stage:
        case "jaxpr":
            return str(program.jaxpr)
        case "stablehlo":
            return program.lower(lowering_platforms=platforms).as_text()
        case _:
            return program.lower().compile().as_text()
