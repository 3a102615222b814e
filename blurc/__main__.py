"""`python -m blurc` is `blurc`."""

from __future__ import annotations

from blurc.cli import main

if __name__ == "__main__":  # a spawned process of `blurc bench` imports this too
    main()
