"""What must fit together in an experiment."""

from __future__ import annotations

from blurc.diagnostics import counted, suggest
from blurc.meta.experiment.experiment import Curriculum, Experiment, Gradient, Pes, Symbolic
from blurc.meta.experiment.optimizers import complaints
from blurc.storage import records
from blurc.tasks import LOSS, OBJECTIVES, TaskChoice, changing


def check(e: Experiment, reader: records.Reader) -> None:
    _check_method(e, reader)
    if e.inner.judge_every > e.inner.steps:
        message = f"`inner.judge_every` is {e.inner.judge_every}, and an episode has {counted(e.inner.steps, 'step')}"
        _contradiction(reader, message, ("inner.judge_every", "inner.steps"), "with 0, it is judged only at its end")
    if e.inner.probe and e.inner.probe.by == "knn" and isinstance(e.method, Gradient):
        help = "write `by: ridge`, or take `name: cma` or `name: pes`, which need only values"
        _contradiction(reader, "the answers of nearest neighbours have no gradient", ("inner.probe.by",), help)
    if e.inner.online and (e.inner.probe or e.inner.judge_every):
        other = "probe" if e.inner.probe else "judge_every"
        message = f"`inner.online` judges every batch before it is learned, and `inner.{other}` asks the query"
        _contradiction(reader, message, (f"inner.{other}", "inner.online"), "leave one of them out")
    if e.inner.probe and e.evaluation.race:
        message = "a race compares outputs, and a probe answers in their place"
        _contradiction(reader, message, ("evaluation.race", "inner.probe"), "leave `race` out")
    _check_changes(e, reader)
    if e.curriculum and e.curriculum.until < e.inner.steps:
        _contradiction(reader, _too_short(e.curriculum, e.inner.steps), ("curriculum.until", "inner.steps"))
    if e.over_tasks == "worst" and e.tasks_per_step < len(e.tasks):
        message = f"the worst of {len(e.tasks)} tasks needs an episode of each, not {e.tasks_per_step}"
        help = f"write `tasks_per_step: {len(e.tasks)}`, or more, or give fewer tasks"
        _contradiction(reader, message, ("over_tasks", "tasks_per_step", "tasks"), help)
    _check_settings(e, reader)
    for tasks, path in ((e.tasks, "tasks"), (e.validation, "validation"), (e.evaluation.tasks, "evaluation.tasks")):
        _check_names(tasks, path, reader)


def _check_changes(e: Experiment, reader: records.Reader) -> None:
    """What is asked is asked as things are at the end of the episode."""
    several, first = "inner.judge_every", e.inner.judge_every
    if isinstance(e.method, Pes) and e.method.truncation < e.inner.steps:
        several, first = "method.truncation", e.method.truncation
    if not first or e.inner.online:
        return
    choices = [(f"tasks.{i}", task) for i, task in enumerate(e.tasks)]
    choices += [(f"validation.{i}", task) for i, task in enumerate(e.validation)]
    for place, task in choices:
        change = changing(task)
        if change and not 0 < change.since <= first:
            message = f"{change.why}, and with `{several}` the same query is asked at several steps"
            help = "write `inner: {online: true}`, which asks every batch as it comes"
            return _contradiction(reader, message, (f"{place}.{change.at}", several), help)


def _check_settings(e: Experiment, reader: records.Reader) -> None:
    names = [one.name or one.data for one in (*e.tasks, *e.validation)]
    for name, setting in e.by_task.items():
        path = ("by_task", name)
        if name not in names and not any(reader.is_wrong((tasks,)) for tasks in ("tasks", "validation")):
            help = suggest(name, names, f"the tasks are {', '.join(names)}")
            reader.refuse(path, "E613", f"there is no task `{name}`", help)
        if e.curriculum and setting.steps:
            message = f"the curriculum lengthens all episodes, and those of `{name}` have {setting.steps} steps"
            reader.refuse((*path, "steps"), "E613", message, "leave one of them out")
        if 0 < setting.steps < e.inner.judge_every:
            message = (
                f"`inner.judge_every` is {e.inner.judge_every}, and an episode of `{name}` has {setting.steps} steps"
            )
            reader.refuse((*path, "steps"), "E613", message, "write as many, or lower `inner.judge_every`")
    if e.by_task and isinstance(e.method, Pes | Symbolic):
        message = f"{type(e.method).__name__.lower()} learns all tasks in one network, in batches of one size"
        _contradiction(reader, message, ("by_task", "method"), "take `name: cma` or `name: gradient`")


