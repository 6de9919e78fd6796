"""Recording hand edits: one revision for all rows that changed without one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import MetaData, Table

from dagfoundry.drift.edits import HandEdit, find_hand_edits
from dagfoundry.factories import Status
from dagfoundry.names import bucket_of
from dagfoundry.store.records import Source
from dagfoundry.store.write import Origin, RowChange, lock_foundry, record_revision

if TYPE_CHECKING:
    from dagfoundry.drift.edits import Factory
    from dagfoundry.plugins import Plugins
    from dagfoundry.store import Store
    from dagfoundry.store.records import Head

UNKNOWN_AUTHOR: Final = "unknown (edited in the database)"
"""A row does not say who edited it; who recorded the edit stands in the message."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recording:
    """What was recorded.

    Attributes:
        head: Where the foundry stands now.
        recorded: The edits that the new revision holds.
        held_back: The edits that were not recorded.
        not_installed: Factory types whose rows were left alone.
    """

    head: Head
    recorded: tuple[HandEdit, ...]
    held_back: tuple[HandEdit, ...]
    not_installed: tuple[str, ...]


def record_hand_edits(
    store: Store,
    foundry: str,
    plugins: Plugins,
    *,
    recorder: str,
    message: str = "",
    factory: Factory | None = None,
    allow_prune: bool = False,
) -> Recording:
    """Record rows that were changed by hand as one revision; the rows are not touched.

    All of it is one transaction under the foundry's lock: of two that record at once,
    the second waits and finds nothing.

    Args:
        store: The store.
        foundry: Name of the foundry.
        plugins: The installed factory types; rows of others are left alone.
        recorder: Who records, for the message.
        message: Why the rows were edited, when the recorder knows.
        factory: Only the rows of this platform and factory type.
        allow_prune: Whether however many entries may leave.

    Raises:
        FoundryMissingError: The store holds no foundry of this name.
        StoreConflictError: A DAG id was taken meanwhile.
        StoreUnavailableError: The store cannot be reached.
    """
    with store.writing() as connection:
        head = lock_foundry(connection, foundry)
        found = find_hand_edits(connection, head, plugins, factory=factory, allow_prune=allow_prune)
        recorded = tuple(edit for edit in found.edits if not edit.held_back)
        changes = [_change(head, edit) for edit in recorded]
        moved = record_revision(connection, head, changes, _origin(recorder, message))
    return Recording(
        head=moved,
        recorded=recorded,
        held_back=tuple(edit for edit in found.edits if edit.held_back),
        not_installed=found.not_installed,
    )


def _origin(recorder: str, message: str) -> Origin:
    why = message or "Rows were edited in the database."
    text = f"{why} (recorded by {recorder})"
    return Origin(author=UNKNOWN_AUTHOR, message=text, source=Source.EXTERNAL)


def _change(head: Head, edit: HandEdit) -> RowChange:
    row, live = edit.row, edit.live
    before = edit.recorded.state if edit.recorded else None
    config = live.config_json if live else (before or {}).get("config_json")
    return RowChange(
        table=live.table if live else Table(edit.recorded.table_name, MetaData()),  # type: ignore[union-attr]
        primary_key=live.primary_key if live else {},
        kind=row.kind,
        platform_name=row.platform_name,
        factory_type=row.factory_type,
        key=row.key,
        dag_id=row.dag_id,
        bucket=bucket_of(row.dag_id, head.buckets),
        before=before,
        status=Status(live.status) if live else Status.PURGED,
        config_json=config or "",
    )
