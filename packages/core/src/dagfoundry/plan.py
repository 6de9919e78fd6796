"""What a merge or rollback will do: each row that is created, updated, restored or retired."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from dagfoundry.errors import UpcastFailedError
from dagfoundry.factories import LEAVING, LIVING, OWN_KEY, Status
from dagfoundry.fields import FieldChange, config_changes, state_changes
from dagfoundry.kept_keys import with_kept_keys
from dagfoundry.names import bucket_of
from dagfoundry.store.records import RowKind
from dagfoundry.store.write import RowChange
from dagfoundry.upcast import VERSION_KEY, stored_version, upcast_config

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from dagfoundry.desired import DesiredRow
    from dagfoundry.fields import State
    from dagfoundry.store.live import LiveRow
    from dagfoundry.store.records import Head


class Action(str, Enum):
    """What a plan does with one row."""

    CREATE = "create"
    UPDATE = "update"
    RESTORE = "restore"
    RETIRE = "retire"


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedChange:
    """One row that the plan writes.

    Attributes:
        action: What happens to it.
        row: Its state before and after.
        read: The fields that differ as its factory type reads them; None when that is
            as they are stored.
    """

    action: Action
    row: RowChange
    read: tuple[FieldChange, ...] | None = None

    @property
    def fields(self) -> tuple[FieldChange, ...]:
        """The fields that differ, the status first."""
        return state_changes(self.row.before, self.row.after) if self.read is None else self.read


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a merge or rollback will do, from the revision it was made for.

    Attributes:
        foundry: Name of the foundry.
        base_revision: Revision the plan was made for; 0 for a new foundry.
        changes: The rows it writes.
        unchanged: Number of rows it leaves alone.
        platforms: The platforms that the foundry owns once it is done.
        older_than: The commit merged last, where that of the model lies before it.
        other_environment: That the model's environment is not the one merged last, as the
            rest of a sentence about the foundry.
        objections: What the guards have against it, by the option that lifts the guard.
    """

    foundry: str
    base_revision: int
    changes: tuple[PlannedChange, ...]
    unchanged: int
    platforms: tuple[str, ...] = ()
    older_than: str | None = None
    other_environment: str | None = None
    objections: Mapping[str, str] = field(default_factory=dict)

    def count(self, action: Action, kind: RowKind = RowKind.ENTRY) -> int:
        """Return how many rows of a kind the plan does an action with."""
        return sum(c.action is action and c.row.kind is kind for c in self.changes)


def action_of(before: State | None, after: Status) -> Action:
    """Return what is done with a row that goes from one state to a status."""
    if after in LEAVING:
        return Action.RETIRE
    if before is None:
        return Action.CREATE
    return Action.RESTORE if before.get("status") in LEAVING else Action.UPDATE


def make_plan(
    head: Head,
    desired: Sequence[DesiredRow],
    live: Sequence[LiveRow],
    *,
    recorded: Container[tuple[str, str]] | None = None,
) -> Plan:
    """Compare what the model wants with what the store holds.

    A row of an older config version is compared as its factory type reads it: one that
    says the same is unchanged and keeps its version.

    Args:
        head: The foundry.
        desired: The rows that the model asks for.
        live: The rows as they stand.
        recorded: Table and key of the rows that history knows; only these are retired,
            so that what an adoption held out stays as it is. All rows when not given.

    Raises:
        ConfigTooNewError: A row is of a newer config version than its installed type.
    """
    stored = {row.address: row for row in live}
    wanted = {row.address: row for row in desired}
    written = list(_wanted_changes(head, wanted, stored))
    changes = [
        *written,
        *(_retire(head, row) for address, row in stored.items()
          if address not in wanted and row.status in LIVING
          if recorded is None or (row.table_name, row.row_key) in recorded),
    ]  # fmt: skip
    known = len(wanted.keys() & stored.keys())
    return Plan(
        foundry=head.foundry,
        base_revision=head.revision,
        changes=tuple(sorted(changes, key=lambda change: change.row.dag_id)),
        unchanged=known - sum(change.row.before is not None for change in written),
    )


def _wanted_changes(
    head: Head,
    wanted: Mapping[tuple[RowKind, str, str, str], DesiredRow],
    stored: Mapping[tuple[RowKind, str, str, str], LiveRow],
) -> Iterator[PlannedChange]:
    for address, row in wanted.items():
        known = stored.get(address)
        if known is None:
            yield _write(head, row, None)
            continue
        if (known.status, known.config_json) == (row.status.value, row.config_json):
            continue
        read = _read(known, row)
        kept = replace(row, config=with_kept_keys(row, read.kept))
        fields = [*_status_changes(known, kept), *_changed(read, kept.config)]
        if fields:
            yield _write(head, kept, known, tuple(fields))


def _write(
    head: Head,
    row: DesiredRow,
    known: LiveRow | None,
    read: tuple[FieldChange, ...] | None = None,
) -> PlannedChange:
    before = known.state if known else None
    change = RowChange(
        table=row.table,
        primary_key=row.primary_key,
        kind=row.kind,
        platform_name=row.platform_name,
        factory_type=row.factory_type.name,
        key=row.key,
        dag_id=row.dag_id,
        bucket=bucket_of(row.dag_id, head.buckets),
        before=before,
        status=row.status,
        config_json=row.config_json,
    )
    return PlannedChange(action=action_of(before, row.status), row=change, read=read)


def _retire(head: Head, known: LiveRow) -> PlannedChange:
    change = known.change(
        head, Status.RETIRING, before=known.state, config_json=known.config_json or "{}"
    )
    return PlannedChange(action=Action.RETIRE, row=change)


def _status_changes(known: LiveRow, row: DesiredRow) -> Iterator[FieldChange]:
    if known.status != row.status.value:
        yield FieldChange(field="status", before=known.status, after=row.status.value)


@dataclass(frozen=True, kw_only=True, slots=True)
class _ReadConfig:
    """A stored config as the installed type reads it.

    Attributes:
        config: The config.
        kept: The same, of which a merge keeps the keys that are not ours.
        version: The version it is stored in; None where that says nothing.
    """

    config: Mapping[str, Any]
    kept: Mapping[str, Any]
    version: object = None


def _read(known: LiveRow, row: DesiredRow) -> _ReadConfig:
    stored = known.config()
    if known.kind is RowKind.FACTORY:
        return _ReadConfig(config=stored, kept=stored)
    try:
        config = upcast_config(stored, row.factory_type)
    except UpcastFailedError:
        return _ReadConfig(config=stored, kept={})  # what nobody can read is written anew
    return _ReadConfig(config=config, kept=config, version=stored_version(stored))


def _changed(read: _ReadConfig, after: Mapping[str, Any]) -> Iterator[FieldChange]:
    fields = list(config_changes(read.config, after))
    written = stored_version(after)
    if fields and read.version not in (None, written):
        field = f"{OWN_KEY}.{VERSION_KEY}"
        yield FieldChange(field=field, before=read.version, after=written)
    yield from fields
