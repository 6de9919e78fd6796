"""Which row of each DAG is served: the newest, the last good one, or none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from dagfoundry_airflow.problem import report

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dagfoundry.store import RowState
    from dagfoundry_airflow.state import State
    from dagfoundry_airflow.trial import Verdict

_Value = TypeVar("_Value")


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """What is served of a DAG.

    Attributes:
        row: The row in the bucket; None keeps the DAG out.
        held: Revision at which the DAG is held, 0 when it was never good; None when
            its newest row is served.
        error: The report of what is wrong with its newest row.
        pending: Whether its newest row waits for its trial.
    """

    row: RowState | None
    held: int | None = None
    error: str | None = None
    pending: bool = False


def choose(newest: RowState, served: RowState | None, verdict: Verdict | None) -> Choice:
    """Choose what is served of a DAG.

    A held DAG keeps its old definition but takes its new status, so that an entry that
    was removed from the model is drained whatever its definition looks like.

    Args:
        newest: The DAG's newest row.
        served: The row served so far.
        verdict: What the trial said of the newest row; None when it is not over.
    """
    if not newest.status.in_bucket:
        return Choice(row=None)
    if verdict is not None and verdict.good:
        return Choice(row=newest)
    kept = served._replace(status=newest.status) if served else None
    held = None if kept == newest else (kept.revision if kept else 0)
    if verdict is None:
        return Choice(row=kept, held=held, pending=True)
    error = report(verdict.what, verdict.remedy, newest=newest, kept=kept)
    return Choice(row=kept, held=held, error=error)


class Selection:
    """The rows that are served after a step, beginning with those served before.

    Args:
        before: What was served before.
        served: Gives the rows of a bucket that were served before, by DAG id.
    """

    def __init__(self, before: State, served: Callable[[int], Mapping[str, RowState]]) -> None:
        self._served = served
        self.held = dict(before.held)
        self.errors = dict(before.errors)
        self.pending = set(before.pending)
        self.buckets: dict[int, dict[str, RowState]] = {}
        """The buckets whose rows change."""

    def take(self, newest: RowState, verdict: Verdict | None, *, is_new: bool) -> None:
        """Choose what is served of one DAG.

        Args:
            newest: Its newest row.
            verdict: What the trial said; None when it is not over.
            is_new: Whether the row changed since it was looked at last. One that did
                not keeps its error while it is tried again.
        """
        dag_id, served = newest.dag_id, self._served(newest.bucket).get(newest.dag_id)
        choice = choose(newest, served, verdict)
        error = self.errors.get(dag_id) if choice.pending and not is_new else choice.error
        _put(self.held, dag_id, choice.held)
        _put(self.errors, dag_id, error)
        (self.pending.add if choice.pending else self.pending.discard)(dag_id)
        if choice.row != served:
            _put(self._changing(newest.bucket), dag_id, choice.row)

    def _changing(self, bucket: int) -> dict[str, RowState]:
        return self.buckets.setdefault(bucket, dict(self._served(bucket)))

    def appeared(self) -> tuple[RowState, ...]:
        """Return the rows of DAGs that were not served before."""
        return tuple(
            row
            for bucket, rows in self.buckets.items()
            for dag_id, row in rows.items()
            if dag_id not in self._served(bucket)
        )

    def lossy(self) -> frozenset[int]:
        """Return the buckets that go on but lose a DAG."""
        return frozenset(
            bucket
            for bucket, rows in self.buckets.items()
            if rows and self._served(bucket).keys() - rows.keys()
        )


def _put(values: dict[str, _Value], key: str, value: _Value | None) -> None:
    if value is None:
        values.pop(key, None)
    else:
        values[key] = value
