"""What the tasks of the infrastructure DAG do; each returns JSON values as its result."""

from __future__ import annotations

from contextlib import closing, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog

from dagfoundry.errors import UpcastFailedError
from dagfoundry.factories import Status
from dagfoundry.plugins import load_plugins
from dagfoundry.settings import read_settings
from dagfoundry.store import RowKind, open_store
from dagfoundry.upcast import entry_of
from dagfoundry_airflow.changes import changes_between, log_report
from dagfoundry_airflow.purge import purge_left_behind
from dagfoundry_airflow.serving import (
    await_serving,
    observe,
    previous_merge,
    require_served,
)
from dagfoundry_airflow.stream_metrics import collect_stream_metrics

if TYPE_CHECKING:
    from dagfoundry.plugins import Plugins
    from dagfoundry.store import RowState, Store

WAIT_SECONDS: Final = 600.0
"""How long ``create_factory_dags`` waits for Airflow to serve the newest revision."""

_log = structlog.stdlib.get_logger(__name__)


def await_revision(*, foundry: str) -> dict[str, Any]:
    """Wait until Airflow serves what changed since the merge before the last one.

    Returns:
        The revision, and the DAG ids of the factories and entries that were created,
        changed and retired, and of those that are broken with the reason; and those that were
        purged because their factory is retired and no longer does it.

    Raises:
        NotServedError: Airflow did not serve it in time.
    """
    from dagfoundry_airflow._compat import open_airflow_api

    store = _open_store()
    since = previous_merge(store, foundry)

    def is_concerned(row: RowState) -> bool:
        return row.revision > since and row.kind is not RowKind.INFRASTRUCTURE

    with closing(open_airflow_api()) as api:
        serving = await_serving(
            lambda: observe(store, api, foundry, is_concerned),
            store,
            api,
            timeout_seconds=WAIT_SECONDS,
            removed=True,
        )
        retention = timedelta(days=read_settings().retention_days)
        purged = purge_left_behind(store, api, foundry, retention)
    before = store.rows_at(foundry, since) if since else []
    concerned = {row.dag_id for row in serving.rows}
    changes = changes_between((row for row in before if row.dag_id in concerned), serving.rows)
    report = {
        "foundry": foundry,
        "revision": serving.head.revision,
        "since": since,
        "created": list(changes.created),
        "changed": list(changes.changed),
        "retired": list(changes.retired),
        "purged": purged,
        "broken": dict(serving.broken),
    }
    log_report(_log, report)
    require_served(f"foundry {foundry!r}", serving, removed=True)
    return report


def list_grants(*, foundry: str) -> dict[str, Any]:
    """List the rights that the two database roles of the store need."""
    from dagfoundry_airflow.grants import grants

    store = _open_store()
    rows = store.rows_at(foundry, store.head(foundry).revision)
    tables = sorted({row.table_name for row in rows if row.kind is RowKind.ENTRY})
    statements = grants(store.engine, foundry, tables)
    for statement in statements:
        _log.info(statement)
    return {"grants": statements}


def list_removable_tables(*, foundry: str) -> dict[str, Any]:
    """List the merge-store tables of entries that are purged."""
    store, plugins = _open_store(), load_plugins()
    tables: dict[str, list[str]] = {}
    for row in store.rows_at(foundry, store.head(foundry).revision):
        if row.kind is RowKind.ENTRY and row.status is Status.PURGED:
            tables[row.dag_id] = _tables_of(row, store, plugins)
    for dag_id, names in tables.items():
        _log.info(f"purged {dag_id}: {', '.join(names) or 'no tables'}")
    return {"tables": tables}


def _tables_of(row: RowState, store: Store, plugins: Plugins) -> list[str]:
    """Return the tables of a purged row, by its last definition that can be read."""
    factory_type, revision = plugins.type(row.factory_type), row.revision - 1
    while older := store.rows_at(row.foundry, revision, dag_id=row.dag_id):
        (last,) = older
        # one that a hand edit broke is passed over: an older one names the same tables
        with suppress(ValueError, UpcastFailedError):
            return list(factory_type.tables(entry_of(last, plugins)))
        revision = last.revision - 1
    return []


def collect_metrics(*, foundry: str) -> dict[str, Any]:
    """Read rows, lag and last success of every stream and set the gauges.

    Raises:
        JobFailedError: A merge store cannot be read; the others were.
    """
    store = _open_store()
    rows = store.rows_at(foundry, store.head(foundry).revision)
    streams = collect_stream_metrics(row for row in rows if row.status.in_bucket)
    for stream in streams:
        _log.info("stream {stream} of {platform}: {rows} rows, {last_success}".format(**stream))
    return {"streams": streams}


def _open_store() -> Store:
    return open_store(read_settings().store_url)
