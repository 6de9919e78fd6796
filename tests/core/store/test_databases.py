"""What every database has to do alike, whatever its own habits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select, text

from dagfoundry.errors import StoreUnavailableError
from dagfoundry.store.engine import writing
from dagfoundry.store.tables import FOUNDRIES, FoundryTables
from dagfoundry.store.write import utc_now

if TYPE_CHECKING:
    from conftest import Workshop


def test_keys_that_differ_in_case_are_two_rows(workshop: Workshop) -> None:
    """MariaDB's default order of letters would take them for one."""
    with writing(workshop.store.engine) as connection:
        table = FoundryTables("Case").factories
        table.create(connection)
        for name in ("live", "Live"):
            row = {"platform_name": name, "factory_type": "t", "config_json": "{}"}
            connection.execute(insert(table).values(row))
        found = connection.execute(
            select(table.c.platform_name).where(table.c.platform_name == "live")
        )
        assert found.scalars().all() == ["live"]


def test_times_keep_their_microseconds(workshop: Workshop) -> None:
    """MariaDB would cut them off without being told."""
    workshop.greet("a")
    with writing(workshop.store.engine) as connection:
        now = utc_now().replace(microsecond=123456)
        row = {"foundry": "x", "name": "X", "buckets": 1, "head_revision": 0, "created_at": now}
        connection.execute(insert(FOUNDRIES).values(row))
        stored = select(FOUNDRIES.c.created_at).where(FOUNDRIES.c.foundry == "x")
        assert connection.execute(stored).scalar_one() == now


def test_any_text_comes_back_as_it_was(workshop: Workshop) -> None:
    """Letters of every alphabet, emoji, backslashes and a megabyte of them."""
    text = "Zoë 漢字 🛠 \\ %s :name " * 40_000
    with writing(workshop.store.engine) as connection:
        table = FoundryTables("Text").factories
        table.create(connection)
        row = {"platform_name": "É", "factory_type": "t", "config_json": text, "status": "active"}
        connection.execute(insert(table).values(row))
        assert connection.execute(select(table.c.config_json)).scalar_one() == text


def test_value_that_does_not_fit_is_refused_not_cut_off(workshop: Workshop) -> None:
    """SQLite keeps it whole, the others say so."""
    workshop.greet("a")
    row = {
        "foundry": "x" * 300,
        "name": "X",
        "buckets": 1,
        "head_revision": 0,
        "created_at": utc_now(),
    }
    if workshop.store.engine.dialect.name == "sqlite":
        pytest.skip("SQLite enforces no length")
    with (
        pytest.raises(StoreUnavailableError, match="too long"),
        writing(workshop.store.engine) as open_,
    ):
        open_.execute(insert(FOUNDRIES).values(row))


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_connection_that_breaks_in_a_write_is_a_store_that_is_away(workshop: Workshop) -> None:
    """Whoever writes waits and tries again; nothing of it is there."""
    workshop.greet("a")
    with (
        pytest.raises(StoreUnavailableError, match="cannot be used"),
        workshop.store.writing() as connection,
    ):
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert workshop.store.head("Test").revision == 1
