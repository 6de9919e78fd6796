"""What a merge will do: each row that is created, updated, restored or retired, and why."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from dagfoundry.factories import Status
from dagfoundry.names import bucket_of
from dagfoundry.store.records import RowKind
from dagfoundry.store.write import RowChange

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dagfoundry.desired import DesiredRow
    from dagfoundry.store.live import LiveRow
    from dagfoundry.store.records import Head

_LIVING = (Status.ACTIVE.value, Status.INACTIVE.value)
_LEAVING = (Status.RETIRING.value, Status.RETIRED.value, Status.PURGED.value)


class Action(str, Enum):
    """What a plan does with one row."""

    CREATE = "create"
    UPDATE = "update"
    RESTORE = "restore"
    RETIRE = "retire"


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldChange:
    """One field of a row before and after; None where it is absent."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedChange:
    """One row that the plan writes."""

    action: Action
    row: RowChange
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a merge will do, from the revision it was made for.

    Attributes:
        foundry: Name of the foundry.
        base_revision: Revision the plan was made for; 0 for a new foundry.
        changes: The rows it writes.
        unchanged: Number of rows it leaves alone.
    """

    foundry: str
    base_revision: int
    changes: tuple[PlannedChange, ...]
    unchanged: int

    def count(self, action: Action, kind: RowKind = RowKind.ENTRY) -> int:
        """Return how many rows of a kind the plan does an action with."""
        return sum(c.action is action and c.row.kind is kind for c in self.changes)


def make_plan(head: Head, desired: Sequence[DesiredRow], live: Sequence[LiveRow]) -> Plan:
    """Compare what the model wants with what the store holds."""
    stored = {row.address: row for row in live}
    wanted = {row.address: row for row in desired}
    changes = [
        *_wanted_changes(head, wanted, stored),
        *(_retire(head, row) for address, row in stored.items()
          if address not in wanted and row.status in _LIVING),
    ]  # fmt: skip
    written = {(c.row.kind, c.row.platform_name, c.row.factory_type, c.row.key) for c in changes}
    return Plan(
        foundry=head.foundry,
        base_revision=head.revision,
        changes=tuple(sorted(changes, key=lambda change: change.row.dag_id)),
        unchanged=sum(address in stored and address not in written for address in wanted),
    )


def _wanted_changes(
    head: Head,
    wanted: Mapping[tuple[RowKind, str, str, str], DesiredRow],
    stored: Mapping[tuple[RowKind, str, str, str], LiveRow],
) -> Iterator[PlannedChange]:
    for address, row in wanted.items():
        known = stored.get(address)
        fields = tuple(_field_changes(known, row))
        if fields:
            yield _write(head, row, known, fields)


def _write(
    head: Head, row: DesiredRow, known: LiveRow | None, fields: tuple[FieldChange, ...]
) -> PlannedChange:
    action = Action.CREATE
    if known is not None:
        action = Action.RESTORE if known.status in _LEAVING else Action.UPDATE
    change = RowChange(
        table=row.table,
        primary_key=row.primary_key,
        kind=row.kind,
        platform_name=row.platform_name,
        factory_type=row.factory_type.name,
        key=row.key,
        dag_id=row.dag_id,
        bucket=bucket_of(row.dag_id, head.buckets),
        before=known.state if known else None,
        status=row.status,
        config_json=json.dumps(row.config, ensure_ascii=False),
    )
    return PlannedChange(action=action, row=change, fields=fields)


def _retire(head: Head, known: LiveRow) -> PlannedChange:
    change = RowChange(
        table=known.table,
        primary_key=known.primary_key,
        kind=known.kind,
        platform_name=known.platform_name,
        factory_type=known.factory_type,
        key=known.key,
        dag_id=known.dag_id,
        bucket=bucket_of(known.dag_id, head.buckets),
        before=known.state,
        status=Status.RETIRING,
        config_json=known.config_json or "{}",
    )
    fields = (FieldChange(field="status", before=known.status, after=Status.RETIRING.value),)
    return PlannedChange(action=Action.RETIRE, row=change, fields=fields)


def _field_changes(known: LiveRow | None, row: DesiredRow) -> Iterator[FieldChange]:
    if known is None:
        yield FieldChange(field="status", before=None, after=row.status.value)
        for key, value in row.config.items():
            yield FieldChange(field=key, before=None, after=value)
        return
    if known.status != row.status.value:
        yield FieldChange(field="status", before=known.status, after=row.status.value)
    yield from config_changes("", known.config(), row.config)


def config_changes(
    prefix: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[FieldChange]:
    """Yield the keys of a config that differ, those of an inner mapping as ``outer.inner``."""
    for key in {**before, **after}:
        old, new = before.get(key), after.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from config_changes(f"{prefix}{key}.", old, new)
        elif old != new or (key in before) != (key in after):
            yield FieldChange(field=f"{prefix}{key}", before=old, after=new)
