"""How the streams of a foundry do, read from the batch tables of its merge stores."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, inspect, select

from dagfoundry import metrics
from dagfoundry.connections import merge_store_of
from dagfoundry.errors import FoundryError, JobFailedError
from dagfoundry.mergestore import open_merge_store, reading
from dagfoundry.mergestore.batches import COMMITTED, metrics_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy.engine import Connection, Engine

    from dagfoundry.store import RowState


def collect_stream_metrics(rows: Iterable[RowState]) -> list[dict[str, Any]]:
    """Return and publish the last success of every stream that ever had one.

    Args:
        rows: Rows of a foundry; the first of each platform says where its merge store is.

    Returns:
        For each stream ``platform``, ``stream``, ``rows`` (read by its last successful
        batch), ``last_success`` (ISO 8601, UTC) and ``lag_seconds`` since then.

    Raises:
        JobFailedError: A merge store cannot be read; the others were.
    """
    by_platform = {row.platform_name: row for row in rows if row.platform_name and _is_whole(row)}
    streams: list[dict[str, Any]] = []
    failures: list[str] = []
    for platform, row in sorted(by_platform.items()):
        with _noting(failures, platform):
            streams += _read(open_merge_store(merge_store_of(row.config())), platform)
    _publish(streams)
    if failures:
        remedy = "See that the merge stores run and that this worker has their credentials."
        raise JobFailedError("; ".join(failures), remedy=remedy)
    return streams


def _is_whole(row: RowState) -> bool:
    """Return whether a row's config can be read; a hand edit may have broken it."""
    try:
        row.config()
    except ValueError:
        return False
    return True


@contextmanager
def _noting(failures: list[str], platform: str) -> Iterator[None]:
    """Note a platform's error, so that the others are read as well."""
    try:
        yield
    except FoundryError as error:
        failures.append(f"platform {platform!r}: {error.what}")


def _read(engine: Engine, platform: str) -> list[dict[str, Any]]:
    with reading(engine) as connection:
        if not inspect(connection).has_table(metrics_table(platform).name):
            return []
        return _last_successes(connection, platform)


def _last_successes(connection: Connection, platform: str) -> list[dict[str, Any]]:
    table = metrics_table(platform)
    last = (
        select(table.c["key"], func.max(table.c.batch_id).label("batch_id"))
        .where(table.c.batch_status == COMMITTED)
        .group_by(table.c["key"])
        .subquery()
    )
    is_last = and_(table.c["key"] == last.c["key"], table.c.batch_id == last.c.batch_id)
    columns = (table.c["key"].label("stream"), table.c.total_records, table.c.batch_end_time)
    statement = select(*columns).join(last, is_last).order_by(table.c["key"])
    now = datetime.now(timezone.utc)
    return [
        {"platform": platform, "stream": row.stream, "rows": row.total_records or 0}
        | _success(row.batch_end_time.replace(tzinfo=timezone.utc), now)
        for row in connection.execute(statement)
    ]


def _success(last_success: datetime, now: datetime) -> dict[str, Any]:
    return {
        "last_success": last_success.isoformat(timespec="seconds"),
        "lag_seconds": round((now - last_success).total_seconds(), 1),
    }


def _publish(streams: Iterable[dict[str, Any]]) -> None:
    for stream in streams:
        metrics.stream_seen(
            stream["platform"],
            stream["stream"],
            rows=stream["rows"],
            lag_seconds=stream["lag_seconds"],
            last_success=datetime.fromisoformat(stream["last_success"]).timestamp(),
        )
