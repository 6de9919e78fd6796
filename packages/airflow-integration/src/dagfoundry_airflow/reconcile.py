"""What a factory DAG does every five minutes: bring the store and Airflow together.

It records rows that were edited in the database, waits for DAGs that Airflow does not
serve yet, pauses what is inactive, lets go what is retiring once its runs have finished,
unpauses what it paused itself and is active again, purges what has been retired for long,
and reports. All of it may run twice at once: each step looks first, and the store retires
a row only if it still is retiring.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog

from dagfoundry import metrics
from dagfoundry.drift import record_hand_edits
from dagfoundry.factories import Status
from dagfoundry.plugins import load_plugins
from dagfoundry.settings import read_settings
from dagfoundry.store import RowKind, open_store
from dagfoundry_airflow.changes import changes_between, log_report, named_in
from dagfoundry_airflow.memory import Memory, memory_key
from dagfoundry_airflow.purge import AUTHOR, forget_purged, purge_retired
from dagfoundry_airflow.serving import await_serving, observe, require_served, serves

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dagfoundry.drift import Recording
    from dagfoundry.plugins import Plugins
    from dagfoundry.store import RowState, Store
    from dagfoundry_airflow.airflow_api import AirflowApi
    from dagfoundry_airflow.serving import Serving

WAIT_SECONDS: Final = 120.0
"""How long to wait for Airflow to serve what was merged just now."""

_LOCK_SECONDS: Final = 60.0
"""How long to wait for a merge that holds the foundry's lock."""

_QUIET: Final = (Status.INACTIVE, Status.RETIRING)

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class FactoryName:
    """Which factory is reconciled."""

    foundry: str
    platform_name: str
    factory_type: str
    dag_id: str

    def owns(self, row: RowState) -> bool:
        """Return whether a row is the factory's own or one of its entries."""
        named = (row.platform_name, row.factory_type) == (self.platform_name, self.factory_type)
        return named and row.kind is not RowKind.INFRASTRUCTURE


def reconcile_factory(
    *, foundry: str, platform_name: str, factory_type: str, dag_id: str
) -> dict[str, Any]:
    """Reconcile one factory and return the report: the factory DAG's one task.

    Raises:
        NotServedError: Airflow does not serve what the store holds.
        AirflowAccessError: Airflow cannot be asked.
        StoreUnavailableError: The store cannot be read or written.
    """
    from dagfoundry_airflow._compat import open_airflow_api

    name = FactoryName(
        foundry=foundry, platform_name=platform_name, factory_type=factory_type, dag_id=dag_id
    )
    settings = read_settings()
    store = open_store(settings.store_url, timeout_seconds=_LOCK_SECONDS)
    with closing(open_airflow_api()) as api:
        retention = timedelta(days=settings.retention_days)
        made = Reconciliation(store, api, name, load_plugins(), retention=retention)
        return made.run(wait_seconds=WAIT_SECONDS)


