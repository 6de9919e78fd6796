"""How rows become transformers of the model again: the inverse of :mod:`.drafts`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dagfoundry import ExportedItem
from dagfoundry_datatransformer.config import TransformerConfig

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dagfoundry import Entry

_DEFAULT_PRIORITY: Final = 1
_NO_OUTPUTS: Final = "its row does not say how its outputs are made, nor their keys"


def export_transformers(entries: Sequence[Entry]) -> list[ExportedItem]:
    """Return the transformers that the entries of a platform were drafted from."""
    return [_transformer(entry) for entry in entries]


def _transformer(entry: Entry) -> ExportedItem:
    config = entry.config_as(TransformerConfig)
    if not entry.options.get("outputs"):
        return ExportedItem(keys=(entry.key,), reason=_NO_OUTPUTS)
    store = config.output_datastore_name
    values: dict[str, Any] = {
        "name": config.workspace_name,
        "inputs": _inputs(config.dagfoundry.inputs) or None,
        "schedule": config.schedule_string,
        "priority": None if config.priority == _DEFAULT_PRIORITY else config.priority,
        "output_store": None if store == config.workspace_name else store,
        "python": config.dagfoundry.python,
        "outputs": [_output(output) for output in entry.options["outputs"]],
    }
    present = {name: value for name, value in values.items() if value is not None}
    return ExportedItem(keys=(entry.key,), values=present)


def _inputs(stored: Mapping[str, str]) -> dict[str, str] | list[str]:
    """Return a list where each alias is the dataset's name, as most people write it."""
    inputs = {alias: dataset.replace("#", ".") for alias, dataset in stored.items()}
    plain = all(dataset.partition(".")[2] == alias for alias, dataset in inputs.items())
    return list(inputs.values()) if plain else inputs


def _output(stored: Mapping[str, Any]) -> dict[str, Any]:
    order = [name for name in ("name", "key", "sql") if name in stored]
    return {name: stored[name] for name in [*order, *(n for n in stored if n not in order)]}
