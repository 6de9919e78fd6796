"""Placeholders of a process that finds by itself that it cannot build a DAG.

A version names the DAGs that a trial found broken. Until that trial is over, and on a
worker whose plugins are not those of the DAG processor, a row that was good fails here. A
parse that left it out would take its DAG out of Airflow; a task would be told that its DAG
is not found, and nobody would think of the image.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.errors import FoundryError
from dagfoundry.logs import get_logger
from dagfoundry.settings import read_settings
from dagfoundry.store import DagShape, Placeholder, open_store
from dagfoundry_airflow._compat import parsing_dag_id, parsing_task_id
from dagfoundry_airflow.placeholder_dag import build_placeholder

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from dagfoundry.errors import FactoryTypeMissingError
    from dagfoundry.store import RowState

_TIMEOUT_SECONDS: Final = 2.0

_log = get_logger(__name__)


def stand_in_for_task(row: RowState, error: FactoryTypeMissingError) -> Any:  # noqa: ANN401 - a DAG, or None
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
    shape = _shapes(row.foundry, [row.dag_id]).get(row.dag_id, DagShape(tasks=()))
    reason = f"on this worker {error.what}. {error.remedy}"
    only_it = shape._replace(tasks=((task_id, ()),))
    return build_placeholder(row, Placeholder(shape=only_it, reason=reason))


def stand_ins_for_parse(failed: Mapping[RowState, str]) -> dict[str, Any]:
    """Return placeholders of rows that were good, by DAG id; none in a task's process.

    Args:
        failed: Rows of one foundry that cannot be built, each with the reason.
    """
    if parsing_dag_id() is not None:
        return {}
    foundry = next(iter(failed)).foundry
    shapes = _shapes(foundry, {row.dag_id for row in failed})
    placeholders = {
        row: Placeholder(shape=shapes[row.dag_id], reason=reason)
        for row, reason in failed.items()
        if row.dag_id in shapes
    }
    dags = {row.dag_id: _build(row, stands) for row, stands in placeholders.items()}
    return {dag_id: dag for dag_id, dag in dags.items() if dag is not None}


def _build(row: RowState, placeholder: Placeholder) -> Any:  # noqa: ANN401 - a DAG, or None
    try:
        return build_placeholder(row, placeholder)
    except ValueError:  # its config is no JSON, so it cannot have been good
        return None


def _shapes(foundry: str, dag_ids: Collection[str]) -> dict[str, DagShape]:
    """Return what the store knows of DAGs that were good; nothing while it is away."""
    try:
        store = open_store(read_settings().store_url, timeout_seconds=_TIMEOUT_SECONDS)
        with closing(store):
            return store.shapes(foundry, dag_ids)
    except FoundryError as error:
        _log.warning("shapes of DAGs cannot be read", foundry=foundry, reason=str(error))
        return {}
