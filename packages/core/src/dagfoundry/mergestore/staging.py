"""Brings a dataset's rows from the source into its staging table, in chunks.

Values go from driver to driver as they are. Hashes are computed here, between the two,
so that they do not depend on what either database makes of a value.
"""

from __future__ import annotations

import io
from contextlib import closing, contextmanager
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy.exc import DataError, IntegrityError

from dagfoundry.errors import DatasetInvalidError
from dagfoundry.mergestore.engines import reason, writing
from dagfoundry.mergestore.hashing import hash_rows
from dagfoundry.mergestore.keys import check_keys
from dagfoundry.mergestore.values import bound_values, copy_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.engine import Connection

    from dagfoundry.mergestore.tables import DatasetTables

Row: TypeAlias = tuple[Any, ...]

CHUNK_ROWS: Final = 50_000
"""Rows in memory at a time, and in one transaction."""


class _RowsRefusedError(Exception):
    """The staging table cannot hold some rows."""


def stage(
    source: Connection, merge: Connection, tables: DatasetTables, batch_id: int, *, chunk_rows: int
) -> int:
    """Copy all rows of a dataset into its staging table.

    Args:
        source: A snapshot of the source.
        merge: A connection to the merge store.
        tables: The dataset's tables.
        batch_id: Number of the open batch.
        chunk_rows: Rows of one transaction.

    Returns:
        The number of rows.

    Raises:
        DatasetInvalidError: A key repeats or is NULL, or a value does not fit.
        JobFailedError: One of the databases fails.
    """
    write = _copier(merge, tables) if _has_copy(merge) else _inserter(source, merge, tables)
    key_of, rows = _key_of(tables), 0
    try:
        for chunk in _chunks(source, tables, chunk_rows):
            staged = _with_hashes(chunk, batch_id, key_of)
            with writing(merge), _refusal(merge):
                write(staged)
            rows += len(staged)
    except _RowsRefusedError as refusal:
        check_keys(source, tables.shape)
        raise DatasetInvalidError(
            f"dataset {tables.shape.label}: {tables.staging.name} refuses a row: {refusal}",
            remedy="Mend the value in the source, or leave it out through a view.",
        ) from refusal
    return rows


def _chunks(source: Connection, tables: DatasetTables, size: int) -> Iterator[list[Row]]:
    query = sa.select(*_expressions(tables)).select_from(tables.shape.from_clause())
    streaming = source.execution_options(yield_per=size)
    with closing(streaming.execute(query)) as result:
        for partition in result.partitions():
            yield [tuple(row) for row in partition]


def _expressions(tables: DatasetTables) -> list[sa.ColumnElement[Any]]:
    """Return what to select for each merge column; NULL for one that the source lost."""
    found = ((name, tables.shape.column(name)) for name in tables.columns)
    return [c.expression() if c else sa.null().label(name) for name, c in found]


def _key_of(tables: DatasetTables) -> Callable[[Row], Row] | None:
    """Return what takes the key out of a row; none when the whole row is the key."""
    positions = [tables.columns.index(name) for name in tables.shape.dataset.key]
    if not positions:
        return None
    if len(positions) == 1:
        only = positions[0]
        return lambda row: (row[only],)
    return itemgetter(*positions)


def _with_hashes(rows: list[Row], batch_id: int, key_of: Callable[[Row], Row] | None) -> list[Row]:
    hashes = hash_rows(rows)
    keys = hash_rows([key_of(row) for row in rows]) if key_of else hashes
    return [
        (*row, batch_id, whole, key) for row, whole, key in zip(rows, hashes, keys, strict=True)
    ]


def _has_copy(merge: Connection) -> bool:
    return merge.dialect.name == "postgresql"


def _copier(merge: Connection, tables: DatasetTables) -> Callable[[list[Row]], None]:
    quote = merge.dialect.identifier_preparer
    columns = ", ".join(quote.format_column(column) for column in tables.staging.c)
    # the quoting doubles "%" for drivers that fill in parameters; COPY has none
    statement = f"COPY {quote.format_table(tables.staging)} ({columns}) FROM STDIN"
    statement = statement.replace("%%", "%")

    def write(rows: list[Row]) -> None:
        with closing(merge.connection.cursor()) as cursor:
            cursor.copy_expert(statement, io.StringIO(copy_text(rows)))

    return write


def _inserter(
    source: Connection, merge: Connection, tables: DatasetTables
) -> Callable[[list[Row]], None]:
    # straight to the driver's executemany: it wants tuples, and SQLAlchemy would want dicts
    statement = str(sa.insert(tables.staging).compile(dialect=merge.dialect))
    is_same_driver = source.dialect.driver == merge.dialect.driver

    def write(rows: list[Row]) -> None:
        merge.exec_driver_sql(statement, rows if is_same_driver else bound_values(rows))

    return write


@contextmanager
def _refusal(merge: Connection) -> Iterator[None]:
    """Tell rows that the table cannot hold from a database that fails."""
    driver: Any = merge.dialect.dbapi
    refusals = (IntegrityError, DataError, driver.IntegrityError, driver.DataError)
    try:
        yield
    except (*refusals, OverflowError, UnicodeError) as error:
        raise _RowsRefusedError(reason(error)) from error
