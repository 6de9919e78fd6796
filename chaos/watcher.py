"""Looks at Airflow all the time: which DAGs it has, which errors it shows, who answers."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import httpx
import psycopg2
from airflow_client import AIRFLOW_2, AirflowError, Api
from airflow_environment import USER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_processes import AirflowProcesses
    from typing_extensions import Self

_LISTED: Final = "is_active" if AIRFLOW_2 else "NOT is_stale"
_DAGS: Final = f"SELECT dag_id, coalesce(has_import_errors, false) FROM dag WHERE {_LISTED}"  # noqa: S608 - our words
_ERRORS: Final = "SELECT filename, stacktrace FROM import_error"
_HEARTBEAT: Final = (
    "SELECT extract(epoch FROM now() - max(latest_heartbeat)) FROM job"
    " WHERE job_type = 'SchedulerJob' AND state = 'running'"
)
_ALIVE_SECONDS: Final = 12.0
_POLL_SECONDS: Final = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """What Airflow was like at one moment.

    Attributes:
        at: Seconds since the epoch.
        dags: The DAGs that it lists; None when its database did not answer.
        blocked: Those of them that it does not schedule, since their file has an error.
        errors: Import errors, by file; None when its database did not answer.
        schedules: Whether a scheduler was alive.
        listed: The number of DAGs that its REST API says; None when it did not answer.
    """

    at: float
    dags: frozenset[str] | None
    blocked: frozenset[str]
    errors: Mapping[str, str] | None
    schedules: bool
    listed: int | None


class Watcher:
    """Takes samples until it is left.

    Args:
        processes: The Airflow to look at.
        url: Its metadata database.
    """

    def __init__(self, processes: AirflowProcesses, url: str) -> None:
        self._api = Api(processes.url, USER, processes.password)
        self._url = url
        self._connection: psycopg2.extensions.connection | None = None
        self._samples: list[Sample] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watcher", daemon=True)

    def __enter__(self) -> Self:
        """Start to look."""
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Look no more."""
        self._over.set()
        self._thread.join()
        self._api.close()
        self._disconnect()

    def since(self, moment: float) -> list[Sample]:
        """Return all samples from a moment on."""
        return [sample for sample in self._samples if sample.at >= moment]

    def newest(self) -> Sample | None:
        """Return the last sample, or None before the first."""
        return self._samples[-1] if self._samples else None

    def _watch(self) -> None:
        while not self._over.wait(_POLL_SECONDS):
            self._samples.append(self._sample())

    def _sample(self) -> Sample:
        listed, at = self._listed(), time.time()
        try:
            dags = {str(dag_id): bool(is_blocked) for dag_id, is_blocked in self._rows(_DAGS)}
            errors = {str(file).rsplit("/", 1)[-1]: str(t) for file, t in self._rows(_ERRORS)}
            ((age,),) = self._rows(_HEARTBEAT)
        except psycopg2.Error:
            self._disconnect()
            nothing = frozenset[str]()
            return Sample(
                at=at, dags=None, blocked=nothing, errors=None, schedules=False, listed=listed
            )
        return Sample(
            at=at,
            dags=frozenset(dags),
            blocked=frozenset(dag_id for dag_id, is_blocked in dags.items() if is_blocked),
            errors=errors,
            schedules=age is not None and float(age) < _ALIVE_SECONDS,
            listed=listed,
        )

    def description(self, dag_id: str) -> str:
        """Return a DAG's description, which names the revision that it serves."""
        connection = psycopg2.connect(self._url, connect_timeout=2)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT description FROM dag WHERE dag_id = %s", [dag_id])
                row = cursor.fetchone()
                return str(row[0]) if row else ""
        finally:
            connection.close()

    def _listed(self) -> int | None:
        try:
            return int(self._api.get("/dags", limit=1)["total_entries"])
        except (httpx.HTTPError, AirflowError, KeyError):
            return None

    def _rows(self, statement: str) -> list[tuple[object, ...]]:
        if self._connection is None:
            self._connection = psycopg2.connect(self._url, connect_timeout=2)
            self._connection.autocommit = True
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
