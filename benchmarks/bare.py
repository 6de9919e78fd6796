"""What the fastest plain code does with the same bytes: the other side of each ratio."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

from dagfoundry.store.engine import writing
from dagfoundry.store.tables import DAGS, FOUNDRIES, PLATFORMS, FoundryTables

if TYPE_CHECKING:
    from pathlib import Path

    from dagfoundry.store import Store

Dump = dict[str, tuple[list[str], list[tuple[Any, ...]]]]
"""Name of a table to its columns and rows."""


def load_yaml(path: Path) -> object:
    """Load a model with PyYAML's C loader."""
    with path.open("rb") as file:
        return yaml.load(file, Loader=yaml.CSafeLoader)


def dump(store: Store, foundry: str, entry_tables: list[str]) -> Dump:
    """Return everything that a first merge wrote."""
    own = FoundryTables(foundry)
    tables = [FOUNDRIES, PLATFORMS, DAGS, own.factories, own.revisions, own.changes]
    names = [table.name for table in tables] + entry_tables
    found: Dump = {}
    with store.reading() as connection:
        for name in names:
            result = connection.exec_driver_sql(f"SELECT * FROM {name}")  # noqa: S608 - our own names
            found[name] = (list(result.keys()), [tuple(row) for row in result])
    return found


def write(store: Store, contents: Dump) -> None:
    """Write all rows as the database's driver does it fastest, in one transaction."""
    with writing(store.engine) as connection:
        cursor = connection.connection.cursor()
        for name, (columns, rows) in contents.items():
            into = f"INSERT INTO {name} ({', '.join(columns)}) VALUES"
            _insert(store, cursor, into, rows)


def _insert(store: Store, cursor: Any, into: str, rows: list[tuple[Any, ...]]) -> None:  # noqa: ANN401 - the driver's own
    if store.url.get_backend_name() == "sqlite":
        cursor.executemany(f"{into} ({', '.join('?' * len(rows[0]))})", rows)
        return
    from psycopg2.extras import execute_values

    execute_values(cursor, f"{into} %s", rows, page_size=1000)


def delete_all(store: Store, contents: Dump) -> None:
    """Delete all rows."""
    with writing(store.engine) as connection:
        for name in contents:
            connection.exec_driver_sql(f"DELETE FROM {name}")  # noqa: S608 - our own names


def read(store: Store, statement: str, parameters: Any, column: int) -> list[Any]:  # noqa: ANN401 - the driver's own
    """Read what a first refresh reads, by the driver alone, and parse the JSON of a column."""
    with store.reading() as connection:
        cursor = connection.connection.cursor()
        cursor.execute(statement, parameters)
        return [json.loads(row[column]) for row in cursor.fetchall()]
