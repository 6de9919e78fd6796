"""Counters, histograms and gauges whose numbers live in slot files, or in the process.

With ``DAGFOUNDRY_METRICS_DIR`` set they go to this process's slot of that folder;
without it to prometheus_client's default registry. A folder that cannot be written is
logged once and never fails the work that is counted.
"""

from __future__ import annotations

import os
import time
from bisect import bisect_left
from collections import Counter as Hits
from dataclasses import dataclass
from functools import cache, lru_cache
from math import inf
from typing import TYPE_CHECKING

import prometheus_client
from prometheus_client.mmap_dict import mmap_key
from prometheus_client.utils import floatToGoString

from dagfoundry.logs import get_logger
from dagfoundry.metrics.slots import slot_folder
from dagfoundry.settings import METRICS_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dagfoundry.metrics.slots import SlotFolder

_log = get_logger(__name__)
_unusable: set[str] = set()


@dataclass(frozen=True, kw_only=True)
class _Instrument:
    """What every metric has.

    Attributes:
        name: Name as Prometheus shows it, without the suffix of its kind.
        help: What it counts, in one sentence.
        labels: Names of its labels; their values must not grow with users.
    """

    name: str
    help: str
    labels: tuple[str, ...]

    def _key(self, suffix: str, labels: Sequence[str], **more: str) -> str:
        names, values = (*self.labels, *more), (*labels, *more.values())
        return _slot_key(self, suffix, names, values)


@dataclass(frozen=True, kw_only=True)
class Counter(_Instrument):
    """A number that only grows."""

    def add(self, *labels: str, amount: float = 1) -> None:
        """Add to the number of these label values."""
        if not _in_slot(lambda slot: slot.add("counter", self._key("_total", labels), amount)):
            _counter(self).labels(*labels).inc(amount)


@dataclass(frozen=True, kw_only=True)
class Histogram(_Instrument):
    """Counts of durations; ``bounds`` are the upper limits in seconds, infinity is implied."""

    bounds: tuple[float, ...]

    def observe(self, *labels: str, seconds: Sequence[float]) -> None:
        """Count durations."""
        if not _in_slot(lambda slot: self._record(slot, labels, seconds)):
            histogram = _histogram(self).labels(*labels)
            for duration in seconds:
                histogram.observe(duration)

    def _record(self, slot: SlotFolder, labels: Sequence[str], seconds: Sequence[float]) -> None:
        limits = (*self.bounds, inf)
        hits = Hits(bisect_left(self.bounds, duration) for duration in seconds)
        for number, limit in enumerate(limits):  # an untouched limit appears as well, with 0
            key = self._key("_bucket", labels, le=floatToGoString(limit))
            slot.add("histogram", key, float(hits[number]))
        slot.add("histogram", self._key("_sum", labels), sum(seconds))


@dataclass(frozen=True, kw_only=True)
class Gauge(_Instrument):
    """A number that moves; of all slots the one set last is shown."""

    def set(self, *labels: str, value: float) -> None:
        """Set the number of these label values."""
        key, now = self._key("", labels), time.time()
        if not _in_slot(lambda slot: slot.put("gauge_mostrecent", key, value, now)):
            _gauge(self).labels(*labels).set(value)


@lru_cache(maxsize=4096)
def _slot_key(
    metric: _Instrument, suffix: str, names: tuple[str, ...], values: tuple[str, ...]
) -> str:
    """Return the key of a number in a slot file: JSON, made once and not once a DAG."""
    name = metric.name + suffix
    return str(mmap_key(metric.name, name, list(names), list(values), metric.help))


def _in_slot(record: Callable[[SlotFolder], None]) -> bool:
    folder = os.environ.get(METRICS_VARIABLE)
    if not folder or folder in _unusable:
        return False
    try:
        record(slot_folder(folder))
    except OSError as error:
        _unusable.add(folder)
        _log.warning("metrics stay in this process", folder=folder, reason=str(error))
        return False
    return True


@cache
def _counter(metric: Counter) -> prometheus_client.Counter:
    return prometheus_client.Counter(metric.name, metric.help, metric.labels)


@cache
def _histogram(metric: Histogram) -> prometheus_client.Histogram:
    return prometheus_client.Histogram(
        metric.name, metric.help, metric.labels, buckets=metric.bounds
    )


@cache
def _gauge(metric: Gauge) -> prometheus_client.Gauge:
    return prometheus_client.Gauge(metric.name, metric.help, metric.labels)
