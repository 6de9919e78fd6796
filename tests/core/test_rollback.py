"""Going back makes a new revision in which rows are as they were."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import MetaData, Table, select, text, update

from dagfoundry.errors import (
    EntryMissingError,
    PruneRefusedError,
    RevisionMissingError,
    StoreConflictError,
)
from dagfoundry.factories import Status
from dagfoundry.guards import Guards
from dagfoundry.rollback import Target, plan_rollback, rollback, undelete
from dagfoundry.selection import Selection
from dagfoundry.store import RowKind, RowState, Source
from dagfoundry.store.known import known_rows
from dagfoundry.store.write import Origin, lock_foundry, write_revision

if TYPE_CHECKING:
    from conftest import Workshop

    from dagfoundry.merge import MergeResult

ORIGIN = Origin(author="Ada", message="back", source=Source.ROLLBACK)


def back(
    workshop: Workshop, revision: int, *, allow_prune: bool = False, **selection: str
) -> MergeResult:
    """Go back to a revision."""
    target = Target(revision=revision, rows=Selection(**selection))
    guards = Guards(allow_prune=allow_prune)
    return rollback(workshop.store, "Test", target, origin=ORIGIN, guards=guards)


def entries(workshop: Workshop, revision: int = 99) -> dict[str, tuple[str, str]]:
    """Return text and status of each entry as of a revision, by key."""
    rows = workshop.store.rows_at("Test", revision)
    return {
        row.key: (row.config()["text"], row.status.value)
        for row in rows
        if row.kind is RowKind.ENTRY
    }


def table_of(workshop: Workshop, name: str = "live_greeting_entries") -> dict[str, str]:
    """Return the status of each row in a table, by key."""
    with workshop.store.reading() as connection:
        table = Table(name, MetaData(), autoload_with=connection)
        return dict(connection.execute(select(table.c.entry_key, table.c.status)).all())


def by_hand(workshop: Workshop, statement: str) -> None:
    """Run a statement that nobody records."""
    with workshop.store.writing() as connection:
        connection.execute(text(statement))


def purge(workshop: Workshop, key: str) -> None:
    """Do what the factory DAG will do after the retention."""
    (row,) = [row for row in workshop.store.rows_at("Test", 99) if row.key == key]
    with workshop.store.writing() as connection:
        head = lock_foundry(connection, "Test")
        (known,) = known_rows(connection, [row])
        change = known.change(Status.PURGED, row.config_json)
        write_revision(connection, head, [change], replace(ORIGIN, source=Source.LIFECYCLE))


def test_a_rollback_restores_updates_and_retires(workshop: Workshop) -> None:
    """What lived then is as it was; what was not there yet is retired as a removal is."""
    workshop.greet("b", a="one")
    workshop.greet("c", a="two")
    result = back(workshop, 1)
    assert result.head.revision == 3
    assert [(c.row.key, c.action.value) for c in result.plan.changes] == [
        ("a", "update"),
        ("b", "restore"),
        ("c", "retire"),
    ]
    assert entries(workshop) == {
        "a": ("one", "active"),
        "b": ("hello", "active"),
        "c": ("hello", "retiring"),
    }
    assert table_of(workshop) == {"a": "active", "b": "active", "c": "retiring"}
    last = workshop.store.revision("Test", 3)
    assert last is not None
    assert (last.source, last.author, last.message) == (Source.ROLLBACK, "Ada", "back")


def test_a_rollback_to_what_is_writes_nothing(workshop: Workshop) -> None:
    """No revision is made without a change."""
    workshop.greet("a", "b")
    result = back(workshop, 1)
    assert (result.head.revision, result.plan.changes, result.plan.unchanged) == (1, (), 3)


def test_one_entry_goes_back_alone(workshop: Workshop) -> None:
    """Its neighbours stay, by key or by DAG id."""
    workshop.greet(a="one", b="one")
    workshop.greet(a="two", b="two")
    back(workshop, 1, entry="live__a_greeting")
    assert entries(workshop) == {"a": ("one", "active"), "b": ("two", "active")}
    back(workshop, 1, entry="b")
    assert entries(workshop)["b"] == ("one", "active")


def test_one_platform_goes_back_alone(workshop: Workshop) -> None:
    """Rows of the same key on another platform stay."""
    other = "  - {name: Dark, merge_store: {url_variable: X}}\n"
    workshop.merge(other + "greetings:\n  - {name: a, text: one}\n")
    workshop.merge(other + "greetings:\n  - {name: a, text: two}\n")
    with pytest.raises(EntryMissingError, match="entry 'a' names 2 rows"):
        back(workshop, 1, entry="a")
    back(workshop, 1, platform="Dark")
    texts = {
        row.platform_name: row.config()["text"]
        for row in workshop.store.rows_at("Test", 3)
        if row.kind is RowKind.ENTRY
    }
    assert texts == {"Live": "two", "Dark": "one"}


def test_what_left_then_and_lives_now_leaves_again(workshop: Workshop) -> None:
    """A row that was retiring at the revision is retiring again, with the config it had."""
    workshop.greet("b", a="one")
    workshop.greet("b")
    workshop.greet("b", a="two")
    back(workshop, 2)
    assert entries(workshop)["a"] == ("one", "retiring")


def test_what_left_then_and_is_gone_now_stays_gone(workshop: Workshop) -> None:
    """A row that has drained meanwhile is not brought back to drain once more."""
    workshop.greet("a", "b")
    workshop.greet("b")
    workshop.store.retire("Test", ["live__a_greeting"], author="f", message="")
    assert back(workshop, 2).plan.changes == ()
    assert entries(workshop)["a"] == ("hello", "retired")


def test_a_purged_row_comes_back(workshop: Workshop) -> None:
    """Its table has it again, under the DAG id that is the foundry's still."""
    workshop.greet("b", a="one")
    workshop.greet("b")
    purge(workshop, "a")
    assert "a" not in table_of(workshop)
    (change,) = back(workshop, 1).plan.changes
    assert change.action.value == "restore"
    assert entries(workshop)["a"] == ("one", "active")
    assert table_of(workshop)["a"] == "active"


