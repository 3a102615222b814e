"""Whether a network, a task and the numbers of an evaluation fit together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from blurc.api import Net
from blurc.diagnostics import BlurError, Diagnostic
from blurc.runtime import Program
from blurc.tasks import AnyTask, Examples, LoadedTask, Recordings, World, task_names
from blurc.training import SIGNALS, Probe, check_in_time, check_probe, check_recordings, check_signals, task_problems


def check_online(task: AnyTask) -> None:
    """Raises `BlurError` (E807)."""
    if not isinstance(task, LoadedTask):
        has = "rewards, which are counted while it learns anyway" if isinstance(task, World) else "recorded activity"
        message = f"online, batches are asked before they are learned, and {task.name} has {has}"
        raise BlurError(Diagnostic("E807", message, help="leave `--online` out"))


def check_numbers(*, steps: Sequence[int] = (1,), **counts: int) -> None:
    named = [*(("steps", step) for step in steps), *counts.items()]
    wrong = [f"{name} is {value}" for name, value in named if value < 1]
    if wrong or not steps:
        raise BlurError(Diagnostic("E806", f"{' and '.join(wrong) or 'steps is empty'}, expected at least 1"))


def check_fits(net: Program, task: AnyTask, probe: Probe | None = None) -> None:
    """Raises `BlurError` (E807) if the task does not fit the network. A readout answers where there is a probe, so the
    outputs may then be others, unless they are taught."""
    if isinstance(task, Recordings):
        return _check_recorded(net, task, probe)
    if isinstance(task, World):
        _check_no_ids(net)
        _check_signals(net, task)
    else:
        check_signals(net.signature)
    if not (isinstance(task, World) or task.time):
        check_in_time(net)
    found = [
        problem
        for role, populations, size in (
            ("input", net.signature.inputs, task.inputs),
            ("output", net.signature.outputs, task.outputs),
        )
        if (not net.signature.ids if role == "input" else not probe or net.signature.uses_target)
        and (problem := _misfit(net.signature.name, role, populations, task, size))
    ]
    if net.signature.ids and isinstance(task, LoadedTask):
        found += task_problems(task, net.signature)
    if found:
        raise BlurError(found)
    if probe:
        check_probe(net, probe, task.name, isinstance(task, World) or task.time > 0)


def _check_recorded(net: Program, recordings: Recordings, probe: Probe | None) -> None:
    assert isinstance(net, Net)  # `blurc train`, which takes artifacts, has no recordings
    if probe:
        message = f"a probe answers in the place of outputs, and {recordings.name} says what populations did"
        raise BlurError(Diagnostic("E807", message, help="leave the probe out"))
    check_recordings(net, recordings)


def _check_no_ids(net: Program) -> None:
    if net.signature.ids:
        what = f"`{net.signature.ids[0]}` of `{net.signature.name}` is an input by ids"
        message = f"{what}, and what is observed of environments are numbers"
        raise BlurError(Diagnostic("E807", message, help="declare its shape: `input seen[4]`"))


def _check_signals(net: Program, world: World) -> None:
    reads, wanted = net.signature.reads["step"].signals, " and ".join(f"`{name}`" for name in SIGNALS)
    for name in reads:
        shape = net.signature.signals[name]
        if name not in SIGNALS:
            message = f"`{net.signature.name}` reads the signal `{name}`, and environments have {wanted}"
            help = f"call it {wanted.replace(' and ', ' or ')}, or leave it out"
            raise BlurError(Diagnostic("E807", message, help=help))
        if shape:
            what = f"the signal `{name}` of `{net.signature.name}` is {list(shape)}"
            help = f"declare `signal {name}`, or `signal {name} per example`"
            raise BlurError(Diagnostic("E807", f"{what}, and {world.name} gives one number", help=help))


def _misfit(
    network: str, role: str, populations: dict[str, tuple[int, ...]], task: LoadedTask | World, size: int
) -> Diagnostic | None:
    if len(populations) != 1:
        message = f"`{network}` has {len(populations)} {role} populations, but a task feeds exactly one"
        return Diagnostic("E807", message, notes=(f"they are {', '.join(populations) or 'none'}",))
    ((name, shape),) = populations.items()
    if math.prod(shape) == size:
        return None
    message = f"the task {task.name} has {size} {role}{'' if size == 1 else 's'}"
    message += f", but the {role} `{name}` of `{network}` is {list(shape)}"
    help = f"declare `{name}[{size}]` (or `--set` the parameter for its size)"
    *ways, last = help, "choose another task", *_other_ways(role, math.prod(shape), shape, task)
    return Diagnostic("E807", message, help=f"{', '.join(ways)}, or {last}")


def _other_ways(role: str, count: int, shape: tuple[int, ...], task: LoadedTask | World) -> Iterator[str]:
    """What else may make a task fit a population of this shape and count."""
    if isinstance(task, World):
        return
    sizes = (task.inputs, count)
    if role == "input" and not task.time and task.inputs % count == 0:
        where = "`time = True` in its class" if task.own else "`time: true`"
        yield f"if an example is a sequence of inputs {list(shape)}, say so: {where}"
    elif role == "input" and isinstance(task.source, Examples) and {math.isqrt(n) ** 2 - n for n in sizes} == {0}:
        side = math.isqrt(count)
        yield f"resize its images, `{_with(task.name, 'resize', side)}` (in a file `resize: {side}`)"
    elif role == "input" or task.own:
        return
    elif task.classes and count < task.outputs:
        yield "choose other `classes`"
    elif task.classes:
        data = task.name if task.name in task_names() else ".."
        in_file = f"in a file `{{data: {data}, outputs: {count}}}`"
        yield f"leave outputs without a class, `{_with(task.name, 'outputs', count)}` ({in_file})"


def _with(task: str, key: str, value: int) -> str:
    """A task as `--task` writes it, with this value in the place of another one."""
    name, _, given = task.partition(":")
    return f"{name}:{','.join([*(g for g in given.split(',') if g and not g.startswith(f'{key}=')), f'{key}={value}'])}"
