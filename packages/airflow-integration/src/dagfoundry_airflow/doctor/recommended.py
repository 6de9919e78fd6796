"""What settings cost and which ones suit a fleet; knows nothing of Airflow.

The figures are a fit of measurements with 4 tasks a DAG, which ``docs/explanation/performance.md``
has: a pass of 100, 1,000 and 10,000 DAGs took 2.6, 16 and 124 CPU-s on Airflow 3.3 (the fit says
3.3, 16 and 128) and 6.0, 13.5 and 138 on 2.11. An idle minute took from 0.5 to 1.5, with any
number of DAGs. They depend on the machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

CPU_SECONDS_PER_FILE: Final = 0.13
CPU_SECONDS_PER_DAG: Final = 0.012
IDLE_CPU_SECONDS: Final = 1.0
"""What a DAG processor uses in a minute in which it parses nothing."""

BUDGET: Final = 3.0
"""CPU-seconds a minute that an unchanged fleet may cost."""

AIRFLOW_INTERVAL: Final = 30
"""Airflow's own ``min_file_process_interval``, in seconds."""

REFRESH_INTERVAL: Final = 5
"""Seconds between two questions to the store of a bundle."""

IMPORT_TIMEOUT: Final = 30
PROCESSOR_TIMEOUT: Final = 50
STALE_THRESHOLD: Final = 50
CLEANUP_INTERVAL: Final = 60
"""Airflow's own values of options that suit every fleet, in seconds."""

_SIZES: Final = (100, 1_000, 10_000)
_INTERVALS: Final = (300, 600, 1800, 3600, 7200)
_FEWEST: Final = 150
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
    return IDLE_CPU_SECONDS + pass_cost(dags, files) * 60 / max(interval, 1)


def interval_for(dags: int, files: int) -> int:
    """Return the shortest interval, in seconds, that keeps to the budget; two hours at most."""
    fitting = [each for each in _INTERVALS if minute_cost(dags, files, each) <= BUDGET]
    return fitting[0] if fitting else _INTERVALS[-1]


def buckets_for(dags: int) -> int:
    """Return the number of buckets that suits a fleet when its foundry is created."""
    if dags <= _FEW:
        return 8 if dags <= _FEWEST else 16
    return 32 if dags < _MANY else 128


def is_crowded(dags: int, files: int) -> bool:
    """Return whether one change makes Airflow parse too many DAGs that did not change."""
    return dags > _MOST_DAGS_PER_FILE * max(files, 1)


def is_scattered(dags: int, files: int) -> bool:
    """Return whether most of a pass goes into starting parse processes."""
    return files > 2 * buckets_for(dags) and minute_cost(dags, files, _INTERVALS[0]) > BUDGET


def recommended_rows() -> tuple[tuple[str, ...], Iterator[tuple[str, ...]]]:
    """Return the columns and rows of a table of what to set, for fleets of three sizes."""
    columns = ("setting", *(f"{dags:,} DAGs" for dags in _SIZES))
    fleets = [(dags, buckets_for(dags)) for dags in _SIZES]
    intervals = [interval_for(*fleet) for fleet in fleets]
    here = [minute_cost(*fleet, each) for fleet, each in zip(fleets, intervals, strict=True)]
    default = [minute_cost(*fleet, AIRFLOW_INTERVAL) for fleet in fleets]
    rows: dict[str, list[Any]] = {
        "`buckets` of the model (on Airflow 2 also `--shards`)": [each for _, each in fleets],
        "`min_file_process_interval`": intervals,
        "`min_serialized_dag_update_interval`": [0] * len(fleets),
        "`refresh_interval` of the bundle (Airflow 3)": [REFRESH_INTERVAL] * len(fleets),
        "`bundle_refresh_check_interval` (Airflow 3)": [REFRESH_INTERVAL] * len(fleets),
        "`dagbag_import_timeout`": [IMPORT_TIMEOUT] * len(fleets),
        "`dag_file_processor_timeout`": [PROCESSOR_TIMEOUT] * len(fleets),
        "`stale_dag_threshold`": [STALE_THRESHOLD] * len(fleets),
        "`parsing_cleanup_interval`": [CLEANUP_INTERVAL] * len(fleets),
        "CPU-seconds a minute, unchanged": [f"{cost:.1f}" for cost in here],
        f"the same at Airflow's default of {AIRFLOW_INTERVAL} s": [f"{c:.1f}" for c in default],
    }
    return columns, ((name, *map(str, values)) for name, values in rows.items())
