"""How a store of the model becomes rows (reference system, 2.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dagfoundry import EntryDraft
from dagfoundry.names import k8s_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dagfoundry import PlatformContext
    from dagfoundry_platform.config import Dataset, StoreItem


def draft_store(item: StoreItem, context: PlatformContext) -> Sequence[EntryDraft]:
    """Return the streams that a store is on a platform: one, or one per dataset.

    Each has a key of its own (the reference repeats those of single datasets, so that
    its merge fails, defect D2).
    """
    del context  # the same on every platform
    if item.ingestion == "multi":
        return [_draft(item, item.name, item.datasets)]
    return [
        _draft(item, f"{item.name}_{dataset.name}", (dataset,), path=("datasets", index))
        for index, dataset in enumerate(item.datasets)
    ]


def _draft(
    item: StoreItem,
    key: str,
    datasets: Sequence[Dataset],
    path: tuple[str | int, ...] = (),
) -> EntryDraft:
    return EntryDraft(
        key=key,
        config=_config(item, key, datasets),
        produces=tuple(f"{item.name}#{dataset.name}" for dataset in datasets),
        path=path,
    )


def _config(item: StoreItem, key: str, datasets: Sequence[Dataset]) -> dict[str, Any]:
    single = item.ingestion == "single"
    config: dict[str, Any] = {
        "stream_key": key,
        "priority": item.priority,
        "single_dataset": single,
        "datasets": [dataset.name for dataset in datasets],
        "store_name": item.name,
        "dataset_name": datasets[0].name if single else None,
        "ingestion_type": "sql_source",
        "schedule_string": item.schedule,
        "job_limits": item.job_limits.model_dump(mode="json"),
        "source_credential_secret_name": (
            k8s_name(item.source.credential) if item.source.credential else None
        ),
        "dagfoundry": _options(item, datasets),
    }
    return {name: value for name, value in config.items() if value is not None}


def _options(item: StoreItem, datasets: Sequence[Dataset]) -> dict[str, Any]:
    options: dict[str, Any] = {"source": item.source.as_config()}
    if item.source_schema is not None:
        options["source_schema"] = item.source_schema
    options["datasets"] = [
        dataset.model_dump(mode="json", exclude_none=True) for dataset in datasets
    ]
    return options
