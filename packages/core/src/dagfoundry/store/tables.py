"""The store's tables: the reference's, by its names and keys, and our own beside them.

Three tables serve the whole store (which foundries, platforms and DAG ids there are);
a foundry has its factories and its append-only history; a platform has one table of
entries per factory type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Column, DateTime, Index, Integer, MetaData, String, Table, Text
from sqlalchemy.dialects import mysql

from dagfoundry.names import table_name

if TYPE_CHECKING:
    from dagfoundry.factories import EntryTable

_NAME: Final = 255
_DAG_ID: Final = 250
_TABLE_NAME: Final = 63
_ROW_KEY: Final = 310


def _long_text() -> Text:
    return Text().with_variant(mysql.LONGTEXT(), "mysql").with_variant(mysql.LONGTEXT(), "mariadb")


_shared = MetaData()

FOUNDRIES: Final = Table(
    "dagfoundry_foundries",
    _shared,
    Column("foundry", String(_NAME), primary_key=True, comment="name in lower case"),
    Column("name", String(_NAME), nullable=False),
    Column("buckets", Integer, nullable=False),
    Column("head_revision", Integer, nullable=False),
    Column("created_at", DateTime, nullable=False),
)
"""Every foundry of the store; the row is also the lock that serialises its merges."""

PLATFORMS: Final = Table(
    "dagfoundry_platforms",
    _shared,
    Column("platform", String(_NAME), primary_key=True, comment="name in lower case"),
    Column("name", String(_NAME), nullable=False),
    Column("foundry", String(_NAME), nullable=False),
)
"""Who owns a platform; two foundries of one store never share one."""

DAGS: Final = Table(
    "dagfoundry_dags",
    _shared,
    Column("dag_id", String(_DAG_ID), primary_key=True),
    Column("foundry", String(_NAME), nullable=False),
    Column("table_name", String(_TABLE_NAME), nullable=False),
    Column("row_key", String(_ROW_KEY), nullable=False),
)
"""Every DAG id of the store with the row it stands for; the key keeps them unique."""


def shared_tables() -> MetaData:
    """Return the tables that serve the whole store."""
    return _shared


class FoundryTables:
    """The tables of one foundry: its factories, revisions, changes and versions."""

    def __init__(self, foundry: str) -> None:
        self.metadata = MetaData()
        self.factories = self._factories(table_name(foundry, "factory_dags"))
        self.revisions = self._revisions(table_name(foundry, "revisions"))
        self.changes = self._changes(table_name(foundry, "changes"))
        self.versions = self._versions(table_name(foundry, "versions"))

    def _factories(self, name: str) -> Table:
        return Table(
            name,
            self.metadata,
            Column("platform_name", String(_NAME), primary_key=True),
            Column("factory_type", String(50), primary_key=True),
            *_row_columns(),
        )

    def _revisions(self, name: str) -> Table:
        return Table(
            name,
            self.metadata,
            Column("revision", Integer, primary_key=True, autoincrement=False),
            Column("parent", Integer),
            Column("author", String(_NAME), nullable=False),
            Column("created_at", DateTime, nullable=False),
            Column("message", _long_text(), nullable=False),
            Column("source", String(50), nullable=False),
            Column("model_commit", String(100)),
            Column("environment", String(_NAME)),
        )

    def _changes(self, name: str) -> Table:
        return Table(
            name,
            self.metadata,
            Column("revision", Integer, primary_key=True, autoincrement=False),
            Column("table_name", String(_TABLE_NAME), primary_key=True),
            Column("row_key", String(_ROW_KEY), primary_key=True),
            Column("kind", String(20), nullable=False),
            Column("platform_name", String(_NAME), nullable=False),
            Column("factory_type", String(50), nullable=False),
            Column("entry_key", String(_NAME), nullable=False),
            Column("dag_id", String(_DAG_ID), nullable=False),
            Column("bucket", Integer, nullable=False),
            Column("before", _long_text()),
            Column("after", _long_text()),
            Index(table_name(name, "bucket"), "bucket", "revision"),
            Index(table_name(name, "dag_id"), "dag_id", "revision"),
        )

    def _versions(self, name: str) -> Table:
        return Table(
            name,
            self.metadata,
            Column("version", String(_DAG_ID), primary_key=True),
            Column("revision", Integer, nullable=False),
            Column("manifest", _long_text(), nullable=False),
            Column("created_at", DateTime, nullable=False),
        )


def entries_table(metadata: MetaData, platform: str, table: EntryTable) -> Table:
    """Return a platform's table for the entries of one factory type."""
    return Table(
        entries_table_name(platform, table),
        metadata,
        Column(table.key_column, String(_NAME), primary_key=True),
        *_row_columns(),
    )


def entries_table_name(platform: str, table: EntryTable) -> str:
    """Return the physical name of a platform's table for one factory type."""
    return table_name(platform, table.suffix)


def _row_columns() -> tuple[Column[Any], ...]:
    return (
        Column("config_json", _long_text()),
        Column("status", String(50)),
        Column("created_at", DateTime),
        Column("updated_at", DateTime),
    )
