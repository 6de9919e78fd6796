"""The DAG of a foundry: merge the model, see that Airflow serves it, look after the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dagfoundry.names import k8s_name

if TYPE_CHECKING:
    from dagfoundry.store.records import RowState
    from dagfoundry_airflow.kit import Kit

MERGE_COMMAND: Final = ("-m", "dagfoundry", "merge", "--as-job")
"""Merges the model that ``DAGFOUNDRY_MODEL`` names."""


def build_infrastructure_dag(row: RowState, kit: Kit) -> Any:  # noqa: ANN401 - an Airflow DAG
    """Return the infrastructure DAG of a foundry (reference system, 3.1).

    Args:
        row: The row that stands for it.
        kit: The row's kit.
    """
    tags = ("datasurface", "infrastructure", k8s_name(row.foundry))
    with kit.dag(schedule="@daily", tags=tags, retries=1) as dag:
        _tasks(row.foundry, kit)
    return dag


def _tasks(foundry: str, kit: Kit) -> None:
    from dagfoundry_airflow.infrastructure_tasks import (
        await_revision,
        collect_metrics,
        list_grants,
        list_removable_tables,
    )
    from dagfoundry_airflow.operators import FunctionOperator

    arguments = {"foundry": foundry}
    start = kit.empty("start_infrastructure_tasks")
    merge = kit.job("infrastructure_merge_task", MERGE_COMMAND, spec=arguments)
    create = FunctionOperator(
        task_id="create_factory_dags", function=await_revision, arguments=arguments
    )
    security = FunctionOperator(
        task_id="apply_security_task", function=list_grants, arguments=arguments
    )
    removal = FunctionOperator(
        task_id="table_removal_task", function=list_removable_tables, arguments=arguments
    )
    metrics = FunctionOperator(
        task_id="metrics_collector_task", function=collect_metrics, arguments=arguments
    )
    end = kit.empty("end_infrastructure_tasks")
    start >> merge >> create >> [security, metrics]
    security >> removal
    [removal, metrics] >> end
