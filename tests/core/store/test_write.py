"""Writing a revision: rows that come back after they were deleted, and rows that go."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, select

from dagfoundry.errors import StoreUnavailableError
from dagfoundry.factories import Status
from dagfoundry.store import Source
from dagfoundry.store.live import live_rows
from dagfoundry.store.write import Origin, RowChange, lock_foundry, record_revision, write_revision

if TYPE_CHECKING:
    from conftest import Workshop

ORIGIN = Origin(author="Ada", message="", source=Source.EXTERNAL)


def change_of(workshop: Workshop, key: str, status: Status) -> RowChange:
    """Return the change that gives an entry another status and nothing else."""
    (state,) = [row for row in workshop.store.rows_at("Test", 99) if row.key == key]
    types = [installed.type for installed in workshop.plugins.types.values()]
    with workshop.store.reading() as connection:
        (row,) = [r for r in live_rows(connection, "Test", ["Live"], types) if r.key == key]
    return RowChange(
        table=row.table,
        primary_key=row.primary_key,
        kind=row.kind,
        platform_name=row.platform_name,
        factory_type=row.factory_type,
        key=key,
        dag_id=row.dag_id,
        bucket=state.bucket,
        before=row.state,
        status=status,
        config_json=state.config_json,
    )


def stored_keys(workshop: Workshop, change: RowChange) -> list[str]:
    """Return the keys in the change's table."""
    with workshop.store.reading() as connection:
        return sorted(connection.execute(select(change.table.c.entry_key)).scalars())


def test_a_purged_row_is_gone_and_its_history_stays(workshop: Workshop) -> None:
    """Purging deletes the row, and only that one."""
    workshop.greet("a", "b")
    change = change_of(workshop, "a", Status.PURGED)
    with workshop.store.writing() as connection:
        write_revision(connection, lock_foundry(connection, "Test"), [change], ORIGIN)
    assert stored_keys(workshop, change) == ["b"]
    (then,) = [row for row in workshop.store.rows_at("Test", 1) if row.key == "a"]
    assert then.status is Status.ACTIVE


def test_a_purged_row_comes_back_under_its_dag_id(workshop: Workshop) -> None:
    """Its DAG id is the foundry's still, so the row is only written anew."""
    workshop.greet("a", "b")
    change = change_of(workshop, "a", Status.PURGED)
    back = replace(change, before={"status": "purged"}, status=Status.ACTIVE)
    for step in (change, back):
        with workshop.store.writing() as connection:
            write_revision(connection, lock_foundry(connection, "Test"), [step], ORIGIN)
    assert stored_keys(workshop, change) == ["a", "b"]


def test_a_row_deleted_by_hand_is_created_again_by_a_merge(workshop: Workshop) -> None:
    """The merge finds no row, although history and the list of DAG ids know one."""
    workshop.greet("a", "b")
    change = change_of(workshop, "a", Status.ACTIVE)
    with workshop.store.writing() as connection:
        connection.execute(delete(change.table).where(change.table.c.entry_key == "a"))
    assert workshop.greet("a", "b").head.revision == 2
    assert stored_keys(workshop, change) == ["a", "b"]


def test_recording_touches_no_row(workshop: Workshop) -> None:
    """What a person did by hand is written down, not done again."""
    workshop.greet("a", "b")
    change = change_of(workshop, "a", Status.PURGED)
    with workshop.store.writing() as connection:
        head = record_revision(connection, lock_foundry(connection, "Test"), [change], ORIGIN)
    assert head.revision == 2
    assert stored_keys(workshop, change) == ["a", "b"]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_write_makes_no_store_where_one_was_moved_away(workshop: Workshop) -> None:
    """It says so, and leaves no empty database behind that would be taken for the store."""
    workshop.greet("A")
    file = Path(str(workshop.store.url.database))
    file.rename(file.with_suffix(".away"))
    with pytest.raises(StoreUnavailableError, match="does not exist"):
        workshop.store.retire("Test", ["live__A_greeting"], author="Ada", message="gone")
    assert not file.exists()
