"""What a bucket's stub calls: the sidecar beside it becomes DAGs.

It runs in every parse and at every task start, so it reads the sidecar and nothing else,
and a task gets only its own DAG. A row that fails here although its trial was good hides
none of its neighbours.
"""

from __future__ import annotations

import fcntl
import gc
import os
import time
from collections import defaultdict
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from dagfoundry import metrics, observers
from dagfoundry.errors import FactoryTypeMissingError
from dagfoundry.logs import get_logger
from dagfoundry.observations import BuiltDag, observed_dag
from dagfoundry.plugins import load_plugins
from dagfoundry.store import RowKind, RowState
from dagfoundry_airflow._compat import parsing_dag_id
from dagfoundry_airflow.appearances import metric_label
from dagfoundry_airflow.build import build_dag
from dagfoundry_airflow.folder import try_lock
from dagfoundry_airflow.placeholder_dag import build_placeholder
from dagfoundry_airflow.problem import cause, problem
from dagfoundry_airflow.snapshot import (
    NO_PLACEHOLDERS,
    all_placeholders,
    all_rows,
    find_row,
    sidecar_name,
)
from dagfoundry_airflow.stand_in import stand_in_for_task, stand_ins_for_parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dagfoundry.plugins import Plugins
    from dagfoundry.store import Placeholder

MEND_SECONDS: Final = 12.0
"""How long a parse waits for a damaged file: two refreshes at their default interval of 5 s,
and well within Airflow's ``dagbag_import_timeout`` of 30 s."""

_MEND_POLL_SECONDS: Final = 0.5
_BUILT: Final = "dagfoundry_dags_built"

_log = get_logger(__name__)
_parsed: Final[dict[str, int]] = {}


def load_bucket(stub: str) -> dict[str, Any]:
    """Return the DAGs of a bucket, by DAG id; for a task only the one it needs.

    Args:
        stub: Path of the stub.

    Raises:
        OSError: The sidecar is not there.
        ValueError: It is damaged, and nobody made it again.
    """
    chosen, placeholders = _patiently(sidecar_name(stub), parsing_dag_id())
    return build_rows(map(RowState.from_json, chosen), load_plugins(), placeholders)


def _patiently(
    sidecar: str, wanted: str | None
) -> tuple[list[dict[str, Any]], Mapping[str, Placeholder]]:
    """Return what to build; a damaged file is waited for, since a refresh makes it again.

    One parse that fails takes all DAGs of the file out of Airflow, if their last parse was
    longer ago than its ``stale_dag_threshold``.
    """
    until = time.monotonic() + MEND_SECONDS
    while time.monotonic() < until:
        with suppress(FileNotFoundError, ValueError):
            return _chosen(_read(sidecar, lock=wanted is None), wanted)
        time.sleep(_MEND_POLL_SECONDS)
    return _chosen(_read(sidecar, lock=wanted is None), wanted)


def _chosen(
    content: bytes, wanted: str | None
) -> tuple[list[dict[str, Any]], Mapping[str, Placeholder]]:
    row = find_row(content, wanted) if wanted else None
    return [row] if row else all_rows(content), all_placeholders(content)


def build_rows(
    rows: Iterable[RowState],
    plugins: Plugins,
    placeholders: Mapping[str, Placeholder] = NO_PLACEHOLDERS,
) -> dict[str, Any]:
    """Return the DAGs of rows, by DAG id.

    One that fails is logged and counted. It is left out, unless the store knows what it
    looked like when it was good: then a placeholder stands for it.

    Args:
        rows: The rows.
        plugins: The installed factory types.
        placeholders: DAG id to what stands for a row that cannot be built.
    """
    builder = _Builder(plugins, placeholders)
    try:
        with _collector_paused():
            built = {row.dag_id: builder.build(row) for row in rows}
    finally:  # also when Airflow's time limit ends the parse
        for (label, outcome), seconds in builder.times.items():
            metrics.dags_built(label, outcome, seconds)
        if builder.built:
            observers.tell(plugins, _BUILT, dags=builder.built)
    dags = {dag_id: dag for dag_id, dag in built.items() if dag is not None}
    return dags | stand_ins_for_parse(builder.failed) if builder.failed else dags


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep Python from looking for garbage among DAGs that all stay; it took a tenth of a build."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _Builder:
    """Builds the rows of one file, and notes how long each took and why one failed."""

    def __init__(self, plugins: Plugins, placeholders: Mapping[str, Placeholder]) -> None:
        self._plugins = plugins
        self._placeholders = placeholders
        self._is_observed = observers.is_observed(plugins, _BUILT)
        self.times: dict[tuple[str, str], list[float]] = defaultdict(list)
        self.built: list[BuiltDag] = []
        self.failed: dict[RowState, str] = {}

    def build(self, row: RowState) -> Any:  # noqa: ANN401 - a DAG, or None
        """Return a row's DAG or placeholder; None when it fails."""
        started = time.perf_counter()
        dag, outcome = self._build(row)
        seconds = time.perf_counter() - started
        self.times[metric_label(row), outcome].append(seconds)
        if self._is_observed and outcome == "ok" and row.kind is RowKind.ENTRY:
            self.built.append(BuiltDag(dag=observed_dag(row), seconds=seconds))
        return dag

    def _build(self, row: RowState) -> tuple[Any, str]:
        placeholder = self._placeholders.get(row.dag_id)
        try:
            if placeholder is not None:
                return build_placeholder(row, placeholder), "placeholder"
            return self._build_real(row)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a builder raises must hide no other DAG
            _log.exception("DAG cannot be built", dag_id=row.dag_id, revision=row.revision)
            self.failed[row] = cause(problem(row, error)[0])
            return None, "failed"

    def _build_real(self, row: RowState) -> tuple[Any, str]:
        try:
            return build_dag(row, self._plugins), "ok"
        except FactoryTypeMissingError as error:
            dag = stand_in_for_task(row, error)
            if dag is None:
                raise
            return dag, "placeholder"


def _read(sidecar: str, *, lock: bool) -> bytes:
    """Read a sidecar; a parse keeps it locked while the process lives.

    By the lock the publisher sees that a parse of the old content is under way, and
    touches the stub again after it (see :func:`dag_folder.touch_times`).
    """
    descriptor = os.open(sidecar, os.O_RDONLY | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", closefd=not lock) as file:
        if lock:
            try_lock(descriptor, fcntl.LOCK_SH)
            _replace_lock(sidecar, descriptor)
        return file.read()


def _replace_lock(sidecar: str, descriptor: int) -> None:
    previous = _parsed.get(sidecar)
    if previous is not None:
        os.close(previous)
    _parsed[sidecar] = descriptor
