"""The store's tables: the reference's, by its names and keys, and our own beside them.

Six tables serve the whole store: which foundries, platforms and DAG ids there are, what DAGs
looked like when they were last good, and what factory DAGs reported. A foundry has its
factories and its append-only history; a platform has one table of entries per factory type.
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

_MARIADB: Final[dict[str, Any]] = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in {
        "engine": "InnoDB",
        "charset": "utf8mb4",
        "collate": "utf8mb4_bin",  # by default, keys that differ only in case would be one
    }.items()
}


def long_text() -> Text:
    """Return the type of an unbounded text on every database."""
    return Text().with_variant(mysql.LONGTEXT(), "mysql").with_variant(mysql.LONGTEXT(), "mariadb")


def _time() -> DateTime:
    exact = mysql.DATETIME(fsp=6)  # MariaDB keeps whole seconds by default
    return DateTime().with_variant(exact, "mysql").with_variant(exact, "mariadb")


WITNESS: Final = "dagfoundry_witness"
"""Key of a version table's info: the table whose creation shows that all are new."""


def _schema_version(name: str, metadata: MetaData, witness: str) -> Table:
    """Return the table in which Alembic keeps how far tables have been migrated."""
    column = Column("version_num", String(32), primary_key=True)
    return Table(name, metadata, column, info={WITNESS: witness}, **_MARIADB)


_shared = MetaData()

SCHEMA_VERSION: Final = _schema_version(
    "dagfoundry_alembic_version", _shared, witness="dagfoundry_foundries"
)
"""The migration at which the tables of the whole store are."""

FOUNDRIES: Final = Table(
    "dagfoundry_foundries",
    _shared,
    Column("foundry", String(_NAME), primary_key=True, comment="name in lower case"),
    Column("name", String(_NAME), nullable=False),
    Column("buckets", Integer, nullable=False),
    Column("head_revision", Integer, nullable=False),
    Column("created_at", _time(), nullable=False),
    **_MARIADB,
)
"""Every foundry of the store; the row is also the lock that serialises its merges."""

PLATFORMS: Final = Table(
    "dagfoundry_platforms",
    _shared,
    Column("platform", String(_NAME), primary_key=True, comment="name in lower case"),
    Column("name", String(_NAME), nullable=False),
    Column("foundry", String(_NAME), nullable=False),
    **_MARIADB,
)
"""Who owns a platform; two foundries of one store never share one."""

DAGS: Final = Table(
    "dagfoundry_dags",
    _shared,
    Column("dag_id", String(_DAG_ID), primary_key=True),
    Column("foundry", String(_NAME), nullable=False),
    Column("table_name", String(_TABLE_NAME), nullable=False),
    Column("row_key", String(_ROW_KEY), nullable=False),
    **_MARIADB,
)
"""Every DAG id of the store with the row it stands for; the key keeps them unique."""


SHAPES: Final = Table(
    "dagfoundry_shapes",
    _shared,
    Column("shape_id", String(32), primary_key=True, comment="hash of the content"),
    Column("content", long_text(), nullable=False),
    **_MARIADB,
)
"""Tasks, edges and tags of DAGs as they were built, each that differs once."""

DAG_SHAPES: Final = Table(
    "dagfoundry_dag_shapes",
    _shared,
    Column("foundry", String(_NAME), primary_key=True),
    Column("dag_id", String(_DAG_ID), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("shape_id", String(32), nullable=False),
    **_MARIADB,
)
"""What every DAG looked like when it was last good; DAG processors write it."""


REPORTS: Final = Table(
    "dagfoundry_reports",
    _shared,
    Column("foundry", String(_NAME), primary_key=True),
    Column("dag_id", String(_DAG_ID), primary_key=True),
    Column("made_at", _time(), nullable=False),
    Column("report", long_text(), nullable=False),
    **_MARIADB,
)
"""The last report of every factory DAG, as JSON."""


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
        self.schema_version = _schema_version(
            table_name(foundry, "alembic_version"), self.metadata, witness=self.factories.name
        )

    def _factories(self, name: str) -> Table:
        return Table(
            name,
            self.metadata,
            Column("platform_name", String(_NAME), primary_key=True),
            Column("factory_type", String(50), primary_key=True),
            *_row_columns(),
            **_MARIADB,
        )

    def _revisions(self, name: str) -> Table:
        return Table(
            name,
            self.metadata,
            Column("revision", Integer, primary_key=True, autoincrement=False),
            Column("parent", Integer),
            Column("author", String(_NAME), nullable=False),
            Column("created_at", _time(), nullable=False),
            Column("message", long_text(), nullable=False),
            Column("source", String(50), nullable=False),
            Column("model_commit", String(100)),
            Column("environment", String(_NAME)),
            **_MARIADB,
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
            Column("before", long_text()),
            Column("after", long_text()),
            Index(table_name(name, "bucket"), "bucket", "revision"),
            Index(table_name(name, "dag_id"), "dag_id", "revision"),
            **_MARIADB,
        )

    def _versions(self, name: str) -> Table:
        return Table(
            name,
            self.metadata,
            Column("version", String(_DAG_ID), primary_key=True),
            Column("revision", Integer, nullable=False),
            Column("manifest", long_text(), nullable=False),
            Column("created_at", _time(), nullable=False),
            **_MARIADB,
        )


def entries_table(metadata: MetaData, platform: str, table: EntryTable) -> Table:
    """Return a platform's table for the entries of one factory type."""
    return Table(
        entries_table_name(platform, table),
        metadata,
        Column(table.key_column, String(_NAME), primary_key=True),
        *_row_columns(),
        **_MARIADB,
    )


def entries_table_name(platform: str, table: EntryTable) -> str:
    """Return the physical name of a platform's table for one factory type."""
    return table_name(platform, table.suffix)


def _row_columns() -> tuple[Column[Any], ...]:
    return (
        Column("config_json", long_text()),
        Column("status", String(50)),
        Column("created_at", _time()),
        Column("updated_at", _time()),
    )
