"""Many rows are inserted as they are, whatever their text holds."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Column, DateTime, Integer, MetaData, String, Table, Text, select
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import IntegrityError

from dagfoundry.store.bulk import insert_rows

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

    from dagfoundry.store import Store

COLUMNS = ("number", "select", "name", "made at")
HARD = ["50 % off %s %(a)s", "it's", 'a "b"', "back\\slash", "né 🦆", ":name ?", "", None, "$1\n\t"]
MOMENT = (DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")).with_variant(
    mysql.DATETIME(fsp=6), "mariadb"
)
WHEN = datetime(2026, 1, 2, 3, 4, 5, 678901)  # noqa: DTZ001 - as the store keeps it


@pytest.fixture
def table(store: Store, store_url: URL) -> Table:
    """A table whose names need quotes."""
    if store_url.get_backend_name() == "sqlite":
        Path(str(store_url.database)).touch()
    made = Table(
        "Odd % table",
        MetaData(),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("select", Text),
        Column("name", String(50)),
        Column("made at", MOMENT),
        mariadb_charset="utf8mb4",
    )
    with store.writing() as connection:
        made.create(connection)
    return made


def test_rows_come_back_as_they_were(store: Store, table: Table) -> None:
    """More of them than one statement takes."""
    rows = [(number, HARD[number % len(HARD)], "n", WHEN) for number in range(2500)]
    with store.writing() as connection:
        insert_rows(connection, table, COLUMNS, rows)
    with store.reading() as connection:
        found = connection.execute(select(table).order_by(table.c.number)).all()
    assert [tuple(row) for row in found] == rows


def test_a_key_that_is_taken_is_an_integrity_error(store: Store, table: Table) -> None:
    """Nothing of the transaction stays."""
    row = (1, "a", "n", None)

    def insert_it(times: int) -> None:
        with store.writing() as connection:
            insert_rows(connection, table, COLUMNS, [row] * times)

    insert_it(0)
    with pytest.raises(IntegrityError):
        insert_it(2)
    with store.reading() as connection:
        assert connection.execute(select(table)).all() == []