def test_a_disabled_entry_comes_back_disabled(workshop: Workshop) -> None:
    """The state is that of the revision, not merely active."""
    workshop.merge("greetings:\n  - {name: a, enabled: false}\n  - {name: b}\n")
    workshop.greet("b")
    undelete(workshop.store, "Test", "a", origin=ORIGIN)
    assert entries(workshop)["a"] == ("hello", "inactive")


def test_hand_edits_that_nobody_recorded_are_overwritten_and_kept_in_history(
    workshop: Workshop,
) -> None:
    """Changed, deleted and broken rows are as they were; what they had been is in the change."""
    workshop.greet("a", "b", "c")
    by_hand(workshop, "UPDATE live_greeting_entries SET config_json = '{' WHERE entry_key = 'a'")
    by_hand(workshop, "UPDATE live_greeting_entries SET status = 'odd' WHERE entry_key = 'b'")
    by_hand(workshop, "DELETE FROM live_greeting_entries WHERE entry_key = 'c'")
    changes = {change.row.key: change for change in back(workshop, 1).plan.changes}
    assert changes["a"].row.before == {"status": "active", "config_json": "{"}
    assert changes["b"].row.before is not None
    assert changes["b"].row.before["status"] == "odd"
    assert changes["c"].row.before is None
    assert set(table_of(workshop).values()) == {"active"}
    assert set(entries(workshop).values()) == {("hello", "active")}


def test_a_hand_edit_that_runs_nowhere_is_made_to_run_by_going_back_to_it(
    workshop: Workshop,
) -> None:
    """A row that already stands as it was then still gets a revision, which is what runs."""
    workshop.greet(a="one")
    (one,) = [row for row in workshop.store.rows_at("Test", 1) if row.key]
    workshop.greet(a="two")
    with workshop.store.writing() as connection:
        table = Table("live_greeting_entries", MetaData(), autoload_with=connection)
        connection.execute(update(table).values(config_json=one.config_json))
    assert back(workshop, 1).head.revision == 3
    assert entries(workshop)["a"] == ("one", "active")


def test_a_table_that_is_gone_is_named(workshop: Workshop) -> None:
    """Nothing is written without it."""
    workshop.greet("a")
    workshop.greet(a="two")
    by_hand(workshop, "DROP TABLE live_greeting_entries")
    with pytest.raises(StoreConflictError, match=r"'live_greeting_entries'.*is gone"):
        back(workshop, 1)
    assert workshop.store.head("Test").revision == 2


