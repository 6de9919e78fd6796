"""What changed when, and who set what: history, differences and blame."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dagfoundry.errors import EntryMissingError
from dagfoundry.factories import LEAVING
from dagfoundry.fields import STATUS, flat_config, parsed_config, state_changes
from dagfoundry.selection import Selection
from dagfoundry.store.history import read_log, read_revision_log
from dagfoundry.store.read import (
    read_changes,
    read_head,
    read_revisions,
    read_rows,
    require_revision,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dagfoundry.fields import FieldChange, State
    from dagfoundry.store import Store
    from dagfoundry.store.history import RevisionLog, RowWritten
    from dagfoundry.store.records import RevisionRecord, RowState

ABSENT = "absent"
"""What a difference says of a row that the later side does not have."""


def deed(before: State | None, after: State | None) -> str:
    """Return in one word what happened to a row between two states."""
    if after is None:
        return ABSENT
    if after.get(STATUS) in LEAVING:
        return str(after[STATUS])
    if before is None:
        return "created"
    return "restored" if before.get(STATUS) in LEAVING else "updated"


def count_deeds(rows: Sequence[RowWritten]) -> Mapping[str, int]:
    """Return how many rows a revision created, updated, restored and so on."""
    return Counter(deed(row.before, row.after) for row in rows)


def read_history(
    store: Store, foundry: str, selection: Selection, *, limit: int | None = None
) -> list[RevisionLog]:
    """Return the revisions that touched the selected rows, newest first.

    Raises:
        EntryMissingError: No revision ever touched such a row.
    """
    with store.reading() as connection:
        log = read_log(connection, read_head(connection, foundry), selection, limit=limit)
    if not log and selection:
        msg = f"foundry {foundry!r} never had {selection}"
        raise EntryMissingError(msg, remedy="`dagfoundry list --all` shows them all.")
    return log


def revision_log(store: Store, foundry: str, revision: int) -> RevisionLog:
    """Return a revision with every row that it wrote.

    Raises:
        FoundryMissingError: There is no such foundry.
        RevisionMissingError: There is no such revision.
    """
    with store.reading() as connection:
        head = read_head(connection, foundry)
        require_revision(head, revision)
        (found,) = read_revisions(connection, head, revision=revision)
        return read_revision_log(connection, head, found)


@dataclass(frozen=True, kw_only=True, slots=True)
class RowDifference:
    """One row that differs between two revisions."""

    deed: str
    row: RowState
    fields: tuple[FieldChange, ...]


def differences(
    store: Store, foundry: str, revisions: tuple[int, int], selection: Selection
) -> list[RowDifference]:
    """Return the rows that differ between two revisions, from the first to the second.

    Raises:
        RevisionMissingError: There is no such revision.
        EntryMissingError: There is no such row.
    """
    first, second = min(revisions), max(revisions)
    with store.reading() as connection:
        head = read_head(connection, foundry)
        for revision in revisions:
            require_revision(head, revision)
        old = {row.address: row for row in read_rows(connection, head, first)}
        changed = read_changes(connection, head, after=first, until=second)
    if selection:
        selection.of([*old.values(), *changed])
        changed = selection.some_of(changed)
    pairs = [(old.get(row.address), row) for row in changed]
    turned = revisions[0] > revisions[1]
    found = (_difference(new, then) if turned else _difference(then, new) for then, new in pairs)
    return [each for each in found if each is not None]


def _difference(before: RowState | None, after: RowState | None) -> RowDifference | None:
    states = [row.state if row else None for row in (before, after)]
    row = after or before
    if row is None or states[0] == states[1]:
        return None
    return RowDifference(deed=deed(*states), row=row, fields=state_changes(*states))


@dataclass(frozen=True, kw_only=True, slots=True)
class Blame:
    """A field of a row, and the revision that last set it."""

    field: str
    value: Any
    revision: RevisionRecord


def blame(store: Store, foundry: str, entry: str) -> list[Blame]:
    """Return for each field of a row who set it last.

    Raises:
        EntryMissingError: There is no such row, or several.
    """
    with store.reading() as connection:
        head = read_head(connection, foundry)
        row = Selection(entry=entry).one_of(read_rows(connection, head, head.revision))
        log = read_log(connection, head, Selection(entry=row.dag_id))
    fields: dict[tuple[str, str], Blame] = {}
    for each in reversed(log):
        fields = {
            name: old
            if (old := fields.get(name)) is not None and old.value == value
            else Blame(field=name[1], value=value, revision=each.revision)
            for name, value in _fields(each.rows[0].after)
        }
    return list(fields.values())


def _fields(state: State) -> Iterator[tuple[tuple[str, str], Any]]:
    yield (STATUS, STATUS), state.get(STATUS)
    for name, value in flat_config(parsed_config(state)):
        yield ("config", name), value
