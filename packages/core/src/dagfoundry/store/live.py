"""The rows as they stand in the tables now, which a merge compares with the model."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import MetaData, inspect, select

from dagfoundry.factories import Status
from dagfoundry.names import bucket_of, dag_id_of
from dagfoundry.store.records import RowKind, row_key
from dagfoundry.store.tables import PLATFORMS, FoundryTables, entries_table, entries_table_name
from dagfoundry.store.write import RowChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

    from dagfoundry.factories import FactoryType
    from dagfoundry.store.records import Head

_STATE: Final = ("status", "config_json")
"""What is read of a row; its times are not, for another system may have written them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveRow:
    """One row as it stands in its table.

    Attributes:
        table: The table.
        primary_key: Key columns and values.
        kind: Factory or entry.
        platform_name: Platform as the model writes it.
        factory_type: Name of the factory type.
        key: Key of an entry; empty for a factory.
        dag_id: DAG id.
        status: The status column; any text after a hand edit.
        config_json: The config column; any text after a hand edit.
    """

    table: Table = field(repr=False)
    primary_key: Mapping[str, str]
    kind: RowKind
    platform_name: str
    factory_type: str
    key: str
    dag_id: str
    status: str | None
    config_json: str | None

    @property
    def address(self) -> tuple[RowKind, str, str, str]:
        """What identifies the row within its foundry."""
        return self.kind, self.platform_name, self.factory_type, self.key

    @property
    def table_name(self) -> str:
        """Name of its table."""
        return self.table.name

    @property
    def row_key(self) -> str:
        """The row's key as history writes it."""
        return row_key(self.kind, self.platform_name, self.factory_type, self.key)

    @property
    def state(self) -> dict[str, str | None]:
        """Status and config as history writes them.

        In history the status ``purged`` says that a row is gone, which this one is not.
        """
        status = None if self.status == Status.PURGED.value else self.status
        return {"status": status, "config_json": self.config_json}

    def change(
        self,
        head: Head,
        status: Status,
        *,
        before: Mapping[str, str | None] | None,
        config_json: str,
    ) -> RowChange:
        """Return the change that gives the row a state, or records that it has it."""
        return RowChange(
            table=self.table,
            primary_key=self.primary_key,
            kind=self.kind,
            platform_name=self.platform_name,
            factory_type=self.factory_type,
            key=self.key,
            dag_id=self.dag_id,
            bucket=bucket_of(self.dag_id, head.buckets),
            before=before,
            status=status,
            config_json=config_json,
        )

    def config(self) -> dict[str, Any]:
        """Return the parsed config; empty when a hand edit left no JSON object."""
        try:
            value = json.loads(self.config_json or "{}")
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


def live_rows(
    connection: Connection,
    foundry: str,
    platforms: Iterable[str],
    types: Sequence[FactoryType],
) -> list[LiveRow]:
    """Return all rows of a foundry whose factory type is installed.

    Args:
        connection: An open connection.
        foundry: Name of the foundry.
        platforms: Platforms of the model; those the store knows are added.
        types: The installed factory types. Rows of other types stay as they are.
    """
    existing = set(inspect(connection).get_table_names())
    names = sorted({*platforms, *_known_platforms(connection, existing, foundry)})
    rows = list(_factory_rows(connection, existing, foundry, types))
    for platform in names:
        for factory_type in types:
            if entries_table_name(platform, factory_type.table) in existing:
                rows += entry_rows(connection, platform, factory_type)
    return rows


def factory_live_rows(
    connection: Connection, foundry: str, platform: str, factory_type: FactoryType
) -> list[LiveRow]:
    """Return the rows of one factory: its own and its entries."""
    existing = set(inspect(connection).get_table_names())
    rows = _factory_rows(connection, existing, foundry, [factory_type])
    own = [row for row in rows if row.platform_name == platform]
    if entries_table_name(platform, factory_type.table) in existing:
        own += entry_rows(connection, platform, factory_type)
    return own


def _known_platforms(connection: Connection, existing: set[str], foundry: str) -> list[str]:
    if PLATFORMS.name not in existing:
        return []
    statement = select(PLATFORMS.c.name).where(PLATFORMS.c.foundry == foundry)
    return list(connection.execute(statement).scalars())


def _factory_rows(
    connection: Connection, existing: set[str], foundry: str, types: Sequence[FactoryType]
) -> Iterator[LiveRow]:
    table = FoundryTables(foundry).factories
    if table.name in existing:
        yield from factory_rows(connection, table, types)


def factory_rows(
    connection: Connection, table: Table, types: Sequence[FactoryType]
) -> Iterator[LiveRow]:
    """Yield the rows of a foundry's factories whose type is among these; the table exists."""
    by_name = {factory_type.name: factory_type for factory_type in types}
    columns = (table.c[name] for name in ("platform_name", "factory_type", *_STATE))
    for row in connection.execute(select(*columns)).all():
        factory_type = by_name.get(row.factory_type)
        if factory_type is not None:
            yield LiveRow(
                table=table,
                primary_key={
                    "platform_name": row.platform_name,
                    "factory_type": row.factory_type,
                },
                kind=RowKind.FACTORY,
                platform_name=row.platform_name,
                factory_type=row.factory_type,
                key="",
                dag_id=dag_id_of(factory_type.factory_dag_id, row.platform_name),
                status=row.status,
                config_json=row.config_json,
            )


def entry_rows(
    connection: Connection, platform: str, factory_type: FactoryType
) -> Iterator[LiveRow]:
    """Yield the rows of a platform's table for one factory type; the table exists."""
    table = entries_table(MetaData(), platform, factory_type.table)
    column = factory_type.table.key_column
    columns = (table.c[name] for name in (column, *_STATE))
    for row in connection.execute(select(*columns)).all():
        key = getattr(row, column)
        yield LiveRow(
            table=table,
            primary_key={column: key},
            kind=RowKind.ENTRY,
            platform_name=platform,
            factory_type=factory_type.name,
            key=key,
            dag_id=dag_id_of(factory_type.dag_id, platform, key),
            status=row.status,
            config_json=row.config_json,
        )
