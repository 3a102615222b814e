"""Prints the stages of the compiler, for `blurc compile --emit`.

The programs (jaxpr, stablehlo, hlo) are for a given batch size, and `train` is a scan over `STEPS` steps, a number that
appears only in shapes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from blurc import language, model, runtime
from blurc import plan as plans
from blurc import spec as specs
from blurc.cli.shared.subjects import Choice
from blurc.diagnostics import Report

if TYPE_CHECKING:
    from blurc.model import Network, Projection
    from blurc.plan import Block, Plan

TREES = ("tree", "model", "graph", "plan")
PROGRAMS = ("jaxpr", "stablehlo", "hlo")
ALL = (*TREES, *PROGRAMS)
ENTRIES = ("step", "train", "predict", "init")
BATCH, STEPS = 32, 100


def text(choice: Choice, stage: str, entry: str, batch: int, platforms: tuple[str, ...] | None) -> str:
    if stage == "tree":
        return _tree(choice)
    checked = choice.select()[0]
    match stage:
        case "model":
            return model.show(checked)
        case "graph":
            return _graph(checked.network)
        case "plan":
            return str(plans.plan_of(checked))
        case _:
            return _program(traced(plans.plan_of(checked), entry, batch), stage, platforms)


def _tree(choice: Choice) -> str:
    """The spec and its imports as parsed, but not checked."""
    report = Report()
    sources = specs.Sources.load(choice.spec, report)
    report.check()
    return "\n".join(f"# {file.span.source.name}\n{language.unparse(file)}" for file in sources.files).rstrip()


def _graph(network: Network) -> str:
    """Populations and projections as two tables."""
    return f"graph {network.name}\n\n{_aligned(_nodes(network))}\n\n{_aligned(_edges(network))}"


def _nodes(network: Network) -> list[tuple[str, ...]]:
    rows = [(p.name, p.role, "x".join(map(str, p.shape)) or "1", str(p.size)) for p in network.populations]
    return [("population", "role", "shape", "neurons"), *rows]


def _edges(network: Network) -> list[tuple[str, ...]]:
    return [("projection", "from", "to", "carries", "synapses", "topology"), *map(_edge, network.projections)]


def _edge(e: Projection) -> tuple[str, ...]:
    way = "both ways" if e.forward and e.feedback else "forward" if e.forward else "backward"
    topology = f"{e.topology}{f', same = {e.same}' if e.same else ''}{f', delay = {e.delay}' if e.delay else ''}"
    return e.name, e.source, e.target, way, "plastic" if e.plastic else "fixed", topology


def _aligned(rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


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
    fed = _fed(plan, block, leading, key)
    program: Any = getattr(functions, entry)
    targets = () if entry == "predict" else (y if plan.step.uses_target else {},)
    return program.trace(genome, state, x, *targets, fed)


def _examples(plan: Plan, role: str, leading: tuple[int, ...]) -> dict[str, Any]:
    return {p.name: _array(*leading, p.size) for p in plan.with_role(role)}


def _fed(plan: Plan, block: Block, leading: tuple[int, ...], key: Any) -> runtime.Fed:
    """`leading`: the sizes of the axes in front, the batch last."""
    signals = {v.name: (*(leading if v.of == "example" else leading[:-1]), *v.dims) for v in plan.modulators}
    modulators = {name: _array(*signals[name]) for name in block.modulators}
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
