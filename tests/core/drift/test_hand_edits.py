"""Rows that are edited, inserted and deleted in the database: found, checked, recorded."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import MetaData, Table, delete, event, insert, select, update

from dagfoundry.drift import HandEdits, Recording, find_hand_edits, record_hand_edits
from dagfoundry.drift.edits import Deed
from dagfoundry.errors import FoundryMissingError
from dagfoundry.factories import Status
from dagfoundry.merge import Guards, merge
from dagfoundry.model import load_model
from dagfoundry.plugins import Plugins
from dagfoundry.store import Source
from dagfoundry.store.read import read_head
from dagfoundry.store.tables import FoundryTables, entries_table
from dagfoundry.store.write import Origin

if TYPE_CHECKING:
    from conftest import Workshop
    from sqlalchemy.engine import Connection

DAG_A = "live__a_greeting"


def entries(workshop: Workshop, platform: str = "Live") -> Table:
    """Return the table of greetings."""
    return entries_table(MetaData(), platform, workshop.plugins.type("greeting").table)


def edit(workshop: Workshop, key: str, **values: object) -> None:
    """Edit a row as a person does who knows nothing of DAG Foundry."""
    table = entries(workshop)
    with workshop.store.writing() as connection:
        connection.execute(update(table).where(table.c.entry_key == key).values(values))


def add(workshop: Workshop, key: str, **values: object) -> None:
    """Insert a row by hand."""
    row = {"entry_key": key, "config_json": '{"text": "new"}', "status": "active", **values}
    with workshop.store.writing() as connection:
        connection.execute(insert(entries(workshop)).values(row))


def remove(workshop: Workshop, *keys: str) -> None:
    """Delete rows by hand."""
    table = entries(workshop)
    with workshop.store.writing() as connection:
        connection.execute(delete(table).where(table.c.entry_key.in_(keys)))


def find(workshop: Workshop, plugins: Plugins | None = None, **options: Any) -> HandEdits:  # noqa: ANN401 - passed on
    """Return what is found in the tables."""
    with workshop.store.reading() as connection:
        head = read_head(connection, "Test")
        return find_hand_edits(connection, head, plugins or workshop.plugins, **options)


def record(workshop: Workshop, **options: Any) -> Recording:  # noqa: ANN401 - passed on
    """Record what is found."""
    return record_hand_edits(workshop.store, "Test", workshop.plugins, recorder="Ada", **options)


def tables_and_history(workshop: Workshop) -> tuple[dict[str, object], dict[str, object]]:
    """Return the greetings as their table holds them, and as history does."""
    table = entries(workshop)
    with workshop.store.reading() as connection:
        live = {
            row.entry_key: (row.status, row.config_json)
            for row in connection.execute(select(table))
        }
    rows = workshop.store.rows_at("Test", workshop.store.head("Test").revision)
    recorded = {
        row.key: (row.status.value, row.config_json)
        for row in rows
        if row.key and row.status is not Status.PURGED
    }
    return live, recorded


def test_a_merge_leaves_no_drift(workshop: Workshop) -> None:
    """What it wrote is what it recorded."""
    workshop.greet("a", "b")
    workshop.greet("a", b="später")
    assert find(workshop).edits == ()


def test_rows_edited_inserted_and_deleted_are_found(workshop: Workshop) -> None:
    """Each by its DAG id, and nothing else is."""
    workshop.greet("a", "b", "c", "d", "e")
    edit(workshop, "a", config_json='{"text": "hi"}')
    edit(workshop, "b", status="inactive")
    remove(workshop, "c")
    add(workshop, "f")
    found = [(e.row.key, e.deed, e.held_back, e.problem) for e in find(workshop).edits]
    assert found == [
        ("a", Deed.EDITED, "", ""),
        ("b", Deed.EDITED, "", ""),
        ("c", Deed.DELETED, "", ""),
        ("f", Deed.INSERTED, "", ""),
    ]


def test_what_is_found_is_recorded_as_one_revision(workshop: Workshop) -> None:
    """Its source is external, its author unknown, and history then holds what the table does."""
    workshop.greet("a", "b", "c")
    edit(workshop, "a", config_json='{"text": "hi"}')
    remove(workshop, "b")
    add(workshop, "d")
    recording = record(workshop, message="Asked for by Bob")
    assert recording.head.revision == 2
    (_, revision) = workshop.store.revisions("Test")
    assert (revision.source, revision.parent) == (Source.EXTERNAL, 1)
    assert revision.author == "unknown (edited in the database)"
    assert revision.message == "Asked for by Bob (recorded by Ada)"
    live, recorded = tables_and_history(workshop)
    assert live == recorded
    states = {row.key: row.status for row in workshop.store.rows_at("Test", 2)}
    assert states["b"] is Status.PURGED
    assert find(workshop).edits == ()


def test_recording_without_drift_makes_no_revision(workshop: Workshop) -> None:
    """The head stays where it is."""
    workshop.greet("a")
    assert record(workshop).head.revision == 1
    assert len(workshop.store.revisions("Test")) == 1


def test_recording_touches_no_row(workshop: Workshop) -> None:
    """Not even the time of its last change."""
    workshop.greet("a", "b")
    edit(workshop, "a", config_json='{"text": "hi"}')
    table = entries(workshop)
    with workshop.store.reading() as connection:
        before = connection.execute(select(table)).all()
    record(workshop)
    with workshop.store.reading() as connection:
        assert connection.execute(select(table)).all() == before


def test_a_deleted_row_may_come_back_by_hand_and_by_a_merge(workshop: Workshop) -> None:
    """Its DAG id is still the foundry's."""
    workshop.greet("a", "b", "c")
    remove(workshop, "a", "b")
    record(workshop)
    add(workshop, "a")
    assert [e.deed for e in find(workshop).edits] == [Deed.INSERTED]
    record(workshop)
    workshop.greet("a", "b", "c")
    live, recorded = tables_and_history(workshop)
    assert live == recorded
    assert live.keys() == {"a", "b", "c"}


