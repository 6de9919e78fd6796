"""Offers the factory type ``platform`` to DAG Foundry."""

from __future__ import annotations

from dagfoundry import EntryTable, FactoryType, hookimpl
from dagfoundry_platform.config import StoreItem, StreamConfig
from dagfoundry_platform.dags import build_stream, tables_of
from dagfoundry_platform.drafts import draft_store
from dagfoundry_platform.examples import EXAMPLES
from dagfoundry_platform.exports import export_streams


@hookimpl
def dagfoundry_register_factory_types() -> list[FactoryType]:
    """Offer ingestion streams."""
    return [
        FactoryType(
            name="platform",
            summary="Copies the tables of stores into a platform's merge store.",
            section="stores",
            item=StoreItem,
            draft=draft_store,
            config=StreamConfig,
            build=build_stream,
            table=EntryTable(
                suffix="airflow_dsg", key_column="stream_key", config_key="phys_dag_table_name"
            ),
            dag_id="{platform}__{key}_ingestion",
            factory_dag_id="{platform}_factory_dag",
            factory_tags=("datasurface", "dynamic-dag-manager"),
            tables=tables_of,
            export=export_streams,
            metric_labels=("store_name",),
            examples=EXAMPLES,
        )
    ]
