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
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from dagfoundry import metrics
from dagfoundry.errors import FactoryTypeMissingError
from dagfoundry.logs import get_logger
from dagfoundry.plugins import load_plugins
from dagfoundry.store import RowState
from dagfoundry_airflow._compat import parsing_dag_id
from dagfoundry_airflow.appearances import metric_label
from dagfoundry_airflow.build import build_dag
from dagfoundry_airflow.folder import try_lock
from dagfoundry_airflow.placeholder_dag import build_placeholder
from dagfoundry_airflow.snapshot import (
    NO_PLACEHOLDERS,
    all_placeholders,
    all_rows,
    find_row,
    sidecar_name,
)
from dagfoundry_airflow.task_placeholder import task_placeholder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dagfoundry.plugins import Plugins
    from dagfoundry.store import Placeholder

_log = get_logger(__name__)
_parsed: Final[dict[str, int]] = {}


def load_bucket(stub: str) -> dict[str, Any]:
    """Return the DAGs of a bucket, by DAG id; for a task only the one it needs.

    Args:
        stub: Path of the stub.

    Raises:
        OSError: The sidecar is not there.
    """
    wanted = parsing_dag_id()
    content = _read(sidecar_name(stub), lock=wanted is None)
    row = find_row(content, wanted) if wanted else None
    chosen = [row] if row else all_rows(content)
    return build_rows(map(RowState.from_json, chosen), load_plugins(), all_placeholders(content))


def build_rows(
    rows: Iterable[RowState],
    plugins: Plugins,
    placeholders: Mapping[str, Placeholder] = NO_PLACEHOLDERS,
) -> dict[str, Any]:
    """Return the DAGs of rows, by DAG id; one that fails is logged, counted and left out.

    Args:
        rows: The rows.
        plugins: The installed factory types.
        placeholders: DAG id to what stands for a row that cannot be built.
    """
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    try:
        with _collector_paused():
            built = {
                row.dag_id: _timed(row, plugins, placeholders.get(row.dag_id), times)
                for row in rows
            }
    finally:  # also when Airflow's time limit ends the parse
        for (label, outcome), seconds in times.items():
            metrics.dags_built(label, outcome, seconds)
    return {dag_id: dag for dag_id, dag in built.items() if dag is not None}


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


def _timed(
    row: RowState,
    plugins: Plugins,
    placeholder: Placeholder | None,
    times: dict[tuple[str, str], list[float]],
) -> Any:  # noqa: ANN401 - a DAG, or None
    started = time.perf_counter()
    dag, outcome = _build(row, plugins, placeholder)
    times[metric_label(row), outcome].append(time.perf_counter() - started)
    return dag


def _build(row: RowState, plugins: Plugins, placeholder: Placeholder | None) -> tuple[Any, str]:
    """Return a DAG or None, and the outcome that is counted."""
    try:
        if placeholder is not None:
            return build_placeholder(row, placeholder), "placeholder"
        return _build_real(row, plugins)
    except (Exception, SystemExit):  # noqa: BLE001 - whatever a builder raises must hide no other DAG
        _log.exception("DAG is left out", dag_id=row.dag_id, revision=row.revision)
        return None, "failed"


def _build_real(row: RowState, plugins: Plugins) -> tuple[Any, str]:
    try:
        return build_dag(row, plugins), "ok"
    except FactoryTypeMissingError as error:
        dag = task_placeholder(row, error)
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
