"""How a stored transformer becomes a DAG (reference system, 3.4).

The reference's sensors wait for a run of equal logical date, which never comes
(defects D3 and D42). Here a transformer without a schedule runs when the datasets
that it reads were written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dagfoundry import OnDatasets
from dagfoundry.connections import merge_store_of
from dagfoundry_datatransformer.config import TransformerConfig
from dagfoundry_datatransformer.spec import OutputSpec, TransformerSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dagfoundry import DagKit, Entry

_JOB: Final = ("-m", "dagfoundry_datatransformer.job")


def build_transformer(entry: Entry, kit: DagKit) -> Any:  # noqa: ANN401 - an Airflow DAG
    """Return the DAG of a stored transformer.

    Raises:
        pydantic.ValidationError: The row's config is not a transformer's.
    """
    config = entry.config_as(TransformerConfig)
    tags = ("datasurface", "datatransformer", config.platform_name, config.workspace_name)
    with kit.dag(schedule=_schedule(config), tags=tags) as dag:
        _tasks(config, _spec(entry, config), kit)
    return dag


def tables_of(entry: Entry) -> Sequence[str]:
    """Return the merge store's tables that hold a stored transformer's outputs."""
    # not at module level: every parse and task start loads this module, and none needs it
    from dagfoundry.mergestore import merge_table_name, staging_table_name, transformer_table_name

    config = entry.config_as(TransformerConfig)
    return [
        name_of(entry.platform_name, config.output_datastore_name, output)
        for output in config.output_dataset_list
        for name_of in (transformer_table_name, merge_table_name, staging_table_name)
    ]


def _tasks(config: TransformerConfig, spec: dict[str, Any], kit: DagKit) -> None:
    start = kit.empty("start_datatransformer")
    transform = kit.job(
        "datatransformer_job",
        (*_JOB, "run-datatransformer"),
        spec=spec,
        priority=config.priority,
    )
    ingest = kit.job(
        "output_ingestion_job",
        (*_JOB, "ingest-output"),
        spec=spec,
        outlets=config.produces,
        priority=config.priority,
    )
    check = kit.branch_on_result(
        "check_result",
        job="output_ingestion_job",
        done="wait_for_trigger",
        keep_working="reschedule_immediately",
        trigger_rule="none_failed_min_one_success",
    )
    start >> transform >> ingest
    [transform, ingest] >> check
    check >> [kit.retrigger("reschedule_immediately"), kit.empty("wait_for_trigger")]


def _schedule(config: TransformerConfig) -> str | OnDatasets | None:
    if config.schedule_string is not None:
        return config.schedule_string
    inputs = config.input_dataset_list
    return OnDatasets(datasets=inputs) if inputs else None


def _spec(entry: Entry, config: TransformerConfig) -> dict[str, Any]:
    options = config.dagfoundry
    spec = TransformerSpec(
        platform=entry.platform_name,
        transformer=config.workspace_name,
        merge_store=merge_store_of(entry.config),
        milestoning=options.milestoning,
        output_store=config.output_datastore_name,
        inputs=options.inputs,
        outputs=options.outputs or _reference_outputs(config),
        python=options.python,
    )
    return spec.model_dump(mode="json", exclude_none=True)


def _reference_outputs(config: TransformerConfig) -> tuple[OutputSpec, ...]:
    """Return the outputs of a reference deployment's row, which says only their names."""
    return tuple(OutputSpec(name=name) for name in config.output_dataset_list)
