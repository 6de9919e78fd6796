"""How a transformer of the model becomes a row (reference system, 2.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dagfoundry import EntryDraft

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dagfoundry import PlatformContext
    from dagfoundry_datatransformer.config import TransformerItem

_JOB_LIMITS: Final = {
    "requested_memory": "512M",
    "limits_memory": "2Gi",
    "requested_cpu": "200m",
    "limits_cpu": "1000m",
}
_OUTPUT_JOB_LIMITS: Final = {
    "requested_memory": "256M",
    "limits_memory": "1Gi",
    "requested_cpu": "100m",
    "limits_cpu": "500m",
}


def draft_transformer(item: TransformerItem, context: PlatformContext) -> Sequence[EntryDraft]:
    """Return the one entry that a transformer is on a platform.

    Its outputs are produced as datasets of its output store, so that another
    transformer can read them.
    """
    del context  # the same on every platform
    draft = EntryDraft(
        key=item.name,
        config=_config(item),
        produces=tuple(f"{item.store}#{output.name}" for output in item.outputs),
        consumes=tuple(dict.fromkeys(_inputs(item).values())),
    )
    return (draft,)


def _config(item: TransformerItem) -> dict[str, Any]:
    config: dict[str, Any] = {
        "workspace_name": item.name,
        "output_datastore_name": item.store,
        "priority": item.priority,
        "output_dataset_list": [output.name for output in item.outputs],
        "job_limits": dict(_JOB_LIMITS),
        "output_job_limits": dict(_OUTPUT_JOB_LIMITS),
        "dagfoundry": _options(item),
    }
    if item.schedule is not None:
        config["schedule_string"] = item.schedule
    return config


def _options(item: TransformerItem) -> dict[str, Any]:
    options: dict[str, Any] = {
        "inputs": _inputs(item),
        "outputs": [output.model_dump(mode="json", exclude_none=True) for output in item.outputs],
    }
    if item.python is not None:
        options["python"] = item.python
    return options


def _inputs(item: TransformerItem) -> dict[str, str]:
    """Return alias to ``Store#dataset``."""
    return {alias: dataset.replace(".", "#") for alias, dataset in item.inputs.items()}
