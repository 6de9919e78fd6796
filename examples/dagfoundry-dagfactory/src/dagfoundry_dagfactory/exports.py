"""How rows become items of the model again: the inverse of :mod:`.drafts`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagfoundry import ExportedItem
from dagfoundry_dagfactory.drafts import BODY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dagfoundry import Entry


def export_dags(entries: Sequence[Entry]) -> list[ExportedItem]:
    """Return the items that the entries of a platform were drafted from."""
    return [_item(entry) for entry in entries]


def _item(entry: Entry) -> ExportedItem:
    values = {name: entry.config[name] for name in entry.config if name in BODY}
    return ExportedItem(keys=(entry.key,), values={"name": entry.key, **values})
