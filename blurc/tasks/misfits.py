"""What is wrong with a choice of tasks whatever the data contain: names, sizes, keys that do not apply."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields

from blurc.diagnostics import BlurError, Diagnostic, suggest
from blurc.tasks import omniglot, plane
from blurc.tasks.choice import Augment, TaskChoice
from blurc.tasks.environments import of_gymnax
from blurc.tasks.environments.make import is_world, misplaced, world_names
from blurc.tasks.environments.t_maze import TMaze
from blurc.tasks.families import component, family, sinusoid, teacher
from blurc.tasks.own import file
from blurc.tasks.sets import names

WITH_PARAMETERS: Mapping[str, type] = {**family.FAMILIES, TMaze.NAME: TMaze}
FIELDS, CHANGES = ({field.name for field in fields(of)} for of in (TaskChoice, Augment))


def task_names() -> dict[str, str]:
    """The names that make a task, besides FILE.npz: name -> one line. A function hides a data set of the same name."""
    more = {family.NAME: family.DESCRIPTION for family in (omniglot, sinusoid, component)}
    return {**names(), **more, **teacher.NAMES, **family.NAMES, **plane.names()}


def of(choice: TaskChoice) -> Iterator[tuple[str, str | None]]:
    """What is wrong with a choice whatever the data contain, and the help for it."""
    if is_world(choice.data):
        message = f"`{choice.data}` is an environment, which gives rewards and has no examples"
        raise BlurError(Diagnostic("E811", message, help="use it with `blurc train`, `eval` and `meta`"))
    if choice.record:
        raise BlurError(no_examples(choice))
    if choice.data not in task_names() and not choice.data.lower().endswith(".npz"):
        raise BlurError(_unknown(choice.data))
    yield from _sizes(choice)
    yield from _misplaced(choice)
    yield from misplaced(choice)
    if len(set(choice.classes)) < len(choice.classes):
        yield f"`classes` lists a class twice: {list(choice.classes)}", "list each class once"
    if len(choice.classes) == 1 or choice.ways < 2:
        yield "a task needs at least two classes", None


def no_examples(choice: TaskChoice) -> Diagnostic:
    message = f"`{choice.data}` holds recorded activity, which a rule is fitted to, and no examples"
    return Diagnostic("E811", message, help="use it with `blurc meta` and `blurc eval`")


def _sizes(choice: TaskChoice) -> Iterator[tuple[str, str | None]]:
    least = {
        "crop": choice.crop,
        "resize": choice.resize,
        "outputs": choice.outputs,
        "augment.project": choice.augment.project,
        "augment.brightness": choice.augment.brightness,
        "weight": choice.weight,
    }
    for name, value in least.items():
        if not (value >= 0 and math.isfinite(value)):
            yield f"`{name}` is {value}", "write 0 or more"
    if not (choice.scale and math.isfinite(choice.scale)):
        yield f"`scale` is {choice.scale}", "write a number that is not 0, or leave it out"
    if not math.isfinite(choice.shift):
        yield f"`shift` is {choice.shift}", "write a number, or leave it out"


def _misplaced(choice: TaskChoice) -> Iterator[tuple[str, str | None]]:
    """Fields that do not apply to this kind of data."""
    made = choice.data in family.NAMES
    has_numbers = choice.data in (sinusoid.NAME, component.NAME, *teacher.NAMES)
    has_numbers |= made and family.FAMILIES[choice.data].KIND != "classes"
    is_function = has_numbers or made or choice.data in plane.names()
    if choice.time and (is_function or choice.data == omniglot.NAME):
        yield f"`time` is for data sets, not for {choice.data}", "leave it out"
    yield from _misplaced_episodes(choice, is_function)
    for name in ("crop", "resize"):
        if is_function and getattr(choice, name):
            yield f"`{name}` is for images, not for {choice.data}", "leave it out"
    for name in ("scale", "shift"):
        if is_function and name in choice.given:
            yield f"`{name}` is for data sets, not for {choice.data}", "leave it out"
    if choice.parameters and not made:
        families = ", ".join(family.NAMES)
        yield f"`parameters` is for families of tasks, not for {choice.data}", f"leave it out; it is for {families}"
    numbers = f"the targets of {choice.data} are numbers"
    if choice.target != "data":
        numbers = f"with `target: {choice.target}` they are numbers"
    if has_numbers or choice.target != "data":
        labels = {
            "outputs": choice.outputs,
            "augment.permute_labels": choice.augment.permute_labels,
            "augment.relabel_at": choice.augment.relabel_at,
        }
        for name, given in labels.items():
            if given:
                yield f"`{name}` is for classes, but {numbers}", "leave it out"
    if choice.center and (has_numbers or made):
        yield f"`center` is for data sets and 2-D functions, not for {choice.data}", "leave it out"


def _misplaced_episodes(choice: TaskChoice, is_function: bool) -> Iterator[tuple[str, str | None]]:
    """Of what says which classes an episode has."""
    has_episodes = (choice.data == omniglot.NAME and not choice.alphabet) or (choice.shots and not is_function)
    if choice.alphabet and choice.data != omniglot.NAME:
        yield f"`alphabet` is for omniglot, not for {choice.data}", "leave it out"
    if choice.shots and (is_function or choice.alphabet):
        where = "an alphabet" if choice.alphabet else choice.data
        yield f"`shots` is for data sets with many classes, not for {where}", "leave it out"
    elif choice.ways != TaskChoice.ways and not has_episodes and not choice.alphabet:
        help = "leave it out" if is_function else "leave it out, or give `classes`, or `shots` as well"
        yield f"`ways` is for omniglot, not for {choice.data}", help
    elif choice.ways != TaskChoice.ways and choice.alphabet:
        yield ("`ways` does not apply to an alphabet, which has all its characters", "leave it out, or give `classes`")
    if choice.classes and (is_function or has_episodes):
        help = "leave it out" if is_function else "leave it out, or give `ways`, or add an `alphabet`"
        yield f"`classes` is for data sets with labels, not for {choice.data}", help


def _unknown(name: str) -> Diagnostic:
    if told := file.unnamed(name):
        return told
    known = task_names()
    fixed = [n for n in known if not n.startswith(plane.PREFIX)]
    notes = (
        f"the tasks are {', '.join(fixed)}, any FILE.npz with arrays x and y, and FILE.py:NAME for your own",
        f"`{plane.PREFIX}xor`, and so on, is rotated and shifted in each episode",
        f"environments are {', '.join(world_names())}, and those of gymnax: `{of_gymnax.GYMNAX}CartPole-v1`",
    )
    known |= world_names()
    data, colon, keys = name.partition(":")
    if colon and data in known:
        help = f"in a file the keys of a task are written so: `{_as_mapping(data, keys)}`"
        return Diagnostic("E810", f"unknown task `{name}`", help=help)
    help = suggest(name.lower(), known, "give one of these names, or the path of an .npz file")
    return Diagnostic("E810", f"unknown task `{name}`", notes=notes, help=help)


def _as_mapping(data: str, keys: str) -> str:
    """`outputs=5,center`, as options of commands write it, as YAML."""
    parts = {"": list[str](), "parameters": list[str](), "augment": list[str]()}
    for key in filter(None, keys.split(",")):
        name, _, value = key.partition("=")
        under = "" if name in FIELDS else "augment" if name in CHANGES else "parameters"
        parts[under].append(f"{name}: {value or 'true'}")
    nested = [f"{under}: {{{', '.join(parts[under])}}}" for under in ("parameters", "augment") if parts[under]]
    return f"{{{', '.join([f'data: {data}', *parts[''], *nested])}}}"
