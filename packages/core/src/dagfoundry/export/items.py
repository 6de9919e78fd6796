"""Section items, read back from entries: each type's own keys, then what all items share."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from dagfoundry.errors import FoundryError
from dagfoundry.export.foundry import shared_values
from dagfoundry.factories import ExportedItem, Status
from dagfoundry.model.variables import escape
from dagfoundry.model.words import holds_password
from dagfoundry.upcast import entry_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dagfoundry.factories import Entry, FactoryType
    from dagfoundry.plugins import Plugins
    from dagfoundry.store.records import RowState

Address = tuple[str, str, str]
"""Platform, factory type and key of an entry."""

_BAD_EXPORT: Final = "Report it to the author of the factory type."


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One item of a section, and the entries that it stands for.

    Attributes:
        section: Key of the section.
        factory_type: Name of the factory type.
        values: What the model says, without ``platforms``.
        keys: Platform to the keys of its entries.
    """

    section: str
    factory_type: str
    values: Mapping[str, Any]
    keys: Mapping[str, tuple[str, ...]]

    @property
    def addresses(self) -> list[Address]:
        """The entries that the item stands for."""
        return [(p, self.factory_type, key) for p, keys in self.keys.items() for key in keys]

    def without(self, platforms: Iterable[str]) -> Item:
        """Return the item on its other platforms."""
        left = {name: keys for name, keys in self.keys.items() if name not in set(platforms)}
        return Item(
            section=self.section, factory_type=self.factory_type, values=self.values, keys=left
        )

    def as_model(self, all_platforms: Iterable[str]) -> dict[str, Any]:
        """Return the item as a model writes it, beginning with its name."""
        values = dict(self.values)
        first = {"name": values.pop("name")}
        if set(self.keys) != set(all_platforms):
            first["platforms"] = sorted(self.keys)
        return {**first, **values}


def read_items(
    rows: Sequence[RowState], plugins: Plugins, reasons: dict[Address, str]
) -> list[Item]:
    """Return the items that living entries came from, sorted by section and name.

    Args:
        rows: The living entries.
        plugins: The installed factory types.
        reasons: Takes up why an entry cannot be written as an item.
    """
    groups: dict[tuple[str, str], list[Entry]] = {}
    for row in rows:
        entry = _readable(row, plugins, reasons)
        if entry is not None:
            groups.setdefault((row.factory_type, row.platform_name), []).append(entry)
    parts: dict[tuple[str, str], dict[str, ExportedItem]] = {}
    for (type_name, platform), entries in sorted(groups.items()):
        for part in _parts(plugins.type(type_name), platform, entries, reasons):
            name = str(part.values["name"])
            parts.setdefault((type_name, name), {})[platform] = part
    items = [
        _joined(plugins.type(type_name), platforms, reasons)
        for (type_name, _), platforms in parts.items()
    ]
    return sorted(items, key=lambda item: (item.section, str(item.values["name"])))


def _readable(row: RowState, plugins: Plugins, reasons: dict[Address, str]) -> Entry | None:
    try:
        entry = entry_of(row, plugins)
        entry.config_as(plugins.type(row.factory_type).config)
    except FoundryError as error:
        reason = str(error)
    except ValidationError as error:
        problems = (
            f"{'.'.join(map(str, each['loc'])) or 'the whole'}: {each['msg']}"
            for each in error.errors()
        )
        reason = f"its config_json is refused: {'; '.join(problems)}"
    except Exception as error:  # noqa: BLE001 - a plugin's validator may raise anything
        reason = f"its config_json cannot be read: {type(error).__name__}: {error}"
    else:
        if plugins.type(row.factory_type).export is not None:
            return entry
        reason = f"{plugins.owner(row.factory_type)} has no export for its type"
    reasons[row.platform_name, row.factory_type, row.key] = reason
    return None


def _parts(
    factory_type: FactoryType, platform: str, entries: list[Entry], reasons: dict[Address, str]
) -> Iterator[ExportedItem]:
    by_key = {entry.key: entry for entry in entries}
    names: set[object] = set()
    for part in _exported(factory_type, entries):
        reason = part.reason or _reason(part, by_key, names)
        if reason:
            reasons.update({(platform, factory_type.name, key): reason for key in part.keys})
        else:
            names.add(part.values["name"])
            yield _completed(part, by_key[part.keys[0]])


def _exported(factory_type: FactoryType, entries: list[Entry]) -> Iterator[ExportedItem]:
    """Call the type's export; entries that it forgets or gives twice are refused."""
    keys = [entry.key for entry in entries]
    try:
        parts = list(factory_type.export(entries)) if factory_type.export else []
    except Exception as error:  # noqa: BLE001 - whatever a plugin raises becomes a reason
        reason = f"the type's export raised {type(error).__name__}: {error}. {_BAD_EXPORT}"
        yield ExportedItem(keys=tuple(keys), reason=reason)
        return
    left = set(keys)
    for part in parts:
        if part.keys and left.issuperset(part.keys):
            left.difference_update(part.keys)
            yield part
    if left:
        reason = f"the type's export left it out. {_BAD_EXPORT}"
        yield ExportedItem(keys=tuple(sorted(left)), reason=reason)


def _reason(part: ExportedItem, entries: Mapping[str, Entry], names: set[object]) -> str:
    name = part.values.get("name")
    if not isinstance(name, str):
        return f"the type's export gave it no name. {_BAD_EXPORT}"
    if name in names:
        return f"it stands for another item {name!r}; names are unique in a section"
    if problem := _unwritable({**part.values, "own": _own_values(entries[part.keys[0]])}):
        return problem
    of_item = {json.dumps(_own_values(entries[key])) for key in part.keys}
    if len(of_item) > 1:
        return f"the entries of {name!r} differ in status, owner, tags, retries or pool"
    return ""


def _own_values(entry: Entry) -> dict[str, Any]:
    enabled = {} if entry.status is Status.ACTIVE else {"enabled": False}
    return {**enabled, **shared_values(entry.config)}


def _completed(part: ExportedItem, entry: Entry) -> ExportedItem:
    own = {"name": part.values["name"], **_own_values(entry)}
    return ExportedItem(keys=part.keys, values=escape({**own, **part.values}))


def _unwritable(values: Mapping[str, Any]) -> str:
    try:
        text = json.dumps(values, ensure_ascii=False)
        text.encode()
    except (TypeError, ValueError) as error:
        return f"it cannot be written as text: {error}"
    return "it holds a URL with a password, which no model may hold" * holds_password(text)


def _joined(
    factory_type: FactoryType, platforms: Mapping[str, ExportedItem], reasons: dict[Address, str]
) -> Item:
    """Return one item for all platforms that agree with most of the others."""
    texts = {name: json.dumps(part.values) for name, part in platforms.items()}
    counts = list(texts.values())
    chosen = max(texts.values(), key=counts.count)
    agreeing = [name for name, text in texts.items() if text == chosen]
    for name in platforms.keys() - set(agreeing):
        reason = f"it differs from that of platform {agreeing[0]!r}; an item has one definition"
        reasons.update({(name, factory_type.name, key): reason for key in platforms[name].keys})
    return Item(
        section=factory_type.section,
        factory_type=factory_type.name,
        values=platforms[agreeing[0]].values,
        keys={name: platforms[name].keys for name in agreeing},
    )
