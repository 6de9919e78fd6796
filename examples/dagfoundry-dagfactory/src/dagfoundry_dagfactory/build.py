"""How a stored entry becomes a DAG. Airflow is imported only inside these functions."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dagfoundry import DagDetails
from dagfoundry.errors import BuildFailedError
from dagfoundry_dagfactory.allowed import load_allowed
from dagfoundry_dagfactory.graph import build_order
from dagfoundry_dagfactory.model import DagConfig
from dagfoundry_dagfactory.rules import problems
from dagfoundry_dagfactory.tasks import TaskMaker
from dagfoundry_dagfactory.values import argument, condition, moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dagfoundry import DagKit, Entry

    Nodes = dict[str, Any]

_MEND = "Correct it in the model and merge again."


def build_dag(entry: Entry, kit: DagKit) -> Any:  # noqa: ANN401 - an Airflow DAG
    """Return the DAG of a stored entry.

    Raises:
        BuildFailedError: Something in the row is wrong, or is not allowed here.
        pydantic.ValidationError: The row's config is not a DAG's.
    """
    config = entry.config_as(DagConfig)
    refuse_unsound(config)
    details, schedule = _details(config), condition(config.schedule)
    with kit.dag(schedule=schedule, tags=("dagfactory",), details=details) as dag:
        groups = _groups(config)
        maker = TaskMaker(platform=entry.platform_name, config=config, groups=groups)
        for task_id in build_order(config):
            maker.make(task_id)
        _connect(config, {**maker.made, **groups})
    return dag


def refuse_unsound(config: DagConfig) -> None:
    """Refuse a DAG of which something is wrong or not allowed; a hand may have edited the row.

    Raises:
        BuildFailedError: Names all of it.
    """
    found = list(problems(config, load_allowed()))
    if found:
        listed = "; ".join(f"{'.'.join(map(str, each.path))}: {each.what}" for each in found)
        raise BuildFailedError(listed, remedy=found[0].remedy if len(found) == 1 else _MEND)


def _details(config: DagConfig) -> DagDetails:
    zone, timeout = config.timezone, config.dagrun_timeout
    texts = [text.strip() for text in (config.description, config.doc_md) if text.strip()]
    is_utc = zone == "UTC" and config.start_date is None
    return DagDetails(
        documentation="\n\n".join(texts),
        display_name=config.dag_display_name,
        start_date=None if is_utc else moment(config.start_date or "2025-01-01", zone),
        end_date=moment(config.end_date, zone),
        catchup=config.catchup,
        max_active_runs=config.max_active_runs,
        max_active_tasks=config.max_active_tasks,
        dagrun_timeout=timedelta(seconds=timeout) if timeout else None,
        render_template_as_native_obj=config.render_template_as_native_obj,
        params=config.params,
        default_args=_arguments(config.default_args, zone),
    )


def _arguments(written: Mapping[str, Any], zone: str) -> dict[str, Any]:
    return {name: argument(name, value, zone) for name, value in written.items()}


def _groups(config: DagConfig) -> Nodes:
    from airflow.providers.common.compat.sdk import TaskGroup

    groups: Nodes = {}

    def make(name: str) -> Any:  # noqa: ANN401 - an Airflow task group
        if name not in groups:
            group, parent = config.task_groups[name], config.task_groups[name].parent_group_name
            arguments: dict[str, Any] = {
                "group_id": name,
                "parent_group": make(parent) if parent else None,
                "tooltip": group.tooltip,
                "default_args": _arguments(group.default_args, config.timezone),
            }
            groups[name] = TaskGroup(**arguments)
        return groups[name]

    for name in config.task_groups:
        make(name)
    return groups


def _connect(config: DagConfig, nodes: Nodes) -> None:
    for name, node in config.nodes.items():
        for dependency in node.dependencies:
            nodes[name].set_upstream(nodes[dependency])
