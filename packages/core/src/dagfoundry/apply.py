"""From a plan to a revision: the one way in which a merge, plan file or rollback is written."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagfoundry.errors import PlanStaleError, StoreConflictError
from dagfoundry.fields import state_changes
from dagfoundry.guards import Guards, count_living, refuse
from dagfoundry.plan_rows import plan_of_file
from dagfoundry.store.live import live_rows
from dagfoundry.store.read import read_foundry, read_recorded
from dagfoundry.store.readiness import require_ready
from dagfoundry.store.records import Head
from dagfoundry.store.ring1 import create_tables, foundry_tables, missing_tables
from dagfoundry.store.tables import FOUNDRIES, PLATFORMS
from dagfoundry.store.write import claim_platforms, create_foundry, lock_foundry, write_revision

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy.engine import Connection

    from dagfoundry.guards import Factory
    from dagfoundry.plan import Plan, PlannedChange
    from dagfoundry.plan_file import PlanFile
    from dagfoundry.plugins import Plugins
    from dagfoundry.store import Store
    from dagfoundry.store.live import LiveRow
    from dagfoundry.store.records import RowKind
    from dagfoundry.store.write import Origin

    Address = tuple[RowKind, str, str, str]

_NAMED_ROWS = 3
"""How many rows an error names before it only counts them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MergeResult:
    """What was done: the plan and the head it left."""

    plan: Plan
    head: Head


@contextmanager
def locked_foundry(store: Store, foundry: str, buckets: int) -> Iterator[tuple[Connection, Head]]:
    """Open the transaction of a write with the foundry's lock; create the foundry at need.

    Raises:
        FoundryUnadoptedError: The store holds a reference deployment of this name.
        SchemaMismatchError: The store's tables are older or newer than this code.
    """
    with store.writing() as connection:
        require_ready(connection, foundry)
        create_foundry(connection, foundry, buckets)
        yield connection, lock_foundry(connection, foundry)


def apply_plan(
    connection: Connection,
    head: Head,
    plan: Plan,
    live: Sequence[LiveRow],
    *,
    living: Mapping[Factory, int],
    origin: Origin,
    guards: Guards,
) -> Head:
    """Write exactly what a plan says, or nothing; the caller holds the foundry's lock.

    Args:
        connection: The transaction.
        head: Where the foundry stands.
        plan: What to write.
        live: The plan's rows as they stand now; others do no harm.
        living: How many entries each factory has now.
        origin: Who writes it, why and from what.
        guards: Which guards are lifted.

    Raises:
        PlanStaleError: The foundry or a row is not what the plan was made for.
        PruneRefusedError: It would retire too much, see :class:`Guards`.
        OlderModelError: Its model is older than the one merged last.
        StoreConflictError: A platform or DAG id belongs to another foundry.
    """
    refuse_stale(head, plan, live)
    refuse(plan, living, guards)
    claim_platforms(connection, head.foundry, plan.platforms)
    return write_revision(connection, head, [change.row for change in plan.changes], origin)


def apply_plan_file(
    store: Store, file: PlanFile, plugins: Plugins, *, origin: Origin, guards: Guards
) -> MergeResult:
    """Write exactly what a plan file says, as one new revision, or nothing.

    Tables that a new foundry, platform or factory type needs are created first.

    Args:
        store: The store.
        file: What was planned; its own lifted guards count too.
        plugins: The installed factory types.
        origin: Who applies it, why and from what.
        guards: Which guards are lifted besides.

    Raises:
        PlanInvalidError: The file holds what no plan could.
        FactoryTypeMissingError: A row's factory type is not installed.
        PlanStaleError: The foundry or a row is not what the plan was made for.
        PruneRefusedError: It would retire too much.
        OlderModelError: Its model is older than the one merged last.
        StoreConflictError: A name belongs to another foundry.
    """
    plan = plan_of_file(file, plugins, buckets=file.buckets)
    _create_tables(store, file, plan, plugins)
    guards |= Guards(
        allow_prune=file.allow_prune,
        allow_older=file.allow_older,
        allow_environment=file.allow_environment,
    )
    with locked_foundry(store, file.foundry, file.buckets) as (connection, head):
        _refuse_other_name(file, head)
        plan = plan_of_file(file, plugins, buckets=head.buckets)
        live = _live(connection, file, plugins)
        living = count_living(live, read_recorded(connection, head.foundry))
        moved = apply_plan(
            connection, head, plan, live, living=living, origin=origin, guards=guards
        )
    return MergeResult(plan=plan, head=moved)


def _create_tables(store: Store, file: PlanFile, plan: Plan, plugins: Plugins) -> None:
    """Create the tables that the plan needs, unless it would be refused as stale."""
    names = sorted({change.row.factory_type for change in plan.changes})
    types = [plugins.type(name) for name in names]
    tables = foundry_tables(file.foundry, file.platforms, types)
    if not store.exists():
        refuse_stale(_new_head(file), plan, [])
    else:
        with store.reading() as connection:
            require_ready(connection, file.foundry)
            if not missing_tables(connection, tables):
                return
            known = not missing_tables(connection, [FOUNDRIES, PLATFORMS])
            head = read_foundry(connection, file.foundry) if known else None
            refuse_stale(head or _new_head(file), plan, _live(connection, file, plugins))
    create_tables(store, tables)


def _new_head(file: PlanFile) -> Head:
    return Head(foundry=file.foundry, revision=0, buckets=file.buckets)


def _live(connection: Connection, file: PlanFile, plugins: Plugins) -> list[LiveRow]:
    types = [installed.type for installed in plugins.types.values()]
    return live_rows(connection, file.foundry, file.platforms, types)


def _refuse_other_name(file: PlanFile, head: Head) -> None:
    if head.foundry != file.foundry:
        msg = f"foundry {file.foundry!r} takes the tables of foundry {head.foundry!r}"
        raise StoreConflictError(msg, remedy="Write it the same, or choose another name.")


def refuse_stale(head: Head, plan: Plan, live: Sequence[LiveRow]) -> None:
    """Refuse a plan whose foundry or rows have changed since it was made.

    Raises:
        PlanStaleError: They have; the error names the rows.
    """
    stored = {row.address: row for row in live}
    moved = [text for change in plan.changes if (text := _moved(change, stored))]
    reasons = moved[:_NAMED_ROWS]
    if len(moved) > _NAMED_ROWS:
        reasons.append(f"and {len(moved) - _NAMED_ROWS} more rows")
    if head.revision != plan.base_revision:
        at = f"the plan was made for revision {plan.base_revision} of foundry {plan.foundry!r}"
        reasons.insert(0, f"{at}, which is at revision {head.revision} now")
    if reasons:
        remedy = "Make the plan anew with `dagfoundry plan --out`, look at it, and apply that."
        raise PlanStaleError("; ".join(reasons), remedy=remedy)


def _moved(change: PlannedChange, stored: Mapping[Address, LiveRow]) -> str | None:
    """Return what differs between the row as the plan saw it and as it stands, or None."""
    row = change.row
    known = stored.get((row.kind, row.platform_name, row.factory_type, row.key))
    found = known.state if known else None
    expected = row.before if row.is_stored else None
    if found == expected:
        return None
    if found is None or expected is None:
        now = "is not there any more" if found is None else "is there already"
        return f"row {row.dag_id} {now}"
    fields = ", ".join(f.field for f in state_changes(expected, found)) or "config_json"
    return f"row {row.dag_id} has changed since in {fields}"
