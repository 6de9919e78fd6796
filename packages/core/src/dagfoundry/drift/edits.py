"""Rows that were edited, inserted or deleted in the database since the last revision.

A row is compared as text first: only one that differs is parsed, so a foundry without
drift costs little however large it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from sqlalchemy import select

from dagfoundry.drift.checks import check_edits
from dagfoundry.factories import Status
from dagfoundry.store.live import factory_live_rows, live_rows
from dagfoundry.store.recorded import recorded_rows
from dagfoundry.store.records import state_text
from dagfoundry.store.tables import FoundryTables

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from sqlalchemy.engine import Connection

    from dagfoundry.plugins import Plugins
    from dagfoundry.store.live import LiveRow
    from dagfoundry.store.recorded import RecordedRow
    from dagfoundry.store.records import Head, RowKind

    Address = tuple[RowKind, str, str, str]

Factory = tuple[str, str]
"""A platform's name and a factory type's."""


class Deed(str, Enum):
    """What was done to a row by hand."""

    EDITED = "edited"
    INSERTED = "inserted"
    DELETED = "deleted"


@dataclass(frozen=True, kw_only=True, slots=True)
class HandEdit:
    """One row that the tables hold otherwise than the last revision left it.

    Attributes:
        live: The row as it stands; None when it was deleted.
        recorded: The row as it was recorded; None when it is new.
        held_back: Why it cannot be recorded; empty when it can.
        problem: What keeps it from running once it is recorded; its last good
            definition runs on.
    """

    live: LiveRow | None
    recorded: RecordedRow | None
    held_back: str = ""
    problem: str = ""

    @property
    def row(self) -> LiveRow | RecordedRow:
        """The row, as it stands where it does."""
        row = self.live or self.recorded
        if row is None:
            msg = "a hand edit is of a row"
            raise AssertionError(msg)
        return row

    @property
    def deed(self) -> Deed:
        """What was done."""
        if self.live is None:
            return Deed.DELETED
        is_new = self.recorded is None or self.recorded.is_gone
        return Deed.INSERTED if is_new else Deed.EDITED


@dataclass(frozen=True, kw_only=True, slots=True)
class HandEdits:
    """What was found in the tables.

    Attributes:
        head: Where the foundry stands.
        edits: The rows that differ, by DAG id.
        recorded: The rows as they are recorded.
        not_installed: Factory types whose rows were left alone.
        ignored: Rows that history does not know and that are not active: they read as
            absent, as they do to the reference's own readers.
    """

    head: Head
    edits: tuple[HandEdit, ...]
    recorded: tuple[RecordedRow, ...] = field(repr=False)
    not_installed: tuple[str, ...]
    ignored: tuple[LiveRow, ...] = ()


def find_hand_edits(
    connection: Connection,
    head: Head,
    plugins: Plugins,
    *,
    factory: Factory | None = None,
    allow_prune: bool = False,
) -> HandEdits:
    """Compare the tables with history, in a number of statements that rows do not change.

    Args:
        connection: An open connection.
        head: The foundry.
        plugins: The installed factory types; rows of others are left alone.
        factory: Only the rows of this platform and factory type.
        allow_prune: Whether however many deleted entries may be recorded.
    """
    recorded = recorded_rows(connection, head, factory)
    live = _live_rows(connection, head, plugins, factory)
    known = [row for row in recorded if row.factory_type in plugins.types]
    before = {row.address: row for row in known}
    ignored = [row for row in live if _is_absent(row, before.get(row.address))]
    absent = {row.address for row in ignored}
    edits = list(_compare((row for row in live if row.address not in absent), before))
    checked = check_edits(
        connection, head, edits, plugins=plugins, recorded=known, allow_prune=allow_prune
    )
    foreign = {row.factory_type for row in recorded if row.factory_type not in plugins.types}
    if factory is None:
        foreign |= _stored_types(connection, head) - plugins.types.keys()
    return HandEdits(
        head=head,
        edits=tuple(sorted(checked, key=lambda edit: edit.row.dag_id)),
        recorded=tuple(recorded),
        not_installed=tuple(sorted(foreign)),
        ignored=tuple(ignored),
    )


def _is_absent(row: LiveRow, known: RecordedRow | None) -> bool:
    return row.status != Status.ACTIVE.value and (known is None or known.is_gone)


def _live_rows(
    connection: Connection, head: Head, plugins: Plugins, factory: Factory | None
) -> list[LiveRow]:
    if factory is None:
        types = [installed.type for installed in plugins.types.values()]
        return live_rows(connection, head.foundry, (), types)
    platform_name, factory_type = factory
    if factory_type not in plugins.types:
        return []
    return factory_live_rows(connection, head.foundry, platform_name, plugins.type(factory_type))


def _compare(live: Iterable[LiveRow], before: Mapping[Address, RecordedRow]) -> Iterator[HandEdit]:
    seen: set[Address] = set()
    for row in live:
        seen.add(row.address)
        known = before.get(row.address)
        if known is None or known.is_gone or not is_same(row, known):
            yield HandEdit(live=row, recorded=known)
    for address, known in before.items():
        if address not in seen and not known.is_gone:
            yield HandEdit(live=None, recorded=known)


def is_same(live: LiveRow, recorded: RecordedRow) -> bool:
    """Return whether a row stands as it is recorded; texts first, values where they differ."""
    if state_text(live.status, live.config_json) == recorded.after:
        return True
    state = recorded.state
    return (live.status, live.config_json or "") == (state["status"], state["config_json"] or "")


def _stored_types(connection: Connection, head: Head) -> Collection[str]:
    column = FoundryTables(head.foundry).factories.c.factory_type
    return set(connection.execute(select(column).distinct()).scalars())
