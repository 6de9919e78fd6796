"""Copies a snapshot of a stream's datasets into the merge store.

A batch has two halves. First every dataset is read from one snapshot of the source and
staged; then one transaction merges all of them, counts, and closes the batch. Whatever
ends the job before that leaves the merge tables as they were, and the next job takes
the batch up again: it clears what is staged and reads the source anew (the reference
keeps staged rows and so fails or deletes live rows, defects D32 and D33).
"""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

import sqlalchemy as sa
import structlog

from dagfoundry.errors import JobFailedError
from dagfoundry.jobs import JobResult
from dagfoundry.mergestore.batches import (
    FAILED,
    INGESTED,
    Counts,
    StreamBatch,
    create_batch_tables,
    open_batch,
    state_json,
    utc_now,
)
from dagfoundry.mergestore.datasets import SourceDataset, SourceShape, read_shape
from dagfoundry.mergestore.engines import connected, reading, writing
from dagfoundry.mergestore.locks import StreamLock, lock_for_transaction, stream_lock
from dagfoundry.mergestore.milestones import merge_staged
from dagfoundry.mergestore.names import batch_counter_name, merge_table_name
from dagfoundry.mergestore.staging import CHUNK_ROWS, stage
from dagfoundry.mergestore.tables import (
    BATCH_ID,
    BATCH_IN,
    BATCH_OUT,
    LIVE_RECORD,
    DatasetTables,
    drop_staging,
    prepare_tables,
)
from dagfoundry.model.schema import Milestoning

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Connection, Engine

_log = structlog.get_logger(__name__)


def ingest_snapshot(
    merge_engine: Engine,
    source_engine: Engine,
    *,
    platform: str,
    store: str,
    stream_key: str,
    datasets: Sequence[SourceDataset],
    milestoning: Milestoning = Milestoning.LIVE,
    chunk_rows: int = CHUNK_ROWS,
) -> JobResult:
    """Make a stream's merge tables equal to its source.

    Args:
        merge_engine: From :func:`open_merge_store`.
        source_engine: From :func:`open_source`, or the merge store itself.
        platform: Name of the platform, as the model writes it.
        store: Name of the store that the datasets belong to.
        stream_key: Key of the stream in the batch tables; see :func:`batch_stream_key`.
        datasets: What to copy.
        milestoning: Whether merge tables hold live rows only, or all that ever was.
        chunk_rows: Rows in memory at a time.

    Returns:
        Rows inserted, updated and deleted in the merge tables, and rows read.

    Raises:
        DatasetInvalidError: A dataset does not fit; no merge table changed.
        JobFailedError: Another job works on the stream, or a database fails; no merge
            table changed.
    """
    label = f"stream {stream_key} of platform {platform}"
    names = [f"{batch_counter_name(platform)}/{stream_key}"]
    names += [merge_table_name(platform, store, d.name) for d in datasets]
    with stream_lock(merge_engine, label, names) as lock, connected(merge_engine) as merge:
        with reading(source_engine) as source:
            shapes = [read_shape(source, store, dataset) for dataset in datasets]
            tables = _prepare(merge, platform, shapes, milestoning)
            batch = _open(merge, platform, stream_key, tables)
            with _failure_recorded(merge, batch):
                rows = _stage_all(source, merge, batch, tables, chunk_rows=chunk_rows)
        with _failure_recorded(merge, batch):
            counts = _merge(merge, batch, tables, rows=rows, lock=lock)
    return JobResult(
        rows_inserted=counts.inserted,
        rows_updated=counts.updated,
        rows_deleted=counts.deleted,
        rows_total=counts.total,
    )


def _prepare(
    merge: Connection, platform: str, shapes: Sequence[SourceShape], milestoning: Milestoning
) -> list[DatasetTables]:
    with writing(merge):
        lock_for_transaction(merge, f"{batch_counter_name(platform)}/tables")
        create_batch_tables(merge, platform)
        return [prepare_tables(merge, platform, shape, milestoning) for shape in shapes]


def _open(
    merge: Connection, platform: str, stream_key: str, tables: Sequence[DatasetTables]
) -> StreamBatch:
    schemas = {t.shape.dataset.name: _schema_digest(t) for t in tables}
    with writing(merge):
        batch = open_batch(
            merge,
            platform,
            stream_key,
            schemas=schemas,
            last_used=lambda: _last_batch(merge, tables),
        )
        for dataset in tables:
            drop_staging(merge, dataset)
    _log.info("batch opened", platform=platform, stream=stream_key, batch=batch.batch_id)
    return batch


def _stage_all(
    source: Connection,
    merge: Connection,
    batch: StreamBatch,
    tables: Sequence[DatasetTables],
    *,
    chunk_rows: int,
) -> int:
    schemas = {t.shape.dataset.name: _schema_digest(t) for t in tables}
    total = 0
    for done, dataset in enumerate(tables, start=1):
        rows = stage(source, merge, dataset, batch.batch_id, chunk_rows=chunk_rows)
        with writing(merge):
            batch.record(merge, state=state_json(schemas, done=done))
        _log.info("dataset staged", dataset=dataset.shape.label, rows=rows)
        total += rows
    with writing(merge):
        batch.record(merge, batch_status=INGESTED)
        _refresh_statistics(merge, tables)
    return total


def _merge(
    merge: Connection,
    batch: StreamBatch,
    tables: Sequence[DatasetTables],
    *,
    rows: int,
    lock: StreamLock,
) -> Counts:
    counts = Counts(total=rows)
    with writing(merge):
        lock.check()
        for dataset in tables:
            counts += merge_staged(merge, dataset, batch.batch_id)
            # nobody reads the staged rows of a committed batch: the merge table has them
            drop_staging(merge, dataset)
        batch.commit(merge, counts)
    _log.info("batch committed", batch=batch.batch_id, **asdict(counts))
    return counts


def _last_batch(connection: Connection, tables: Sequence[DatasetTables]) -> int:
    """Return the newest batch that wrote a row which a merge table still holds."""
    numbers = (BATCH_ID, BATCH_IN, BATCH_OUT)
    found = [
        connection.execute(sa.select(sa.func.max(t.merge.c[n])).where(t.merge.c[n] < LIVE_RECORD))
        for t in tables
        for n in numbers
        if n in t.merge.c
    ]
    return max((result.scalar() or 0 for result in found), default=0)


def _schema_digest(tables: DatasetTables) -> str:
    shape = tables.shape
    columns = [(c.name, c.family.value) for c in shape.columns]
    text = json.dumps([columns, shape.dataset.key])
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _refresh_statistics(connection: Connection, tables: Sequence[DatasetTables]) -> None:
    """Tell PostgreSQL how many rows are staged, or it plans for an empty table."""
    if connection.dialect.name == "postgresql":
        quote = connection.dialect.identifier_preparer
        for dataset in tables:
            connection.exec_driver_sql(f"ANALYZE {quote.format_table(dataset.staging)}")


@contextmanager
def _failure_recorded(merge: Connection, batch: StreamBatch) -> Iterator[None]:
    """Mark a batch that an error ends; the next job takes it up again all the same."""
    try:
        yield
    except Exception:
        with suppress(JobFailedError), writing(merge):
            batch.record(merge, batch_status=FAILED, batch_end_time=utc_now())
        raise
