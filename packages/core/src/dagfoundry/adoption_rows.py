"""Reading a reference deployment's tables as they are, row by row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import inspect, select

from dagfoundry.adoption import AdoptionFinding, config_findings, finding
from dagfoundry.factories import Status
from dagfoundry.names import infrastructure_dag_id, is_dag_id
from dagfoundry.store.live import entry_rows, factory_rows
from dagfoundry.store.records import RowKind
from dagfoundry.store.tables import DAGS, FoundryTables, entries_table_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

    from dagfoundry.factories import FactoryType
    from dagfoundry.plugins import Plugins
    from dagfoundry.store.live import LiveRow

_COLUMNS: Final = ("config_json", "status")
_LATER: Final = "then run `dagfoundry drift --record`."


@dataclass(kw_only=True)
class Adoptable:
    """What can be adopted, collected table by table.

    Attributes:
        rows: The rows to record, factories first.
        named: The platforms that have an active factory, usable or not.
        ignored: Number of rows whose status is not active.
        findings: What is wrong with rows and tables.
    """

    rows: list[LiveRow] = field(default_factory=list)
    named: set[str] = field(default_factory=set)
    ignored: int = 0
    findings: list[AdoptionFinding] = field(default_factory=list)

    @property
    def platforms(self) -> list[str]:
        """The platforms whose factories can be adopted."""
        return sorted({row.platform_name for row in self.rows})


def read_adoptable(connection: Connection, foundry: str, plugins: Plugins) -> Adoptable:
    """Read the factories of a reference deployment, and the entries of each of them."""
    tables = set(inspect(connection).get_table_names())
    reader = _Reader(
        connection=connection,
        tables=tables,
        types={name: installed.type for name, installed in plugins.types.items()},
        dag_ids=_taken_dag_ids(connection, foundry, tables),
    )
    reader.read_foundry(foundry)
    return reader.found


@dataclass(kw_only=True)
class _Reader:
    connection: Connection
    tables: set[str]
    types: dict[str, FactoryType]
    dag_ids: dict[str, str]
    found: Adoptable = field(default_factory=Adoptable)
    platforms: dict[str, str] = field(default_factory=dict)

    def read_foundry(self, foundry: str) -> None:
        table = FoundryTables(foundry).factories
        self.found.findings += _unknown_types(self.connection, table, self.types)
        rows = factory_rows(self.connection, table, list(self.types.values()))
        for row in self._active(rows):
            self.found.named.add(row.platform_name)
            if self._owns_its_tables(row) and self._take(row):
                self._read_entries(row)

    def _owns_its_tables(self, row: LiveRow) -> bool:
        other = self.platforms.setdefault(row.platform_name.lower(), row.platform_name)
        if other == row.platform_name:
            return True
        what = f"{row.platform_name!r} has the same tables as platform {other!r}"
        remedy = "Keep the rows of one of them."
        self.found.findings.append(finding(row, "platform_name", what, remedy, held_out=True))
        return False

    def _read_entries(self, factory: LiveRow) -> None:
        factory_type = self.types[factory.factory_type]
        problem = _table_problem(self.connection, factory, factory_type, self.tables)
        if problem is not None:
            self.found.findings.append(problem)
            return
        rows = entry_rows(self.connection, factory.platform_name, factory_type)
        for row in self._active(rows):
            self._take(row)

    def _active(self, rows: Iterable[LiveRow]) -> Iterator[LiveRow]:
        for row in sorted(rows, key=lambda row: (row.platform_name, row.factory_type, row.key)):
            if row.status == Status.ACTIVE.value:
                yield row
            else:
                self.found.ignored += 1

    def _take(self, row: LiveRow) -> bool:
        """Keep a row for the revision; one whose DAG id cannot be used is held out."""
        problem = None
        if not is_dag_id(row.dag_id):
            problem = f"makes DAG id {row.dag_id!r}, which Airflow refuses"
        elif row.dag_id in self.dag_ids:
            problem = f"makes DAG id {row.dag_id!r}, which belongs to {self.dag_ids[row.dag_id]}"
        if problem:
            column = "platform_name" if row.kind is RowKind.FACTORY else next(iter(row.primary_key))
            remedy = f"Rename the row, in its key and in its config_json, {_LATER}"
            self.found.findings.append(finding(row, column, problem, remedy, held_out=True))
            return False
        self.dag_ids[row.dag_id] = f"another row, of table {row.table.name}"
        self.found.findings += config_findings(row, self.types[row.factory_type])
        self.found.rows.append(row)
        return True


def _table_problem(
    connection: Connection, factory: LiveRow, factory_type: FactoryType, tables: set[str]
) -> AdoptionFinding | None:
    name = entries_table_name(factory.platform_name, factory_type.table)
    key = factory_type.table.config_key or ""
    named = factory.config().get(key, name)
    if str(named).lower() != name:
        what = f"names table {named!r}, but the rule of names gives {name!r}"
        return finding(factory, key, what, f"Its entries are held out: rename it, {_LATER}")
    if name not in tables:
        what = f"there is no table {name!r}"
        return finding(factory, key, what, "A merge creates it; there are no entries to adopt.")
    missing = {factory_type.table.key_column, *_COLUMNS} - _columns(connection, name)
    if missing:
        what = f"table {name!r} lacks the columns {', '.join(sorted(missing))}"
        return finding(factory, key, what, f"Its entries are held out: add them, {_LATER}")
    return None


def _unknown_types(
    connection: Connection, table: Table, types: dict[str, FactoryType]
) -> Iterator[AdoptionFinding]:
    statement = select(table.c.platform_name, table.c.factory_type).where(
        table.c.status == Status.ACTIVE.value
    )
    for row in connection.execute(statement):
        if row.factory_type not in types:
            yield AdoptionFinding(
                table=table.name,
                key=f"{row.platform_name}/{row.factory_type}",
                field="factory_type",
                what=f"no installed distribution offers factory type {row.factory_type!r}",
                remedy=f"Install one, {_LATER}",
                held_out=True,
            )


def _columns(connection: Connection, table: str) -> set[str]:
    columns: list[Any] = list(inspect(connection).get_columns(table))
    return {column["name"] for column in columns}


def _taken_dag_ids(connection: Connection, foundry: str, tables: set[str]) -> dict[str, str]:
    taken = {infrastructure_dag_id(foundry): "the infrastructure DAG"}
    if DAGS.name in tables:
        statement = select(DAGS.c.dag_id, DAGS.c.foundry).where(DAGS.c.foundry != foundry)
        taken |= {r.dag_id: f"foundry {r.foundry!r}" for r in connection.execute(statement)}
    return taken
