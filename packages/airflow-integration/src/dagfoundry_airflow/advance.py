"""One step of a folder towards the store's head: which rows to serve, and their files."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dagfoundry.names import bucket_file
from dagfoundry.store import RowState
from dagfoundry_airflow.proving import Proving, seen_shapes
from dagfoundry_airflow.selection import Outcome, Selection
from dagfoundry_airflow.snapshot import (
    checksum,
    read_rows,
    render_bucket,
    render_errors,
    sidecar_name,
    version_name,
)
from dagfoundry_airflow.state import State
from dagfoundry_airflow.timeline import mark_in
from dagfoundry_airflow.versions import rows_by_dag_id, rows_of_version

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from dagfoundry.store import Head, Store
    from dagfoundry.store.shapes import ShapeSeen
    from dagfoundry_airflow.trial import Trials


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """Where a step leads.

    Attributes:
        state: What the folder serves afterwards; touches are added by the publisher.
        changed: Files to write.
        removed: Files to remove.
        waiting: DAG id to the newest row, of those that are pending or have an error.
        appeared: Rows of DAGs that were not served before.
        known: DAG ids of a version that was taken over from another host.
        lossy: Stubs of buckets that go on but lose a DAG.
        seen: DAG id to the shape of a DAG that was found good.
    """

    state: State
    changed: Mapping[str, bytes]
    removed: frozenset[str]
    waiting: Mapping[str, RowState] = field(repr=False)
    appeared: tuple[RowState, ...] = field(repr=False)
    known: frozenset[str] = field(repr=False)
    lossy: frozenset[str] = frozenset()
    seen: Mapping[str, ShapeSeen] = field(default_factory=dict, repr=False)


class Advance:
    """Takes one step; reads the store and the folder and writes neither.

    Args:
        store: The store.
        head: Where the foundry stands there.
        state: What the folder serves; None when that is not known.
        folder: Where Airflow looks.
        on_disk: File name to checksum, of what the folder really holds.
        waiting: Newest rows that the last step of this process left; may be empty.
    """

    def __init__(
        self,
        store: Store,
        head: Head,
        state: State | None,
        folder: Path,
        *,
        on_disk: Mapping[str, str],
        waiting: Mapping[str, RowState],
    ) -> None:
        self._store = store
        self._head = head
        self._folder = folder
        self._on_disk = on_disk
        self._waiting = dict(waiting)
        self._served: dict[int, dict[str, RowState]] = {}
        self._stale: set[int] = set()
        self._known: frozenset[str] = frozenset()
        self._mark = ""
        self._seen: dict[str, ShapeSeen] = {}
        known = state is not None and state.buckets > 0
        self._before = state if state is not None and known else self._take_over()
        self._stale |= self._damaged_buckets()

    def step(self, trials: Trials, *, retry_at: float | None, patience: float) -> Step:
        """Prove what has to be proved and say what to serve.

        Args:
            trials: Where rows are proved.
            retry_at: When rows with errors are to be tried next; None to leave them now.
            patience: How long to wait for trials, in seconds.

        Raises:
            StoreUnavailableError: The store cannot be asked.
            TrialUnavailableError: Nothing can be proved.
        """
        changed = self._changed_rows()
        rows = changed | self._unsettled_rows(trials, changed, retry=retry_at is not None)
        proving = Proving(self._store, self._before, self._rows)
        outcomes = proving.try_rows(rows, trials, patience)
        after = Selection(self._before, self._rows)
        for dag_id, row in rows.items():
            after.take(row, outcomes.get(dag_id, Outcome()), is_new=dag_id in changed)
        self._seen = seen_shapes(rows, outcomes)
        self._waiting |= rows
        self._mark = mark_in(rows.values(), self._head.revision) or self._same_mark()
        next_retry = self._before.retry_at if retry_at is None else retry_at
        return self._files(after, environment=trials.environment, retry_at=next_retry)

    def _same_mark(self) -> str:
        return self._before.mark if self._before.revision == self._head.revision else ""

    def _take_over(self) -> State:
        """Start from the version that was recorded last, or from nothing."""
        head = self._head
        empty = State(foundry=head.foundry, buckets=head.buckets, revision=0, version="")
        record = self._store.latest_version(head.foundry)
        if record is None or record.revision > head.revision:
            return empty
        self._served = {bucket: {} for bucket in range(head.buckets)}
        rows = rows_of_version(self._store, head.foundry, record)
        self._known = frozenset(row.dag_id for row in rows)
        for row in rows:
            self._served[row.bucket][row.dag_id] = row
        self._stale = set(self._served)
        revision, version = record.revision, record.version
        return replace(
            empty,
            revision=revision,
            version=version,
            held=record.held,
            errors=record.errors,
            placeholders=record.placeholders,
        )

    def _damaged_buckets(self) -> set[int]:
        """Return the buckets whose files are not those that the state names."""
        expected = self._before.files
        return {
            bucket
            for bucket in range(self._head.buckets)
            for name in _bucket_names(self._head.foundry, bucket)
            if self._on_disk.get(name) != expected.get(name)
        }

    def _changed_rows(self) -> dict[str, RowState]:
        before, head = self._before.revision, self._head
        if before == 0:
            rows = self._store.rows_at(head.foundry, head.revision)
        elif before < head.revision:
            rows = self._store.changes(head.foundry, after=before, until=head.revision)
        else:
            rows = []
        return {row.dag_id: row for row in rows}

    def _unsettled_rows(
        self, trials: Trials, changed: Mapping[str, RowState], *, retry: bool
    ) -> dict[str, RowState]:
        """Return the newest rows that did not change but have to be tried."""
        head = self._head
        if self._before.environment != trials.environment:
            rows = self._store.rows_at(head.foundry, head.revision)
            return {row.dag_id: row for row in rows if row.dag_id not in changed}
        wanted = {*self._before.pending, *(self._before.errors if retry else ())} - changed.keys()
        if unknown := wanted - self._waiting.keys():
            self._waiting |= rows_by_dag_id(self._store, head.foundry, head.revision, unknown)
        return {dag_id: self._waiting[dag_id] for dag_id in wanted if dag_id in self._waiting}

    def _rows(self, bucket: int) -> Mapping[str, RowState]:
        """Return the rows of a bucket that were served before."""
        if bucket not in self._served:
            self._served[bucket] = {row.dag_id: row for row in self._read_bucket(bucket)}
        return self._served[bucket]

    def _read_bucket(self, bucket: int) -> Iterable[RowState]:
        name = sidecar_name(bucket_file(self._head.foundry, bucket))
        if name not in self._before.files:
            return []
        if self._on_disk.get(name) == self._before.files[name]:
            return map(RowState.from_json, read_rows(self._folder / name))
        record = self._before.record
        return rows_of_version(self._store, self._head.foundry, record, bucket=bucket)

    def _files(self, after: Selection, *, environment: str, retry_at: float) -> Step:
        head, foundry = self._head, self._head.foundry
        rendered = render_errors(foundry, after.errors)
        redrawn = self._stale | after.buckets.keys()
        for bucket in redrawn:
            rows = after.buckets.get(bucket, self._rows(bucket))
            rendered |= render_bucket(foundry, bucket, rows.values(), after.placeholders)
        files = self._kept_files(redrawn) | {n: checksum(c) for n, c in rendered.items()}
        state = replace(
            self._before,
            revision=head.revision,
            mark=self._mark,
            version=version_name(head.revision, files),
            held=after.held,
            errors=after.errors,
            placeholders=after.placeholders,
            pending=tuple(sorted(after.pending)),
            files=files,
            environment=environment,
            retry_at=retry_at,
        )
        return Step(
            state=state,
            changed={n: c for n, c in rendered.items() if self._differs(n, files)},
            removed=frozenset(self._on_disk.keys() - files.keys()),
            waiting={
                d: r for d, r in self._waiting.items() if d in after.pending or d in after.errors
            },
            appeared=after.appeared(),
            known=self._known,
            lossy=frozenset(bucket_file(foundry, bucket) for bucket in after.lossy()),
            seen=self._seen,
        )

    def _differs(self, name: str, files: Mapping[str, str]) -> bool:
        """Return whether a file has to be written; a stub has with its sidecar, for its mtime."""
        pair = (name, sidecar_name(name)) if sidecar_name(name) in files else (name,)
        return any(self._on_disk.get(part) != files[part] for part in pair)

    def _kept_files(self, redrawn: Collection[int]) -> dict[str, str]:
        foundry = self._head.foundry
        kept = [b for b in range(self._head.buckets) if b not in redrawn]
        names = [name for bucket in kept for name in _bucket_names(foundry, bucket)]
        return {name: self._before.files[name] for name in names if name in self._before.files}


def _bucket_names(foundry: str, bucket: int) -> tuple[str, str]:
    stub = bucket_file(foundry, bucket)
    return stub, sidecar_name(stub)
