"""The rows that history knows, with what stands in their tables now.

It needs no factory type: history says which table, key and DAG id a row has, and the
database says which column is the key. So a row can be looked at, and brought back, while
its plugin is missing or broken.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import MetaData, Table, inspect, select

from dagfoundry.errors import StoreConflictError
from dagfoundry.factories import Status
from dagfoundry.store.live import LiveRow
from dagfoundry.store.records import RowKind
from dagfoundry.store.tables import FoundryTables
from dagfoundry.store.write import RowChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy.engine import Connection

    from dagfoundry.fields import State
    from dagfoundry.store.records import RowState


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownRow:
    """One row as history has it, and as it stands.

    Attributes:
        state: Its newest state in history, which is what Airflow runs.
        table: Its table; None where that is gone.
        primary_key: Its key columns and values.
        found: Status and config_json in the table; None where there is no such row.
    """

    state: RowState
    table: Table | None = field(repr=False)
    primary_key: dict[str, str]
    found: State | None

    @property
    def before(self) -> State | None:
        """What a change of the row starts from, as history writes it."""
        if self.found is None and self.state.status is Status.PURGED:
            return self.state.state
        return self.found

    def live(self) -> LiveRow | None:
        """Return the row as it stands, or None where it does not."""
        if self.found is None or self.table is None:
            return None
        return LiveRow(
            table=self.table,
            primary_key=self.primary_key,
            kind=self.state.kind,
            platform_name=self.state.platform_name,
            factory_type=self.state.factory_type,
            key=self.state.key,
            dag_id=self.state.dag_id,
            status=self.found["status"],
            config_json=self.found["config_json"],
        )

    def change(self, status: Status, config_json: str) -> RowChange:
        """Return the change that gives the row this state.

        Raises:
            StoreConflictError: The row's table is gone.
        """
        if self.table is None:
            name, factory_type = self.state.table_name, self.state.factory_type
            msg = f"table {name!r} of factory type {factory_type!r} is gone"
            remedy = "Create it with `dagfoundry bootstrap MODEL`, then run this again."
            raise StoreConflictError(msg, remedy=remedy)
        return RowChange(
            table=self.table,
            primary_key=self.primary_key,
            kind=self.state.kind,
            platform_name=self.state.platform_name,
            factory_type=self.state.factory_type,
            key=self.state.key,
            dag_id=self.state.dag_id,
            bucket=self.state.bucket,
            before=self.before,
            status=status,
            config_json=config_json,
        )


def known_rows(connection: Connection, states: Iterable[RowState]) -> list[KnownRow]:
    """Return rows with what stands in their tables; a table is read once.

    Args:
        connection: An open connection.
        states: The rows' newest states in history.

    Raises:
        StoreConflictError: A table has another key than a factory type gives it.
    """
    by_table: dict[str, list[RowState]] = defaultdict(list)
    for state in states:
        if state.kind is not RowKind.INFRASTRUCTURE:
            by_table[state.table_name].append(state)
    existing = set(inspect(connection).get_table_names()) if by_table else set()
    return [
        row
        for name, mine in by_table.items()
        for row in _rows_of_table(connection, name, mine, exists=name in existing)
    ]


def _rows_of_table(
    connection: Connection, name: str, states: Sequence[RowState], *, exists: bool
) -> Iterator[KnownRow]:
    if not exists:
        for state in states:
            yield KnownRow(state=state, table=None, primary_key={}, found=None)
        return
    table = _table(connection, name, states[0])
    columns = list(table.primary_key.columns)
    statement = select(*columns, table.c.status, table.c.config_json)
    found = {tuple(row)[:-2]: row for row in connection.execute(statement)}
    for state in states:
        key = _key(state)
        row = found.get(key)
        yield KnownRow(
            state=state,
            table=table,
            primary_key={column.name: value for column, value in zip(columns, key, strict=True)},
            found=row and {"status": row.status, "config_json": row.config_json},
        )


def _table(connection: Connection, name: str, state: RowState) -> Table:
    if state.kind is RowKind.FACTORY:
        return FoundryTables(state.foundry).factories
    table = Table(name, MetaData(), autoload_with=connection)
    if len(table.primary_key.columns) != 1:
        msg = f"table {name!r} of factory type {state.factory_type!r} has no key of one column"
        remedy = "Give it back the primary key that its factory type gives it."
        raise StoreConflictError(msg, remedy=remedy)
    return table


def _key(state: RowState) -> tuple[str, ...]:
    if state.kind is RowKind.FACTORY:
        return state.platform_name, state.factory_type
    return (state.key,)
