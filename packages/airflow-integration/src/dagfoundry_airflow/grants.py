"""The rights of the store's two database roles, as SQL statements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dagfoundry.store.tables import DAG_SHAPES, SHAPES, FoundryTables, shared_tables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.engine import Engine

READER: Final = "dagfoundry_reader"
"""Role of DAG processors and workers: reads the history, records versions and shapes."""

WRITER: Final = "dagfoundry_writer"
"""Role of merges and factory DAGs."""

_ALL: Final = "SELECT, INSERT, UPDATE, DELETE"
_APPEND: Final = "SELECT, INSERT"
_WRITE: Final = "SELECT, INSERT, UPDATE"
_READ: Final = "SELECT"


def grants(engine: Engine, foundry: str, entry_tables: Iterable[str]) -> list[str]:
    """Return the GRANT statements for a foundry's tables, in a fixed order.

    Args:
        engine: The store's engine, for the quoting of names.
        foundry: Name of the foundry.
        entry_tables: Names of the tables that hold its entries.
    """
    tables = FoundryTables(foundry)
    shared = sorted(shared_tables().tables.keys() - {SHAPES.name, DAG_SHAPES.name})
    history = [tables.revisions.name, tables.changes.name]
    rights = [
        *((READER, _READ, name) for name in [*shared, *history]),
        *((READER, _APPEND, name) for name in [tables.versions.name, SHAPES.name]),
        (READER, _WRITE, DAG_SHAPES.name),
        (WRITER, _READ, tables.schema_version.name),
        *((WRITER, _ALL, name) for name in [*shared, tables.factories.name, *entry_tables]),
        *((WRITER, _APPEND, name) for name in [*history, tables.versions.name]),
        *((WRITER, _READ, name) for name in [SHAPES.name, DAG_SHAPES.name]),
    ]
    quote = engine.dialect.identifier_preparer.quote
    return [f"GRANT {right} ON {quote(name)} TO {quote(role)}" for role, right, name in rights]
