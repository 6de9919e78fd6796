"""How far a revision is, and how long it is waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dagfoundry.errors import FoundryError, StoreUnavailableError
from dagfoundry.factories import Status
from dagfoundry.serving import DagState, Readiness, ServedDag, not_ready, wait, wait_until_ready

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again at once."""
    monkeypatch.setattr(wait, "POLL_SECONDS", 0.0)


def dag(name: str, state: DagState, *, note: str = "", report: str = "") -> ServedDag:
    """Return a DAG of revision 7; what is schedulable or removed is ready."""
    return ServedDag(
        dag_id=name,
        status=Status.ACTIVE,
        revision=7,
        state=state,
        is_ready=state in (DagState.SCHEDULABLE, DagState.REMOVED),
        note=note,
        report=report,
    )


def readiness(*dags: ServedDag, published: int = 7) -> Readiness:
    """Return how far revision 7 is."""
    return Readiness(foundry="Shop", revision=7, since=6, published=published, dags=dags)


class Script:
    """A watch that finds one thing after another, and then always the last."""

    def __init__(self, *found: Readiness | FoundryError) -> None:
        self._found: Iterator[Readiness | FoundryError] = iter(found)
        self._last = found[-1]
        self.looks = 0

    def look(self, *, thorough: bool) -> Readiness:
        """Return or raise what is found."""
        del thorough
        self.looks += 1
        found = next(self._found, self._last)
        if isinstance(found, FoundryError):
            raise found
        return found


READY = readiness(dag("a", DagState.SCHEDULABLE), dag("b", DagState.REMOVED))
EARLY = readiness(dag("a", DagState.STORED), dag("b", DagState.PROVED), published=6)
BROKEN = dag("bad", DagState.BROKEN, report="DAG 'bad' cannot be built: no")


def test_wait_ends_when_all_is_ready() -> None:
    """What was seen on the way is reported."""
    seen: list[object] = []
    script = Script(EARLY, EARLY, READY)
    assert wait_until_ready(script, timeout_seconds=60, on_look=seen.append) is READY
    assert seen == [EARLY, EARLY]


def test_broken_dag_ends_the_wait_once_no_other_is_in_doubt() -> None:
    """So that one wait names all that are broken."""
    doubtful = readiness(BROKEN, dag("a", DagState.STORED))
    decided = readiness(BROKEN, dag("a", DagState.PROVED))
    script = Script(doubtful, decided, READY)
    assert wait_until_ready(script, timeout_seconds=60, on_look=lambda _: None) is decided
    assert not doubtful.is_decided


def test_no_time_looks_once() -> None:
    """It tells how far a revision is."""
    script = Script(EARLY, READY)
    assert wait_until_ready(script, timeout_seconds=0, on_look=lambda _: None) is EARLY
    assert script.looks == 1


def test_outage_during_a_wait_is_waited_out() -> None:
    """A server that cannot be asked at the very first look is a wrong setting, though."""
    outage = StoreUnavailableError("the store does not answer", remedy="Look at it.")
    script = Script(EARLY, outage, READY)
    assert wait_until_ready(script, timeout_seconds=60, on_look=lambda _: None) is READY
    with pytest.raises(StoreUnavailableError):
        wait_until_ready(Script(outage, READY), timeout_seconds=60, on_look=lambda _: None)


def test_outage_that_lasts_is_the_error() -> None:
    """It says more than the state before it."""
    outage = StoreUnavailableError("the store does not answer", remedy="Look at it.")
    with pytest.raises(StoreUnavailableError):
        wait_until_ready(Script(EARLY, outage), timeout_seconds=0.01, on_look=lambda _: None)


def test_unpublished_revision_is_not_ready_even_without_dags() -> None:
    """A DAG processor has to have taken it in."""
    assert not readiness(published=6).is_ready
    assert "revision 6 is the last" in not_ready(readiness(published=6), timeout_seconds=1).what
    assert readiness().is_ready


def test_error_names_what_lags_and_what_to_look_at() -> None:
    """Each with its state; the advice follows from the states."""
    parsed = dag("c", DagState.PARSED, note="its file has an import error")
    error = not_ready(readiness(*EARLY.dags, parsed, *READY.dags, published=6), timeout_seconds=300)
    assert "is not served after 300 s: a (stored), b (proved), c (parsed, its file" in error.what
    assert "last published revision is 6" in error.remedy
    assert "DAG processor's load" in error.remedy
    assert "import errors" in error.remedy


def test_error_counts_what_it_cannot_name() -> None:
    """Ten DAGs are named."""
    many = [dag(f"d{number:02}", DagState.PROVED) for number in range(30)]
    error = not_ready(readiness(*many), timeout_seconds=300)
    assert "d09 (proved) and 20 more" in error.what
    assert "d10" not in error.what
    assert "stored" not in error.remedy


def test_error_of_broken_dags_is_their_reports() -> None:
    """Who mends them needs nothing else."""
    error = not_ready(readiness(BROKEN, dag("a", DagState.PROVED)), timeout_seconds=300)
    assert "1 DAG is broken\nDAG 'bad' cannot be built: no" in error.what


def test_summary_counts_by_state() -> None:
    """What is ready is not counted by its state again."""
    assert str(EARLY) == "Shop revision 7: 0 of 2 DAGs ready (1 stored, 1 proved)"
    assert str(READY) == "Shop revision 7: 2 of 2 DAGs ready"
