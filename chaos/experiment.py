"""Lets one fault happen and says what became of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from chaos.installation import AIRFLOW
from chaos.outcome import Outcome, broken, fewest, showed
from chaos.runs import account, due_minutes

if TYPE_CHECKING:
    from chaos.faults.record import Fault
    from chaos.runs import Account
    from chaos.site import Site

_RUNS_SECONDS: Final = 60.0
"""How long the last runs may take to be made and to end."""

_WATCHED_SECONDS: Final = 25.0
"""How long to look at the least: a DAG that is not served any more goes after 10 to 15 s."""

_POLL_SECONDS: Final = 2.0
_MINUTE: Final = 60.0
_BEFORE_SECONDS: Final = 12.0
"""How long before a full minute a fault begins, or less."""


def experiment(site: Site, fault: Fault) -> Outcome:
    """Let a fault happen to a healthy site and wait until it has recovered.

    Raises:
        AssertionError: The site was not healthy before.
    """
    began = healthy(site, fault.name)
    with fault.happens(site) as more:
        if fault.reaches_store and fault.seconds:
            site.fleet.change()
        time.sleep(fault.seconds)
    ended = time.time()
    revision = site.fleet.change()
    if more is not None:
        more()
    recovered = site.wait_shown(revision, fault.patience)
    time.sleep(max(0.0, began.at + _WATCHED_SECONDS - time.time()))
    owed = began.at if fault.unowed is None else ended + fault.unowed
    outcome = finished(
        site,
        fault.name,
        began=began,
        ended=ended,
        recovered=recovered,
        owed=owed,
        may_miss=fault.may_block,
    )
    blocked = max(len(sample.blocked) for sample in site.watcher.since(began.at))
    if blocked and not fault.may_block:
        problem = f"{blocked} DAGs were listed but not scheduled"
        return replace(outcome, problems=(*outcome.problems, problem))
    return outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class Beginning:
    """When a fault began, in seconds since the epoch, and how many restarts there had been."""

    at: float
    restarts: int


def healthy(site: Site, fault: str) -> Beginning:
    """Wait for the moment at which a fault is to begin.

    Raises:
        AssertionError: The site is not healthy.
    """
    before = site.problems()
    assert not before, f"before {fault}: {before}"
    _wait_for_a_minute()
    return Beginning(at=time.time(), restarts=len(site.airflow.restarts))


def finished(
    site: Site,
    fault: str,
    *,
    began: Beginning,
    ended: float,
    recovered: float | None,
    owed: float | None = None,
    may_miss: bool = False,
) -> Outcome:
    """Return the outcome of a fault, once the last runs that were due are over.

    Args:
        site: What it happened to.
        fault: Its name.
        began: When it began.
        ended: When it ended, in seconds since the epoch.
        recovered: When all was well again; None if it never was.
        owed: From when on runs are counted; from the beginning where nothing is said.
        may_miss: Whether runs need not be made or succeed; they count as lost all the same.
    """
    seconds = None if recovered is None else recovered - ended
    runs = _settled_runs(site, owed or began.at, time.time())
    samples, expected = site.watcher.since(began.at), site.fleet.dag_ids
    lowest = fewest(samples, expected)
    problems = broken(
        runs, lowest=lowest, expected=len(expected), seconds=seconds, may_miss=may_miss
    )
    return Outcome(
        fault=fault,
        airflow=AIRFLOW,
        showed=showed(samples, expected, site.airflow.restarts[began.restarts :]),
        dags=lowest,
        of=len(expected),
        demanded=runs.demanded,
        lost=runs.lost,
        twice=len(runs.twice),
        seconds=seconds,
        problems=(*problems, *site.problems()),
    )


def _wait_for_a_minute() -> None:
    """Wait until a full minute is near, so that runs are due while the fault lasts."""
    left = _MINUTE - time.time() % _MINUTE
    time.sleep(max(0.0, left - _BEFORE_SECONDS))


def _settled_runs(site: Site, began: float, ended: float) -> Account:
    """Return the account of all runs since a fault began, once the last ones are over."""
    until = time.monotonic() + _RUNS_SECONDS
    while True:
        minutes = due_minutes(site.watcher.since(began), began, ended)
        found = account(site.metadata_url, site.fleet.scheduled, minutes, site.fleet.ledger)
        if not (found.missing or found.unfinished) or time.monotonic() > until:
            return found
        time.sleep(_POLL_SECONDS)
