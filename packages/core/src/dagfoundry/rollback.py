"""Going back: a new revision in which rows are what they were at an older one.

It works on history alone, so it needs neither the model nor the rows' factory types. A row

- that lived then is given exactly the state it had, also when it was purged meanwhile;
- that lives now and did not live then is retired as a removal is: its runs may finish;
- that neither lives now nor lived then is left alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dagfoundry.apply import MergeResult, apply_plan
from dagfoundry.factories import LIVING, Status
from dagfoundry.guards import Guards, count_living, objections
from dagfoundry.plan import Plan, PlannedChange, action_of
from dagfoundry.selection import Selection
from dagfoundry.store.history import last_living
from dagfoundry.store.known import known_rows
from dagfoundry.store.read import read_head, read_rows, require_revision
from dagfoundry.store.records import RowKind
from dagfoundry.store.write import lock_foundry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy.engine import Connection

    from dagfoundry.guards import Factory
    from dagfoundry.store import Store
    from dagfoundry.store.known import KnownRow
    from dagfoundry.store.live import LiveRow
    from dagfoundry.store.records import Head, RowState
    from dagfoundry.store.write import Origin

    Address = tuple[RowKind, str, str, str]

NOT_COVERED = (
    "the model in git: the next merge brings its state again",
    "the data in merge stores",
    "runs that are under way",
)
"""What a rollback leaves as it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """What to go back to.

    Attributes:
        revision: The revision.
        rows: Which rows; an entry that comes back brings its factory's row with it.
    """

    revision: int
    rows: Selection


@dataclass(frozen=True, kw_only=True, slots=True)
class _Made:
    """A plan, and what it was made from."""

    plan: Plan
    live: tuple[LiveRow, ...]
    living: Mapping[Factory, int]


def plan_rollback(store: Store, foundry: str, target: Target) -> Plan:
    """Return what a rollback would do now; writes nothing.

    Raises:
        RevisionMissingError: There is no such revision.
        EntryMissingError: There is no such row, or several where one is asked for.
    """
    with store.reading() as connection:
        return _plan(connection, read_head(connection, foundry), target).plan


def rollback(
    store: Store, foundry: str, target: Target, *, origin: Origin, guards: Guards
) -> MergeResult:
    """Write rows as they were at a revision, as one new revision.

    Raises:
        RevisionMissingError: There is no such revision.
        EntryMissingError: There is no such row, or several where one is asked for.
        PruneRefusedError: It would retire too much.
        StoreConflictError: The table of a row is gone.
    """
    with store.writing() as connection:
        head = lock_foundry(connection, foundry)
        return _written(connection, head, target, origin=origin, guards=guards)


def undelete(store: Store, foundry: str, entry: str, *, origin: Origin) -> MergeResult:
    """Bring a retiring, retired or purged row back to its last living state.

    Raises:
        EntryMissingError: There is no such row, or several.
    """
    with store.writing() as connection:
        head = lock_foundry(connection, foundry)
        row = Selection(entry=entry).one_of(read_rows(connection, head, head.revision))
        target = Target(
            revision=last_living(connection, head, row), rows=Selection(entry=row.dag_id)
        )
        return _written(connection, head, target, origin=origin, guards=Guards())


def _written(
    connection: Connection, head: Head, target: Target, *, origin: Origin, guards: Guards
) -> MergeResult:
    made = _plan(connection, head, target)
    moved = apply_plan(
        connection,
        head,
        made.plan,
        made.live,
        living=made.living,
        origin=origin,
        guards=guards,
    )
    return MergeResult(plan=made.plan, head=moved)


def _plan(connection: Connection, head: Head, target: Target) -> _Made:
    require_revision(head, target.revision)
    now = _rows(connection, head, head.revision)
    then = {row.address: row for row in _rows(connection, head, target.revision)}
    known = known_rows(connection, _covered(now, then, target.rows))
    changes = [
        change for row in known if (change := _change(row, then.get(row.state.address))) is not None
    ]
    plan = Plan(
        foundry=head.foundry,
        base_revision=head.revision,
        changes=tuple(sorted(changes, key=lambda change: change.row.dag_id)),
        unchanged=len(known) - len(changes),
    )
    living = count_living(now)
    against = {name: error.what for name, error in objections(plan, living).items()}
    live = tuple(row for each in known if (row := each.live()) is not None)
    return _Made(plan=replace(plan, objections=against), live=live, living=living)


def _rows(connection: Connection, head: Head, revision: int) -> list[RowState]:
    rows = read_rows(connection, head, revision)
    return [row for row in rows if row.kind is not RowKind.INFRASTRUCTURE]


def _covered(
    now: Sequence[RowState], then: Mapping[Address, RowState], rows: Selection
) -> list[RowState]:
    if rows.entry is None:
        return rows.of(now)
    entry = rows.one_of(now)
    return [entry, *_lost_factory(now, entry)] if _lived(then.get(entry.address)) else [entry]


def _lost_factory(now: Iterable[RowState], entry: RowState) -> Iterator[RowState]:
    """Yield the row of an entry's factory if it is gone: nobody would look after the entry."""
    for row in now:
        owns = (row.platform_name, row.factory_type) == (entry.platform_name, entry.factory_type)
        if owns and row.kind is RowKind.FACTORY and row is not entry and not _lived(row):
            yield row


def _lived(row: RowState | None) -> bool:
    return row is not None and row.status in LIVING


def _change(row: KnownRow, then: RowState | None) -> PlannedChange | None:
    after = _state_after(row, then)
    if after is None:
        return None
    status, config_json = after
    state = {"status": status.value, "config_json": config_json}
    if state == row.found == row.state.state:
        return None
    change = row.change(status, config_json)
    return PlannedChange(action=action_of(row.before, status), row=change)


def _state_after(row: KnownRow, then: RowState | None) -> tuple[Status, str] | None:
    if then is not None and then.status in LIVING:
        return then.status, then.config_json
    if _lived(row.state) or (row.found or {}).get("status") in LIVING:
        return Status.RETIRING, (then or row.state).config_json
    return None
