"""Moving rows on in their life: retiring to retired once Airflow has let them go, then purged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagfoundry.factories import Status
from dagfoundry.store.known import known_rows
from dagfoundry.store.read import read_rows
from dagfoundry.store.write import lock_foundry, write_revision

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy.engine import Connection

    from dagfoundry.store.records import Head, RowState
    from dagfoundry.store.write import Origin


def retire(connection: Connection, foundry: str, dag_ids: Sequence[str], origin: Origin) -> Head:
    """Move the rows of these DAGs from retiring to retired.

    A row that is not retiring (any more) stays as it is, so two factory DAGs may ask at
    once and an entry that came back meanwhile is safe.
    """
    wanted = set(dag_ids)

    def is_meant(row: RowState) -> bool:
        return row.dag_id in wanted and row.status is Status.RETIRING

    return _move(connection, foundry, is_meant, status=Status.RETIRED, origin=origin)


def purge(connection: Connection, foundry: str, retired: Mapping[str, int], origin: Origin) -> Head:
    """Move rows from retired to purged: they leave their tables and stay in history.

    A row that came back, or was retired anew, stays as it is.

    Args:
        connection: A connection that writes.
        foundry: Name of the foundry.
        retired: DAG id to the revision that retired the row.
        origin: Who, why and what from.
    """

    def is_meant(row: RowState) -> bool:
        return row.status is Status.RETIRED and retired.get(row.dag_id) == row.revision

    return _move(connection, foundry, is_meant, status=Status.PURGED, origin=origin)


def _move(
    connection: Connection,
    foundry: str,
    is_meant: Callable[[RowState], bool],
    *,
    status: Status,
    origin: Origin,
) -> Head:
    """Give a status to the rows that are meant, unless a hand edit gave them another."""
    head = lock_foundry(connection, foundry)
    rows = [row for row in read_rows(connection, head, head.revision) if is_meant(row)]
    changes = [
        row.change(status, row.found["config_json"] or "{}")
        for row in known_rows(connection, rows)
        if row.found is not None and row.found["status"] == row.state.status.value
    ]
    return write_revision(connection, head, changes, origin)