def test_a_factory_row_is_compared_as_well(workshop: Workshop) -> None:
    """It has a DAG of its own."""
    workshop.greet("a")
    table = FoundryTables("Test").factories
    with workshop.store.writing() as connection:
        connection.execute(update(table).values(status="inactive"))
    assert [e.row.dag_id for e in find(workshop).edits] == ["live_greeting_factory"]
    record(workshop)
    assert find(workshop).edits == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{oops", "no JSON"),
        ("", "empty"),
        (None, "empty"),
        ("[1]", "list, not an object"),
        ('{"text": 7}', "text: Input should be a valid string"),
        ("{}", "text: Field required"),
    ],
)
def test_a_broken_row_is_recorded_with_what_is_wrong(
    workshop: Workshop, text: str | None, problem: str
) -> None:
    """Airflow then shows the error, while the last good definition runs on."""
    workshop.greet("a", "b")
    edit(workshop, "a", config_json=text)
    (found,) = find(workshop).edits
    assert problem in found.problem
    assert found.held_back == ""
    assert record(workshop).head.revision == 2
    assert find(workshop).edits == ()
    workshop.greet("a", "b")
    assert find(workshop).edits == ()


@pytest.mark.parametrize("status", ["inactive", "retired", "disabled", None])
def test_a_row_that_was_never_active_is_no_edit(workshop: Workshop, status: str | None) -> None:
    """Only active rows count to the reference's readers, so no other becomes a DAG by itself."""
    workshop.greet("a")
    add(workshop, "late", status=status)
    found = find(workshop)
    assert found.edits == ()
    assert [row.key for row in found.ignored] == ["late"]


@pytest.mark.parametrize("status", ["aktive", None, "", "purged", "Active"])
def test_a_status_that_means_nothing_is_said_and_not_recorded(
    workshop: Workshop, status: str | None
) -> None:
    """History has no word for it; a merge sets it right."""
    workshop.greet("a", "b")
    edit(workshop, "a", status=status)
    recording = record(workshop)
    assert recording.head.revision == 1
    assert "status" in recording.held_back[0].held_back
    assert workshop.greet("a", "b").head.revision == 2
    assert find(workshop).edits == ()


def test_an_illegal_dag_id_is_held_back(workshop: Workshop) -> None:
    """Airflow would refuse it; the others are recorded."""
    workshop.greet("a")
    add(workshop, "b c")
    add(workshop, "d" * 245)
    add(workshop, "e")
    recording = record(workshop)
    assert [e.row.key for e in recording.recorded] == ["e"]
    assert all("illegal" in e.held_back for e in recording.held_back)


def test_a_dag_id_of_another_foundry_is_held_back(workshop: Workshop) -> None:
    """The error names the owner; nothing else is in its way."""
    clash = replace(workshop.plugins.type("greeting"), dag_id="one__{key}")
    types = {"greeting": replace(workshop.plugins.types["greeting"], type=clash)}
    shared = replace(workshop, plugins=Plugins(types=types))
    shared.greet("a")
    shared.merge("greetings: [{name: b}]\n", foundry="Other", platform="Far")
    add(shared, "b")
    add(shared, "c")
    recording = record(shared)
    assert [e.row.key for e in recording.recorded] == ["c"]
    (held,) = recording.held_back
    assert "belongs to foundry 'Other'" in held.held_back


