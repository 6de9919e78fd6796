"""What Airflow serves otherwise than the store has recorded it: Airflow's part of a drift."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

from dagfoundry.drift import Difference
from dagfoundry.store import RowKind
from dagfoundry_airflow.access import open_api
from dagfoundry_airflow.serving import observe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dagfoundry.store import RowState, Store
    from dagfoundry_airflow.airflow_api import AirflowApi
    from dagfoundry_airflow.serving import Serving

_WHERE: Final = "airflow"


def differences(store: Store, foundry: str) -> list[Difference]:
    """Return what Airflow serves otherwise; offered under ``dagfoundry.serving``.

    Raises:
        AirflowAccessError: Airflow cannot be asked.
        StoreUnavailableError: The store cannot be read.
    """
    with closing(open_api()) as api:
        return list(compare(store, api, foundry))


def compare(store: Store, api: AirflowApi, foundry: str) -> Iterator[Difference]:
    """Yield each DAG that Airflow serves otherwise, and whether it has the newest revision."""
    serving = observe(store, api, foundry, lambda row: row.kind is not RowKind.INFRASTRUCTURE)
    if not serving.is_published:
        found = serving.version.revision if serving.version else None
        head = serving.head
        yield _difference(head.foundry, "published revision", head.revision, found)
    rows = {row.dag_id: row for row in serving.rows}
    for dag_id in serving.missing:
        yield _difference(dag_id, "DAG", rows[dag_id].status.value, None)
    for dag_id in serving.stale:
        yield _difference(dag_id, "revision", rows[dag_id].revision, _served(serving, rows[dag_id]))
    for dag_id in serving.lingering:
        yield _difference(dag_id, "DAG", rows[dag_id].status.value, "still listed")
    for dag_id, report in serving.broken.items():
        yield _difference(dag_id, "definition", rows[dag_id].revision, report.splitlines()[0])


def _served(serving: Serving, row: RowState) -> int | None:
    dag = serving.dags.get(row.dag_id)
    return dag.revision if dag else None


def _difference(dag_id: str, field: str, recorded: object, found: object) -> Difference:
    return Difference(where=_WHERE, dag_id=dag_id, field=field, recorded=recorded, found=found)
