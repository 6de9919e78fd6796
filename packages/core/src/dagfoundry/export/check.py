"""Whether written files merge to no change: they are loaded and planned like any model."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dagfoundry.desired import desired_rows
from dagfoundry.errors import ExportRefusedError, ModelInvalidError
from dagfoundry.model import load_model
from dagfoundry.model.words import shown
from dagfoundry.plan import Action, make_plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dagfoundry.errors import Finding
    from dagfoundry.export.items import Address, Item
    from dagfoundry.fields import FieldChange
    from dagfoundry.plan import PlannedChange
    from dagfoundry.plugins import Plugins
    from dagfoundry.store.live import LiveRow
    from dagfoundry.store.records import Head

_ITEM: Final = re.compile(r"(\w+)\[(\d+)\]")
_MOST_FIELDS: Final = 3


def find_differences(
    files: Mapping[str, str],
    items: Mapping[str, Sequence[Item]],
    state: tuple[Head, Sequence[LiveRow]],
    plugins: Plugins,
) -> dict[Address, str]:
    """Return why rows are not what the files say, by platform, type and key.

    Args:
        files: Name and text of each file.
        items: The items of each section, in the order of the files.
        state: The foundry and the rows to compare with.
        plugins: The installed factory types.

    Raises:
        ExportRefusedError: The foundry's own keys are refused.
    """
    with tempfile.TemporaryDirectory(prefix="dagfoundry-export-") as folder:
        for name, text in files.items():
            Path(folder, name).write_text(text, encoding="utf-8")
        try:
            desired = desired_rows(load_model([folder], plugins), plugins)
        except ModelInvalidError as error:
            return _refused(error.findings, items)
    head, live = state
    unused = _unused_table_keys(items, plugins)
    changes = [
        change for change in make_plan(head, desired, live).changes if _is_difference(change)
    ]
    kept = {_address(c): [f for f in c.fields if f.field not in unused] for c in changes}
    return {_address(c): _reason(c, kept[_address(c)]) for c in changes if kept[_address(c)]}


def _unused_table_keys(items: Mapping[str, Sequence[Item]], plugins: Plugins) -> set[str | None]:
    """Return the keys of factory rows that name the tables of types without an item."""
    types = [installed.type for installed in plugins.types.values()]
    return {each.table.config_key for each in types if each.section not in items}


def _refused(
    findings: Sequence[Finding], items: Mapping[str, Sequence[Item]]
) -> dict[Address, str]:
    reasons: dict[Address, str] = {}
    for finding in findings:
        found = _ITEM.match(finding.path)
        if found is None or found[1] not in items:
            msg = f"the foundry's own keys cannot be written: {finding.path}: {finding.what}"
            raise ExportRefusedError(msg, remedy="Correct its factory rows by merging its model.")
        item = items[found[1]][int(found[2])]
        field = finding.path[found.end() :].lstrip(".")
        reason = f"{field}: {finding.what}" if field else finding.what
        named = {name for name in item.keys if f"platform {name!r}" in finding.what}
        concerned = [a for a in item.addresses if not named or a[0] in named]
        reasons.update(dict.fromkeys(concerned, reason))
    return reasons


def _is_difference(change: PlannedChange) -> bool:
    """Rows that are left out were given a reason already; the model would retire them."""
    return change.action is not Action.RETIRE


def _address(change: PlannedChange) -> Address:
    return change.row.platform_name, change.row.factory_type, change.row.key


def _reason(change: PlannedChange, fields: Sequence[FieldChange]) -> str:
    if change.action is Action.CREATE:
        return "the model would make this row, which is not there"
    texts = [
        f"{field.field} is {_text(field.before)}, a model would make it {_text(field.after)}"
        for field in fields[:_MOST_FIELDS]
    ]
    more = len(fields) - len(texts)
    return "; ".join(texts) + (f"; and {more} more" if more else "")


def _text(value: object) -> str:
    return "absent" if value is None else shown(value)
