"""Keeps a folder of DAG files in step with the store; knows nothing of Airflow.

The bundle of Airflow 3 and the loader files of Airflow 2 call :meth:`Publisher.refresh`.
With nothing new it costs one query. A store that does not answer changes nothing: the
folder keeps every file and Airflow every DAG.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from dagfoundry import metrics
from dagfoundry.errors import FoundryError, FoundryMissingError, StoreUnavailableError
from dagfoundry.logs import get_logger
from dagfoundry.settings import DEFAULT_MAX_SNAPSHOT_AGE
from dagfoundry_airflow.advance import Advance
from dagfoundry_airflow.appearances import Appearances
from dagfoundry_airflow.dag_folder import (
    Clock,
    checksums_on_disk,
    looks_of,
    touches_after,
    write_files,
)
from dagfoundry_airflow.drop_guard import DropGuard
from dagfoundry_airflow.drops import DropLimit
from dagfoundry_airflow.folder import locked, remove_old_drafts
from dagfoundry_airflow.held_back import HeldBack
from dagfoundry_airflow.notice import HELD_BACK, SILENCE, Notice, note_on
from dagfoundry_airflow.outage import Outage
from dagfoundry_airflow.shape_keeper import ShapeKeeper
from dagfoundry_airflow.snapshot import checksum, render_errors, version_name
from dagfoundry_airflow.snapshot_age import SnapshotAge
from dagfoundry_airflow.state import State, StateFile
from dagfoundry_airflow.timeline import mark_of
from dagfoundry_airflow.trial import Trials
from dagfoundry_airflow.trial_start import TrialLimits
from dagfoundry_airflow.versions import Manifest, VersionFolders

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dagfoundry.store import Head, RowState, Store
    from dagfoundry_airflow.advance import Step
    from dagfoundry_airflow.dag_folder import Looks

CURRENT: Final = "current"
"""Name of the folder that follows the store."""

_FIRST_PUBLISH_SECONDS: Final = 60.0

_log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """How patient a publisher is, in seconds.

    Attributes:
        trials: How long one refresh may wait for trial builds.
        linger: How much later Airflow has to parse a file again to notice that a DAG is
            gone from it; a little more than its ``stale_dag_threshold``.
        retry: When a row that cannot be built is tried again.
        elsewhere: How long to wait for another process that is refreshing the same folder.
        silence: How old the snapshot may be until Airflow shows that the store is silent.
        limits: How long the trial process may take.
    """

    trials: float = 5.0
    linger: float = 55.0
    retry: float = 300.0
    elsewhere: float = 0.0
    silence: float = DEFAULT_MAX_SNAPSHOT_AGE
    limits: TrialLimits = field(default_factory=TrialLimits)


class Publisher:
    """Serves one foundry from one folder; several processes may do so at once.

    Args:
        foundry: Name of the foundry.
        home: Folder for everything that is kept.
        store: Where the foundry is; opened by the caller, which also closes it.
        history: The same store with a longer time-out, to read many rows; ``store`` by
            default.
        pace: How patient to be.
        tracking: Airflow's folder of notes on versions in use; none for Airflow 2.
        trials: Where rows are proved; its own by default.
        limit: How many DAGs may go although no revision removed them.
        thorough: Whether the first refresh checks every file and looks at the installed
            plugins. A process that lives for a second has no time for that.
    """

    def __init__(  # noqa: PLR0913 - each is one choice of the process that publishes
        self,
        foundry: str,
        home: Path,
        store: Store,
        *,
        history: Store | None = None,
        pace: Pace | None = None,
        tracking: Path | None = None,
        trials: Trials | None = None,
        limit: DropLimit | None = None,
        thorough: bool = True,
    ) -> None:
        self.folder = home / CURRENT
        """Where Airflow looks."""
        self._foundry = foundry
        self._home = home
        self._store = store
        self._history = history or store
        self._pace = pace or Pace()
        self._state_file = StateFile(home / "state.json")
        self._versions = VersionFolders(home / "versions", foundry, tracking)
        self._outage = Outage(home / "outage.json", foundry)
        self._shapes = ShapeKeeper(self._history)
        self._appearances = Appearances(home / "appearances.txt")
        self._trials = trials or Trials(home, self._pace.limits)
        held = HeldBack(Notice(home, self.folder, foundry, HELD_BACK), foundry)
        silence = Notice(home, self.folder, foundry, SILENCE)
        self._age = SnapshotAge(home, silence, foundry, limit=self._pace.silence)
        self._guard = DropGuard(
            self._history,
            foundry,
            held,
            self.folder,
            limit=limit or DropLimit(),
            retry=self._pace.retry,
        )
        self._waiting: tuple[State | None, Mapping[str, RowState]] = (None, {})
        self._check_first = thorough
        self._looks: Looks | None = None
        self._absence: FoundryMissingError | None = None

    def state(self) -> State | None:
        """Return what the folder serves of the foundry; None when there is nothing."""
        state = self._state_file.read()
        is_ours = state is not None and state.foundry.lower() == self._foundry.lower()
        return state if is_ours else None

    def refusal(self) -> str:
        """Return why the folder does not follow the store; empty when it does."""
        notes = (note_on(self._home, subject) for subject in (HELD_BACK, SILENCE))
        return "\n\n".join(note.report for note in notes if note)

    def refresh(self) -> None:
        """Bring the folder in step with the store.

        Raises:
            FoundryError: It failed, and there is no earlier content to go on with.
            OSError: The same, and the disk is to blame.
        """
        if self._rests():
            return
        started = time.monotonic()
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            self._refresh(self.state())
        except (FoundryError, OSError) as error:
            self._failed(error)
        else:
            self._outage.over()
            self._age.confirm()
        metrics.refreshed(self._foundry, time.monotonic() - started)

    def check_files(self) -> None:
        """Let the next refresh read every file and make those again that are damaged."""
        self._check_first = True

    def materialise(self, version: str, dag_id: str | None) -> Path:
        """Make sure that a version's files are here and return their folder.

        See :meth:`VersionFolders.materialise`.
        """
        return self._versions.materialise(self._history, version, dag_id)

    def newest(self, dag_id: str) -> Path:
        """Return a folder that holds a DAG in its newest version, for an unpinned run.

        Raises:
            StoreUnavailableError: The store cannot be asked, and no file of the DAG is here.
        """
        try:
            record = self._store.latest_version(self._foundry)
        except FoundryError:
            state = self.state()
            if state is None:
                raise
            return self.folder
        return self.folder if record is None else self.materialise(record.version, dag_id)

    def close(self) -> None:
        """End the trial process."""
        self._trials.close()

    def _rests(self) -> bool:
        pause = self._outage.pause()
        if pause and self.state() is None:
            msg = f"foundry {self._foundry!r} could not be read a moment ago"
            raise StoreUnavailableError(msg, remedy=f"The next attempt is in {pause:.0f} s.")
        return pause > 0

    def _failed(self, error: Exception) -> None:
        if isinstance(error, (StoreUnavailableError, FoundryMissingError)):
            metrics.store_failed(self._foundry)
        self._outage.failed(error)
        state = self.state()
        if state is None:
            raise error
        if isinstance(error, FoundryMissingError):
            self._guard.miss(state, error)
        else:
            self._age.fail(state, error)

    def _refresh(self, state: State | None) -> None:
        clock = Clock(now=time.time(), linger=self._pace.linger)
        head = self._head(state)
        if state and (suspects := self._suspects(state)):
            _log.warning("files are not as they were left", folder=str(self.folder), files=suspects)
            self._check_first = True
        self._trials.look_around()
        if state and head and not self._check_first and self._rests_at(head, state, clock):
            return
        patience = self._pace.elsewhere if state else _FIRST_PUBLISH_SECONDS
        with locked(self._home / "refresh.lock", patience) as mine:
            if mine:
                self._refresh_locked(head, clock)
                self._looks = looks_of(self.folder)
            elif state is None:
                msg = f"another process has not published {self._home} for {patience:.0f} s"
                raise TimeoutError(msg)

    def _suspects(self, state: State) -> list[str]:
        """Return the files that are gone, or that somebody else has written."""
        looks = looks_of(self.folder)
        known = looks if self._looks is None else self._looks
        return [n for n in sorted(state.files) if n not in looks or looks[n] != known.get(n)]

    def _head(self, state: State | None) -> Head | None:
        """Return where the foundry stands; None when there has never been such a foundry."""
        try:
            head = self._store.head(self._foundry)
        except FoundryMissingError as error:
            if state is not None and state.buckets:
                raise
            self._absence = error
            return None
        metrics.head_seen(self._foundry, head.revision)
        return head

    def _rests_at(self, head: Head, state: State, clock: Clock) -> bool:
        note = self._guard.note()
        return (
            self._guard.rests(note, head, clock) if note else self._is_settled(state, head, clock)
        )

    def _is_settled(self, state: State, head: Head, clock: Clock) -> bool:
        return (
            state.revision == head.revision
            and state.environment == self._trials.environment
            and not state.pending
            and not self._retry_is_due(state, clock)
            and not any(clock.is_due(time) for times in state.touches.values() for time in times)
        )

    def _retry_is_due(self, state: State, clock: Clock) -> bool:
        in_time = clock.now < state.retry_at <= clock.now + self._pace.retry
        return bool(state.errors) and (self._check_first or not in_time)

    def _refresh_locked(self, head: Head | None, clock: Clock) -> None:
        state = self.state()  # another process may have moved it
        if head is None:
            if self._absence:
                self._show_absence(state, self._absence)
            return
        if state is not None and state.revision > head.revision:
            head = self._store.head(self._foundry)
        self._advance(state, head, clock)
        self._check_first = False

    def _advance(self, state: State | None, head: Head, clock: Clock) -> None:
        known = None if self._is_parted(state, head) else state
        on_disk = self._on_disk(known)
        waiting = self._waiting[1] if self._waiting[0] == known else {}
        advance = Advance(self._history, head, known, self.folder, on_disk=on_disk, waiting=waiting)
        retry_at = None
        if known is None or self._retry_is_due(known, clock):
            retry_at = clock.now + self._pace.retry
        step = advance.step(self._trials, retry_at=retry_at, patience=self._pace.trials)
        if self._guard.refuses(step, head, state, on_disk=on_disk, clock=clock):
            return
        if state is not None and known is None:
            _log.warning("the store's history is not what it was", foundry=self._foundry)
        rewritten = [name for name in step.changed if name.endswith(".py") and name in on_disk]
        planned = known.touches if known else {}
        touches = touches_after(
            self.folder, planned, rewritten=rewritten, lossy=step.lossy, clock=clock
        )
        after = replace(step.state, touches=touches)
        if step.changed or step.removed or known is None or after.version != known.version:
            self._publish(after, step)
        if after != state:
            self._state_file.write(after)
        self._waiting = (after, step.waiting)
        self._guard.end()
        self._shapes.record(after.foundry, step.seen)
        metrics.revision_served(self._foundry, after.revision)
        metrics.placeholders_served(self._foundry, len(after.placeholders))

    def _is_parted(self, state: State | None, head: Head) -> bool:
        """Return whether the store's history is not the one that the folder followed."""
        if state is None:
            return False
        if state.revision > head.revision or self._guard.note() is not None:
            return True
        if not state.mark or (state.revision == head.revision and not self._check_first):
            return False
        return mark_of(self._history.revision(head.foundry, state.revision)) != state.mark

    def _on_disk(self, state: State | None) -> Mapping[str, str]:
        if state is not None and not self._check_first:
            return state.files
        if self.folder.is_dir():
            remove_old_drafts(self.folder)
        return checksums_on_disk(self.folder)

    def _publish(self, after: State, step: Step) -> None:
        """Record a version in the store, and only then put its files on disk."""
        self._history.record_version(after.foundry, after.record)
        write_files(self.folder, step.changed, step.removed)
        manifest = Manifest(foundry=after.foundry, buckets=after.buckets, record=after.record)
        self._versions.keep(manifest, self.folder, after.files)
        self._versions.remove_unused()
        self._appearances.count(step.appeared, known=step.known)
        _log.info(
            "published",
            foundry=after.foundry,
            version=after.version,
            written=len(step.changed),
            removed=len(step.removed),
            errors=len(after.errors),
            placeholders=len(after.placeholders),
            pending=len(after.pending),
        )

    def _show_absence(self, state: State | None, absence: FoundryMissingError) -> None:
        """Show an error until the store holds the foundry; there is no version to record."""
        if state is None and self._guard.serves():
            raise absence
        files = render_errors(self._foundry, {"foundry": str(absence)})
        checksums = {name: checksum(content) for name, content in files.items()}
        version = version_name(0, checksums)
        if state is None or state.version != version:
            write_files(self.folder, files, checksums_on_disk(self.folder).keys() - files.keys())
            absent = State(foundry=self._foundry, buckets=0, revision=0, version=version)
            self._state_file.write(replace(absent, files=checksums))
