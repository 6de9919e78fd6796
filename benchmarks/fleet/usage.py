"""Processor time of a process and of everything that it started, the ended ones included."""

from __future__ import annotations

import psutil


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds of a process tree so far.

    A process that has ended and was waited for is part of its parent's cumulative times,
    so forked parse children count although they are gone when we look.
    """
    root = psutil.Process(pid)
    total = 0.0
    for process in [root, *root.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue  # it ended just now; its parent has its times
        total += times.user + times.system + times.children_user + times.children_system
    return total
