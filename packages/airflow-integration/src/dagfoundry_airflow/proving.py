"""Which rows of a step are tried: the newest, and what would be kept in the place of bad ones."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from dagfoundry.store.shapes import ShapeSeen
from dagfoundry_airflow.selection import Outcome, kept_row
from dagfoundry_airflow.shape import UNKNOWN
from dagfoundry_airflow.shape_keeper import recall_shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from dagfoundry.store import DagShape, RowState, Store
    from dagfoundry_airflow.state import State
    from dagfoundry_airflow.trial import Trials, Verdict

_BACKGROUND_SECONDS: Final = 0.25
"""How long to wait for trials of rows that are served already."""


class Proving:
    """Tries the rows of one step.

    Args:
        store: Asked for shapes of DAGs that cannot be built any more.
        before: What was served before.
        served: Gives the rows of a bucket that were served before, by DAG id.
    """

    def __init__(
        self, store: Store, before: State, served: Callable[[int], Mapping[str, RowState]]
    ) -> None:
        self._store = store
        self._before = before
        self._served = served

    def try_rows(
        self, rows: Mapping[str, RowState], trials: Trials, patience: float
    ) -> dict[str, Outcome]:
        """Return what is known of rows in time, by DAG id.

        Args:
            rows: The newest rows, by DAG id.
            trials: Where rows are proved.
            patience: How long to wait for trials, in seconds.

        Raises:
            StoreUnavailableError: The store cannot be asked.
            TrialUnavailableError: Nothing can be proved.
        """
        until = time.monotonic() + patience
        verdicts = self._try_newest(rows, trials, patience)
        bad = {dag_id: rows[dag_id] for dag_id, verdict in verdicts.items() if not verdict.good}
        kept = self._try_kept(bad, verdicts, trials, until)
        shapes = self._last_shapes([d for d, verdict in kept.items() if not verdict.good])
        return {
            d: Outcome(newest=verdict, kept=kept.get(d), shape=shapes.get(d, UNKNOWN))
            for d, verdict in verdicts.items()
        }

    def _try_newest(
        self, rows: Mapping[str, RowState], trials: Trials, patience: float
    ) -> dict[str, Verdict]:
        """Try rows bucket by bucket, so that few buckets are rewritten for a part of theirs.

        Other plugins are waited for as new rows are: a parse that comes first would leave
        out what cannot be built any more.
        """
        visible = [row for row in rows.values() if row.status.in_bucket]
        fresh = {r.dag_id for r in visible if self._served(r.bucket).get(r.dag_id) != r}
        visible.sort(key=lambda row: (row.dag_id not in fresh, row.bucket, row.dag_id))
        waits = fresh or self._before.environment != trials.environment
        return trials.prove(visible, patience=patience if waits else _BACKGROUND_SECONDS)

    def _try_kept(
        self,
        bad: Mapping[str, RowState],
        verdicts: Mapping[str, Verdict],
        trials: Trials,
        until: float,
    ) -> dict[str, Verdict]:
        """Try what would be kept in the place of bad rows: a plugin may be to blame."""
        kept = {d: kept_row(row, self._served(row.bucket).get(d)) for d, row in bad.items()}
        older = {d: row for d, row in kept.items() if row is not None and row != bad[d]}
        again: dict[str, Verdict] = {}
        if older:
            patience = max(0.0, until - time.monotonic())
            again = trials.prove(older.values(), patience=patience)
        for dag_id in older.keys() - again.keys():
            trials.remember(bad[dag_id], verdicts[dag_id])
        return again | {d: verdicts[d] for d, row in kept.items() if row == bad[d]}

    def _last_shapes(self, dag_ids: Collection[str]) -> dict[str, DagShape]:
        before = self._before.placeholders
        shapes = {d: before[d].shape for d in dag_ids if d in before}
        unknown = [d for d in dag_ids if shapes.get(d, UNKNOWN) == UNKNOWN]
        return shapes | recall_shapes(self._store, self._before.foundry, unknown)


def seen_shapes(
    rows: Mapping[str, RowState], outcomes: Mapping[str, Outcome]
) -> dict[str, ShapeSeen]:
    """Return the shapes of rows that were found good, by DAG id."""
    return {
        dag_id: ShapeSeen(rows[dag_id].revision, outcome.newest.shape)
        for dag_id, outcome in outcomes.items()
        if outcome.newest is not None and outcome.newest.shape is not None
    }
