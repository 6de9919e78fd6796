"""The last report of each factory DAG: what it found and did, for people and programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import insert, inspect, select, update

from dagfoundry.store.tables import REPORTS
from dagfoundry.store.write import utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.engine import Connection


class FactoryReport(NamedTuple):
    """A report.

    Attributes:
        dag_id: The factory DAG.
        made_at: When, in UTC.
        report: What it says: ``revision``, ``version``, and the DAGs that it created,
            updated, retired and so on.
    """

    dag_id: str
    made_at: datetime
    report: dict[str, Any]


def keeps_reports(connection: Connection) -> bool:
    """Return whether the store has the table; one of an older release has not."""
    return inspect(connection).has_table(REPORTS.name)


def write_report(
    connection: Connection, foundry: str, dag_id: str, report: Mapping[str, Any]
) -> None:
    """Record a factory DAG's report in place of its last one."""
    values = {"made_at": utc_now(), "report": json.dumps(report)}
    mine = (REPORTS.c.foundry == foundry, REPORTS.c.dag_id == dag_id)
    if not connection.execute(update(REPORTS).where(*mine).values(values)).rowcount:
        connection.execute(insert(REPORTS).values(foundry=foundry, dag_id=dag_id, **values))


def read_reports(connection: Connection, foundry: str) -> list[FactoryReport]:
    """Return the last report of each factory DAG, by its id."""
    statement = select(REPORTS).where(REPORTS.c.foundry == foundry).order_by(REPORTS.c.dag_id)
    return [
        FactoryReport(row.dag_id, row.made_at, json.loads(row.report))
        for row in connection.execute(statement)
    ]
