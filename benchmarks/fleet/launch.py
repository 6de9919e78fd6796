"""Runs an ``airflow`` command and leaves what its processes used: ``launch.py FILE COMMAND...``.

A parse child lives for a moment, so its peak memory is known only to its parent, and only
when the parent asks before it ends.
"""

from __future__ import annotations

import atexit
import json
import os
import resource
import runpy
import sys
from pathlib import Path


def main() -> None:
    """Run the command in this process."""
    file, owner = Path(sys.argv[1]), os.getpid()
    atexit.register(_leave, file, owner)
    sys.argv = ["airflow", *sys.argv[2:]]
    runpy.run_module("airflow", run_name="__main__")


def _leave(file: Path, owner: int) -> None:
    if os.getpid() != owner:
        return
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    file.write_text(json.dumps({"largest_child_kb": children.ru_maxrss}), encoding="ascii")


if __name__ == "__main__":
    main()
