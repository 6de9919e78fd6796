"""The DAG of a factory: every five minutes it brings its entries and Airflow together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dagfoundry.names import k8s_name

if TYPE_CHECKING:
    from dagfoundry.factories import FactoryType
    from dagfoundry.store.records import RowState
    from dagfoundry_airflow.kit import Kit

TASK_ID: Final = "sync_dags"
_EVERY_FIVE_MINUTES: Final = "*/5 * * * *"


def build_factory_dag(row: RowState, factory_type: FactoryType, kit: Kit) -> Any:  # noqa: ANN401 - an Airflow DAG
    """Return the DAG of a factory row.

    Args:
        row: The factory row.
        factory_type: Its type, for the tags.
        kit: The row's kit.
    """
    from dagfoundry_airflow.operators import FunctionOperator
    from dagfoundry_airflow.reconcile import reconcile_factory

    tags = ("factory", k8s_name(row.platform_name), *factory_type.factory_tags)
    with kit.dag(schedule=_EVERY_FIVE_MINUTES, tags=tags) as dag:
        FunctionOperator(
            task_id=TASK_ID,
            function=reconcile_factory,
            arguments={
                "foundry": row.foundry,
                "platform_name": row.platform_name,
                "factory_type": row.factory_type,
                "dag_id": row.dag_id,
            },
        )
    return dag
