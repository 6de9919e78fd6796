"""Merges a staged batch into a merge table with a constant number of statements.

Both kinds of history work the same way: rows whose key is gone leave the live rows,
then those whose values changed do, then every staged row without a live one enters.
An update is so a leave and an enter, which is what PostgreSQL does anyway, and which
each database and SQLAlchemy 1.4 can say. Each statement's row count is a true count
(the reference counts updates as inserts and unchanged rows as updates, defect D34).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from dagfoundry.mergestore.batches import Counts
from dagfoundry.mergestore.tables import (
    ALL_HASH,
    BATCH_ID,
    BATCH_IN,
    BATCH_OUT,
    KEY_HASH,
    LIVE_RECORD,
    DatasetTables,
)
from dagfoundry.model.schema import Milestoning

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


def merge_staged(connection: Connection, tables: DatasetTables, batch_id: int) -> Counts:
    """Make the live rows of a merge table equal to the staged rows of a batch.

    Args:
        connection: The transaction that commits the batch.
        tables: The dataset's tables.
        batch_id: Number of the batch.

    Returns:
        Rows inserted, updated and deleted; the total is left to who staged them.
    """
    same_key = _staged(tables, batch_id, tables.staging.c[KEY_HASH] == tables.merge.c[KEY_HASH])
    changed = same_key.where(tables.staging.c[ALL_HASH] != tables.merge.c[ALL_HASH])
    deleted = _leave(connection, tables, batch_id, ~same_key.exists())
    updated = _leave(connection, tables, batch_id, changed.exists())
    entered = _enter(connection, tables, batch_id)
    return Counts(inserted=entered - updated, updated=updated, deleted=deleted)


def _staged(
    tables: DatasetTables, batch_id: int, condition: sa.ColumnElement[bool]
) -> sa.Select[Any]:
    staging = tables.staging
    return (
        sa.select(staging.c[KEY_HASH])
        .where(staging.c[BATCH_ID] == batch_id, condition)
        .correlate(tables.merge)
    )


def _is_live(tables: DatasetTables) -> sa.ColumnElement[bool]:
    if tables.milestoning == Milestoning.FORENSIC:
        return tables.merge.c[BATCH_OUT] == LIVE_RECORD
    return sa.true()


def _leave(
    connection: Connection, tables: DatasetTables, batch_id: int, which: sa.ColumnElement[bool]
) -> int:
    statement: sa.Delete | sa.Update = sa.delete(tables.merge)
    if tables.milestoning == Milestoning.FORENSIC:
        # inclusive: the last batch in which the row was live
        statement = sa.update(tables.merge).values({BATCH_OUT: batch_id - 1})
    return connection.execute(statement.where(_is_live(tables), which)).rowcount


def _enter(connection: Connection, tables: DatasetTables, batch_id: int) -> int:
    staging, merge = tables.staging, tables.merge
    live = sa.select(merge.c[KEY_HASH]).where(
        merge.c[KEY_HASH] == staging.c[KEY_HASH], _is_live(tables)
    )
    columns: dict[str, sa.ColumnElement[Any]] = {
        name: staging.c[name] for name in (*tables.columns, ALL_HASH, KEY_HASH)
    }
    if tables.milestoning == Milestoning.FORENSIC:
        columns |= {BATCH_IN: staging.c[BATCH_ID], BATCH_OUT: sa.literal(LIVE_RECORD)}
    else:
        columns |= {BATCH_ID: staging.c[BATCH_ID]}
    rows = sa.select(*columns.values()).where(
        staging.c[BATCH_ID] == batch_id, ~live.correlate(staging).exists()
    )
    return connection.execute(sa.insert(merge).from_select(list(columns), rows)).rowcount
