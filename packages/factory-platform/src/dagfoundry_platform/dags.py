"""How a stored stream becomes a DAG (reference system, 3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dagfoundry.connections import merge_store_of
from dagfoundry_platform.config import StreamConfig

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dagfoundry import DagKit, Entry

_JOB: Final = ("-m", "dagfoundry_platform.job", "snapshot-merge")

_TOLD: Final = ("datasets", "merge_store", "milestoning", "source", "source_schema")
"""What a job is told as the row has it under ``dagfoundry``."""

_LONGEST_TAG: Final = 100
"""Airflow refuses a longer one, and the DAG with it."""


def build_stream(entry: Entry, kit: DagKit) -> Any:  # noqa: ANN401 - an Airflow DAG
    """Return the DAG of a stored stream.

    Raises:
        ValueError: The row's config is not a stream's, or that of another row, whose
            DAG it would silently make again (defect D22).
    """
    config = entry.config_as(StreamConfig)
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

    config = entry.config_as(StreamConfig)
    return [
        name_of(entry.platform_name, config.store_name, dataset)
        for dataset in config.datasets
        for name_of in (merge_table_name, staging_table_name)
    ]


def _spec(entry: Entry, config: StreamConfig) -> dict[str, Any]:
    """Return what a :class:`~dagfoundry_platform.spec.StreamSpec` is read from.

    It is not made by way of one: the config was checked already, and every parse passes here.
    """
    own = entry.options
    spec = {name: own[name] for name in _TOLD if own.get(name)}
    spec |= {"platform": entry.platform_name, "store": config.store_name}
    if config.only_dataset:
        spec["dataset"] = config.only_dataset
    if "merge_store" not in spec:
        spec["merge_store"] = merge_store_of(entry.config).as_config()
    if "datasets" not in spec:
        spec["datasets"] = _reference_datasets(config)
    return spec


def _reference_datasets(config: StreamConfig) -> list[dict[str, str]]:
    """Return the datasets of a reference deployment's row, which says only their names."""
    return [{"name": name} for name in config.datasets]
