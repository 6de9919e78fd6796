"""How an item of the model becomes a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dagfoundry import EntryDraft
from dagfoundry_dagfactory.model import DagBody

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dagfoundry import PlatformContext
    from dagfoundry_dagfactory.model import DagItem

BODY: Final = frozenset(DagBody.model_fields)


def draft_dag(item: DagItem, context: PlatformContext) -> Sequence[EntryDraft]:
    """Return the one entry that an item is on a platform."""
    del context  # the same on every platform
    config = item.model_dump(mode="json", include=set(BODY), exclude_defaults=True)
    return (EntryDraft(key=item.name, config=config),)
