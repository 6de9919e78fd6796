"""Writing the rows of a foundry as a model that merges to no change."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.errors import ExportRefusedError, FoundryError
from dagfoundry.export.check import find_differences
from dagfoundry.export.foundry import foundry_values
from dagfoundry.export.items import Address, Item, read_items
from dagfoundry.export.yaml_text import mapping_text, section_text
from dagfoundry.factories import Status
from dagfoundry.model.variables import escape
from dagfoundry.model.words import holds_password
from dagfoundry.store.records import RowKind
from dagfoundry.store.stored import as_live_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dagfoundry.plugins import Plugins
    from dagfoundry.store.live import LiveRow
    from dagfoundry.store.records import Head, RevisionRecord, RowState
    from dagfoundry.store.stored import StoredRow

__all__ = ["Export", "Unexpressed", "export_model"]

_LIVING: Final = (Status.ACTIVE.value, Status.INACTIVE.value)
_FOUNDRY_FILE: Final = "foundry.yaml"


@dataclass(frozen=True, kw_only=True, slots=True)
class Unexpressed:
    """A living row that the model does not say, and why."""

    table: str
    platform: str
    factory_type: str
    key: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Export:
    """A model that says what the rows say.

    Attributes:
        foundry: Name of the foundry.
        revision: The revision that was exported.
        files: Name of each file to its text.
        values: The same model as JSON values.
        items: Number of items in all sections.
        unexpressed: The living rows that are not in it.
    """

    foundry: str
    revision: int
    files: Mapping[str, str]
    values: Mapping[str, Any]
    items: int
    unexpressed: tuple[Unexpressed, ...]


def export_model(
    head: Head, states: Iterable[StoredRow], revision: RevisionRecord, plugins: Plugins
) -> Export:
    """Return a model whose merge changes none of the rows.

    The files are loaded and planned against the rows before they are returned; what
    comes out otherwise than it is stored is left out, with the difference as its reason.

    Args:
        head: The foundry.
        states: Its rows, see :func:`~dagfoundry.store.stored.stored_rows`.
        revision: The revision to name in the files.
        plugins: The installed factory types.

    Raises:
        ExportRefusedError: No platform can be written.
    """
    live = [state for state in states if state.is_live]
    living = [state.row for state in live if state.status in _LIVING]
    reasons: dict[Address, str] = {}
    known = [row for row in living if _is_installed(row, plugins, reasons)]
    platforms = _platforms(head, known, reasons)
    entries = [row for row in known if row.kind is RowKind.ENTRY]
    placed = [row for row in entries if _is_placed(row, platforms, reasons)]
    model = _Model(
        own=_own_values(head, platforms),
        items=read_items(placed, plugins, reasons),
    )
    compared = as_live_rows(live, plugins)
    settled, files = _settle(model, (head, compared), plugins, reasons)
    left_out = tuple(_unexpressed(living, reasons))
    header = _header(head, revision, left_out)
    return Export(
        foundry=head.foundry,
        revision=revision.revision,
        files={name: header + text for name, text in files.items()},
        values=settled.values(),
        items=len(settled.items),
        unexpressed=left_out,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Model:
    """A model that is being written."""

    own: Mapping[str, Any]
    items: Sequence[Item]

    def sections(self) -> dict[str, list[Item]]:
        """Return the items of each section in their order."""
        sections: dict[str, list[Item]] = {}
        for item in self.items:
            sections.setdefault(item.section, []).append(item)
        return sections

    def values(self) -> dict[str, Any]:
        """Return all keys of the model."""
        names = [platform["name"] for platform in self.own["platforms"]]
        items = {
            section: [item.as_model(names) for item in items]
            for section, items in self.sections().items()
        }
        return {**self.own, **items}

    def files(self) -> dict[str, str]:
        """Return name and text of each file."""
        files = {_FOUNDRY_FILE: mapping_text(self.own)}
        for section, items in self.values().items():
            if section not in self.own:
                files[f"{section}.yaml"] = section_text(section, items)
        return files

    def without(self, addresses: Iterable[Address]) -> _Model:
        """Return the model without the items of these entries, on their platforms."""
        gone = set(addresses)
        items = [
            item.without({address[0] for address in item.addresses if address in gone})
            for item in self.items
        ]
        return replace(self, items=[item for item in items if item.keys])


def _settle(
    model: _Model,
    state: tuple[Head, Sequence[LiveRow]],
    plugins: Plugins,
    reasons: dict[Address, str],
) -> tuple[_Model, dict[str, str]]:
    """Leave out items until what is left says what the rows say; return it with its files."""
    while True:
        files = model.files()
        found = find_differences(files, model.sections(), state, plugins)
        reasons.update({address: why for address, why in found.items() if address not in reasons})
        smaller = model.without(found)
        if smaller == model:
            return model, files
        model = smaller


def _is_installed(row: RowState, plugins: Plugins, reasons: dict[Address, str]) -> bool:
    if row.factory_type in plugins.types:
        return True
    reasons[_address(row)] = f"factory type {row.factory_type!r} is not installed"
    return False


def _platforms(
    head: Head, rows: Iterable[RowState], reasons: dict[Address, str]
) -> dict[str, dict[str, Any]]:
    """Return the config of one factory row of each platform, by the platform's name."""
    platforms: dict[str, dict[str, Any]] = {}
    for row in sorted(rows, key=lambda row: (row.platform_name, row.factory_type)):
        if row.kind is RowKind.FACTORY:
            try:
                foundry_values(head, {row.platform_name: row.config()})
            except (ValueError, FoundryError) as error:
                reasons[_address(row)] = str(error)
            else:
                platforms.setdefault(row.platform_name, row.config())
    return platforms


def _is_placed(row: RowState, platforms: Mapping[str, object], reasons: dict[Address, str]) -> bool:
    if row.platform_name in platforms:
        return True
    reasons[_address(row)] = f"no living factory row describes platform {row.platform_name!r}"
    return False


def _own_values(head: Head, platforms: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    if not platforms:
        msg = f"foundry {head.foundry!r} has no living factory row that describes a platform"
        raise ExportRefusedError(msg, remedy="Merge its model, or export an older revision: --at.")
    own = foundry_values(head, platforms)
    if holds_password(json.dumps(own)):
        msg = f"the factory rows of foundry {head.foundry!r} hold a URL with a password"
        raise ExportRefusedError(msg, remedy="Take it out of the model and merge it.")
    return dict(escape(own))


def _header(head: Head, revision: RevisionRecord, left_out: Sequence[Unexpressed]) -> str:
    made = revision.created_at.strftime("%Y-%m-%d %H:%M:%S")
    effect = "a merge of it changes nothing"
    if left_out:
        effect = f"{len(left_out)} rows are not in it: a merge would change or retire them"
    return (
        f"# Foundry {head.foundry} at revision {revision.revision}, made {made} UTC.\n"
        f"# Written by `dagfoundry export`; {effect}.\n\n"
    )


def _unexpressed(
    living: Iterable[RowState], reasons: Mapping[Address, str]
) -> Iterator[Unexpressed]:
    for row in living:
        reason = reasons.get(_address(row))
        if reason is not None:
            yield Unexpressed(
                table=row.table_name,
                platform=row.platform_name,
                factory_type=row.factory_type,
                key=row.key,
                reason=reason,
            )


def _address(row: RowState) -> Address:
    return row.platform_name, row.factory_type, row.key
