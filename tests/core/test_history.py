"""Looking back: who changed what, when and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dagfoundry.errors import EntryMissingError, RevisionMissingError
from dagfoundry.history import blame, count_deeds, differences, read_history
from dagfoundry.selection import Selection

if TYPE_CHECKING:
    from conftest import Workshop

EVERYTHING = Selection()


@pytest.fixture
def past(workshop: Workshop) -> Workshop:
    """A foundry with four revisions."""
    greeting = "greetings:\n  - {{name: a, text: {}}}\n  - {{name: b, text: one}}\n"
    workshop.merge(greeting.format("one"), message="first")
    workshop.merge(greeting.format("two"), message="second")
    workshop.merge("greetings:\n  - {name: a, text: two}\n", message="third")
    workshop.merge(greeting.format("two"), message="fourth")
    return workshop


def test_history_is_newest_first_with_what_each_revision_did(past: Workshop) -> None:
    """Rows are counted by what happened to them."""
    log = read_history(past.store, "Test", EVERYTHING)
    assert [(each.revision.revision, each.revision.message) for each in log] == [
        (4, "fourth"),
        (3, "third"),
        (2, "second"),
        (1, "first"),
    ]
    assert [dict(count_deeds(each.rows)) for each in log] == [
        {"restored": 1},
        {"retiring": 1},
        {"updated": 1},
        {"created": 3},
    ]
    assert [e.revision.revision for e in read_history(past.store, "Test", EVERYTHING, limit=2)] == [
        4,
        3,
    ]


def test_history_of_one_entry_leaves_out_what_did_not_touch_it(past: Workshop) -> None:
    """By key, by DAG id, by platform and by type."""
    numbers = [
        [log.revision.revision for log in read_history(past.store, "Test", selection)]
        for selection in (
            Selection(entry="b"),
            Selection(entry="live__a_greeting"),
            Selection(platform="Live", entry="b"),
            Selection(factory_type="greeting"),
        )
    ]
    assert numbers == [[4, 3, 1], [2, 1], [4, 3, 1], [4, 3, 2, 1]]
    with pytest.raises(EntryMissingError, match="entry 'z'"):
        read_history(past.store, "Test", Selection(entry="z"))


def test_differences_run_either_way(past: Workshop) -> None:
    """From the first to the second revision, with the fields as they change on that way."""
    there = differences(past.store, "Test", (1, 3), EVERYTHING)
    again = differences(past.store, "Test", (3, 1), EVERYTHING)
    assert [(d.row.key, d.deed) for d in there] == [("a", "updated"), ("b", "retiring")]
    assert [(d.row.key, d.deed) for d in again] == [("a", "updated"), ("b", "restored")]
    assert [(f.field, f.before, f.after) for f in there[0].fields] == [("text", "one", "two")]
    assert [(f.field, f.before, f.after) for f in again[0].fields] == [("text", "two", "one")]
    assert differences(past.store, "Test", (2, 4), EVERYTHING) == []


def test_a_row_that_one_side_does_not_have_is_created_or_absent(past: Workshop) -> None:
    """The later side decides the word."""
    past.greet("a", "b", "c")
    assert [d.deed for d in differences(past.store, "Test", (4, 5), Selection(entry="c"))] == [
        "created"
    ]
    assert [d.deed for d in differences(past.store, "Test", (5, 4), Selection(entry="c"))] == [
        "absent"
    ]


def test_differences_of_an_unknown_revision_or_entry_are_refused(past: Workshop) -> None:
    """One error each; an entry that did not change is none."""
    with pytest.raises(RevisionMissingError, match="1 to 4"):
        differences(past.store, "Test", (1, 5), EVERYTHING)
    with pytest.raises(EntryMissingError):
        differences(past.store, "Test", (1, 2), Selection(entry="z"))
    assert differences(past.store, "Test", (1, 2), Selection(entry="b")) == []


def test_blame_names_the_revision_that_last_set_each_field(past: Workshop) -> None:
    """Retiring and coming back set the status and nothing else."""
    by_field = {each.field: each for each in blame(past.store, "Test", "b")}
    assert by_field["status"].revision.message == "fourth"
    assert by_field["text"].revision.message == "first"
    by_field = {each.field: each for each in blame(past.store, "Test", "a")}
    assert (by_field["text"].value, by_field["text"].revision.message) == ("two", "second")
    assert by_field["dagfoundry.runner"].revision.revision == 1


def test_blame_forgets_a_field_that_is_gone(past: Workshop) -> None:
    """A field that left and came back was set when it came back."""
    body = "greetings:\n  - {{name: a, text: two{}}}\n  - {{name: b, text: one}}\n"
    for extra in (", owner: Ada", "", ", owner: Ada"):
        past.merge(body.format(extra))
    by_field = {each.field: each.revision.revision for each in blame(past.store, "Test", "a")}
    assert by_field["dagfoundry.owner"] == 7
