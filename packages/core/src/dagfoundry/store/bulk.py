"""Inserting many rows as the driver does it fastest.

SQLAlchemy binds each value of each row by name, which costs more than all else of a
large merge. The statements still run through its connection, so that its events see
them and its errors are raised.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import insert

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Column, Table
    from sqlalchemy.engine import Connection, Dialect

Values = tuple[Any, ...]

_UTF8: Final = "UTF8"
_ROWS: Final = 1000
"""Rows in one statement."""


def insert_rows(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Values]
) -> None:
    """Insert rows.

    Args:
        connection: An open connection.
        table: The table.
        columns: Names of at least two of its columns.
        rows: A value for each of the columns, row by row.

    Raises:
        IntegrityError: A key is taken.
    """
    if not rows:
        return
    dialect = connection.dialect
    described = [table.c[name] for name in columns]
    if dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        statement = f"{_head(table, described, dialect)} ({marks})"
        connection.exec_driver_sql(statement, _bound(rows, described, dialect))
    elif dialect.driver == "psycopg2" and _cursor(connection).connection.encoding == _UTF8:
        _insert_psycopg2(connection, table, described, _bound(rows, described, dialect))
    else:
        named = [dict(zip(columns, row, strict=True)) for row in rows]
        connection.execute(insert(table), named)


def _head(table: Table, columns: Iterable[Column[Any]], dialect: Dialect) -> str:
    preparer = dialect.identifier_preparer
    names = ", ".join(preparer.format_column(column) for column in columns)
    return f"INSERT INTO {preparer.format_table(table)} ({names}) VALUES"


def _bound(
    rows: Sequence[Values], columns: Sequence[Column[Any]], dialect: Dialect
) -> list[Values]:
    """Return rows in the form that the driver takes; converted column by column for speed."""
    convert = [column.type.dialect_impl(dialect).bind_processor(dialect) for column in columns]
    if not any(convert):
        return list(rows)
    found = [
        # a revision's rows share their times, so each is converted once
        map(lru_cache(8)(processor), values) if processor else values
        for processor, values in zip(convert, zip(*rows, strict=True), strict=True)
    ]
    return list(zip(*found, strict=True))


def _insert_psycopg2(
    connection: Connection, table: Table, columns: Sequence[Column[Any]], rows: Sequence[Values]
) -> None:
    """Send rows as ``psycopg2.extras.execute_values`` would."""
    head = _head(table, columns, connection.dialect).replace("%%", "%")  # no parameters follow
    template = f"({', '.join(['%s'] * len(columns))})"
    cursor = _cursor(connection)
    for start in range(0, len(rows), _ROWS):
        part = b", ".join(cursor.mogrify(template, row) for row in rows[start : start + _ROWS])
        connection.exec_driver_sql(
            f"{head} {part.decode()}", execution_options={"no_parameters": True}
        )


def _cursor(connection: Connection) -> Any:  # noqa: ANN401 - the driver's own
    return connection.connection.cursor()
