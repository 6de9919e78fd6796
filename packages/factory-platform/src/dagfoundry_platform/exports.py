"""How rows become stores of the model again: the inverse of :mod:`.drafts`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dagfoundry import ExportedItem
from dagfoundry_platform.config import JobLimits, StreamConfig

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dagfoundry import Entry

_DEFAULT_PRIORITY: Final = 1
_NO_SOURCE: Final = "its row does not say where the data come from (dagfoundry.source)"
_NO_DATASETS: Final = "its row does not say the tables and keys of its datasets"


def export_streams(entries: Sequence[Entry]) -> list[ExportedItem]:
    """Return the stores that the streams of a platform were drafted from."""
    stores: dict[tuple[str, bool], list[Entry]] = {}
    for entry in entries:
        config = entry.config_as(StreamConfig)
        stores.setdefault((config.store_name, config.single_dataset), []).append(entry)
    return [_store(streams) for streams in stores.values()]


def _store(streams: Sequence[Entry]) -> ExportedItem:
    keys = tuple(stream.key for stream in streams)
    reason = _reason(streams)
    if reason:
        return ExportedItem(keys=keys, reason=reason)
    values = _values(streams[0])
    differing = sorted(
        name
        for stream in streams
        for name, value in _values(stream).items()
        if values.get(name) != value
    )
    if differing:
        reason = f"the streams of store {values['name']!r} differ in {', '.join(differing)}"
        return ExportedItem(keys=keys, reason=reason)
    datasets = [_dataset(each) for stream in streams for each in stream.options["datasets"]]
    present = {name: value for name, value in values.items() if value is not None}
    return ExportedItem(keys=keys, values={**present, "datasets": datasets})


def _reason(streams: Sequence[Entry]) -> str:
    if not all(stream.options.get("source") for stream in streams):
        return _NO_SOURCE
    return "" if all(stream.options.get("datasets") for stream in streams) else _NO_DATASETS


def _values(stream: Entry) -> dict[str, Any]:
    """Return what a store says of all its streams; None where it says nothing."""
    config = stream.config_as(StreamConfig)
    return {
        "name": config.store_name,
        "source": stream.options["source"],
        "source_schema": stream.options.get("source_schema"),
        "ingestion": "single" if config.single_dataset else "multi",
        "schedule": config.schedule_string,
        "priority": None if config.priority == _DEFAULT_PRIORITY else config.priority,
        "job_limits": _job_limits(stream.config.get("job_limits")),
    }


def _job_limits(stored: object) -> object:
    if not isinstance(stored, dict):
        return stored
    usual = JobLimits().model_dump(mode="json")
    return {name: value for name, value in stored.items() if usual.get(name) != value} or None


def _dataset(stored: Mapping[str, Any]) -> dict[str, Any]:
    first = {name: stored[name] for name in ("name", "key") if stored.get(name)}
    return {
        **first,
        **{name: value for name, value in stored.items() if name not in {"name", "key"}},
    }
