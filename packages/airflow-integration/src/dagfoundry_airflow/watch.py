"""Watching a revision on its way into Airflow, without asking for more than has changed."""

from __future__ import annotations

import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final

import structlog

from dagfoundry.names import infrastructure_dag_id
from dagfoundry.serving import DagState, Readiness
from dagfoundry.store.read import require_revision
from dagfoundry_airflow.access import open_api
from dagfoundry_airflow.airflow_api import AirflowAccessError
from dagfoundry_airflow.announce import ask_to_parse
from dagfoundry_airflow.dag_states import ChangedRow
from dagfoundry_airflow.pauses import paused_by_us
from dagfoundry_airflow.rest_session import Patience
from dagfoundry_airflow.serving import previous_merge

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dagfoundry.serving import ServedDag
    from dagfoundry.store import Head, Store, VersionRecord
    from dagfoundry_airflow.airflow_api import AirflowApi

_PATIENCE: Final = Patience(answer=10.0, connect=3.0, pauses=(1.0,))

_FEW: Final = 20
"""Up to so many DAGs are all asked for at each look."""

_SOME: Final = 5
"""Of more so many are asked for, and the others when these have arrived."""

_SWEEP_SECONDS: Final = 20.0
_SWEEP_SHARE: Final = 5
"""All of many DAGs are asked for seldom enough to take a fifth of the time."""

_ASK_PAUSES: Final = (2.0, 4.0, 8.0, 16.0)
"""Seconds between two requests to parse. Airflow 2 forgets one for a file that it parses at
that moment, and a first parse of two at once may find the other one renewing the snapshot."""

_log = structlog.stdlib.get_logger(__name__)


@contextmanager
def open_watch(store: Store, foundry: str, revision: int | None) -> Iterator[AirflowWatch]:
    """Open a watch over a revision, or over the newest one.

    Raises:
        AirflowAccessError: There is no access to Airflow.
        RevisionMissingError: The foundry has no such revision.
        StoreUnavailableError: The store cannot be read.
    """
    head = store.head(foundry)
    if revision is not None:
        require_revision(head, revision)
    with closing(open_api(_PATIENCE)) as api:
        yield AirflowWatch(store, api, head, head.revision if revision is None else revision)


class AirflowWatch:
    """Watches the DAGs that changed since the merge before a revision.

    A DAG that was seen ready is not asked for again.

    Args:
        store: The store.
        api: Airflow.
        head: Where the foundry stands.
        revision: The revision.
    """

    def __init__(self, store: Store, api: AirflowApi, head: Head, revision: int) -> None:
        self._store = store
        self._api = api
        self._head = head
        self._revision = revision
        self._since = previous_merge(store, head.foundry, revision)
        self._rows = self._changed_rows(head)
        self._found: dict[str, ServedDag] = {}
        self._sweep_at = time.monotonic() + _SWEEP_SECONDS
        self._ask_at = 0.0
        self._asked = 0
        self._was_proved = False

    def look(self, *, thorough: bool) -> Readiness:
        """Return how far the revision is; Airflow is asked only about what is proved.

        Args:
            thorough: Whether to ask about all of many DAGs.

        Raises:
            AirflowAccessError: Airflow cannot be asked.
            StoreUnavailableError: The store cannot be read.
        """
        self._follow_head()
        version = self._store.latest_version(self._head.foundry)
        behind = [row for dag_id, row in self._rows.items() if not self._is_ready(dag_id)]
        for row in behind:
            self._note(row.stored_state(version))
        self._ask_airflow(version, thorough=thorough)
        self._ask_to_parse()
        return Readiness(
            foundry=self._head.foundry,
            revision=self._revision,
            since=self._since,
            published=version.revision if version else 0,
            dags=tuple(self._found[dag_id] for dag_id in sorted(self._found)),
        )

    def _changed_rows(self, head: Head) -> dict[str, ChangedRow]:
        name, since = head.foundry, self._since
        wanted = self._store.changes(name, after=since, until=self._revision)
        if since == 0 and self._revision:
            own = infrastructure_dag_id(name)
            wanted = [*wanted, *self._store.rows_at(name, self._revision, dag_id=own)]
        newest = {row.dag_id: row for row in wanted}
        if head.revision > self._revision:
            later = self._store.changes(name, after=self._revision, until=head.revision)
            newest |= {row.dag_id: row for row in later if row.dag_id in newest}
        return {row.dag_id: ChangedRow(wanted=row, newest=newest[row.dag_id]) for row in wanted}

    def _follow_head(self) -> None:
        head = self._store.head(self._head.foundry)
        if head.revision != self._head.revision:
            self._rows = self._changed_rows(head)
        self._head = head

    def _is_ready(self, dag_id: str) -> bool:
        return dag_id in self._found and self._found[dag_id].is_ready

    def _note(self, stored: ServedDag) -> None:
        """Keep what the store knows of a DAG, unless Airflow has told more of it before."""
        before = self._found.get(stored.dag_id)
        if stored.state is not DagState.PROVED or before is None or _is_early(before):
            self._found[stored.dag_id] = stored

    def _ask_airflow(self, version: VersionRecord | None, *, thorough: bool) -> None:
        """Ask about what is proved: all of few; of many some, and all when these are there."""
        behind = [dag.dag_id for dag in self._found.values() if _waits_for_airflow(dag)]
        if len(behind) > _FEW and not (thorough or time.monotonic() >= self._sweep_at):
            some = _spread(behind, _SOME)
            self._ask_about(some, version)
            if not all(map(self._is_ready, some)):
                return
        started = time.monotonic()
        self._ask_about([d for d in behind if not self._is_ready(d)], version)
        took = time.monotonic() - started
        self._sweep_at = time.monotonic() + max(_SWEEP_SECONDS, _SWEEP_SHARE * took)

    def _ask_about(self, dag_ids: Sequence[str], version: VersionRecord | None) -> None:
        dags = self._api.dags(dag_ids) if dag_ids else {}
        rows = [self._rows[dag_id].wanted for dag_id in dag_ids]
        ours = paused_by_us(self._api, [r for r in rows if r.dag_id in dags], dags)
        for dag_id in dag_ids:
            self._found[dag_id] = self._rows[dag_id].airflow_state(
                dags.get(dag_id), version, paused_by_us=dag_id in ours
            )

    def _ask_to_parse(self) -> None:
        """Ask for what is behind: at once, when all is proved, and again and again."""
        behind = [d for d in self._found.values() if d.state in (DagState.STORED, DagState.PROVED)]
        is_proved = not any(dag.state is DagState.STORED for dag in behind)
        if is_proved != self._was_proved:
            self._was_proved, self._asked, self._ask_at = is_proved, 0, 0.0
        if not behind or time.monotonic() < self._ask_at:
            return
        self._ask_at = time.monotonic() + _ASK_PAUSES[min(self._asked, len(_ASK_PAUSES) - 1)]
        self._asked += 1
        rows = [self._rows[dag.dag_id].wanted for dag in behind]
        try:
            ask_to_parse(self._store, self._api, self._head, rows)
        except AirflowAccessError as error:  # Airflow looks by itself, only later
            _log.warning("Airflow was not asked to parse", problem=error.what)


def _is_early(dag: ServedDag) -> bool:
    return dag.state in (DagState.STORED, DagState.BROKEN)


def _waits_for_airflow(dag: ServedDag) -> bool:
    return not dag.is_ready and dag.state in (DagState.PROVED, DagState.PARSED)


def _spread(values: Sequence[str], count: int) -> list[str]:
    """Return some of many values, from all over."""
    return list(values[:: max(len(values) // count, 1)][:count])
