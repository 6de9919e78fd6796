"""A merge that is killed at any of its statements leaves the old state or the new one."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import MergeProcess, Whole

    from dagfoundry.store import Store

OLD = {"a": "old", "b": "same", "gone": "old"}
NEW = {"a": "new", "b": "same", "fresh": "new"}
DURING = ("during 0", "during 0.0005", "during 0.002")


def kills(done: dict[str, Any]) -> list[tuple[int, str]]:
    """Return when to kill a merge that took these steps.

    Before each step, which is after the one before it; and around each commit, on its
    way as well, where nobody knows how far it came.
    """
    steps = [(step, "before") for step in range(1, done["steps"] + 1)]
    return steps + [(step, moment) for step in done["commits"] for moment in (*DURING, "after")]


def empty(store: Store) -> None:
    """Leave nothing of the store."""
    if store.url.get_backend_name() == "sqlite":
        for suffix in ("", "-wal", "-shm"):
            Path(f"{store.url.database}{suffix}").unlink(missing_ok=True)
        return
    name = "public" if store.url.get_backend_name() == "postgresql" else store.url.database
    cascade = " CASCADE" if name == "public" else ""
    with store.writing() as connection:
        connection.execute(text(f"DROP SCHEMA {name}{cascade}"))
        connection.execute(text(f"CREATE SCHEMA {name}"))


def contents(state: Whole) -> Whole:
    """Return what a store holds besides empty tables, which may come before a first merge."""
    return replace(
        state,
        tables=frozenset(),
        rows={name: rows for name, rows in state.rows.items() if rows},
    )


def test_a_first_merge_that_is_killed_leaves_nothing_or_all(
    store: Store,
    merge_process: Callable[[], MergeProcess],
    write_model: Callable[..., Path],
    whole: Callable[[], Whole],
    check_history: Callable[[str], None],
) -> None:
    """At every statement and commit; empty tables may stay. The next merge makes it whole."""
    process, model = merge_process(), write_model("m", NEW)
    done = process.merge(model)
    complete = whole()
    assert len(kills(done)) > 10
    for step, moment in kills(done):
        empty(store)
        nothing = whole()
        answer = process.merge(model, at=step, when=moment)
        if "revision" in answer:
            assert moment.startswith("during")  # no commit, or it was quicker
        else:
            assert answer["signal"] == signal.SIGKILL
        assert contents(whole()) in (contents(nothing), contents(complete)), step
        again = process.merge(model)
        assert again.get("revision") == 1, (step, moment, again)
        assert whole() == complete, step
        check_history("Test")


def test_a_merge_that_is_killed_leaves_the_old_state_or_the_new_one(
    merge_process: Callable[[], MergeProcess],
    write_model: Callable[..., Path],
    whole: Callable[[], Whole],
    check_history: Callable[[str], None],
) -> None:
    """Rows, history, head and DAG ids, at every statement and commit; the next merge works."""
    process, old, new = merge_process(), write_model("old", OLD), write_model("new", NEW)
    process.merge(old)
    process.merge(new)
    process.merge(old)
    before = whole()
    done = process.merge(new)
    assert (done["revision"], done["changes"]) == (4, 3)
    for step, moment in kills(done):
        process.merge(old)
        before = whole()
        answer = process.merge(new, at=step, when=moment)
        assert answer.get("signal") == signal.SIGKILL or moment.startswith("during")
        check_old_or_new(before, whole())
        head = process.merge(new)
        assert head["revision"] == before.heads["Test"] + 1, step
        check_history("Test")


def check_old_or_new(before: Whole, after: Whole) -> None:
    """Check that a state is the one before, or that and one whole revision more."""
    if after == before:
        return
    history = before.history["Test"]
    assert after.heads["Test"] == before.heads["Test"] + 1
    assert after.history["Test"][: len(history)] == history
    assert len(after.history["Test"]) == len(history) + 3
    assert after.dag_ids == before.dag_ids
    rows = after.rows["live_greeting_entries"]
    assert '"new"' in rows["a",][1]
    assert (rows["gone",][0], rows["fresh",][0]) == ("retiring", "active")
