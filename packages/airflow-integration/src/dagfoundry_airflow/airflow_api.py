"""What DAG Foundry asks of Airflow itself: which DAGs it serves, and to pause or parse them.

Airflow 3 keeps its metadata database from tasks, so there it is the REST API
(:mod:`dagfoundry_airflow.airflow_rest`); in 2.x it is the database
(:mod:`dagfoundry_airflow.airflow_orm`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from dagfoundry.errors import FoundryError
from dagfoundry_airflow.documentation import served_in

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from dagfoundry.factories import Status


class AirflowAccessError(FoundryError):
    """Airflow could not be asked, or refused."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AirflowDag:
    """A DAG as Airflow knows it.

    Attributes:
        dag_id: DAG id.
        paused: Whether it is paused, whoever did that.
        stale: Whether Airflow has dropped it from its list, since no file holds it.
        revision: Revision of the row that it was built from; None when a DAG is not ours.
        status: Status of that row.
        import_errors: Whether its file cannot be imported.
        file: What Airflow takes to parse the DAG's file again.
        next_run: When Airflow starts its next run, as ISO 8601 text; None without one.
    """

    dag_id: str
    paused: bool
    stale: bool
    revision: int | None
    status: Status | None
    import_errors: bool
    file: str
    next_run: str | None = None


class AirflowApi(Protocol):
    """What Airflow can be asked.

    Every method raises :class:`AirflowAccessError` when Airflow does not answer.
    """

    def dags(self, dag_ids: Collection[str]) -> dict[str, AirflowDag]:
        """Return those of the DAGs that Airflow knows, stale ones too, by DAG id."""
        ...

    def set_paused(self, dag_id: str, *, paused: bool) -> None:
        """Pause or unpause a DAG."""
        ...

    def unfinished_runs(self, dag_ids: Collection[str]) -> dict[str, int]:
        """Return the number of running and queued runs of each DAG that has any."""
        ...

    def import_errors(self, file_prefix: str) -> dict[str, str]:
        """Return file name to report, for files whose names begin so."""
        ...

    def request_parse(self, dag: AirflowDag) -> None:
        """Ask for the DAG's file to be parsed next; in 3.x its bundle is refreshed first."""
        ...

    def delete(self, dag_id: str) -> None:
        """Delete a DAG that no file holds, with its runs; harmless when it is gone."""
        ...

    def recall(self, key: str) -> str | None:
        """Return what was remembered under a key, or None."""
        ...

    def remember(self, key: str, text: str) -> None:
        """Keep a text in Airflow, as a Variable."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


def describe_dag(values: Mapping[str, Any], *, file: str) -> AirflowDag:
    """Return a DAG from the names that Airflow 3 gives its properties.

    Args:
        values: ``dag_id``, ``is_paused``, ``is_stale``, ``description``,
            ``has_import_errors`` and ``next_dagrun_run_after``, as text or None.
        file: What Airflow takes to parse the DAG's file again.
    """
    revision, status = served_in(values["description"]) or (None, None)
    return AirflowDag(
        dag_id=values["dag_id"],
        paused=values["is_paused"],
        stale=values["is_stale"],
        revision=revision,
        status=status,
        import_errors=bool(values["has_import_errors"]),
        file=file,
        next_run=values["next_dagrun_run_after"],
    )
