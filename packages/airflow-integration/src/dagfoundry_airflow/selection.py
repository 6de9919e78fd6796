"""Which row of each DAG is served: the newest, the last good one, a placeholder, or none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from dagfoundry.store import Placeholder
from dagfoundry_airflow.problem import cause, report
from dagfoundry_airflow.shape import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dagfoundry.store import DagShape, RowState
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
        placeholder: What stands for the row in the bucket, which cannot be built.
        pending: Whether its newest row, or the one that is kept, waits for its trial.
    """

    row: RowState | None
    held: int | None = None
    error: str | None = None
    placeholder: Placeholder | None = None
    pending: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What is known of a DAG's newest row, and of the one to keep if that is bad.

    Attributes:
        newest: The verdict on the newest row; None when its trial is not over.
        kept: The verdict on the row to keep; None when its trial is not over, or there
            is none.
        shape: What the DAG looked like when it was last good.
    """

    newest: Verdict | None = None
    kept: Verdict | None = None
    shape: DagShape = UNKNOWN


def kept_row(newest: RowState, served: RowState | None) -> RowState | None:
    """Return the row to keep when the newest one is bad.

    A held DAG keeps its old definition but takes its new status, so that an entry that
    was removed from the model is drained whatever its definition looks like.
    """
    return served._replace(status=newest.status) if served else None


def choose(
    newest: RowState, served: RowState | None, outcome: Outcome, before: Placeholder | None = None
) -> Choice:
    """Choose what is served of a DAG.

    Args:
        newest: The DAG's newest row.
        served: The row served so far.
        outcome: What the trials said.
        before: What stands for the row served so far, if that is a placeholder.
    """
    if not newest.status.in_bucket:
        return Choice(row=None)
    if outcome.newest is not None and outcome.newest.good:
        return Choice(row=newest)
    kept = kept_row(newest, served)
    held = None if kept == newest else (kept.revision if kept else 0)
    if outcome.newest is None:
        return Choice(row=kept, held=held, placeholder=before, pending=True)
    stands = _placeholder(kept, outcome, before)
    error = report(
        outcome.newest.what, outcome.newest.remedy, newest=newest, kept=kept, placeholder=stands
    )
    waits = kept is not None and outcome.kept is None
    return Choice(row=kept, held=held, error=error, placeholder=stands, pending=waits)


def _placeholder(
    kept: RowState | None, outcome: Outcome, before: Placeholder | None
) -> Placeholder | None:
    if kept is None or outcome.kept is None:
        return before
    if outcome.kept.good:
        return None
    return Placeholder(shape=outcome.shape, reason=cause(outcome.kept.what))


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
        self.placeholders = dict(before.placeholders)
        self.pending = set(before.pending)
        self.buckets: dict[int, dict[str, RowState]] = {}
        """The buckets whose rows change."""

    def take(self, newest: RowState, outcome: Outcome, *, is_new: bool) -> None:
        """Choose what is served of one DAG.

        Args:
            newest: Its newest row.
            outcome: What the trials said.
            is_new: Whether the row changed since it was looked at last. One that did
                not keeps its error while it is tried again.
        """
        dag_id, served = newest.dag_id, self._served(newest.bucket).get(newest.dag_id)
        before = self.placeholders.get(dag_id)
        choice = choose(newest, served, outcome, before)
        keeps_error = choice.error is None and choice.pending and not is_new
        _put(self.held, dag_id, choice.held)
        _put(self.errors, dag_id, self.errors.get(dag_id) if keeps_error else choice.error)
        _put(self.placeholders, dag_id, choice.placeholder)
        (self.pending.add if choice.pending else self.pending.discard)(dag_id)
        if choice.row != served or choice.placeholder != before:
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
