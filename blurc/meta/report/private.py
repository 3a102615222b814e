"""What a page says of files, without where they lie: a report may be sent to anybody."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, cast

import yaml

from blurc.storage import yaml_write

PART = r"[^\s/\\'\"`,;:(){}\[\]<>]+"
BEFORE = r"(?<![\w/\\.:*)\]-])"  # no division, no address of the web
PATHS = re.compile(rf"{BEFORE}(?:~[\w-]*[/\\]|[A-Za-z]:[/\\]|\\\\|/)(?:{PART}[/\\])*({PART})")
QUOTED = re.compile(r"`([^`\n]*)`")


def plain(text: str) -> str:
    """The text with the names of files in the place of their paths."""
    text = QUOTED.sub(lambda found: f"`{_name(found[1])}`", text)
    return PATHS.sub(r"\1", known_removed(text))


def known_removed(text: str) -> str:
    """The text without the folders of this user: for rules and other texts where a `/` may divide."""
    for folder in _folders():
        text = text.replace(f"{folder}{os.sep}", "").replace(folder, PurePosixPath(folder).name)
    return text


def _folders() -> Iterator[str]:
    """The working folder and the home, as they are called and as they are; longest first."""
    places = [Path.cwd(), Path(os.path.expanduser("~"))]
    found = {str(place) for one in places for place in (one, one.resolve())}
    yield from sorted((f for f in found if len(PurePosixPath(f).parts) > 1), key=len, reverse=True)


def settings(text: str) -> str:
    """The text of an experiment. If it has paths of this machine, it is written anew with names in their place."""
    try:
        tree = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError):
        return plain(text)
    cleaned = _cleaned(tree)
    return text if cleaned == tree else yaml_write.dump(cleaned, width=110, flow=None)


def _cleaned(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _cleaned(part) for key, part in cast("dict[Any, Any]", value).items()}
    if isinstance(value, list):
        return [_cleaned(part) for part in cast("list[Any]", value)]
    return _name(value) if isinstance(value, str) else value


def _name(text: str) -> str:
    """The last part of a path that leads out of the working folder; any other text as it is."""
    windows, posix = PureWindowsPath(text), PurePosixPath(text)
    if windows.is_absolute():
        return windows.name
    outside = posix.is_absolute() or text.startswith("~") or ".." in posix.parts
    return posix.name if outside and len(posix.parts) > 1 else text
