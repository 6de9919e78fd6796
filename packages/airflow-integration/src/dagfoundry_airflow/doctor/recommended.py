"""What settings cost and which ones suit a fleet; knows nothing of Airflow.

The figures are a fit of measurements on Airflow 3.3 with 4 tasks a DAG, for 20 to 1,000 DAGs
in 1 to 256 files. They depend on the machine.
"""

from __future__ import annotations

from typing import Final

CPU_SECONDS_PER_FILE: Final = 0.12
CPU_SECONDS_PER_DAG: Final = 0.009

BUDGET: Final = 3.0
"""CPU-seconds a minute that an unchanged fleet may cost."""

AIRFLOW_INTERVAL: Final = 30
"""Airflow's own ``min_file_process_interval``, in seconds."""

_INTERVALS: Final = (300, 600, 1800, 3600)
_FEW: Final = 500
_MANY: Final = 10_000
_MOST_DAGS_PER_FILE: Final = 320
"""At 312 a file, one change cost 5 CPU-s and 6 s until it was seen."""


def pass_cost(dags: int, files: int) -> float:
    """Return what it costs to parse every file once, in CPU-seconds."""
    return CPU_SECONDS_PER_FILE * files + CPU_SECONDS_PER_DAG * dags


def minute_cost(dags: int, files: int, interval: float) -> float:
    """Return what an unchanged fleet costs in a minute, in CPU-seconds.

    Args:
        dags: Number of DAGs.
        files: Number of files that hold them.
        interval: ``min_file_process_interval``, in seconds.
    """
    return pass_cost(dags, files) * 60 / max(interval, 1)


def interval_for(dags: int, files: int) -> int:
    """Return the shortest interval, in seconds, that keeps to the budget; an hour at most."""
    fitting = [each for each in _INTERVALS if minute_cost(dags, files, each) <= BUDGET]
    return fitting[0] if fitting else _INTERVALS[-1]


def buckets_for(dags: int) -> int:
    """Return the number of buckets that suits a fleet when its foundry is created."""
    if dags <= _FEW:
        return 16
    return 32 if dags < _MANY else 64


def is_crowded(dags: int, files: int) -> bool:
    """Return whether one change makes Airflow parse too many DAGs that did not change."""
    return dags > _MOST_DAGS_PER_FILE * max(files, 1)


def is_scattered(dags: int, files: int) -> bool:
    """Return whether most of a pass goes into starting parse processes."""
    return files > 2 * buckets_for(dags) and minute_cost(dags, files, _INTERVALS[0]) > BUDGET
