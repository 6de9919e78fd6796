"""Processor and wall time of calls: the median of several, with the lowest and the highest."""

from __future__ import annotations

import gc
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True)
class Sample:
    """Several measurements of one thing."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float], scale: float = 1.0) -> Sample:
        """Return the sample of some values, each multiplied by a scale."""
        scaled = [value * scale for value in values]
        return cls(statistics.median(scaled), min(scaled), max(scaled))

    def scaled(self, scale: float) -> Sample:
        """Return the same in another unit."""
        return Sample(self.median * scale, self.low * scale, self.high * scale)


@dataclass(frozen=True)
class Timing:
    """Seconds of several calls: of this process's processor, and of a clock."""

    cpu: Sample
    wall: Sample


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
    return {name: Timing(Sample.of(cpu[name]), Sample.of(wall[name])) for name in calls}
