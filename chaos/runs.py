"""The runs that the schedules demand, beside those that there are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import psycopg2
from airflow_client import AIRFLOW_2

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from chaos.watcher import Sample

_MINUTE: Final = 60
_DUE: Final = "data_interval_end" if AIRFLOW_2 else "run_after"
_LOGICAL: Final = "execution_date" if AIRFLOW_2 else "logical_date"
_RUNS: Final = (
    f"SELECT dag_id, run_id, extract(epoch FROM {_DUE}), extract(epoch FROM {_LOGICAL}), state"  # noqa: S608 - our words
    " FROM dag_run WHERE run_type = 'scheduled' AND dag_id = ANY(%s)"
)
_NEEDED_AFTER: Final = 15.0
"""Within how many seconds after its moment a scheduler has to live to owe a run."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """What became of the runs of some minutes.

    Attributes:
        demanded: Number of runs that the schedules demand.
        missing: Those that there are not, ``<dag_id> <minute>``.
        unfinished: Run ids of those that are not over.
        failed: Run ids of those that failed.
        twice: Runs that are there twice, or were carried out twice.
    """

    demanded: int
    missing: tuple[str, ...]
    unfinished: tuple[str, ...]
    failed: tuple[str, ...]
    twice: tuple[str, ...]

    @property
    def lost(self) -> int:
        """How many runs there are not, or failed."""
        return len(self.missing) + len(self.failed) + len(self.unfinished)


def due_minutes(samples: Iterable[Sample], begin: float, end: float) -> list[int]:
    """Return the minutes at which a scheduler was alive, in seconds since the epoch."""
    seen = list(samples)
    minutes = range(math.ceil(begin / _MINUTE) * _MINUTE, int(end), _MINUTE)
    return [minute for minute in minutes if _is_owed(minute, seen)]


def _is_owed(minute: int, samples: list[Sample]) -> bool:
    around = [sample for sample in samples if minute <= sample.at <= minute + _NEEDED_AFTER]
    return any(sample.schedules for sample in around)


def account(url: str, dag_ids: Collection[str], minutes: list[int], ledger: Path) -> Account:
    """Compare the runs of some minutes with those that are demanded."""
    found = [run for run in _runs(url, dag_ids) if int(run["due"]) in minutes]
    have = {(run["dag_id"], int(run["due"])) for run in found}
    wanted = [(dag_id, minute) for dag_id in sorted(dag_ids) for minute in minutes]
    names = {run["run_id"] for run in found}
    return Account(
        demanded=len(wanted),
        missing=tuple(f"{d} {m}" for d, m in wanted if (d, m) not in have),
        unfinished=_ids(run for run in found if run["state"] not in ("success", "failed")),
        failed=_ids(run for run in found if run["state"] == "failed"),
        twice=tuple(sorted({*_doubles(found), *_executed_twice(ledger, names)})),
    )


def _ids(runs: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(f"{run['dag_id']} {run['run_id']}" for run in runs)


def _doubles(runs: Iterable[dict[str, Any]]) -> list[str]:
    seen: set[tuple[str, float]] = set()
    doubles = []
    for run in runs:
        key = run["dag_id"], run["logical"]
        if key in seen:
            doubles.append(f"{run['dag_id']} {run['run_id']}")
        seen.add(key)
    return doubles


def _executed_twice(ledger: Path, run_ids: Collection[str]) -> list[str]:
    """Return the runs whose job was carried out more than once."""
    lines = ledger.read_text(encoding="utf-8").splitlines() if ledger.exists() else []
    return [line for line in set(lines) if lines.count(line) > 1 and line.split()[1] in run_ids]


def _runs(url: str, dag_ids: Collection[str]) -> list[dict[str, Any]]:
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute(_RUNS, [list(dag_ids)])
            names = ("dag_id", "run_id", "due", "logical", "state")
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    finally:
        connection.close()