def _too_short(curriculum: Curriculum, steps: int) -> str:
    until = counted(curriculum.until, "step")
    return f"the curriculum lengthens episodes until {until}, and they have {steps} at first"


def _check_method(e: Experiment, reader: records.Reader) -> None:
    if e.replicas > 1 and not isinstance(e.method, Gradient):
        message = f"{type(e.method).__name__.lower()} searches from one genome, and `replicas` is {e.replicas}"
        help = "leave `replicas` out: `method.population` says how many genomes are tried at once"
        _contradiction(reader, message, ("replicas", "method"), help)
    if e.replicas > 1 and not e.jitter:
        message = f"`jitter` is 0: of {e.replicas} replicas, copies of the best would stay copies"
        _contradiction(reader, message, ("jitter",), "leave it out, or write a little noise, `jitter: 0.01`")
    if isinstance(e.method, Gradient | Pes) and not reader.is_wrong(("method",)):
        for option, message, help in complaints(e.method):
            path = ("method", "optimizer", option or "name")
            at = path if path in reader.front else path[:2]
            reader.refuse(at, "E612", message, help)
    match e.method:
        case Gradient(objective=name) if name in OBJECTIVES and not OBJECTIVES[name].differentiable:
            loss = LOSS[OBJECTIVES[name].kinds[0]].name
            help = f"write `objective: {loss}`, or take `name: cma` or `name: pes`, which need only values"
            _contradiction(reader, f"{name} has no gradient", ("method.objective",), help)
        case Pes(truncation=truncation) if truncation > e.inner.steps:
            message = f"`method.truncation` is {truncation}, and an episode has {counted(e.inner.steps, 'step')}"
            _contradiction(reader, message, ("method.truncation", "inner.steps"))
        case Pes() if e.inner.judge_every:
            message = "pes judges after every `method.truncation` steps, and `inner.judge_every` is given too"
            _contradiction(reader, message, ("inner.judge_every",), "leave `judge_every` out")
        case Symbolic() if e.curriculum:
            message = "a symbolic search has no curriculum: all rules of its front are judged on episodes of one length"
            _contradiction(reader, message, ("curriculum",), "leave `curriculum` out, and give `inner.steps`")
        case Pes() if e.curriculum:
            message = "pes has no curriculum: it goes on within an episode, however long that is"
            _contradiction(reader, message, ("curriculum",), "leave `curriculum` out, and give `inner.steps`")
        case _:
            pass


def _check_names(tasks: tuple[TaskChoice, ...], path: str, reader: records.Reader) -> None:
    names: dict[str, int] = {}
    for i, task in enumerate(tasks):
        name = task.name or task.data
        first = names.setdefault(name, i)
        if name and first != i:
            message = f"two tasks are called `{name}`: {path}.{first} and {path}.{i}"
            _contradiction(reader, message, (f"{path}.{i}",), "give one of them another `name`")


def _contradiction(reader: records.Reader, message: str, paths: tuple[str, ...], help: str | None = None) -> None:
    """paths: the values that disagree, the one to point at first. Values that are wrong themselves are not compared."""
    about = [tuple(path.split(".")) for path in paths]
    if not any(map(reader.is_wrong, about)):
        reader.refuse(next((p for p in about if p in reader.front), about[0]), "E613", message, help)
