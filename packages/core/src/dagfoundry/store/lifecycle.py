"""Moving rows on in their life: retiring to retired, once Airflow has let them go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagfoundry.factories import Status
from dagfoundry.store.known import known_rows
from dagfoundry.store.read import read_rows
from dagfoundry.store.write import lock_foundry, write_revision

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

    from dagfoundry.store.records import Head
    from dagfoundry.store.write import Origin


def retire(connection: Connection, foundry: str, dag_ids: Sequence[str], origin: Origin) -> Head:
    """Move the rows of these DAGs from retiring to retired.

    A row that is not retiring (any more) stays as it is, so two factory DAGs may ask at
    once and an entry that came back meanwhile is safe.
    """
    head = lock_foundry(connection, foundry)
    wanted = set(dag_ids)
    rows = [
        row
        for row in read_rows(connection, head, head.revision)
        if row.dag_id in wanted and row.status is Status.RETIRING
    ]
    changes = [
        row.change(Status.RETIRED, row.found["config_json"] or "{}")
        for row in known_rows(connection, rows)
        if row.found is not None and row.found["status"] == Status.RETIRING.value
    ]
    return write_revision(connection, head, changes, origin)
