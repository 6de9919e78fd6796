"""Reading a foundry's history: what every row was as of a revision.

What Airflow runs is read here and nowhere else, so a row edited by hand runs only once
it is recorded as a revision.
"""

from __future__ import annotations

import json
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, func, select

from dagfoundry.collector import collector_paused
from dagfoundry.errors import FoundryMissingError, RevisionMissingError
from dagfoundry.factories import Status
from dagfoundry.names import bucket_of, infrastructure_dag_id
from dagfoundry.store.records import Head, RevisionRecord, RowKind, RowState, Source, VersionRecord
from dagfoundry.store.tables import DAGS, FOUNDRIES, FoundryTables
from dagfoundry.store.unadopted import refuse_unadopted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Column
    from sqlalchemy.engine import Connection, Row
    from sqlalchemy.sql import Select
    from sqlalchemy.sql.elements import ColumnElement

_STATE_COLUMNS: Final = (
    "table_name",
    "kind",
    "platform_name",
    "factory_type",
    "entry_key",
    "dag_id",
    "bucket",
    "revision",
    "after",
)
_BY_DAG_ID: Final = attrgetter("dag_id")
_KINDS: Final = {kind.value: kind for kind in RowKind}
_STATUSES: Final = {status.value: status for status in Status}


def read_head(connection: Connection, foundry: str) -> Head:
    """Return where a foundry stands; one statement.

    Raises:
        FoundryMissingError: The store holds no foundry of this name.
    """
    head = read_foundry(connection, foundry)
    if head is None:
        refuse_unadopted(connection, foundry)
        raise foundry_missing(foundry)
    return head


def read_foundry(connection: Connection, foundry: str) -> Head | None:
    """Return where a foundry stands, whatever the case of its name, or None."""
    statement = select(FOUNDRIES).where(FOUNDRIES.c.foundry == foundry.lower())
    row = connection.execute(statement).one_or_none()
    if row is None:
        return None
    return Head(foundry=row.name, revision=row.head_revision, buckets=row.buckets)


def foundry_missing(foundry: str) -> FoundryMissingError:
    """Return the error for a foundry that the store does not hold."""
    msg = f"the store holds no foundry {foundry!r}"
    remedy = "Check the name with `dagfoundry list`, or create it with `dagfoundry merge MODEL`."
    return FoundryMissingError(msg, remedy=remedy)


def read_foundries(connection: Connection) -> list[str]:
    """Return the names of all foundries of the store, sorted."""
    return sorted(connection.execute(select(FOUNDRIES.c.name)).scalars())


def read_recorded(connection: Connection, foundry: str) -> set[tuple[str, str]]:
    """Return table and key of every row that a foundry's history knows."""
    statement = select(DAGS.c.table_name, DAGS.c.row_key).where(DAGS.c.foundry == foundry)
    return {(row.table_name, row.row_key) for row in connection.execute(statement)}


def read_unrecorded(connection: Connection, head: Head) -> dict[str, str]:
    """Return the DAGs of which history knows nothing, though they once were in it.

    The list of DAG ids is written with history and never shortened. So whatever is found
    is a loss: the table of changes or that of revisions lacks rows.

    Returns:
        DAG id to the table of its row.
    """
    tables = FoundryTables(head.foundry)
    changes, revisions = tables.changes, tables.revisions
    recorded = (
        select(changes.c.dag_id)
        .join(revisions, revisions.c.revision == changes.c.revision)
        .where(changes.c.revision <= head.revision, changes.c.dag_id == DAGS.c.dag_id)
    )
    statement = select(DAGS.c.dag_id, DAGS.c.table_name).where(
        DAGS.c.foundry == head.foundry, DAGS.c.table_name != "", ~recorded.exists()
    )
    return {row.dag_id: row.table_name for row in connection.execute(statement)}


def read_rows(
    connection: Connection,
    head: Head,
    revision: int,
    *,
    bucket: int | None = None,
    dag_id: str | None = None,
) -> list[RowState]:
    """Return every row's last state up to a revision, sorted by DAG id.

    Args:
        connection: An open connection.
        head: The foundry.
        revision: The revision to look at.
        bucket: Only rows of this bucket.
        dag_id: Only the row of this DAG.
    """
    tables = FoundryTables(head.foundry)
    conditions = [tables.changes.c.revision <= revision]
    if bucket is not None:
        conditions.append(tables.changes.c.bucket == bucket)
    if dag_id is not None:
        conditions.append(tables.changes.c.dag_id == dag_id)
    rows = _last_states(connection, tables, head, conditions)
    own = infrastructure_row(head)
    if bucket in (None, own.bucket) and dag_id in (None, own.dag_id):
        rows.append(own)
    return sorted(rows, key=_BY_DAG_ID)


def read_changes(connection: Connection, head: Head, *, after: int, until: int) -> list[RowState]:
    """Return the rows that changed after one revision, as they were at another one."""
    tables = FoundryTables(head.foundry)
    changes = tables.changes.c
    conditions = [changes.revision > after, changes.revision <= until]
    return sorted(_last_states(connection, tables, head, conditions), key=_BY_DAG_ID)


