"""How old a snapshot is: when the store last said what it holds.

A snapshot serves on while the store is silent, however long that is. After a time a person
should know of it, so Airflow then shows an import error.
"""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

from dagfoundry import metrics
from dagfoundry.errors import FoundryError
from dagfoundry.logs import get_logger
from dagfoundry.settings import MAX_SNAPSHOT_AGE_VARIABLE
from dagfoundry_airflow.notice import Note

if TYPE_CHECKING:
    from pathlib import Path

    from dagfoundry_airflow.notice import Notice
    from dagfoundry_airflow.state import State

_FILE: Final = "confirmed"

_log = get_logger(__name__)


class SnapshotTooOldError(FoundryError):
    """The store has not said for long what it holds, so the DAGs are those of then."""


class SnapshotAge:
    """The age of one folder's snapshot; the time of a file tells it to other processes.

    Args:
        home: Folder of the file.
        notice: Where the report on a silent store is kept.
        foundry: Name of the foundry.
        limit: Age from which that is reported, in seconds.
    """

    def __init__(self, home: Path, notice: Notice, foundry: str, *, limit: float) -> None:
        self._home = home
        self._notice = notice
        self._foundry = foundry
        self._limit = limit

    def confirm(self) -> None:
        """Note that the store answered now, and end the report."""
        metrics.snapshot_confirmed(self._foundry, time.time())
        with suppress(OSError):  # a disk that is full or read-only is told of otherwise
            (self._home / _FILE).touch()
            if self._notice.end():
                _log.info("the store answers again", foundry=self._foundry)

    def fail(self, state: State, error: Exception) -> None:
        """Report that the store does not answer, once that has lasted for long."""
        since = confirmed_at(self._home)
        if since is None or time.time() - since <= self._limit:
            return
        known = self._notice.read()  # the reason may differ from time to time
        report = known.report if known else str(_too_old(state, since, error))
        with suppress(OSError):
            if self._notice.begin(Note(report=report, revision=state.revision)):
                _log.error("snapshot is too old", foundry=self._foundry, reason=report)


def confirmed_at(home: Path) -> float | None:
    """Return when the store last said what it holds, in seconds since the epoch; None if never."""
    try:
        return (home / _FILE).stat().st_mtime
    except OSError:
        return None


def _too_old(state: State, since: float, error: Exception) -> SnapshotTooOldError:
    moment = datetime.fromtimestamp(since, tz=timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    reason = error.what if isinstance(error, FoundryError) else str(error)
    what = (
        f"the DAGs of foundry {state.foundry!r} are as of revision {state.revision}, which the "
        f"store last confirmed at {moment}. They run on; nothing that was merged since arrives. "
        f"Reason: {reason}"
    )
    remedy = (
        "Mend the store or its connection. "
        f"{MAX_SNAPSHOT_AGE_VARIABLE} says after how many seconds this is shown."
    )
    return SnapshotTooOldError(what, remedy=remedy)
