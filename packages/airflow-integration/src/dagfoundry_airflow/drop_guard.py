"""Keeps a refresh from taking DAGs out of Airflow that the store has merely lost.

What Airflow has is what stands on disk, so that is compared with what a step would write;
the store's history is asked only when a step would drop many.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from dagfoundry import metrics
from dagfoundry.store import RowState
from dagfoundry_airflow.drops import FEWEST, ServedDag, find_loss
from dagfoundry_airflow.held_back import gone, refusal
from dagfoundry_airflow.notice import Note
from dagfoundry_airflow.snapshot import all_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from dagfoundry.errors import FoundryError
    from dagfoundry.store import Head, Store
    from dagfoundry_airflow.advance import Step
    from dagfoundry_airflow.dag_folder import Clock
    from dagfoundry_airflow.drops import DropLimit, Loss
    from dagfoundry_airflow.held_back import HeldBack
    from dagfoundry_airflow.state import State


class DropGuard:
    """Watches one folder.

    Args:
        store: The store.
        foundry: Name of the foundry.
        held: Where a refusal is noted and shown.
        folder: Where Airflow looks.
        limit: How many DAGs may go although no revision removed them.
        retry: When to look again at a step that was refused, in seconds.
    """

    def __init__(
        self,
        store: Store,
        foundry: str,
        held: HeldBack,
        folder: Path,
        *,
        limit: DropLimit,
        retry: float,
    ) -> None:
        self._store = store
        self._foundry = foundry
        self._held = held
        self._folder = folder
        self._limit = limit
        self._retry = retry

    def note(self) -> Note | None:
        """Return the present refusal, or None."""
        return self._held.read()

    def rests(self, note: Note, head: Head, clock: Clock) -> bool:
        """Return whether a refusal still holds, so that nothing has to be looked at."""
        in_time = clock.now < note.look_at <= clock.now + self._retry
        allowed = self._limit.allows(head.foundry, head.revision)
        return note.revision == head.revision and in_time and not allowed

    def refuses(
        self,
        step: Step,
        head: Head,
        state: State | None,
        *,
        on_disk: Mapping[str, str],
        clock: Clock,
    ) -> bool:
        """Return whether a step must not be taken; if so, note and show it.

        A DAG whose trial is under way is waited for without a word.

        Args:
            step: The step.
            head: Where it leads.
            state: What the folder serves; None when that is not known.
            on_disk: File name to checksum, of what the folder really holds.
            clock: The time.

        Raises:
            DropRefusedError: The same, and nothing is published on this host.
            OSError: The disk is full or read-only.
        """
        dropped = self._dropped(step, on_disk)
        if not dropped.isdisjoint(step.state.pending):
            return True
        if self._limit.allows(head.foundry, head.revision):
            return False
        loss = self._loss(head, state, on_disk, dropped)
        if loss is not None:
            self._refuse(loss, head, state, clock)
        return loss is not None

    def end(self) -> None:
        """End the refusal, if there is one: a step was taken."""
        self._held.end()

    def miss(self, state: State, error: FoundryError) -> None:
        """Note and show that the store no longer holds the foundry."""
        count = sum(1 for _ in self._served(state.files))
        with suppress(OSError):  # the outage is told of all the same
            self._held.begin(gone(state, error, count=count, look_at=0.0))

    def serves(self) -> bool:
        """Return whether the folder holds DAGs of the foundry, whatever its state says."""
        names = [path.name for path in self._folder.glob("dagfoundry_*.json")]
        return any(True for _ in self._served(names))

    def _refuse(self, loss: Loss, head: Head, state: State | None, clock: Clock) -> None:
        error = refusal(loss, head, state)
        if state is None:
            metrics.dags_held_back(self._foundry, len(loss.dag_ids))
            raise error
        look_at = clock.now + self._retry
        lost = len(loss.dag_ids)
        self._held.begin(
            Note(revision=head.revision, count=lost, look_at=look_at, report=str(error))
        )

    def _loss(
        self, head: Head, state: State | None, on_disk: Mapping[str, str], dropped: Iterable[str]
    ) -> Loss | None:
        """Return what would be lost, if that is too much."""
        torn = self._torn(head, on_disk) if _is_damaged(state, on_disk) else {}
        dropped = {*dropped, *torn}
        if len(dropped) < FEWEST:
            return None
        served = [*self._served(on_disk), *torn.values()]
        if not find_loss(served, dropped, {}).exceeds(self._limit.share):
            return None
        rows = self._store.rows_at(head.foundry, head.revision)
        loss = find_loss(served, dropped, {row.dag_id: row for row in rows})
        return loss if loss.exceeds(self._limit.share) else None

    def _dropped(self, step: Step, on_disk: Mapping[str, str]) -> set[str]:
        written = set(filter(_is_sidecar, step.changed))
        touched = (written | step.removed) & on_disk.keys()
        before = {dag.dag_id for dag in self._served(touched)}
        if not before:
            return before
        return before - {row["dag_id"] for name in written for row in all_rows(step.changed[name])}

    def _torn(self, head: Head, on_disk: Mapping[str, str]) -> dict[str, ServedDag]:
        """Return the DAGs of which neither history nor the folder knows any more."""
        unrecorded = self._store.unrecorded(head.foundry)
        here = {dag.dag_id for dag in self._served(on_disk)} if unrecorded else set()
        return {
            dag_id: ServedDag(dag_id, f"table {table!r}", 0)
            for dag_id, table in unrecorded.items()
            if dag_id not in here
        }

    def _served(self, names: Iterable[str]) -> Iterator[ServedDag]:
        """Yield the DAGs of the foundry in sidecars on disk; a damaged one has none."""
        ours = self._foundry.lower()
        for name in filter(_is_sidecar, names):
            with suppress(OSError, ValueError, KeyError):
                rows = all_rows((self._folder / name).read_bytes())
                mine = [row for row in rows if row["foundry"].lower() == ours]
                yield from map(ServedDag.of, map(RowState.from_json, mine))


def _is_sidecar(name: str) -> bool:
    return name.endswith(".json")


def _is_damaged(state: State | None, on_disk: Mapping[str, str]) -> bool:
    """Return whether the files are not those of the state, so that history has to make them."""
    return state is None or any(
        on_disk.get(name) != checksum for name, checksum in state.files.items()
    )