def _last_states(
    connection: Connection,
    tables: FoundryTables,
    head: Head,
    conditions: Sequence[ColumnElement[bool]],
) -> list[RowState]:
    statement = _last_states_statement(tables, conditions)
    with collector_paused():
        return list(_row_states(head, connection.execute(statement).all()))


def _last_states_statement(
    tables: FoundryTables, conditions: Sequence[ColumnElement[bool]]
) -> Select[Any]:
    revisions = tables.revisions
    changes = tables.changes.c
    columns = [changes[name] for name in _STATE_COLUMNS]
    return (
        last_changes(tables, conditions, *columns)
        .add_columns(revisions.c.author, revisions.c.created_at, revisions.c.message)
        .join(revisions, revisions.c.revision == changes.revision)
    )


def last_changes(
    tables: FoundryTables, conditions: Sequence[ColumnElement[bool]], *columns: Column[Any]
) -> Select[Any]:
    """Return the statement that reads columns of the last change of each row.

    Args:
        tables: The foundry's tables.
        conditions: Which changes to look at.
        columns: Columns of its changes.
    """
    changes = tables.changes
    last = (
        select(
            changes.c.table_name, changes.c.row_key, func.max(changes.c.revision).label("revision")
        )
        .where(*conditions)
        .group_by(changes.c.table_name, changes.c.row_key)
        .subquery()
    )
    is_last = and_(
        changes.c.table_name == last.c.table_name,
        changes.c.row_key == last.c.row_key,
        changes.c.revision == last.c.revision,
    )
    return select(*columns).join_from(changes, last, is_last)


def _row_states(head: Head, rows: Iterable[Sequence[Any]]) -> Iterator[RowState]:
    """Yield records; written for speed, since a first refresh reads every row."""
    foundry, times = head.foundry, cache(_iso_text)
    for table, kind, platform, factory_type, key, dag_id, bucket, revision, text, *origin in rows:
        after = json.loads(text) if text else {}
        author, created_at, message = origin
        yield RowState(
            _KINDS[kind],
            foundry,
            table,
            platform,
            factory_type,
            key,
            dag_id,
            bucket,
            _STATUSES[after.get("status", Status.PURGED.value)],
            after.get("config_json", "{}"),
            revision,
            author,
            times(created_at),
            message,
        )


def _iso_text(moment: datetime) -> str:
    return f"{moment.isoformat(timespec='seconds')}+00:00"


def infrastructure_row(head: Head) -> RowState:
    """Return the row that stands for the foundry's infrastructure DAG, the same for its life."""
    dag_id = infrastructure_dag_id(head.foundry)
    return RowState(
        kind=RowKind.INFRASTRUCTURE,
        foundry=head.foundry,
        table_name="",
        platform_name="",
        factory_type="",
        key="",
        dag_id=dag_id,
        bucket=bucket_of(dag_id, head.buckets),
        status=Status.ACTIVE,
        config_json="{}",
        revision=1,
    )


def read_revisions(
    connection: Connection, head: Head, *, revision: int | None = None
) -> list[RevisionRecord]:
    """Return the foundry's revisions, oldest first, or the one that is asked for."""
    table = FoundryTables(head.foundry).revisions
    statement = select(table).order_by(table.c.revision)
    if revision is not None:
        statement = statement.where(table.c.revision == revision)
    return [revision_record(row) for row in connection.execute(statement)]


def revision_record(row: Row[Any]) -> RevisionRecord:
    """Return the record of a row of the table of revisions."""
    return RevisionRecord(**{**row._mapping, "source": Source(row.source)})  # noqa: SLF001 - SQLAlchemy's public name for a row's columns


def require_revision(head: Head, revision: int) -> None:
    """Refuse a revision that the foundry does not have.

    Raises:
        RevisionMissingError: There is none of this number; the error names the range.
    """
    if 1 <= revision <= head.revision:
        return
    has = f"1 to {head.revision}" if head.revision else "none yet"
    msg = f"foundry {head.foundry!r} has no revision {revision}; its revisions: {has}"
    raise RevisionMissingError(msg, remedy="`dagfoundry history` shows them.")


def read_version(
    connection: Connection, head: Head, version: str | None = None
) -> VersionRecord | None:
    """Return a version, the newest one when none is named, or None when there is none."""
    table = FoundryTables(head.foundry).versions
    statement = select(table).order_by(table.c.revision.desc(), table.c.created_at.desc())
    if version is not None:
        statement = statement.where(table.c.version == version)
    row = connection.execute(statement.limit(1)).one_or_none()
    if row is None:
        return None
    return VersionRecord.from_manifest(row.version, row.revision, json.loads(row.manifest))


def read_last_merge(connection: Connection, head: Head) -> RevisionRecord | None:
    """Return the newest revision that a merge made, or None when there is none."""
    table = FoundryTables(head.foundry).revisions
    newest = select(func.max(table.c.revision)).where(table.c.source == Source.MERGE.value)
    revision = connection.execute(newest).scalar_one()
    found = read_revisions(connection, head, revision=revision) if revision else []
    return found[0] if found else None
