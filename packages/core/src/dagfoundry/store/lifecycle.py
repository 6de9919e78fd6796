"""Moving rows on in their life: retiring to retired, once Airflow has let them go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import MetaData, Table, and_, select

from dagfoundry.factories import Status
from dagfoundry.store.read import read_rows
from dagfoundry.store.records import RowKind
from dagfoundry.store.tables import FoundryTables
from dagfoundry.store.write import RowChange, lock_foundry, write_revision

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

    from dagfoundry.store.records import Head, RowState
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
    changes = [change for row in rows for change in _retired(connection, row)]
    return write_revision(connection, head, changes, origin)


def _retired(connection: Connection, row: RowState) -> list[RowChange]:
    table = _live_table(connection, row)
    primary_key = _primary_key(table, row)
    is_row = and_(*(table.c[column] == value for column, value in primary_key.items()))
    statement = select(table.c.status, table.c.config_json).where(is_row)
    live = connection.execute(statement).one_or_none()
    if live is None or live.status != Status.RETIRING.value:
        return []
    return [
        RowChange(
            table=table,
            primary_key=primary_key,
            kind=row.kind,
            platform_name=row.platform_name,
            factory_type=row.factory_type,
            key=row.key,
            dag_id=row.dag_id,
            bucket=row.bucket,
            before={"status": live.status, "config_json": live.config_json},
            status=Status.RETIRED,
            config_json=live.config_json,
        )
    ]


def _live_table(connection: Connection, row: RowState) -> Table:
    if row.kind is RowKind.FACTORY:
        return FoundryTables(row.foundry).factories
    return Table(row.table_name, MetaData(), autoload_with=connection)


def _primary_key(table: Table, row: RowState) -> dict[str, str]:
    if row.kind is RowKind.FACTORY:
        return {"platform_name": row.platform_name, "factory_type": row.factory_type}
    (column,) = table.primary_key.columns
    return {column.name: row.key}