class Reconciliation:
    """One run over one factory.

    Args:
        store: The store.
        api: Airflow.
        name: The factory.
        plugins: The installed factory types.
        retention: For how long an entry stays retired until it is purged.
    """

    def __init__(
        self,
        store: Store,
        api: AirflowApi,
        name: FactoryName,
        plugins: Plugins,
        *,
        retention: timedelta,
    ) -> None:
        self._retention = retention
        self._store = store
        self._api = api
        self._name = name
        self._plugins = plugins
        self._memory_key = memory_key(name.dag_id)

    def run(self, *, wait_seconds: float) -> dict[str, Any]:
        """Reconcile and return the report, whose lines are logged as well.

        Args:
            wait_seconds: How long to wait for DAGs that Airflow does not serve yet.

        Raises:
            NotServedError: Airflow does not serve what the store holds.
        """
        recording = self._record_hand_edits()
        memory = Memory.from_text(self._api.recall(self._memory_key))
        deleted = _deleted(self._look(), memory)
        serving = await_serving(
            self._look, self._store, self._api, timeout_seconds=wait_seconds, removed=False
        )
        before = self._rows_at(memory.revision)
        memory = memory.adopt(self._born_paused(serving, memory, before))
        draining, memory = self._pause_idle(serving, memory)
        unpaused = self._unpause(serving, memory)
        retired = self._retire(serving, draining)
        purged = purge_retired(self._store, serving, self._retention)
        undeleted = forget_purged(self._api, serving, purged, self._retention)
        report = self._report(serving, before.values(), retired) | {
            "drifted": [edit.row.dag_id for edit in recording.recorded],
            "held_back": {edit.row.dag_id: edit.held_back for edit in recording.held_back},
            "restored": sorted(deleted - {*serving.missing}),
            "paused": sorted(memory.paused & {row.dag_id for row in _quiet(serving)}),
            "unpaused": unpaused,
            "draining": draining,
            "purged": purged,
            "undeleted": undeleted,
        }
        log_report(_log, report)
        counts = {said: len(dags) for said, dags in named_in(report).items()}
        metrics.factory_reported(self._name.foundry, self._name.dag_id, counts)
        self._store.record_report(self._name.foundry, self._name.dag_id, report)
        self._remember(memory.forget([*unpaused, *purged]), serving)
        require_served(f"factory {self._name.dag_id!r}", serving, removed=False)
        return report

    def _record_hand_edits(self) -> Recording:
        return record_hand_edits(
            self._store,
            self._name.foundry,
            self._plugins,
            recorder=f"factory DAG {self._name.dag_id}",
            factory=(self._name.platform_name, self._name.factory_type),
        )

    def _look(self) -> Serving:
        return observe(self._store, self._api, self._name.foundry, self._name.owns)

    def _rows_at(self, revision: int) -> dict[str, RowState]:
        if revision == 0:
            return {}
        rows = self._store.rows_at(self._name.foundry, revision)
        return {row.dag_id: row for row in rows if self._name.owns(row)}

    def _born_paused(
        self, serving: Serving, memory: Memory, before: dict[str, RowState]
    ) -> Iterable[str]:
        """Yield the DAGs that Airflow paused for us when it first saw them (``enabled: false``)."""
        for row in serving.rows:
            dag = serving.dags.get(row.dag_id)
            if row.kind is RowKind.ENTRY and dag and dag.paused and row.dag_id not in memory.paused:
                earlier = before.get(row.dag_id)
                is_new = earlier is None or not earlier.status.in_bucket
                if is_new and self._was_inactive(row):
                    yield row.dag_id

    def _was_inactive(self, row: RowState) -> bool:
        if row.status is Status.INACTIVE:
            return True
        earlier = self._store.rows_at(self._name.foundry, row.revision - 1, dag_id=row.dag_id)
        return any(state.status is Status.INACTIVE for state in earlier)

    def _pause_idle(self, serving: Serving, memory: Memory) -> tuple[dict[str, int], Memory]:
        """Pause what has no schedule any more and no run left.

        Airflow stops the runs of a paused DAG, so one that still runs is left alone. It
        is looked at once more after the pause: a person may have started a run meanwhile.

        Returns:
            The DAGs that still run with the number of their runs, and what to remember.
        """
        quiet = {row.dag_id for row in _quiet(serving)}
        draining = self._api.unfinished_runs(quiet)
        idle = {d for d in quiet - draining.keys() if not serving.dags[d].paused}
        if idle:
            memory = memory.adopt(idle)
            self._api.remember(self._memory_key, memory.to_text())
        for dag_id in sorted(idle):
            self._api.set_paused(dag_id, paused=True)
        started = self._api.unfinished_runs(idle)
        for dag_id in started:
            self._api.set_paused(dag_id, paused=False)
        return draining | started, memory.forget(started)

    def _unpause(self, serving: Serving, memory: Memory) -> list[str]:
        """Unpause what is active again and was paused by us; never what a person paused."""
        back = sorted(
            row.dag_id
            for row in serving.rows
            if row.status is Status.ACTIVE
            and row.dag_id in memory.paused
            and row.dag_id in serving.dags
            and serves(serving.dags[row.dag_id], row, serving.version)
        )
        for dag_id in back:
            self._api.set_paused(dag_id, paused=False)
        return back

    def _retire(self, serving: Serving, draining: dict[str, int]) -> list[str]:
        """Let go the retiring entries that Airflow runs no more, and an emptied factory."""
        quiet = {row.dag_id for row in _quiet(serving)}
        entries = [row for row in serving.rows if row.kind is RowKind.ENTRY]
        gone = [
            row.dag_id
            for row in entries
            if row.status is Status.RETIRING
            and (row.dag_id in quiet - draining.keys() or _never_served(serving, row))
        ]
        if all(not row.status.in_bucket or row.dag_id in gone for row in entries):
            gone += [
                row.dag_id
                for row in serving.rows
                if row.kind is RowKind.FACTORY and row.status is Status.RETIRING
            ]
        if gone:
            message = "No longer in the model, and no run of it is left in Airflow."
            self._store.retire(self._name.foundry, gone, author=AUTHOR, message=message)
        return gone

    def _report(
        self, serving: Serving, before: Iterable[RowState], retired: list[str]
    ) -> dict[str, Any]:
        changes = changes_between(before, serving.rows)
        held_up = {*serving.waits_for(removed=False), *serving.broken}
        gone = {row.dag_id for row in serving.rows if not row.status.in_bucket}
        return {
            "foundry": self._name.foundry,
            "platform_name": self._name.platform_name,
            "factory_type": self._name.factory_type,
            "revision": serving.head.revision,
            "version": serving.version.version if serving.version else None,
            "created": [d for d in changes.created if d not in held_up],
            "updated": [d for d in changes.changed if d not in held_up],
            "retired": sorted({*(d for d in changes.retired if d in gone), *retired}),
            "missing": list(serving.missing),
            "stale": list(serving.stale),
            "lingering": list(serving.lingering),
            "broken": dict(serving.broken),
        }

    def _remember(self, memory: Memory, serving: Serving) -> None:
        """Keep what is done; a revision that is not wholly served counts as not done."""
        known = {row.dag_id for row in serving.rows if row.status is not Status.PURGED}
        served = serving.is_ready(removed=False)
        revision = serving.head.revision if served else memory.revision
        kept = replace(memory, revision=revision, paused=memory.paused & known)
        self._api.remember(self._memory_key, kept.to_text())


def _deleted(serving: Serving, memory: Memory) -> set[str]:
    """Return the DAGs that Airflow listed before and no longer does: a person deleted them."""
    revisions = {row.dag_id: row.revision for row in serving.rows}
    return {dag_id for dag_id in serving.missing if revisions[dag_id] <= memory.revision}


def _quiet(serving: Serving) -> list[RowState]:
    """Return the entries that Airflow already serves without a schedule."""
    return [
        row
        for row in serving.rows
        if row.kind is RowKind.ENTRY
        and row.status in _QUIET
        and row.dag_id in serving.dags
        and serves(serving.dags[row.dag_id], row, serving.version)
    ]


def _never_served(serving: Serving, row: RowState) -> bool:
    held = serving.version.held if serving.version else {}
    return row.dag_id not in serving.dags and held.get(row.dag_id) == 0
