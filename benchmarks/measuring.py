"""Processor and wall time of a call, as the median of several."""

from __future__ import annotations

import gc
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Timing:
    """Median seconds of several calls: of this process's processor, and of a clock."""

    cpu: float
    wall: float

    def __str__(self) -> str:
        """Return both in milliseconds."""
        return f"{self.cpu * 1000:.0f} ms CPU, {self.wall * 1000:.0f} ms"


def measure(
    call: Callable[[], object], repeats: int, prepare: Callable[[], object] = lambda: None
) -> Timing:
    """Return how long a call takes.

    Args:
        call: What is timed.
        repeats: How often.
        prepare: What is done before each call, untimed.
    """
    return measure_together({"it": call}, repeats, prepare)["it"]


def measure_together(
    calls: dict[str, Callable[[], object]], repeats: int, prepare: Callable[[], object]
) -> dict[str, Timing]:
    """Time several calls in turn, so that a busy machine slows all of them alike."""
    cpu: dict[str, list[float]] = {name: [] for name in calls}
    wall: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            prepare()
            gc.collect()
            began, used = time.perf_counter(), time.process_time()
            call()
            cpu[name].append(time.process_time() - used)
            wall[name].append(time.perf_counter() - began)
    return {
        name: Timing(statistics.median(cpu[name]), statistics.median(wall[name])) for name in calls
    }
