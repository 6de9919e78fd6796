"""Where a changed DAG is on its way is told by the store, then by Airflow."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dagfoundry.factories import Status
from dagfoundry.store import DagShape, Placeholder, VersionRecord
from dagfoundry_airflow.airflow_api import AirflowDag
from dagfoundry_airflow.dag_states import ChangedRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from dagfoundry.store import RowState

DAG_ID = "yellowlive__World_hello"
SERVED = AirflowDag(
    dag_id=DAG_ID,
    paused=False,
    stale=False,
    revision=7,
    status=Status.ACTIVE,
    import_errors=False,
    file="token",
    next_run="2026-07-01T00:00:00Z",
)


def version(revision: int = 7, held: int | None = None, error: str | None = None) -> VersionRecord:
    """Return a recorded version that may hold the DAG at an older revision."""
    return VersionRecord(
        version=f"r{revision}-0",
        revision=revision,
        held={} if held is None else {DAG_ID: held},
        errors={} if error is None else {DAG_ID: error},
    )


def changed(row: RowState, newest: RowState | None = None) -> ChangedRow:
    """Return a row that has not changed since, unless a newer state is given."""
    return ChangedRow(wanted=row, newest=newest or row)


@pytest.mark.parametrize(
    ("record", "state"),
    [
        (None, "stored"),
        (version(6), "stored"),
        (version(held=3), "stored"),
        (version(held=3, error="no"), "broken"),
        (version(held=0, error="no"), "broken"),
        (version(error="plugin is gone"), "broken"),
        (version(), "proved"),
        (version(9), "proved"),
        (version(9, held=7, error="revision 8 is bad"), "proved"),
    ],
)
def test_store_knows_how_far_the_dag_processor_is(
    make_row: Callable[..., RowState], record: VersionRecord | None, state: str
) -> None:
    """A row that a later one broke is still served; one that waits for its trial is not."""
    found = changed(make_row()).stored_state(record)
    assert (found.state.value, found.is_ready) == (state, False)
    assert bool(found.report) == (state == "broken")


@pytest.mark.parametrize(
    ("record", "note"),
    [
        (version(error="plugin is gone"), "a placeholder stands for it"),
        (version(held=3, error="no"), "a placeholder stands for it, of revision 3"),
        (version(9, held=7, error="no"), "a placeholder stands for it, of revision 7"),
    ],
)
def test_a_placeholder_is_broken_whatever_revision_it_stands_for(
    make_row: Callable[..., RowState], record: VersionRecord, note: str
) -> None:
    """Airflow lists it under that revision, but it is no DAG that could run."""
    stands = {DAG_ID: Placeholder(shape=DagShape(tasks=()), reason="it is gone")}
    found = changed(make_row()).stored_state(replace(record, placeholders=stands))
    assert (found.state.value, found.note, bool(found.report)) == ("broken", note, True)


@pytest.mark.parametrize(
    ("dag", "state", "ready", "note"),
    [
        (None, "proved", False, "not in Airflow's list"),
        (replace(SERVED, revision=6), "proved", False, "Airflow serves revision 6"),
        (replace(SERVED, stale=True), "parsed", False, "not in Airflow's list"),
        (replace(SERVED, stale=True, import_errors=True), "parsed", False, "import error"),
        (replace(SERVED, import_errors=True), "parsed", False, "import error"),
        (SERVED, "schedulable", True, ""),
        (replace(SERVED, revision=8), "schedulable", True, ""),
        (replace(SERVED, paused=True), "schedulable", True, "paused in Airflow"),
    ],
)
def test_airflow_knows_the_rest_of_an_active_dags_way(
    make_row: Callable[..., RowState],
    dag: AirflowDag | None,
    state: str,
    ready: bool,  # noqa: FBT001 - a parameter of the test
    note: str,
) -> None:
    """A newer revision than was waited for contains it, and a person may pause what is theirs."""
    found = changed(make_row()).airflow_state(dag, version(8))
    assert (found.state.value, found.is_ready) == (state, ready)
    assert note in found.note
    assert bool(found.next_run) == (state == "schedulable")


def test_dag_that_dag_foundry_paused_is_not_schedulable_yet(
    make_row: Callable[..., RowState],
) -> None:
    """Its factory DAG unpauses it."""
    found = changed(make_row()).airflow_state(
        replace(SERVED, paused=True), version(), paused_by_us=True
    )
    assert (found.state.value, found.is_ready) == ("parsed", False)
    assert "until its factory DAG runs" in found.note


@pytest.mark.parametrize("status", [Status.INACTIVE, Status.RETIRING])
def test_dag_that_is_to_have_no_schedule_is_ready_when_parsed(
    make_row: Callable[..., RowState], status: Status
) -> None:
    """Nobody schedules it, and that is what its row asks for."""
    row = changed(make_row(status=status))
    found = row.airflow_state(replace(SERVED, status=status), version())
    assert (found.state.value, found.is_ready) == ("parsed", True)
    assert "has no schedule" in found.note
    assert row.airflow_state(SERVED, version()).state.value == "proved"


def test_broken_row_that_was_taken_from_the_model_is_not_broken(
    make_row: Callable[..., RowState],
) -> None:
    """Its last good definition is drained; without one there is nothing to wait for."""
    row = changed(make_row(status=Status.RETIRING))
    kept = version(held=3, error="no")
    assert row.stored_state(kept).state.value == "proved"
    drained = replace(SERVED, revision=3, status=Status.RETIRING)
    assert row.airflow_state(drained, kept).is_ready
    never = row.airflow_state(None, version(held=0, error="no"))
    assert (never.state.value, never.is_ready) == ("removed", True)


def test_removed_dag_is_waited_for_until_it_is_gone(make_row: Callable[..., RowState]) -> None:
    """It may have come back with a later revision, or gone with one."""
    retired, active = make_row(status=Status.RETIRED), make_row()
    gone = changed(retired)
    assert gone.airflow_state(None, version()).state.value == "removed"
    assert gone.airflow_state(replace(SERVED, stale=True), version()).is_ready
    lingering = gone.airflow_state(SERVED, version())
    assert (lingering.state.value, lingering.is_ready) == ("proved", False)
    assert lingering.note == "still in Airflow's list"
    back = changed(retired, make_row(revision=8))
    assert back.airflow_state(replace(SERVED, revision=8), version(8)).is_ready
    later = changed(active, make_row(revision=8, status=Status.RETIRED))
    assert later.airflow_state(None, version(8)).note == "removed since"
