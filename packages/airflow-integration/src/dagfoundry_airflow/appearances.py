"""Which DAG ids this folder has ever served, so that a first appearance is counted once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagfoundry import metrics
from dagfoundry.store import RowKind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from dagfoundry.store import RowState


def metric_label(row: RowState) -> str:
    """Return the label ``factory_type`` of a row's DAG in all metrics."""
    return row.factory_type if row.kind is RowKind.ENTRY else row.kind.value


class Appearances:
    """DAG ids in a file that only grows.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: set[str] | None = None

    def count(self, appeared: Iterable[RowState], *, known: Iterable[str]) -> None:
        """Count the DAGs that appear for the first time.

        Args:
            appeared: Rows of DAGs that were not served before.
            known: DAG ids that were served before, by another host perhaps.

        Raises:
            OSError: The disk is full or read-only.
        """
        self._note(known)
        rows = {row.dag_id: row for row in appeared}
        for dag_id in self._note(rows):
            metrics.dags_created(metric_label(rows[dag_id]))

    def _note(self, dag_ids: Iterable[str]) -> set[str]:
        fresh = set(dag_ids) - self._read()
        if fresh:
            with self._path.open("a", encoding="utf-8") as file:
                file.write("".join(f"{dag_id}\n" for dag_id in sorted(fresh)))
            self._read().update(fresh)
        return fresh

    def _read(self) -> set[str]:
        if self._known is None:
            found = self._path.exists()
            self._known = set(self._path.read_text("utf-8").splitlines()) if found else set()
        return self._known
