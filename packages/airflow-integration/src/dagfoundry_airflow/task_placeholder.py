"""A worker that lacks a plugin: the task fails and says so.

Airflow would say that it does not find the DAG, and nobody would think of the image.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.errors import FoundryError
from dagfoundry.settings import read_settings
from dagfoundry.store import DagShape, Placeholder, open_store
from dagfoundry_airflow._compat import parsing_dag_id, parsing_task_id
from dagfoundry_airflow.placeholder_dag import build_placeholder

if TYPE_CHECKING:
    from dagfoundry.errors import FactoryTypeMissingError
    from dagfoundry.store import RowState

_TIMEOUT_SECONDS: Final = 2.0


def task_placeholder(row: RowState, error: FactoryTypeMissingError) -> Any:  # noqa: ANN401 - a DAG, or None
    """Return a DAG that holds the task for which this process parses; None where it runs none.

    Args:
        row: The row that cannot be built.
        error: Why.

    Raises:
        ValueError: The row's config_json is no JSON object.
    """
    task_id = parsing_task_id()
    if task_id is None or parsing_dag_id() != row.dag_id:
        return None
    shape = _last_shape(row)._replace(tasks=((task_id, ()),))
    reason = f"on this worker {error.what}. {error.remedy}"
    return build_placeholder(row, Placeholder(shape=shape, reason=reason))


def _last_shape(row: RowState) -> DagShape:
    """Return what the DAG looked like when it was last good; only its builder is of use."""
    none = DagShape(tasks=())
    try:
        with closing(open_store(read_settings().store_url, timeout_seconds=_TIMEOUT_SECONDS)) as s:
            return s.shapes(row.foundry, [row.dag_id]).get(row.dag_id, none)
    except FoundryError:
        return none  # the error then names the factory type only
