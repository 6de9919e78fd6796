"""Every row as history recorded it last and as its table holds it; a hand edit parts them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import MetaData

from dagfoundry.factories import Status
from dagfoundry.names import bucket_of
from dagfoundry.store.live import LiveRow, live_rows
from dagfoundry.store.read import read_rows
from dagfoundry.store.records import RowKind, RowState
from dagfoundry.store.tables import FoundryTables, entries_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

    from dagfoundry.factories import FactoryType
    from dagfoundry.plugins import Plugins
    from dagfoundry.store.records import Head


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredRow:
    """One row in one state that the store holds.

    Attributes:
        row: The row; its revision is 0 when nobody recorded it.
        status: The status as it is written, any text after a hand edit.
        is_recorded: Whether history has this state, so that it runs.
        is_live: Whether the table has this state, so that a merge starts from it.
    """

    row: RowState
    status: str
    is_recorded: bool
    is_live: bool


def stored_rows(
    connection: Connection, head: Head, types: Sequence[FactoryType]
) -> list[StoredRow]:
    """Return every state of a foundry's rows that is not purged, sorted by DAG id.

    A row that was edited by hand is there twice: as it runs and as it stands. Rows of
    types that are not installed count as live: their tables are not looked at.
    """
    recorded = {
        row.address: row
        for row in read_rows(connection, head, head.revision)
        if row.kind is not RowKind.INFRASTRUCTURE and row.status is not Status.PURGED
    }
    live = {row.address: row for row in live_rows(connection, head.foundry, (), types)}
    names = {factory_type.name for factory_type in types}
    states = [
        StoredRow(
            row=row,
            status=row.status.value,
            is_recorded=True,
            is_live=row.factory_type not in names or _is_same(row, live.get(address)),
        )
        for address, row in recorded.items()
    ]
    states += [
        _edited(row, recorded.get(address), head)
        for address, row in live.items()
        if address not in recorded or not _is_same(recorded[address], row)
    ]
    return sorted(states, key=lambda state: state.row.dag_id)


def as_live_rows(states: Iterable[StoredRow], plugins: Plugins) -> list[LiveRow]:
    """Return rows of installed types as a merge finds them in their tables."""
    tables: dict[tuple[RowKind, str, str], Table] = {}
    return [
        _live_row(state, plugins.type(state.row.factory_type), tables)
        for state in states
        if state.row.factory_type in plugins.types
    ]


def _live_row(
    state: StoredRow, factory_type: FactoryType, tables: dict[tuple[RowKind, str, str], Table]
) -> LiveRow:
    row = state.row
    place: tuple[RowKind, str, str]
    if row.kind is RowKind.FACTORY:
        place = (row.kind, "", "")
        key = {"platform_name": row.platform_name, "factory_type": row.factory_type}
    else:
        place = (row.kind, row.platform_name, row.factory_type)
        key = {factory_type.table.key_column: row.key}
    if place not in tables:
        tables[place] = _table(row, factory_type)
    return LiveRow(
        table=tables[place],
        primary_key=key,
        kind=row.kind,
        platform_name=row.platform_name,
        factory_type=row.factory_type,
        key=row.key,
        dag_id=row.dag_id,
        status=state.status,
        config_json=row.config_json,
    )


def _table(row: RowState, factory_type: FactoryType) -> Table:
    if row.kind is RowKind.FACTORY:
        return FoundryTables(row.foundry).factories
    return entries_table(MetaData(), row.platform_name, factory_type.table)


def rows_as_of(connection: Connection, head: Head, revision: int) -> list[StoredRow]:
    """Return every row as it was at a revision, as if its table held it so."""
    return [
        StoredRow(row=row, status=row.status.value, is_recorded=True, is_live=True)
        for row in read_rows(connection, head, revision)
        if row.kind is not RowKind.INFRASTRUCTURE and row.status is not Status.PURGED
    ]


def _is_same(row: RowState, live: LiveRow | None) -> bool:
    return live is not None and live.state == row.state


def _edited(live: LiveRow, recorded: RowState | None, head: Head) -> StoredRow:
    status = live.status or ""
    known = status in {each.value for each in Status}
    row = RowState(
        kind=live.kind,
        foundry=head.foundry,
        table_name=live.table.name,
        platform_name=live.platform_name,
        factory_type=live.factory_type,
        key=live.key,
        dag_id=live.dag_id,
        bucket=bucket_of(live.dag_id, head.buckets),
        status=Status(status) if known else Status.INACTIVE,
        config_json=live.config_json or "",
        revision=recorded.revision if recorded else 0,
        author=recorded.author if recorded else "",
        created_at=recorded.created_at if recorded else "",
        message=recorded.message if recorded else "",
    )
    return StoredRow(row=row, status=status, is_recorded=False, is_live=True)
