"""Creating the tables of a foundry: bootstrap's ring 1, and each merge that needs more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import MetaData, inspect

from dagfoundry.store.engine import writing
from dagfoundry.store.schema_lock import lock_schema
from dagfoundry.store.schema_version import is_version_table, stamp_new_tables
from dagfoundry.store.tables import FoundryTables, entries_table, shared_tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

    from dagfoundry.factories import FactoryType
    from dagfoundry.store import Store


def foundry_tables(
    foundry: str, platforms: Iterable[str], types: Sequence[FactoryType]
) -> list[Table]:
    """Return every table that a foundry with these platforms and types needs."""
    own = FoundryTables(foundry).metadata.tables.values()
    entries = [
        entries_table(MetaData(), platform, factory_type.table)
        for platform in platforms
        for factory_type in types
    ]
    return [*shared_tables().tables.values(), *own, *entries]


def missing_tables(connection: Connection, tables: Sequence[Table]) -> list[Table]:
    """Return those of the tables that the store does not have yet."""
    existing = set(inspect(connection).get_table_names())
    return [table for table in tables if table.name not in existing]


def create_tables(store: Store, tables: Sequence[Table]) -> list[str]:
    """Create the tables that are missing; safe to repeat and to run twice at once.

    Tables come before a merge's transaction begins, because MariaDB commits on DDL.

    Returns:
        The names of the tables that were created.
    """
    with writing(store.engine) as connection:
        lock_schema(connection)
        missing = missing_tables(connection, tables)
        versions = [table for table in missing if is_version_table(table)]
        for table in versions:
            table.create(connection)
        # before the tables are there: MariaDB shows each of them at once to everybody
        stamp_new_tables(connection, tables, missing)
        for table in missing:
            if table not in versions:
                table.create(connection)
    return [table.name for table in missing]
