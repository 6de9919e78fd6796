"""Calls a function in a fork, as Airflow parses and runs tasks: with everything imported."""

from __future__ import annotations

import gc
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, kw_only=True)
class Fork:
    """What a call used, in seconds and megabytes, and what it returned (JSON)."""

    cpu: float
    wall: float
    peak_mb: float
    value: Any


class ForkError(RuntimeError):
    """The call failed in the fork; its output says why."""


def forked(call: Callable[[], Any]) -> Fork:
    """Call a function in a fork of this process and wait for it.

    Raises:
        ForkError: It raised an error.
    """
    gc.collect()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _answer(call, writing)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    os.waitpid(pid, 0)
    if not answer:
        raise ForkError(f"{call} failed")
    return Fork(**json.loads(answer))


def _answer(call: Callable[[], Any], writing: int) -> None:
    """Answer and end this process, whatever the call does."""
    import traceback

    try:
        gc.freeze()
        began, used = time.perf_counter(), time.process_time()
        value = call()
        cpu, wall = time.process_time() - used, time.perf_counter() - began
        answer = {"cpu": cpu, "wall": wall, "peak_mb": peak_mb(), "value": value}
        with os.fdopen(writing, "w") as pipe:
            json.dump(answer, pipe)
    except BaseException:  # noqa: BLE001 - the fork must never return into the parent's code
        traceback.print_exc()
    finally:
        os._exit(0)


def peak_mb() -> float:
    """Return the most memory that this process has had, in megabytes."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
