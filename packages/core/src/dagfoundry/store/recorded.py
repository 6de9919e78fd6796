"""The rows as history says they stand, which a drift compares with the tables."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import MetaData, Table

from dagfoundry.factories import Status
from dagfoundry.store.live import LiveRow
from dagfoundry.store.read import last_changes
from dagfoundry.store.records import RowKind
from dagfoundry.store.tables import FoundryTables

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from dagfoundry.store.records import Head


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedRow:
    """One row as its last revision left it.

    Attributes:
        kind: Factory or entry.
        table_name: Physical table of the row.
        platform_name: Platform as the model writes it.
        factory_type: Name of the factory type.
        key: Key of an entry; empty for a factory.
        dag_id: DAG id.
        bucket: Number of the bucket that holds the DAG.
        revision: Revision that last changed the row.
        after: Status and config_json as history writes them, JSON.
    """

    kind: RowKind
    table_name: str
    platform_name: str
    factory_type: str
    key: str
    dag_id: str
    bucket: int
    revision: int
    after: str

    @property
    def address(self) -> tuple[RowKind, str, str, str]:
        """What identifies the row within its foundry."""
        return self.kind, self.platform_name, self.factory_type, self.key

    @property
    def state(self) -> dict[str, str | None]:
        """Status and config_json."""
        state: dict[str, str | None] = json.loads(self.after)
        return state

    @property
    def is_gone(self) -> bool:
        """Whether the row is purged, so that its table does not hold it."""
        return '"purged"' in self.after and self.state["status"] == Status.PURGED.value

    def as_live(self) -> LiveRow:
        """Return the row as it stood in its table when it was recorded."""
        return LiveRow(
            table=Table(self.table_name, MetaData()),
            primary_key={},
            kind=self.kind,
            platform_name=self.platform_name,
            factory_type=self.factory_type,
            key=self.key,
            dag_id=self.dag_id,
            **self.state,
        )


def recorded_rows(
    connection: Connection, head: Head, factory: tuple[str, str] | None = None
) -> list[RecordedRow]:
    """Return every row's last recorded state, purged ones too; one statement.

    Args:
        connection: An open connection.
        head: The foundry.
        factory: Only the rows of this platform and factory type.
    """
    tables = FoundryTables(head.foundry)
    changes = tables.changes.c
    conditions = [changes.revision <= head.revision]
    if factory is not None:
        platform_name, factory_type = factory
        conditions += [changes.platform_name == platform_name, changes.factory_type == factory_type]
    names = ("table_name", "platform_name", "factory_type", "dag_id", "bucket", "revision", "after")
    columns = [changes[name] for name in (*names, "kind", "entry_key")]
    return [
        RecordedRow(
            kind=RowKind(row.kind),
            key=row.entry_key,
            **{name: getattr(row, name) for name in names},
        )
        for row in connection.execute(last_changes(tables, conditions, *columns)).all()
    ]
