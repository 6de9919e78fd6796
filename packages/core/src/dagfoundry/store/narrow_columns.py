"""Columns of a foundry's rows that would cut a long config off or refuse it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import inspect, select
from sqlalchemy.dialects import mysql
from sqlalchemy.types import String

from dagfoundry.names import table_name
from dagfoundry.store.tables import PLATFORMS, FoundryTables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.engine import Connection

CONFIG_COLUMN: Final = "config_json"

_REFERENCE_SUFFIXES: Final = ("airflow_dsg", "airflow_datatransformer")


@dataclass(frozen=True, kw_only=True, slots=True)
class NarrowColumn:
    """A column that is narrower than unbounded text."""

    table: str
    name: str
    type: Any
    nullable: bool


def narrow_columns(connection: Connection, foundry: str) -> list[NarrowColumn]:
    """Return the narrow config columns of a foundry's factories and entries, by table.

    Which tables are the foundry's is known without any plugin: those that its history
    names, and for each of its platforms those that a reference deployment has.
    """
    if connection.dialect.name == "sqlite":
        return []  # a type's length means nothing there
    inspector = inspect(connection)
    existing = set(inspector.get_table_names())
    return [
        NarrowColumn(
            table=table, name=CONFIG_COLUMN, type=column["type"], nullable=column["nullable"]
        )
        for table in sorted(existing.intersection(_tables(connection, foundry)))
        for column in inspector.get_columns(table)
        if column["name"] == CONFIG_COLUMN and _is_narrow(column["type"])
    ]


def _tables(connection: Connection, foundry: str) -> Iterable[str]:
    tables = FoundryTables(foundry)
    yield tables.factories.name
    yield from connection.execute(select(tables.changes.c.table_name).distinct()).scalars()
    owned = select(PLATFORMS.c.name).where(PLATFORMS.c.foundry == foundry)
    for platform in connection.execute(owned).scalars():
        yield from (table_name(platform, suffix) for suffix in _REFERENCE_SUFFIXES)


def _is_narrow(column_type: Any) -> bool:  # noqa: ANN401 - a type of any database
    if isinstance(column_type, mysql.LONGTEXT):
        return False
    bounded_texts = (mysql.TINYTEXT, mysql.TEXT, mysql.MEDIUMTEXT)
    is_bounded = isinstance(column_type, bounded_texts) or bool(getattr(column_type, "length", 0))
    return isinstance(column_type, String) and is_bounded
