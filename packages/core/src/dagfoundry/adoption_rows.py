"""Reading a reference deployment's tables as they are, row by row."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import inspect, select

from dagfoundry.adoption import AdoptionFinding, config_findings, finding
from dagfoundry.factories import Status
from dagfoundry.names import infrastructure_dag_id
from dagfoundry.store.live import entry_rows, factory_rows
from dagfoundry.store.tables import DAGS, FoundryTables, entries_table_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy.engine import Connection

    from dagfoundry.factories import FactoryType
    from dagfoundry.plugins import Plugins
    from dagfoundry.store.live import LiveRow

_DAG_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,250}")
_COLUMNS: Final = ("config_json", "status")
_LATER: Final = "then run `dagfoundry drift --record`."


@dataclass(kw_only=True)
class Adoptable:
    """What can be adopted, collected table by table.

    Attributes:
        rows: The rows to record, factories first.
        ignored: Number of rows whose status is not active.
        findings: What is wrong with rows and tables.
    """

    rows: list[LiveRow] = field(default_factory=list)
    ignored: int = 0
    findings: list[AdoptionFinding] = field(default_factory=list)

    @property
    def platforms(self) -> list[str]:
        """The platforms that have a factory."""
        return sorted({row.platform_name for row in self.rows})


def read_adoptable(connection: Connection, foundry: str, plugins: Plugins) -> Adoptable:
    """Read the factories of a reference deployment, and the entries of each of them."""
    found = Adoptable()
    tables = set(inspect(connection).get_table_names())
    dag_ids = _taken_dag_ids(connection, foundry, tables)
    table = FoundryTables(foundry).factories
    types = {name: installed.type for name, installed in plugins.types.items()}
    found.findings += _unknown_types(connection, foundry, types)
    factories = factory_rows(connection, table, list(types.values()))
    platforms: dict[str, str] = {}
    for row in _active(found, factories):
        if platforms.setdefault(row.platform_name.lower(), row.platform_name) != row.platform_name:
            other = platforms[row.platform_name.lower()]
            what = f"{row.platform_name!r} has the same tables as platform {other!r}"
            remedy = "Keep the rows of one of them."
            found.findings.append(finding(row, "platform_name", what, remedy, held_out=True))
        elif _take(found, row, types[row.factory_type], dag_ids):
            _read_entries(connection, found, row, tables, types, dag_ids)
    return found


def _read_entries(
    connection: Connection,
    found: Adoptable,
    factory: LiveRow,
    tables: set[str],
    types: dict[str, FactoryType],
    dag_ids: dict[str, str],
) -> None:
    factory_type = types[factory.factory_type]
    problem = _table_problem(connection, factory, factory_type, tables)
    if problem is not None:
        found.findings.append(problem)
        return
    for row in _active(found, entry_rows(connection, factory.platform_name, factory_type)):
        _take(found, row, factory_type, dag_ids)


def _take(
    found: Adoptable, row: LiveRow, factory_type: FactoryType, dag_ids: dict[str, str]
) -> bool:
    """Keep a row for the revision; one whose DAG id cannot be used is held out."""
    problem = None
    if not _DAG_ID.fullmatch(row.dag_id):
        problem = f"makes DAG id {row.dag_id!r}, which Airflow refuses"
    elif row.dag_id in dag_ids:
        problem = f"makes DAG id {row.dag_id!r}, which belongs to {dag_ids[row.dag_id]}"
    if problem:
        column = next(reversed(row.primary_key))
        remedy = f"Rename the row, in its key and in its config_json, {_LATER}"
        found.findings.append(finding(row, column, problem, remedy, held_out=True))
        return False
    dag_ids[row.dag_id] = f"another row, of table {row.table.name}"
    found.findings += config_findings(row, factory_type)
    found.rows.append(row)
    return True


def _active(found: Adoptable, rows: Iterable[LiveRow]) -> Iterator[LiveRow]:
    for row in sorted(rows, key=lambda row: (row.platform_name, row.factory_type, row.key)):
        if row.status == Status.ACTIVE.value:
            yield row
        else:
            found.ignored += 1


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
    connection: Connection, foundry: str, types: dict[str, FactoryType]
) -> Iterator[AdoptionFinding]:
    table = FoundryTables(foundry).factories
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


def _taken_dag_ids(
    connection: Connection, foundry: str, tables: set[str]
) -> dict[str, str]:
    taken = {infrastructure_dag_id(foundry): "the infrastructure DAG"}
    if DAGS.name in tables:
        statement = select(DAGS.c.dag_id, DAGS.c.foundry).where(DAGS.c.foundry != foundry)
        taken |= {r.dag_id: f"foundry {r.foundry!r}" for r in connection.execute(statement)}
    return taken
