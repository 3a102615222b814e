"""Folders for things that can be downloaded or computed again."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ELSEWHERE = {"darwin": "~/Library/Caches", "win32": os.environ.get("LOCALAPPDATA", "~/AppData/Local")}


def cache_folder(name: str) -> Path:
    """A folder of blurc among the user's caches, which need not exist yet."""
    root = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification says to ignore relative paths.
    base = root if os.path.isabs(root) else os.path.expanduser(ELSEWHERE.get(sys.platform, "~/.cache"))
    return Path(base) / "blurc" / name