def test_a_table_that_is_gone_harms_nobody_who_does_not_need_it(workshop: Workshop) -> None:
    """Rows that stay as they are may have lost their table with their plugin."""
    workshop.greet("a")
    workshop.merge("greetings: []\n", allow_prune=True)
    purge(workshop, "a")
    by_hand(workshop, "DROP TABLE live_greeting_entries")
    assert back(workshop, 2).plan.changes == ()


def test_an_entry_brings_its_factory_back(workshop: Workshop) -> None:
    """A factory that was retired with its last entry looks after it again."""
    workshop.greet("a")
    workshop.merge("greetings: []\n", allow_prune=True)
    assert {row.status.value for row in _greeting_rows(workshop)} == {"retiring"}
    result = undelete(workshop.store, "Test", "a", origin=ORIGIN)
    assert [c.row.dag_id for c in result.plan.changes] == [
        "live__a_greeting",
        "live_greeting_factory",
    ]
    assert {row.status.value for row in _greeting_rows(workshop)} == {"active"}


def _greeting_rows(workshop: Workshop) -> list[RowState]:
    rows = workshop.store.rows_at("Test", 99)
    return [row for row in rows if row.factory_type == "greeting"]


@pytest.mark.parametrize("gone", ["retiring", "retired", "purged"])
def test_undelete_brings_the_last_living_state_back(workshop: Workshop, gone: str) -> None:
    """However far it has gone, it is as it was before the removal, and nobody else changes."""
    workshop.greet(a="one", b="one")
    workshop.greet(a="two", b="two")
    workshop.greet(b="two")
    if gone != "retiring":
        workshop.store.retire("Test", ["live__a_greeting"], author="f", message="")
    if gone == "purged":
        purge(workshop, "a")
    assert entries(workshop)["a"][1] == gone
    undelete(workshop.store, "Test", "a", origin=ORIGIN)
    assert entries(workshop) == {"a": ("two", "active"), "b": ("two", "active")}
    assert table_of(workshop) == {"a": "active", "b": "active"}


def test_undelete_of_what_lives_writes_nothing(workshop: Workshop) -> None:
    """It may be run twice; what is unknown is an error."""
    workshop.greet("a")
    assert undelete(workshop.store, "Test", "a", origin=ORIGIN).head.revision == 1
    with pytest.raises(EntryMissingError, match="'z'"):
        undelete(workshop.store, "Test", "z", origin=ORIGIN)
    with pytest.raises(RevisionMissingError, match="active in no revision"):
        undelete(workshop.store, "Test", "test_infrastructure", origin=ORIGIN)


@pytest.mark.parametrize("revision", [0, -1, 3])
def test_an_unknown_revision_is_refused_with_the_range(workshop: Workshop, revision: int) -> None:
    """One error, which says what there is."""
    workshop.greet("a")
    workshop.greet("a", "b")
    with pytest.raises(RevisionMissingError, match=f"no revision {revision}; .*: 1 to 2"):
        back(workshop, revision)


def test_the_prune_guard_holds_for_a_rollback(workshop: Workshop) -> None:
    """Going back before all entries of a factory, or a fifth of a foundry, has to be meant."""
    workshop.greet("a", "b")
    workshop.greet("c", "d", "e", "f", "g", "a", "b")
    with pytest.raises(PruneRefusedError, match="5 of 7"):
        back(workshop, 1)
    target = Target(revision=1, rows=Selection())
    assert "allow_prune" in plan_rollback(workshop.store, "Test", target).objections
    assert back(workshop, 1, allow_prune=True).head.revision == 3


def test_a_plan_of_a_rollback_writes_nothing(workshop: Workshop) -> None:
    """It is what the rollback then does."""
    workshop.greet("a")
    workshop.greet("a", "b")
    plan = plan_rollback(workshop.store, "Test", Target(revision=1, rows=Selection()))
    assert workshop.store.head("Test").revision == 2
    done = back(workshop, 1).plan
    assert [(c.action, c.row.dag_id, c.fields) for c in done.changes] == [
        (c.action, c.row.dag_id, c.fields) for c in plan.changes
    ]
