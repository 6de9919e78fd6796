"""Which databases can be merge stores, and how rows and models name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from dagfoundry import Database
from dagfoundry.connections import merge_store_of
from dagfoundry.errors import CredentialMissingError, JobFailedError, SettingInvalidError
from dagfoundry.mergestore import open_merge_store, open_source, reading, writing
from dagfoundry.mergestore.names import (
    batch_stream_key,
    merge_table_name,
    staging_table_name,
    transformer_table_name,
)

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Lab


def test_database_in_memory_is_refused() -> None:
    """It would be another one in each process."""
    for open_database in (open_merge_store, open_source):
        with pytest.raises(SettingInvalidError, match="in memory"):
            open_database("sqlite://")


def test_postgresql_means_psycopg2() -> None:
    """A plain URL works with every SQLAlchemy; another driver is refused with the right one."""
    assert open_merge_store("postgresql://h/d").dialect.driver == "psycopg2"
    with pytest.raises(SettingInvalidError, match="asyncpg") as caught:
        open_merge_store("postgresql+asyncpg://ada:s3cret@h/d")
    assert "s3cret" not in str(caught.value)


def test_missing_variable_is_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model's database whose variable is not set names the variable."""
    monkeypatch.delenv("SHOP_URL", raising=False)
    with pytest.raises(CredentialMissingError, match="SHOP_URL"):
        open_source(Database(url_variable="SHOP_URL"))


def test_source_is_never_written(sqlite_lab: Lab, tmp_path: Path) -> None:
    """A source engine reads, whatever it is asked."""
    path = tmp_path / "source.db"
    with pytest.raises(JobFailedError, match="attempt to write a readonly database"):
        _write(open_source(f"sqlite:///{path}"))
    assert sa.inspect(sqlite_lab.owner).get_table_names() == []


def test_reading_is_one_snapshot(lab: Lab) -> None:
    """What others commit meanwhile is not seen."""
    table = lab.create("t", sa.Column("id", sa.Integer, primary_key=True))
    writer = open_merge_store(lab.source_url)
    with writing(writer) as other:
        other.execute(sa.insert(table), [{"id": 1}])
    count = sa.select(sa.func.count()).select_from(table)
    with reading(lab.source) as connection:
        before = connection.execute(count).scalar()
        with writing(writer) as other:
            other.execute(sa.insert(table), [{"id": 2}])
        assert connection.execute(count).scalar() == before == 1


def test_names_are_those_of_the_reference() -> None:
    """Tables and streams are found by readers of a DataSurface merge store."""
    assert merge_table_name("YellowLive", "Store1", "customers") == (
        "yellowlive_store1_customers_merge"
    )
    assert staging_table_name("YellowLive", "Store1", "a") == "yellowlive_store1_a_staging"
    assert transformer_table_name("YellowLive", "Masked", "a") == "yellowlive_dt_masked_a"
    assert batch_stream_key("Store2", "orders") == "Store2#orders"
    assert len(batch_stream_key("s" * 128, "d" * 128)) == 255


def test_merge_store_of_our_rows() -> None:
    """A row of ours names the database under its own key, without the secret."""
    config: dict[str, Any] = {"dagfoundry": {"merge_store": {"url_variable": "MERGE_URL"}}}
    assert merge_store_of(config) == Database(url_variable="MERGE_URL")


def test_merge_store_of_reference_rows() -> None:
    """A row of a reference deployment names it in parts; its secret's name becomes a variable's."""
    config = {
        "merge_db_driver": "postgresql",
        "merge_db_hostname": "db",
        "merge_db_port": 5432,
        "merge_db_database": "datasurface_merge",
        "merge_db_credential_secret_name": "merge-rw",
    }
    assert merge_store_of(config) == Database(
        driver="postgresql",
        hostname="db",
        port=5432,
        database="datasurface_merge",
        credential="merge_rw",
    )


@pytest.mark.parametrize("config", [{}, {"dagfoundry": 1}, {"merge_db_driver": "postgresql"}])
def test_row_without_a_merge_store_is_one_error(config: dict[str, Any]) -> None:
    """A hand-written row that names none, or half of one, is told so."""
    with pytest.raises(SettingInvalidError, match="names no database"):
        merge_store_of(config)


def _write(engine: sa.engine.Engine) -> None:
    with writing(engine) as connection:
        connection.execute(sa.text("CREATE TABLE t (id INTEGER)"))
