"""The demo's comparison of a merge table with a file finds every difference and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from figures import (
    carrier_delays,
    differences,
    expected_batches,
    read_batches,
    read_figures,
    sum_differences,
)
from source import Figures
from sqlalchemy import create_engine, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

FIGURES = Figures(rows=3, counts={"id": 3, "delay": 2}, sums={"id": 6, "delay": 1.5})


@pytest.fixture
def database() -> Iterator[Connection]:
    """An empty database."""
    engine = create_engine("sqlite://", future=True)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_figures_are_read_by_sql(database: Connection) -> None:
    """NULL is no value and adds nothing."""
    database.execute(text("CREATE TABLE trips (id INTEGER, delay FLOAT, ds_surf_batch_id INTEGER)"))
    database.execute(text("INSERT INTO trips VALUES (1, 1.5, 9), (2, NULL, 9), (3, 0, 9)"))
    found = read_figures(database, "trips", FIGURES)
    assert found == FIGURES
    assert list(differences(FIGURES, found)) == []


def test_empty_table_adds_up_to_nothing(database: Connection) -> None:
    """A table without rows has sums of 0, not NULL."""
    database.execute(text("CREATE TABLE trips (id INTEGER, delay FLOAT)"))
    found = read_figures(database, "trips", FIGURES)
    assert found == Figures(rows=0, counts={"id": 0, "delay": 0}, sums={"id": 0, "delay": 0})


def test_every_difference_is_named() -> None:
    """Rows, counts and sums that differ are said in words."""
    found = Figures(rows=2, counts={"id": 2, "delay": 2}, sums={"id": 6, "delay": 1.4})
    assert list(differences(FIGURES, found)) == [
        "2 rows, not 3",
        "id: 2 values, not 3",
        "delay: sum 1.4, not 1.5",
    ]


@pytest.mark.parametrize(("found", "same"), [(0.1 * 3, True), (0.3000001, False)])
def test_sums_of_reals_may_differ_in_the_last_digits(*, found: float, same: bool) -> None:
    """What the order of adding makes of a sum is no difference; a lost value is."""
    assert (list(sum_differences({"precip": 0.3}, {"precip": found})) == []) is same


def test_transformer_is_expected_to_lose_no_flight() -> None:
    """Its sums are those of the flights; a flight without departure is a cancelled one."""
    flights = Figures(
        rows=10, counts={"dep_time": 8}, sums={"dep_delay": 5.0, "arr_delay": -2.0, "hour": 70}
    )
    assert carrier_delays(flights) == {
        "flights": 10,
        "cancelled": 2,
        "dep_delay_minutes": 5.0,
        "arr_delay_minutes": -2.0,
    }


def test_batches_are_added_up_by_stream(database: Connection) -> None:
    """All batches of a stream count, also those that wrote nothing."""
    database.execute(
        text(
            'CREATE TABLE yellowlive_batch_metrics ("key" TEXT, batch_id INTEGER,'
            " records_inserted INTEGER, records_updated INTEGER, records_deleted INTEGER)"
        )
    )
    database.execute(
        text(
            "INSERT INTO yellowlive_batch_metrics VALUES"
            " ('Reference', 1, 7, 0, 0), ('Reference', 2, 0, 0, 0), ('Other', 1, NULL, NULL, 1)"
        )
    )
    assert read_batches(database) == {"Reference": (7, 0, 0), "Other": (0, 0, 1)}


def test_each_row_is_expected_to_be_inserted_once() -> None:
    """A stream's batches come to the rows of its datasets, however many batches there were."""
    names = ("airlines", "airports", "planes", "weather", "flights")
    files = {name: Figures(rows=10**i, counts={}, sums={}) for i, name in enumerate(names)}
    assert expected_batches(files) == {
        "Reference": (111, 0, 0),
        "Operations#weather": (1000, 0, 0),
        "Operations#flights": (10000, 0, 0),
    }
