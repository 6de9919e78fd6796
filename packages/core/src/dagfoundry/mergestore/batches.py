"""Batches of a stream: their numbers and what each did.

The two tables are the reference's. A batch is open from its first row until the one
transaction that merges it; an open batch is taken up again under its number.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from dagfoundry.mergestore.names import MAX_STREAM_KEY, batch_counter_name, batch_metrics_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.engine import Connection

STARTED: Final = "started"
INGESTED: Final = "ingested"
COMMITTED: Final = "committed"
FAILED: Final = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """Rows that a batch wrote to merge tables, and read from its source."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    total: int = 0

    def __add__(self, other: Counts) -> Counts:
        """Return the sums."""
        return Counts(
            inserted=self.inserted + other.inserted,
            updated=self.updated + other.updated,
            deleted=self.deleted + other.deleted,
            total=self.total + other.total,
        )


def counter_table(platform: str) -> sa.Table:
    """Return the table that holds the number of each stream's newest batch."""
    return sa.Table(
        batch_counter_name(platform),
        sa.MetaData(),
        sa.Column("key", sa.String(MAX_STREAM_KEY), primary_key=True),
        sa.Column("currentBatch", sa.Integer()),
    )


def metrics_table(platform: str) -> sa.Table:
    """Return the table that holds a row for each batch."""
    # the reference's VARCHAR(2048) is too narrow from about 30 datasets on (defect D10)
    text = sa.Text().with_variant(mysql.LONGTEXT(), "mysql")
    return sa.Table(
        batch_metrics_name(platform),
        sa.MetaData(),
        sa.Column("key", sa.String(MAX_STREAM_KEY), primary_key=True),
        sa.Column("batch_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("batch_start_time", sa.DateTime()),
        sa.Column("batch_end_time", sa.DateTime()),
        sa.Column("batch_status", sa.String(32)),
        sa.Column("records_inserted", sa.Integer()),
        sa.Column("records_updated", sa.Integer()),
        sa.Column("records_deleted", sa.Integer()),
        sa.Column("total_records", sa.Integer()),
        sa.Column("state", text),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamBatch:
    """An open batch of a stream.

    Attributes:
        platform: Name of the platform.
        stream_key: Key of the stream in the batch tables.
        batch_id: Number of the batch, counting from 1.
    """

    platform: str
    stream_key: str
    batch_id: int

    def record(self, connection: Connection, **values: object) -> None:
        """Write columns of the batch's row."""
        table = metrics_table(self.platform)
        where = (table.c["key"] == self.stream_key, table.c.batch_id == self.batch_id)
        connection.execute(sa.update(table).where(*where).values(**values))

    def commit(self, connection: Connection, counts: Counts) -> None:
        """Close the batch in the transaction that merges it."""
        self.record(
            connection,
            batch_status=COMMITTED,
            batch_end_time=utc_now(),
            records_inserted=counts.inserted,
            records_updated=counts.updated,
            records_deleted=counts.deleted,
            total_records=counts.total,
        )


def create_batch_tables(connection: Connection, platform: str) -> None:
    """Create the batch tables where they are not there."""
    for table in (counter_table(platform), metrics_table(platform)):
        connection.execute(sa.schema.CreateTable(table, if_not_exists=True))


def open_batch(
    connection: Connection,
    platform: str,
    stream_key: str,
    *,
    schemas: Mapping[str, str],
    last_used: Callable[[], int],
) -> StreamBatch:
    """Take up a stream's open batch, or begin the next one.

    Args:
        connection: A transaction on the merge store.
        platform: Name of the platform.
        stream_key: Key of the stream in the batch tables.
        schemas: A digest of the columns of each dataset of the stream.
        last_used: Finds the greatest batch number in the merge tables, asked for a
            stream whose counter is new although they may not be.
    """
    current, status = _newest(connection, platform, stream_key)
    is_open = status not in (None, COMMITTED)
    number = current if is_open else (current or last_used()) + 1
    batch = StreamBatch(platform=platform, stream_key=stream_key, batch_id=number)
    if is_open:
        batch.record(connection, batch_status=STARTED, state=state_json(schemas))
    else:
        _begin(connection, batch, schemas, is_first=not current)
    return batch


def state_json(schemas: Mapping[str, str], *, done: int = 0) -> str:
    """Return the ``state`` of a batch as the reference writes it.

    Args:
        schemas: A digest of the columns of each dataset, in the stream's order.
        done: Number of datasets whose rows are all staged.
    """
    state: dict[str, Any] = {
        "all_datasets": list(schemas),
        "current_dataset_index": done,
        "current_offset": 0,
        "schema_versions": dict(schemas),
        "job_state": {},
    }
    return json.dumps(state, separators=(",", ":"))


def utc_now() -> datetime:
    """Return the time as the batch tables hold it: UTC, without a zone."""
    return datetime.now(timezone.utc).replace(tzinfo=None)


def _newest(connection: Connection, platform: str, stream_key: str) -> tuple[int, str | None]:
    counter, metrics = counter_table(platform), metrics_table(platform)
    current = connection.execute(
        sa.select(counter.c.currentBatch).where(counter.c["key"] == stream_key)
    ).scalar()
    if current is None:
        return 0, None
    status = connection.execute(
        sa.select(metrics.c.batch_status).where(
            metrics.c["key"] == stream_key, metrics.c.batch_id == current
        )
    ).scalar()
    return int(current), status


def _begin(
    connection: Connection, batch: StreamBatch, schemas: Mapping[str, str], *, is_first: bool
) -> None:
    counter = counter_table(batch.platform)
    connection.execute(
        sa.insert(counter).values(key=batch.stream_key, currentBatch=batch.batch_id)
        if is_first
        else sa.update(counter)
        .where(counter.c["key"] == batch.stream_key)
        .values(currentBatch=batch.batch_id)
    )
    connection.execute(
        sa.insert(metrics_table(batch.platform)).values(
            key=batch.stream_key,
            batch_id=batch.batch_id,
            batch_start_time=utc_now(),
            batch_status=STARTED,
            state=state_json(schemas),
        )
    )
