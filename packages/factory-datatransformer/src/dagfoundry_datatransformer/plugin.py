"""Offers the factory type ``datatransformer`` to DAG Foundry."""

from __future__ import annotations

from dagfoundry import EntryTable, FactoryType, hookimpl
from dagfoundry_datatransformer.config import TransformerConfig, TransformerItem
from dagfoundry_datatransformer.dags import build_transformer, tables_of
from dagfoundry_datatransformer.drafts import draft_transformer
from dagfoundry_datatransformer.examples import EXAMPLES
from dagfoundry_datatransformer.exports import export_transformers


@hookimpl
def dagfoundry_register_factory_types() -> list[FactoryType]:
    """Offer data transformers."""
    return [
        FactoryType(
            name="datatransformer",
            summary="Makes datasets from others, with SQL or an installed Python callable.",
            section="transformers",
            item=TransformerItem,
            draft=draft_transformer,
            config=TransformerConfig,
            build=build_transformer,
            table=EntryTable(
                suffix="airflow_datatransformer",
                key_column="workspace_name",
                config_key="phys_datatransformer_table_name",
            ),
            dag_id="{platform}__{key}_datatransformer",
            factory_dag_id="{platform}_datatransformer_factory",
            factory_tags=("datasurface", "datatransformer"),
            tables=tables_of,
            export=export_transformers,
            metric_labels=("output_datastore_name",),
            examples=EXAMPLES,
        )
    ]
