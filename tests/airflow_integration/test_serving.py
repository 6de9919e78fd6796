"""What Airflow serves is compared with what the store holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagfoundry.factories import Status
from dagfoundry.store import Head, VersionRecord
from dagfoundry_airflow.airflow_api import AirflowDag
from dagfoundry_airflow.serving import NotServedError, compare, require_served

if TYPE_CHECKING:
    from collections.abc import Callable

    from dagfoundry.store import RowState

HEAD = Head(foundry="Testing", revision=7, buckets=4)
DAG_ID = "yellowlive__World_hello"


def known(
    revision: int | None = 7, *, status: Status = Status.ACTIVE, stale: bool = False
) -> dict[str, AirflowDag]:
    """Return Airflow's knowledge of one DAG."""
    dag = AirflowDag(
        dag_id=DAG_ID,
        paused=False,
        stale=stale,
        revision=revision,
        status=status,
        import_errors=False,
        file="token",
    )
    return {DAG_ID: dag}


def version(
    revision: int = 7, held: dict[str, int] | None = None, errors: dict[str, str] | None = None
) -> VersionRecord:
    """Return a recorded version."""
    return VersionRecord(
        version=f"r{revision}-0", revision=revision, held=held or {}, errors=errors or {}
    )


@pytest.mark.parametrize(
    ("dags", "attribute"),
    [
        ({}, "missing"),
        (known(stale=True), "missing"),
        (known(6), "stale"),
        (known(None), "stale"),
        (known(7, status=Status.RETIRING), "stale"),
    ],
)
def test_a_dag_that_is_not_as_the_store_holds_it_is_found(
    make_row: Callable[..., RowState], dags: dict[str, AirflowDag], attribute: str
) -> None:
    """It is missing, or it is of an older revision."""
    serving = compare(HEAD, version(), (make_row(),), dags)
    assert getattr(serving, attribute) == (DAG_ID,)
    assert serving.waits_for(removed=False) == (DAG_ID,)
    with pytest.raises(NotServedError, match=f"newest state of {DAG_ID}"):
        require_served("x", serving, removed=False)


@pytest.mark.parametrize("revision", [7, 8])
def test_a_dag_of_the_rows_revision_or_a_later_one_is_served(
    make_row: Callable[..., RowState], revision: int
) -> None:
    """Airflow may be ahead of what was read from the store a moment ago."""
    serving = compare(HEAD, version(), (make_row(),), known(revision))
    assert serving.is_ready(removed=True)


def test_an_unpublished_revision_is_not_ready(make_row: Callable[..., RowState]) -> None:
    """The error tells how far the DAG processor has come."""
    serving = compare(HEAD, version(6), (make_row(),), known())
    assert not serving.is_ready(removed=False)
    with pytest.raises(NotServedError, match="last published revision is 6"):
        require_served("x", serving, removed=False)
    with pytest.raises(NotServedError, match="last published revision is none"):
        require_served("x", compare(HEAD, None, (), {}), removed=False)


def test_a_held_entry_is_expected_at_its_last_good_revision(
    make_row: Callable[..., RowState],
) -> None:
    """Its error is reported, and nobody waits for it."""
    record = version(held={DAG_ID: 3}, errors={DAG_ID: "no"})
    serving = compare(HEAD, record, (make_row(),), known(3))
    assert serving.is_ready(removed=False)
    assert serving.broken == {DAG_ID: "no"}
    never = version(held={DAG_ID: 0}, errors={DAG_ID: "no"})
    assert compare(HEAD, never, (make_row(),), {}).is_ready(removed=False)


def test_an_entry_that_waits_for_its_trial_is_waited_for(make_row: Callable[..., RowState]) -> None:
    """It is held without an error."""
    serving = compare(HEAD, version(held={DAG_ID: 3}), (make_row(),), known(3))
    assert serving.stale == (DAG_ID,)


def test_a_removed_dag_lingers_until_airflow_drops_it(make_row: Callable[..., RowState]) -> None:
    """Whether it is waited for is the caller's choice."""
    rows = (make_row(status=Status.RETIRED),)
    serving = compare(HEAD, version(), rows, known(6))
    assert serving.lingering == (DAG_ID,)
    assert serving.is_ready(removed=False)
    assert not serving.is_ready(removed=True)
    assert compare(HEAD, version(), rows, known(6, stale=True)).is_ready(removed=True)


@given(
    status=st.sampled_from(Status),
    revision=st.integers(1, 9),
    served=st.none() | st.integers(1, 9),
    held=st.none() | st.integers(0, 9),
    stale=st.booleans(),
)
def test_a_dag_has_at_most_one_thing_wrong_with_it(
    status: Status, revision: int, served: int | None, held: int | None, *, stale: bool
) -> None:
    """Missing, stale and lingering exclude each other, whatever the state."""
    from dataclasses import replace

    from dagfoundry.store import RowKind, RowState

    row = RowState(
        kind=RowKind.ENTRY,
        foundry="Testing",
        table_name="t",
        platform_name="P",
        factory_type="hello",
        key="World",
        dag_id=DAG_ID,
        bucket=0,
        status=status,
        config_json="{}",
        revision=revision,
    )
    record = version(held={} if held is None else {DAG_ID: held})
    dags = {} if served is None else known(served, stale=stale)
    serving = compare(replace(HEAD, revision=9), record, (row,), dags)
    found = [serving.missing, serving.stale, serving.lingering]
    assert sum(map(len, found)) <= 1
