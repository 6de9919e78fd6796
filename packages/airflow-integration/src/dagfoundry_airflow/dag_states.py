"""Where a changed DAG is on its way: stored, proved, parsed, schedulable, removed or broken."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.factories import Status
from dagfoundry.serving import DagState, ServedDag
from dagfoundry_airflow.serving import serves

if TYPE_CHECKING:
    from dagfoundry.store import RowState, VersionRecord
    from dagfoundry_airflow.airflow_api import AirflowDag

_NOTES: Final = {
    Status.ACTIVE: "",
    Status.INACTIVE: "has no schedule: not enabled in the model",
    Status.RETIRING: "has no schedule: runs finish, then the factory DAG removes it",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangedRow:
    """A row that a revision changed.

    Attributes:
        wanted: The row as of the revision.
        newest: The row as of the head.
    """

    wanted: RowState
    newest: RowState

    def stored_state(self, version: VersionRecord | None) -> ServedDag:
        """Return how far the row is, as far as the store knows.

        Args:
            version: The newest version that a DAG processor recorded.
        """
        row = self.wanted
        if version is None or version.revision < row.revision:
            return self._served(DagState.STORED)
        held = version.held.get(row.dag_id)
        report = version.errors.get(row.dag_id)
        is_placeholder = row.dag_id in version.placeholders
        if held is not None and held >= row.revision and not is_placeholder:
            return self._served(DagState.PROVED)  # a later row of it is the one that is held
        if report is not None and row.status is Status.RETIRING:
            return self._served(DagState.PROVED)  # its last good definition, if any, is drained
        if report is not None:
            return self._served(DagState.BROKEN, note=_kept(row, version), report=report)
        if held is not None:
            return self._served(DagState.STORED, note="waits for its trial build")
        return self._served(DagState.PROVED)

    def airflow_state(
        self, dag: AirflowDag | None, version: VersionRecord | None, *, paused_by_us: bool = False
    ) -> ServedDag:
        """Return how far a proved row is, by what Airflow knows of its DAG.

        Args:
            dag: The DAG; None when Airflow does not know it.
            version: The newest version that a DAG processor recorded.
            paused_by_us: Whether DAG Foundry paused the DAG, and no person.
        """
        if dag is None or dag.stale:
            gone = self._gone_reason(version)
            if gone is not None:
                return self._served(DagState.REMOVED, is_ready=True, note=gone)
        elif not self.wanted.status.in_bucket:
            return self._lingering_state(dag)
        if dag is None:
            return self._served(DagState.PROVED, note="not in Airflow's list")
        if not serves(replace(dag, stale=False), self.wanted, version):
            return self._served(DagState.PROVED, note=f"Airflow serves revision {dag.revision}")
        if dag.stale or dag.import_errors:
            why = "its file has an import error" if dag.import_errors else "not in Airflow's list"
            return self._served(DagState.PARSED, note=why)
        return self._listed_state(dag, paused_by_us=paused_by_us)

    def _listed_state(self, dag: AirflowDag, *, paused_by_us: bool) -> ServedDag:
        """Return the state of a DAG that Airflow lists as the row wants it."""
        if self.wanted.status is not Status.ACTIVE:
            return self._served(DagState.PARSED, is_ready=True, note=_NOTES[self.wanted.status])
        if dag.paused and paused_by_us:
            return self._served(DagState.PARSED, note="paused until its factory DAG runs")
        note = "paused in Airflow" if dag.paused else ""
        return self._served(DagState.SCHEDULABLE, is_ready=True, note=note, next_run=dag.next_run)

    def _gone_reason(self, version: VersionRecord | None) -> str | None:
        """Return why it is right that Airflow does not list the DAG; None when it is not."""
        if not self.wanted.status.in_bucket:
            return ""
        if not self.newest.status.in_bucket:
            return "removed since"
        never_good = version is not None and version.held.get(self.wanted.dag_id) == 0
        return "was never served" if self.wanted.status is Status.RETIRING and never_good else None

    def _lingering_state(self, dag: AirflowDag) -> ServedDag:
        """Return the state of a DAG that was to go and is listed."""
        if self.newest.status.in_bucket and (dag.revision or 0) > self.wanted.revision:
            return self._served(DagState.REMOVED, is_ready=True, note="back since")
        return self._served(DagState.PROVED, note="still in Airflow's list")

    def _served(self, state: DagState, **found: Any) -> ServedDag:  # noqa: ANN401 - the other fields
        row = self.wanted
        return ServedDag(
            dag_id=row.dag_id, status=row.status, revision=row.revision, state=state, **found
        )


def _kept(row: RowState, version: VersionRecord) -> str:
    held = version.held.get(row.dag_id)
    if row.dag_id in version.placeholders:
        return "a placeholder stands for it" + (f", of revision {held}" if held else "")
    return f"Airflow keeps revision {held}" if held else "Airflow has never had it"
