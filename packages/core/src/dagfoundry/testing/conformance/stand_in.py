"""A factory type that writes whatever datasets the examples of another type read.

An example stands alone, but a model in which nobody writes what an entry reads is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ConfigDict

from dagfoundry.factories import EntryDraft, ExportedItem, FactoryType
from dagfoundry.model.schema import SectionItem
from dagfoundry.plugins import InstalledType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dagfoundry.factories import DagKit, Entry, PlatformContext

_NAME: Final = "stand_in_of_the_conformance_suite"
_KEY: Final = "StandIn"


class _Item(SectionItem):
    """An item that writes datasets."""

    datasets: tuple[str, ...]


class _Config(BaseModel):
    """A stored stand-in."""

    model_config = ConfigDict(extra="allow")

    datasets: tuple[str, ...]


def _draft(item: _Item, _context: PlatformContext) -> list[EntryDraft]:
    config = {"datasets": list(item.datasets)}
    return [EntryDraft(key=item.name, config=config, produces=item.datasets)]


def _build(_entry: Entry, _kit: DagKit) -> object:
    msg = "a stand-in is never built"
    raise NotImplementedError(msg)


def _export(entries: Sequence[Entry]) -> list[ExportedItem]:
    return [
        ExportedItem(
            keys=(entry.key,), values={"name": entry.key, "datasets": entry.config["datasets"]}
        )
        for entry in entries
    ]


STAND_IN: Final = InstalledType(
    type=FactoryType(
        name=_NAME,
        summary="Writes datasets that are read by what is checked.",
        section=_NAME,
        item=_Item,
        draft=_draft,
        config=_Config,
        build=_build,
        export=_export,
    ),
    distribution="dagfoundry",
    version="",
    entry_point=_NAME,
)


def stand_in_section(datasets: Iterable[str]) -> Mapping[str, Any]:
    """Return the section of a model that has these datasets written; nothing if there are none."""
    named = list(datasets)
    return {_NAME: [{"name": _KEY, "datasets": named}]} if named else {}
