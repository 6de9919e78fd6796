"""Inserting many rows as the driver does it fastest.

SQLAlchemy binds each value of each row by name, which costs more than all else of a
large merge. The statements still run through its connection, so that its events see
them and its errors are raised.
"""

from __future__ import annotations

from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import insert

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Column, Table
    from sqlalchemy.engine import Connection, Dialect

Values = tuple[Any, ...]

_UTF8: Final = "UTF8"
_ROWS: Final = 1000
"""Rows in one statement."""


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all have the same columns; at least two columns.

    Raises:
        IntegrityError: A key is taken.
    """
    if not rows:
        return
    dialect = connection.dialect
    columns = [table.c[name] for name in rows[0]]
    if dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        statement = f"{_head(table, columns, dialect)} ({marks})"
        connection.exec_driver_sql(statement, list(_values(rows, columns, dialect)))
    elif dialect.driver == "psycopg2" and _cursor(connection).connection.encoding == _UTF8:
        _insert_psycopg2(connection, table, columns, list(_values(rows, columns, dialect)))
    else:
        connection.execute(insert(table), list(rows))


def _head(table: Table, columns: Iterable[Column[Any]], dialect: Dialect) -> str:
    preparer = dialect.identifier_preparer
    names = ", ".join(preparer.format_column(column) for column in columns)
    return f"INSERT INTO {preparer.format_table(table)} ({names}) VALUES"


def _values(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[Column[Any]], dialect: Dialect
) -> Iterator[Values]:
    """Yield rows as tuples, in the form that the driver takes."""
    values = map(itemgetter(*(column.name for column in columns)), rows)
    found = [column.type.dialect_impl(dialect).bind_processor(dialect) for column in columns]
    # a revision's rows share their times, so each is converted once
    convert = {index: lru_cache(8)(processor) for index, processor in enumerate(found) if processor}
    if not convert:
        yield from values
        return
    for row in values:
        yield tuple(
            convert[index](value) if index in convert else value for index, value in enumerate(row)
        )


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
