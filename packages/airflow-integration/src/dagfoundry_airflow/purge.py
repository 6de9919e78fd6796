"""The end of an entry's life: long retired, its row goes and Airflow forgets its DAG.

Airflow keeps a removed DAG and its runs for ever, and whether it is paused. An entry that
is made anew under the same DAG id would take all that up, so it is deleted there, too. In
history the entry stays, and can be brought back with ``dagfoundry undelete``.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

import structlog

from dagfoundry.factories import Status
from dagfoundry.store import RowKind
from dagfoundry_airflow.airflow_api import AirflowAccessError
from dagfoundry_airflow.serving import observe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dagfoundry.store import RowState, Store
    from dagfoundry_airflow.airflow_api import AirflowApi
    from dagfoundry_airflow.serving import Serving

AUTHOR: Final = "dagfoundry"
_MESSAGE: Final = "Retired for longer than the retention."

_log = structlog.stdlib.get_logger(__name__)


def purge_left_behind(
    store: Store, api: AirflowApi, foundry: str, retention: timedelta
) -> list[str]:
    """Purge factories that were retired for long, and their entries: no factory DAG does it.

    Args:
        store: The store.
        api: Airflow.
        foundry: Name of the foundry.
        retention: For how long they stay retired.

    Returns:
        The DAG ids that are purged now.

    Raises:
        AirflowAccessError: Airflow cannot be asked.
        StoreUnavailableError: The store cannot be read or written.
    """
    rows = store.rows_at(foundry, store.head(foundry).revision)
    alive = {
        (row.platform_name, row.factory_type)
        for row in rows
        if row.kind is RowKind.FACTORY and row.status.in_bucket
    }

    def is_left_behind(row: RowState) -> bool:
        factory = (row.platform_name, row.factory_type)
        return row.kind is not RowKind.INFRASTRUCTURE and factory not in alive

    serving = observe(store, api, foundry, is_left_behind)
    purged = purge_retired(store, serving, retention)
    forget_purged(api, serving, purged, retention)
    return purged


def purge_retired(store: Store, serving: Serving, retention: timedelta) -> list[str]:
    """Purge the entries that have been retired for long and that Airflow no longer lists.

    Args:
        store: The store.
        serving: What Airflow serves of the rows in question.
        retention: For how long an entry stays retired.

    Returns:
        The DAG ids of the entries that are purged now.

    Raises:
        StoreUnavailableError: The store cannot be read or written.
    """
    overdue = {
        row.dag_id: row.revision
        for row in serving.rows
        if row.status is Status.RETIRED
        and _is_over(row, retention)
        and row.dag_id not in serving.lingering
    }
    if overdue:
        store.purge(serving.head.foundry, overdue, author=AUTHOR, message=_MESSAGE)
    return sorted(overdue)


def forget_purged(
    api: AirflowApi, serving: Serving, purged: Iterable[str], retention: timedelta
) -> dict[str, str]:
    """Delete from Airflow what is purged; a row deleted by hand is kept for the retention.

    Args:
        api: Airflow.
        serving: What Airflow served before.
        purged: DAG ids that were purged just now.
        retention: For how long Airflow keeps the DAG of a row that was deleted by hand.

    Returns:
        DAG id to the reason, of those that Airflow did not delete; the next run tries again.
    """
    wanted = {*purged, *_purged_before(serving, retention)} & serving.dags.keys()
    reasons = {dag_id: _delete(api, dag_id) for dag_id in sorted(wanted)}
    return {dag_id: reason for dag_id, reason in reasons.items() if reason}


def _delete(api: AirflowApi, dag_id: str) -> str:
    """Delete a DAG from Airflow and return what kept it from that, if anything."""
    try:
        api.delete(dag_id)
    except AirflowAccessError as error:
        _log.warning(f"Airflow does not delete {dag_id}: {error}")
        return error.what
    return ""


def _purged_before(serving: Serving, retention: timedelta) -> Iterator[str]:
    for row in serving.rows:
        if row.status is Status.PURGED and serving.dags.get(row.dag_id):
            is_due = row.message == _MESSAGE or _is_over(row, retention)
            if is_due and serving.dags[row.dag_id].stale:
                yield row.dag_id


def _is_over(row: RowState, retention: timedelta) -> bool:
    """Return whether a row has been as it is for the retention."""
    if row.kind is RowKind.INFRASTRUCTURE or not row.created_at:
        return False
    return datetime.now(timezone.utc) - datetime.fromisoformat(row.created_at) >= retention