def test_a_factory_on_a_platform_that_is_not_the_models_is_held_back(workshop: Workshop) -> None:
    """Platforms come from the model, which claims them."""
    workshop.greet("a")
    table = FoundryTables("Test").factories
    row = {"platform_name": "Moon", "factory_type": "greeting", "config_json": "{}"}
    with workshop.store.writing() as connection:
        connection.execute(insert(table).values(row | {"status": "active"}))
    (held,) = record(workshop).held_back
    assert "platform 'Moon' is not in the model" in held.held_back


def test_rows_of_a_type_that_is_not_installed_are_left_alone(workshop: Workshop) -> None:
    """They are named, so that nobody takes them for compared."""
    workshop.greet("a")
    remove(workshop, "a")
    found = find(workshop, Plugins(types={}))
    assert (found.edits, found.not_installed) == ((), ("greeting",))


def test_deleting_a_fifth_of_the_entries_is_held_back(workshop: Workshop) -> None:
    """An edit beside it is recorded all the same."""
    keys = [f"k{number}" for number in range(20)]
    workshop.greet(*keys)
    remove(workshop, *keys[:5])
    edit(workshop, "k5", status="retired")
    edit(workshop, "k7", config_json='{"text": "hi"}')
    recording = record(workshop)
    assert [e.row.key for e in recording.recorded] == ["k7"]
    assert "6 of 20 entries would leave" in recording.held_back[0].held_back
    assert "--allow-prune" in recording.held_back[0].held_back
    assert len(record(workshop, allow_prune=True).recorded) == 6


def test_deleting_all_entries_of_a_factory_is_held_back(workshop: Workshop) -> None:
    """However few they are."""
    workshop.greet("a", "b")
    remove(workshop, "a", "b")
    assert all("all 2 entries" in e.held_back for e in record(workshop).held_back)


def test_a_table_that_is_gone_purges_nothing(workshop: Workshop) -> None:
    """Also not with one entry, nor when pruning is allowed."""
    workshop.greet("a")
    with workshop.store.writing() as connection:
        entries(workshop).drop(connection)
    recording = record(workshop, allow_prune=True)
    assert recording.recorded == ()
    assert "does not exist" in recording.held_back[0].held_back
    assert workshop.greet("a").head.revision == 2
    assert find(workshop).edits == ()


def test_only_the_rows_of_one_factory_are_recorded_when_it_is_named(workshop: Workshop) -> None:
    """A factory DAG looks after its own."""
    platforms = "platforms:\n" + "".join(
        f"  - name: {name}\n    merge_store: {{url_variable: MERGE_URL}}\n" for name in ("P", "Q")
    )
    path = workshop.folder / "two.yaml"
    path.write_text(f"foundry: Test\n{platforms}greetings: [{{name: a}}]\n")
    origin = Origin(author="Ada", message="", source=Source.MERGE)
    model = load_model([path], workshop.plugins)
    merge(workshop.store, model, workshop.plugins, origin=origin, guards=Guards())
    with workshop.store.writing() as connection:
        for platform in ("P", "Q"):
            connection.execute(update(entries(workshop, platform)).values(status="inactive"))
    recording = record(workshop, factory=("P", "greeting"))
    assert [e.row.dag_id for e in recording.recorded] == ["p__a_greeting"]
    assert [e.row.dag_id for e in find(workshop).edits] == ["q__a_greeting"]


def test_of_two_that_record_at_once_the_second_finds_nothing(workshop: Workshop) -> None:
    """It waits for the foundry's lock and looks again."""
    workshop.greet("a", "b")
    edit(workshop, "a", status="inactive")
    done: list[Recording] = []
    threads = [threading.Thread(target=lambda: done.append(record(workshop))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(len(recording.recorded) for recording in done) == [0, 0, 0, 1]
    assert workshop.store.head("Test").revision == 2


def test_a_foundry_that_is_not_there_is_one_error(workshop: Workshop) -> None:
    """Nothing is recorded under a name that is misspelt."""
    workshop.greet("a")
    with pytest.raises(FoundryMissingError):
        record_hand_edits(workshop.store, "Tset", workshop.plugins, recorder="Ada")


def test_rows_add_no_statement_and_text_that_agrees_is_never_parsed(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a large foundry without drift costs little."""
    counts = []
    for number in (1, 60):
        workshop.greet(*(f"k{n}" for n in range(number)))
        statements: list[str] = []

        def note(_connection: Connection, _cursor: object, statement: str, *_: object) -> None:
            statements.append(statement)  # noqa: B023 - removed before the loop goes on

        event.listen(workshop.store.engine, "before_cursor_execute", note)
        with monkeypatch.context() as patched:
            patched.setattr(json, "loads", lambda *_: pytest.fail("parsed"))
            find(workshop)
        event.remove(workshop.store.engine, "before_cursor_execute", note)
        counts.append(len(statements))
    assert counts[0] == counts[1]
