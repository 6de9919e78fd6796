"""Offers the factory type ``dagfactory`` to DAG Foundry."""

from __future__ import annotations

from typing import Final

from dagfoundry import FactoryType, hookimpl
from dagfoundry_dagfactory.build import build_dag
from dagfoundry_dagfactory.checks import check_dags
from dagfoundry_dagfactory.drafts import draft_dag
from dagfoundry_dagfactory.exports import export_dags
from dagfoundry_dagfactory.model import DagConfig, DagItem
from dagfoundry_dagfactory.references import DAG_ID

_EXAMPLES: Final = (
    {
        "name": "nightly",
        "schedule": "0 3 * * *",
        "timezone": "Europe/Amsterdam",
        "task_groups": {"load": {"tooltip": "One task a table", "dependencies": ["start"]}},
        "tasks": {
            "start": {"operator": "EmptyOperator"},
            "orders": {"operator": "EmptyOperator", "task_group_name": "load"},
            "done": {"operator": "EmptyOperator", "dependencies": ["load"]},
        },
    },
    {
        "name": "on_data",
        "schedule": ["s3://raw/orders", "s3://raw/customers"],
        "doc_md": "Runs when both were written.",
        "tasks": {"join": {"operator": "EmptyOperator", "outlets": ["s3://clean/orders"]}},
    },
)


@hookimpl
def dagfoundry_register_factory_types() -> list[FactoryType]:
    """Offer DAGs in the YAML of dag-factory."""
    return [
        FactoryType(
            name="dagfactory",
            summary="Runs tasks of allowed operators, written as dag-factory's YAML writes them.",
            section="dagfactory_dags",
            item=DagItem,
            draft=draft_dag,
            config=DagConfig,
            build=build_dag,
            dag_id=DAG_ID,
            factory_tags=("dagfactory",),
            export=export_dags,
            check=check_dags,
            examples=_EXAMPLES,
        )
    ]
