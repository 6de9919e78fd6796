"""From a plan file's rows to a plan: each is checked against its installed factory type."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError
from sqlalchemy import MetaData, Table

from dagfoundry.errors import PlanInvalidError
from dagfoundry.factories import LIVING
from dagfoundry.names import bucket_of, dag_id_of, is_dag_id
from dagfoundry.plan import Plan, PlannedChange, action_of
from dagfoundry.store.records import RowKind
from dagfoundry.store.tables import FoundryTables, entries_table
from dagfoundry.store.write import RowChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dagfoundry.factories import FactoryType
    from dagfoundry.plan_file import PlanFile, PlanFileRow
    from dagfoundry.plugins import Plugins

_REMEDY: Final = "Make the plan anew with `dagfoundry plan MODEL --out FILE`."


def plan_of_file(file: PlanFile, plugins: Plugins, *, buckets: int) -> Plan:
    """Return the plan that a file holds.

    Args:
        file: The file's content.
        plugins: The installed factory types.
        buckets: The foundry's number of bundle files.

    Raises:
        PlanInvalidError: A row is not one that a plan could hold.
        FactoryTypeMissingError: A row's factory type is not installed.
    """
    _refuse_repeated(name.lower() for name in file.platforms)
    maker = _RowMaker(file, plugins, buckets)
    changes = tuple(maker.change(row) for row in file.rows)
    _refuse_repeated(change.row.dag_id for change in changes)
    return Plan(
        foundry=file.foundry,
        base_revision=file.base_revision,
        changes=changes,
        unchanged=file.unchanged,
        platforms=file.platforms,
        older_than=file.older_than,
        other_environment=file.other_environment,
    )


def _refuse_repeated(names: Iterable[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise PlanInvalidError(f"the plan names {name!r} {count} times", remedy=_REMEDY)


class _RowMaker:
    """Makes the changes of one plan file."""

    def __init__(self, file: PlanFile, plugins: Plugins, buckets: int) -> None:
        self._file = file
        self._plugins = plugins
        self._buckets = buckets
        self._factories = FoundryTables(file.foundry).factories
        self._entries = cache(self._entries_table)

    def change(self, row: PlanFileRow) -> PlannedChange:
        factory_type = self._plugins.type(row.factory_type)
        dag_id = self._dag_id(row, factory_type)
        for problem in self._problems(row, factory_type, dag_id):
            raise PlanInvalidError(f"row {row.dag_id!r} of the plan {problem}", remedy=_REMEDY)
        table, primary_key = self._place(row, factory_type)
        before = row.before.model_dump() if row.before else None
        change = RowChange(
            table=table,
            primary_key=primary_key,
            kind=row.kind,
            platform_name=row.platform_name,
            factory_type=row.factory_type,
            key=row.key,
            dag_id=dag_id,
            bucket=bucket_of(dag_id, self._buckets),
            before=before,
            status=row.after.status,
            config_json=row.after.config_json,
        )
        return PlannedChange(action=row.action, row=change)

    def _dag_id(self, row: PlanFileRow, factory_type: FactoryType) -> str:
        is_entry = row.kind is RowKind.ENTRY
        pattern = factory_type.dag_id if is_entry else factory_type.factory_dag_id
        return dag_id_of(pattern, row.platform_name, row.key)

    def _place(self, row: PlanFileRow, factory_type: FactoryType) -> tuple[Table, dict[str, str]]:
        if row.kind is RowKind.FACTORY:
            key = {"platform_name": row.platform_name, "factory_type": row.factory_type}
            return self._factories, key
        table = self._entries(row.platform_name, factory_type)
        return table, {factory_type.table.key_column: row.key}

    @staticmethod
    def _entries_table(platform: str, factory_type: FactoryType) -> Table:
        return entries_table(MetaData(), platform, factory_type.table)

    def _problems(self, row: PlanFileRow, factory_type: FactoryType, dag_id: str) -> Iterator[str]:
        before = row.before.model_dump() if row.before else None
        lives = row.after.status in LIVING
        if row.dag_id != dag_id:
            yield f"has the DAG id {dag_id!r}"
        if (row.key == "") is (row.kind is RowKind.ENTRY):
            yield f"has the key {row.key!r}"
        if row.action is not action_of(before, row.after.status):
            yield f"is no {row.action.value!r}"
        if lives and row.platform_name not in self._file.platforms:
            yield f"is on platform {row.platform_name!r}, which the plan does not name"
        if lives and not is_dag_id(dag_id):
            yield "has an illegal DAG id"
        if lives:
            yield from _config_problems(row, factory_type)


def _config_problems(row: PlanFileRow, factory_type: FactoryType) -> Iterator[str]:
    config = _parsed(row.after.config_json)
    if not isinstance(config, dict):
        yield "has a config_json that is no JSON object"
    elif row.kind is RowKind.ENTRY:
        try:
            factory_type.config.model_validate(config)
        except ValidationError as error:
            yield f"has a config_json that its factory type refuses: {error.errors()[0]['msg']}"


def _parsed(text: str) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
