"""Whether Airflow serves what the store holds: what "Ready" means.

Each DAG is to be built from the revision of its row that the newest version serves, and
each removed one is to be gone from Airflow's list.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from dagfoundry.errors import FoundryError
from dagfoundry.store import Source
from dagfoundry_airflow.announce import ask_to_parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dagfoundry.store import Head, RowState, Store, VersionRecord
    from dagfoundry_airflow.airflow_api import AirflowApi, AirflowDag

_SHOWN: Final = 20
_POLL_SECONDS: Final = 2.0
_ASK_AGAIN_SECONDS: Final = 20.0

_log = structlog.stdlib.get_logger(__name__)


class NotServedError(FoundryError):
    """Airflow does not serve what the store holds, and waiting did not mend it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Serving:
    """What Airflow serves, beside what it should.

    Attributes:
        head: Where the store stands.
        version: The newest version that a DAG processor recorded, if any.
        rows: The rows in question, of every status, as of the head.
        dags: Those of their DAGs that Airflow knows, by DAG id.
        missing: DAG ids that Airflow does not list although it should.
        stale: DAG ids that Airflow serves as an older revision made them.
        lingering: DAG ids that Airflow still lists although they are removed.
        broken: DAG id to the report of what keeps its newest row from being served.
    """

    head: Head
    version: VersionRecord | None
    rows: tuple[RowState, ...]
    dags: Mapping[str, AirflowDag]
    missing: tuple[str, ...]
    stale: tuple[str, ...]
    lingering: tuple[str, ...]
    broken: Mapping[str, str]

    @property
    def is_published(self) -> bool:
        """Whether a DAG processor has taken in the head."""
        return self.version is not None and self.version.revision >= self.head.revision

    def waits_for(self, *, removed: bool) -> tuple[str, ...]:
        """Return the DAG ids that Airflow does not yet serve as they are.

        Args:
            removed: Whether a removed DAG that is still listed is one of them.
        """
        gone = self.lingering if removed else ()
        return tuple(sorted({*self.missing, *self.stale, *gone}))

    def is_ready(self, *, removed: bool) -> bool:
        """Return whether nothing is left to wait for."""
        return self.is_published and not self.waits_for(removed=removed)


def previous_merge(store: Store, foundry: str, until: int | None = None) -> int:
    """Return the revision of the last merge but one, or of what else a person wrote.

    What a factory DAG writes when it retires an entry is passed over.

    Args:
        store: The store.
        foundry: Name of the foundry.
        until: The newest revision to look at; the head by default.

    Returns:
        The revision; 0 when there is none.
    """
    merges = [
        record.revision
        for record in store.revisions(foundry)
        if record.source is not Source.LIFECYCLE and (until is None or record.revision <= until)
    ]
    return merges[-2] if len(merges) > 1 else 0


def observe(
    store: Store, api: AirflowApi, foundry: str, is_wanted: Callable[[RowState], bool]
) -> Serving:
    """Compare the store's head with what Airflow serves.

    Args:
        store: The store.
        api: Airflow.
        foundry: Name of the foundry.
        is_wanted: Which rows to look at.
    """
    head = store.head(foundry)
    version = store.latest_version(foundry)
    rows = tuple(row for row in store.rows_at(foundry, head.revision) if is_wanted(row))
    dags = api.dags([row.dag_id for row in rows])
    return compare(head, version, rows, dags)


def compare(
    head: Head,
    version: VersionRecord | None,
    rows: tuple[RowState, ...],
    dags: Mapping[str, AirflowDag],
) -> Serving:
    """Compare rows with the DAGs that Airflow knows."""
    errors = version.errors if version else {}
    listed = {dag_id for dag_id, dag in dags.items() if not dag.stale}
    expected = [row for row in rows if row.status.in_bucket and _expected_revision(row, version)]
    removed = [row.dag_id for row in rows if not row.status.in_bucket]
    return Serving(
        head=head,
        version=version,
        rows=rows,
        dags=dags,
        missing=tuple(row.dag_id for row in expected if row.dag_id not in listed),
        stale=tuple(
            row.dag_id
            for row in expected
            if row.dag_id in listed and not serves(dags[row.dag_id], row, version)
        ),
        lingering=tuple(dag_id for dag_id in removed if dag_id in listed),
        broken={row.dag_id: errors[row.dag_id] for row in rows if row.dag_id in errors},
    )


def serves(dag: AirflowDag, row: RowState, version: VersionRecord | None) -> bool:
    """Return whether a DAG is what its row, or the revision it is held at, makes of it."""
    if dag.revision is None or dag.stale:
        return False
    expected = _expected_revision(row, version)
    return dag.revision > expected or (dag.revision == expected and dag.status is row.status)


def _expected_revision(row: RowState, version: VersionRecord | None) -> int:
    """Return the revision at which a row is to be served; 0 for a row that was never good.

    A row that is held without an error only waits for its trial build.
    """
    if version is None or row.dag_id not in version.errors:
        return row.revision
    return version.held.get(row.dag_id, row.revision)


def await_serving(
    look: Callable[[], Serving],
    store: Store,
    api: AirflowApi,
    *,
    timeout_seconds: float,
    removed: bool,
) -> Serving:
    """Wait until Airflow serves the head, asking it to parse the files that are behind.

    Args:
        look: Compares store and Airflow anew.
        store: The store.
        api: Airflow.
        timeout_seconds: How long to wait at most.
        removed: Whether removed DAGs have to be gone as well.

    Returns:
        The last comparison, whether all is served or time was up.
    """
    deadline = time.monotonic() + timeout_seconds
    ask_at = 0.0
    while True:
        serving = look()
        if serving.is_ready(removed=removed) or time.monotonic() >= deadline:
            return serving
        if time.monotonic() >= ask_at:
            _ask(serving, store, api)
            ask_at = time.monotonic() + _ASK_AGAIN_SECONDS
        time.sleep(_POLL_SECONDS)


def require_served(what: str, serving: Serving, *, removed: bool) -> None:
    """Raise unless Airflow serves the head.

    Args:
        what: What was looked at, for the error.
        serving: The last comparison.
        removed: Whether removed DAGs have to be gone as well.

    Raises:
        NotServedError: Names the DAGs and what to look at.
    """
    if not serving.is_published:
        last = serving.version.revision if serving.version else "none"
        msg = f"{what}: revision {serving.head.revision} is published by no DAG processor"
        remedy = f"Check the DAG processor's log; the last published revision is {last}."
        raise NotServedError(msg, remedy=remedy)
    left = serving.waits_for(removed=removed)
    if left:
        more = f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else ""
        shown = ", ".join(left[:_SHOWN])
        msg = f"{what}: Airflow does not serve the newest state of {shown}{more}"
        raise NotServedError(msg, remedy="Look at Airflow's import errors and the DAG processor.")


def _ask(serving: Serving, store: Store, api: AirflowApi) -> None:
    """Ask for the files of what is behind; of an unpublished revision for any."""
    behind = serving.waits_for(removed=True)
    shown = ", ".join(behind[:_SHOWN]) or "a DAG processor"
    _log.info(f"revision {serving.head.revision}: waiting for {shown}")
    ask_to_parse(store, api, serving.head, [row for row in serving.rows if row.dag_id in behind])
