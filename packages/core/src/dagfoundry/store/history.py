"""Reading what each revision changed."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select

from dagfoundry.errors import RevisionMissingError
from dagfoundry.factories import LIVING
from dagfoundry.store.read import revision_record
from dagfoundry.store.records import RowKind
from dagfoundry.store.tables import FoundryTables

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.engine import Connection, Row
    from sqlalchemy.sql.elements import ColumnElement

    from dagfoundry.fields import State
    from dagfoundry.selection import Selection
    from dagfoundry.store.records import Head, RevisionRecord, RowState


@dataclass(frozen=True, kw_only=True, slots=True)
class RowWritten:
    """One row that a revision wrote.

    Attributes:
        kind: Factory or entry.
        platform_name: Platform as the model writes it.
        factory_type: Name of the factory type.
        key: Key of an entry; empty for a factory.
        dag_id: DAG id.
        before: Status and config_json before; None where there was no row.
        after: Status and config_json after.
    """

    kind: RowKind
    platform_name: str
    factory_type: str
    key: str
    dag_id: str
    before: State | None
    after: State


@dataclass(frozen=True, kw_only=True, slots=True)
class RevisionLog:
    """One revision and the rows it wrote, as far as they are selected."""

    revision: RevisionRecord
    rows: tuple[RowWritten, ...]


def read_log(
    connection: Connection, head: Head, selection: Selection, *, limit: int | None = None
) -> list[RevisionLog]:
    """Return the revisions that wrote a selected row, newest first; two statements.

    Args:
        connection: An open connection.
        head: The foundry.
        selection: Which rows.
        limit: How many revisions; all of them by default.
    """
    tables = FoundryTables(head.foundry)
    conditions = _conditions(tables.changes, selection)
    touching = select(tables.changes.c.revision).where(*conditions)
    statement = (
        select(tables.revisions)
        .where(tables.revisions.c.revision.in_(touching))
        .order_by(tables.revisions.c.revision.desc())
        .limit(limit)
    )
    revisions = [revision_record(row) for row in connection.execute(statement)]
    if not revisions:
        return []
    rows: dict[int, list[RowWritten]] = defaultdict(list)
    changes = tables.changes.c
    since = changes.revision >= revisions[-1].revision
    written = select(tables.changes).where(since, *conditions).order_by(changes.dag_id)
    for row in connection.execute(written):
        rows[row.revision].append(_row_written(row))
    return [RevisionLog(revision=each, rows=tuple(rows[each.revision])) for each in revisions]


def read_revision_log(connection: Connection, head: Head, revision: RevisionRecord) -> RevisionLog:
    """Return a revision with every row that it wrote."""
    changes = FoundryTables(head.foundry).changes
    written = select(changes).where(changes.c.revision == revision.revision)
    rows = connection.execute(written.order_by(changes.c.dag_id))
    return RevisionLog(revision=revision, rows=tuple(map(_row_written, rows)))


def last_living(connection: Connection, head: Head, row: RowState) -> int:
    """Return the newest revision in which a row lived.

    Raises:
        RevisionMissingError: It never did.
    """
    changes = FoundryTables(head.foundry).changes
    statement = (
        select(changes.c.revision, changes.c.after)
        .where(changes.c.dag_id == row.dag_id)
        .order_by(changes.c.revision.desc())
    )
    for change in connection.execute(statement):
        if json.loads(change.after or "{}").get("status") in LIVING:
            return int(change.revision)
    msg = f"{row.dag_id!r} was active in no revision"
    raise RevisionMissingError(msg, remedy="Write it into the model, and merge.")


def _conditions(changes: Table, selection: Selection) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if selection.platform is not None:
        found.append(changes.c.platform_name == selection.platform)
    if selection.factory_type is not None:
        found.append(changes.c.factory_type == selection.factory_type)
    if selection.entry is not None:
        entry = selection.entry
        found.append(or_(changes.c.dag_id == entry, changes.c.entry_key == entry))
    return found


def _row_written(row: Row[Any]) -> RowWritten:
    return RowWritten(
        kind=RowKind(row.kind),
        platform_name=row.platform_name,
        factory_type=row.factory_type,
        key=row.entry_key,
        dag_id=row.dag_id,
        before=json.loads(row.before) if row.before else None,
        after=json.loads(row.after) if row.after else {},
    )
