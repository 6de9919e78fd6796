"""How a stored stream becomes a DAG (reference system, 3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dagfoundry.connections import merge_store_of
from dagfoundry_platform.config import StreamConfig
from dagfoundry_platform.spec import DatasetSpec, StreamSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dagfoundry import DagKit, Entry

_JOB: Final = ("-m", "dagfoundry_platform.job", "snapshot-merge")

_LONGEST_TAG: Final = 100
"""Airflow refuses a longer one, and the DAG with it."""


def build_stream(entry: Entry, kit: DagKit) -> Any:  # noqa: ANN401 - an Airflow DAG
    """Return the DAG of a stored stream.

    Raises:
        ValueError: The row's config is not a stream's, or that of another row, whose
            DAG it would silently make again (defect D22).
    """
    config = StreamConfig.model_validate(entry.config)
    if config.stream_key != entry.key:
        msg = f"stream_key of config_json is {config.stream_key!r}, that of its row {entry.key!r}"
        raise ValueError(msg)
    tags = ("datasurface", "ingestion", config.platform_name, entry.key[:_LONGEST_TAG])
    with kit.dag(schedule=config.schedule_string, tags=tags) as dag:
        job = kit.job(
            "snapshot_merge_job",
            _JOB,
            spec=_spec(entry, config),
            outlets=config.produces,
            priority=config.priority,
        )
        check = kit.branch_on_result(
            "check_result",
            job="snapshot_merge_job",
            done="wait_for_trigger",
            keep_working="reschedule_immediately",
        )
        job >> check
        check >> [kit.retrigger("reschedule_immediately"), kit.empty("wait_for_trigger")]
    return dag


def tables_of(entry: Entry) -> Sequence[str]:
    """Return the merge store's tables that hold a stored stream's datasets."""
    from dagfoundry.mergestore import merge_table_name, staging_table_name

    config = StreamConfig.model_validate(entry.config)
    return [
        name_of(entry.platform_name, config.store_name, dataset)
        for dataset in config.datasets
        for name_of in (merge_table_name, staging_table_name)
    ]


def _spec(entry: Entry, config: StreamConfig) -> dict[str, Any]:
    options = config.dagfoundry
    spec = StreamSpec(
        platform=entry.platform_name,
        store=config.store_name,
        dataset=config.only_dataset,
        merge_store=merge_store_of(entry.config),
        milestoning=options.milestoning,
        source=options.source,
        source_schema=options.source_schema,
        datasets=options.datasets or _reference_datasets(config),
    )
    return spec.model_dump(mode="json", exclude_none=True)


def _reference_datasets(config: StreamConfig) -> tuple[DatasetSpec, ...]:
    """Return the datasets of a reference deployment's row, which says only their names."""
    return tuple(DatasetSpec(name=name) for name in config.datasets)
