"""Writing: tables first, then one transaction in which rows, history and head move together."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from dagfoundry.errors import StoreConflictError
from dagfoundry.factories import Status
from dagfoundry.names import infrastructure_dag_id
from dagfoundry.store import applied
from dagfoundry.store.bulk import insert_rows
from dagfoundry.store.read import foundry_missing, read_foundry, read_head
from dagfoundry.store.records import Head, RowKind, Source, row_key, state_text
from dagfoundry.store.schema_lock import lock_schema
from dagfoundry.store.tables import DAGS, FOUNDRIES, PLATFORMS, FoundryTables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection
    from sqlalchemy.sql.elements import ColumnElement

    from dagfoundry.store.records import VersionRecord


_NEW_COLUMNS: Final = ("config_json", "status", "created_at", "updated_at")
_CHANGE_COLUMNS: Final = (
    "revision",
    "table_name",
    "row_key",
    "kind",
    "platform_name",
    "factory_type",
    "entry_key",
    "dag_id",
    "bucket",
    "before",
    "after",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class RowChange:
    """One row to write, with the table it is in and what history says of it.

    Attributes:
        table: The row's table.
        primary_key: The row's key columns and values.
        kind: Factory or entry.
        platform_name: Platform as the model writes it.
        factory_type: Name of the factory type.
        key: Key of an entry; empty for a factory.
        dag_id: DAG id.
        bucket: Bucket of the DAG.
        before: Status and config_json before; None for a new row.
        status: Status after; a purged row is deleted from its table.
        config_json: config_json after.
    """

    table: Table = field(repr=False)
    primary_key: Mapping[str, str]
    kind: RowKind
    platform_name: str
    factory_type: str
    key: str
    dag_id: str
    bucket: int
    before: Mapping[str, str | None] | None
    status: Status
    config_json: str

    @property
    def table_name(self) -> str:
        """Name of its table, a plain text: SQLAlchemy's own kind slows a driver down."""
        return str(self.table.name)

    @property
    def row_key(self) -> str:
        """The row's key as history writes it."""
        return row_key(self.kind, self.platform_name, self.factory_type, self.key)

    @property
    def after(self) -> dict[str, str]:
        """Status and config_json after, as history writes them."""
        return {"status": self.status.value, "config_json": self.config_json}

    @property
    def is_stored(self) -> bool:
        """Whether the table held the row before: it is neither new nor purged."""
        return self.before is not None and self.before.get("status") != Status.PURGED.value


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Who makes a revision, why and from what."""

    author: str
    message: str
    source: Source
    model_commit: str | None = None
    environment: str | None = None


def lock_foundry(connection: Connection, foundry: str) -> Head:
    """Take the lock that serialises all writes of a foundry until the transaction ends.

    Raises:
        FoundryMissingError: The store holds no foundry of this name.
    """
    statement = (
        select(FOUNDRIES.c.foundry).where(FOUNDRIES.c.foundry == foundry.lower()).with_for_update()
    )
    if connection.execute(statement).one_or_none() is None:
        raise foundry_missing(foundry)
    return read_head(connection, foundry)


def create_foundry(connection: Connection, foundry: str, buckets: int) -> None:
    """Add a foundry at revision 0; do nothing when it is there already."""
    if read_foundry(connection, foundry) is not None:
        return
    lock_schema(connection)  # on MariaDB two that insert one key at once would deadlock
    if read_foundry(connection, foundry) is not None:
        return
    dag_id = infrastructure_dag_id(foundry)
    own_dag = {"dag_id": dag_id, "foundry": foundry, "table_name": "", "row_key": ""}
    values = {
        "foundry": foundry.lower(),
        "name": foundry,
        "buckets": buckets,
        "head_revision": 0,
        "created_at": utc_now(),
    }
    try:
        with connection.begin_nested():
            connection.execute(insert(FOUNDRIES).values(values))
            connection.execute(insert(DAGS).values(own_dag))
    except IntegrityError:
        return  # another merge created it while this one waited


def claim_platforms(connection: Connection, foundry: str, platforms: Iterable[str]) -> None:
    """Write down that the foundry owns these platforms.

    Raises:
        StoreConflictError: One belongs to another foundry or is spelt otherwise there.
    """
    owners = {row.platform: row for row in connection.execute(select(PLATFORMS))}
    for name in platforms:
        owner = owners.get(name.lower())
        if owner is None:
            _claim(connection, foundry, name)
        elif (owner.name, owner.foundry) != (name, foundry):
            msg = (
                f"platform {name!r} takes the tables of platform {owner.name!r} "
                f"of foundry {owner.foundry!r}"
            )
            raise StoreConflictError(msg, remedy="Choose another platform name, or another store.")


def _claim(connection: Connection, foundry: str, platform: str) -> None:
    row = {"platform": platform.lower(), "name": platform, "foundry": foundry}
    try:
        connection.execute(insert(PLATFORMS).values(row))
    except IntegrityError as error:
        msg = f"platform {platform!r} was taken by another foundry of the store meanwhile"
        raise StoreConflictError(msg, remedy="Run the merge again; it will name it.") from error


def write_revision(
    connection: Connection, head: Head, changes: Sequence[RowChange], origin: Origin
) -> Head:
    """Write changed rows, their history and the new head; the caller holds the lock.

    Returns:
        The new head; the old one when nothing changes.

    Raises:
        StoreConflictError: A DAG id is taken by another foundry of the store.
    """
    _write_rows(connection, changes, utc_now())
    return record_revision(connection, head, changes, origin)


def record_revision(
    connection: Connection, head: Head, changes: Sequence[RowChange], origin: Origin
) -> Head:
    """Write history and the new head for rows that already stand as ``changes`` say.

    The rows themselves are not touched; the caller holds the lock.

    Returns:
        The new head; the old one when nothing changes.

    Raises:
        StoreConflictError: A DAG id is taken by another foundry of the store.
    """
    if not changes:
        return head
    moved = Head(foundry=head.foundry, revision=head.revision + 1, buckets=head.buckets)
    now = utc_now()
    _write_dag_ids(connection, head.foundry, changes)
    tables = FoundryTables(head.foundry)
    connection.execute(insert(tables.revisions), [_revision_values(head, moved, origin, now)])
    rows = [_change_values(change, moved.revision) for change in changes]
    insert_rows(connection, tables.changes, _CHANGE_COLUMNS, rows)
    connection.execute(
        update(FOUNDRIES)
        .where(FOUNDRIES.c.foundry == head.foundry.lower())
        .values(head_revision=moved.revision)
    )
    applied.note(connection, moved, changes, origin=origin, now=now)
    return moved


def _write_rows(connection: Connection, changes: Sequence[RowChange], now: datetime) -> None:
    for table in {change.table.name: change.table for change in changes}.values():
        mine = [change for change in changes if change.table.name == table.name]
        gone = [_key_values(c) for c in mine if c.status is Status.PURGED and c.is_stored]
        kept = [c for c in mine if c.status is not Status.PURGED]
        fresh = [_new_values(c, now) for c in kept if not c.is_stored]
        known = [_row_values(c, now) for c in kept if c.is_stored]
        if gone:
            connection.execute(delete(table).where(*_is_row(table)), gone)
        if fresh:
            insert_rows(connection, table, [*kept[0].primary_key, *_NEW_COLUMNS], fresh)
        if known:
            connection.execute(_update_row(table), known)


def _new_values(change: RowChange, now: datetime) -> tuple[Any, ...]:
    key = change.primary_key.values()
    return (*key, change.config_json, change.status.value, now, now)


def _row_values(change: RowChange, now: datetime) -> dict[str, Any]:
    return {
        **_key_values(change),
        "b_config_json": change.config_json,
        "b_status": change.status.value,
        "b_updated_at": now,
    }


def _key_values(change: RowChange) -> dict[str, str]:
    return {f"b_{column}": value for column, value in change.primary_key.items()}


def _update_row(table: Table) -> Any:  # noqa: ANN401 - SQLAlchemy 1.4 and 2 name the type otherwise
    values: dict[Any, Any] = {
        name: bindparam(f"b_{name}") for name in ("config_json", "status", "updated_at")
    }
    return update(table).where(*_is_row(table)).values(values)


def _is_row(table: Table) -> list[ColumnElement[bool]]:
    return [column == bindparam(f"b_{column.name}") for column in table.primary_key]


def _write_dag_ids(connection: Connection, foundry: str, changes: Sequence[RowChange]) -> None:
    known = set(
        connection.execute(select(DAGS.c.dag_id).where(DAGS.c.foundry == foundry)).scalars()
    )
    fresh = [
        (change.dag_id, foundry, change.table_name, change.row_key)
        for change in changes
        if change.dag_id not in known
    ]
    if not fresh:
        return
    try:
        insert_rows(connection, DAGS, ("dag_id", "foundry", "table_name", "row_key"), fresh)
    except IntegrityError as error:
        msg = "a DAG id of this merge was taken by another foundry of the store meanwhile"
        raise StoreConflictError(msg, remedy="Run the merge again; it will name it.") from error


def _revision_values(head: Head, moved: Head, origin: Origin, now: datetime) -> dict[str, Any]:
    return {
        "revision": moved.revision,
        "parent": head.revision or None,
        "author": origin.author,
        "created_at": now,
        "message": origin.message,
        "source": origin.source.value,
        "model_commit": origin.model_commit,
        "environment": origin.environment,
    }


def _change_values(change: RowChange, revision: int) -> tuple[Any, ...]:
    return (
        revision,
        change.table_name,
        change.row_key,
        change.kind.value,
        change.platform_name,
        change.factory_type,
        change.key,
        change.dag_id,
        change.bucket,
        None if change.before is None else json.dumps(dict(change.before)),
        state_text(change.status.value, change.config_json),
    )


def write_version(connection: Connection, head: Head, record: VersionRecord) -> None:
    """Record a version; do nothing when it is recorded already."""
    table = FoundryTables(head.foundry).versions
    known = select(table.c.version).where(table.c.version == record.version)
    if connection.execute(known).one_or_none() is not None:
        return
    connection.execute(
        insert(table).values(
            version=record.version,
            revision=record.revision,
            manifest=json.dumps(record.manifest(), sort_keys=True),
            created_at=utc_now(),
        )
    )


def utc_now() -> datetime:
    """Return the time as the store keeps it: UTC, without a time zone, in microseconds."""
    return datetime.now(tz=timezone.utc).replace(tzinfo=None)
