"""From a checked model to the rows it asks for, or everything that keeps them from running."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError
from sqlalchemy import MetaData

from dagfoundry.drafts import draft_entries
from dagfoundry.errors import Finding, ModelInvalidError
from dagfoundry.factories import Status
from dagfoundry.foundry_checks import find_objections
from dagfoundry.lineage import find_circles, find_producers, lineage_keys
from dagfoundry.names import dag_id_of, infrastructure_dag_id, is_dag_id
from dagfoundry.row_config import entry_config, factory_config
from dagfoundry.rules import Rule
from dagfoundry.store.records import RowKind
from dagfoundry.store.tables import FoundryTables, entries_table
from dagfoundry.upcast import stamp_version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic_core import ErrorDetails
    from sqlalchemy import Table

    from dagfoundry.drafts import Drafted
    from dagfoundry.errors import Place
    from dagfoundry.factories import FactoryType
    from dagfoundry.model import LoadedModel
    from dagfoundry.plugins import Plugins

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class DesiredRow:
    """One row as the model wants it.

    Attributes:
        kind: Factory or entry.
        platform_name: Platform as the model writes it.
        factory_type: The factory type.
        key: Key of an entry; empty for a factory.
        dag_id: DAG id.
        config: Parsed config_json.
        config_json: Its text, as the row will hold it.
        table: The row's table.
        primary_key: Key columns and values.
        status: Active, or inactive for ``enabled: false``.
        path: Where in the model it comes from.
        place: File, line and column of that.
    """

    kind: RowKind
    platform_name: str
    factory_type: FactoryType
    key: str
    dag_id: str
    config: Mapping[str, Any]
    table: Table = field(repr=False)
    primary_key: Mapping[str, str]
    status: Status = Status.ACTIVE
    path: str = ""
    place: Place | None = None
    config_json: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Write the config's text."""
        object.__setattr__(self, "config_json", _ENCODER.encode(self.config))

    @property
    def address(self) -> tuple[RowKind, str, str, str]:
        """What identifies the row within its foundry."""
        return self.kind, self.platform_name, self.factory_type.name, self.key

    def finding(self, what: str, remedy: str, rule: Rule) -> Finding:
        """Return a finding at this row's place."""
        return Finding(what=what, remedy=remedy, path=self.path, place=self.place, rule=rule)


def desired_rows(model: LoadedModel, plugins: Plugins) -> tuple[DesiredRow, ...]:
    """Return every row that the model asks for, factories first.

    Raises:
        ModelInvalidError: The model breaks rules; holds all findings.
    """
    findings: list[Finding] = []
    drafts = list(draft_entries(model, plugins, findings))
    producers = find_producers(drafts, findings)
    findings += find_circles(drafts, producers)
    tables = _entry_tables(drafts)
    entries = []
    for drafted in drafts:
        lineage = lineage_keys(drafted, producers, findings)
        table = tables[drafted.platform.name, drafted.factory_type.name]
        entries.append(_entry_row(model, drafted, lineage, table))
    rows = [*_factory_rows(model, plugins), *entries]
    for check in (
        _refused_configs(entries),
        _twice_made(entries),
        _bad_dag_ids(model, rows),
        find_objections(drafts),
    ):
        findings += check
    if findings:
        raise ModelInvalidError(findings)
    return tuple(rows)


def _entry_tables(drafts: Sequence[Drafted]) -> dict[tuple[str, str], Table]:
    pairs = {(d.platform.name, d.factory_type.name): d.factory_type.table for d in drafts}
    return {pair: entries_table(MetaData(), pair[0], table) for pair, table in pairs.items()}


def _factory_rows(model: LoadedModel, plugins: Plugins) -> Iterator[DesiredRow]:
    types = [plugins.type(name) for name in sorted({item.factory_type for item in model.items})]
    table = FoundryTables(model.foundry.foundry).factories
    for index, platform in enumerate(model.foundry.platforms):
        config = factory_config(model.foundry, platform, types)
        for factory_type in types:
            yield DesiredRow(
                kind=RowKind.FACTORY,
                platform_name=platform.name,
                factory_type=factory_type,
                key="",
                dag_id=dag_id_of(factory_type.factory_dag_id, platform.name),
                config=config,
                table=table,
                primary_key={"platform_name": platform.name, "factory_type": factory_type.name},
                path=f"platforms[{index}]",
                place=model.place("platforms", index),
            )


def _entry_row(
    model: LoadedModel, drafted: Drafted, lineage: Mapping[str, Sequence[str]], table: Table
) -> DesiredRow:
    item, platform = drafted.loaded.item, drafted.platform
    config = entry_config(
        model.foundry, platform, item, config=drafted.draft.config, lineage=lineage
    )
    return DesiredRow(
        kind=RowKind.ENTRY,
        platform_name=platform.name,
        factory_type=drafted.factory_type,
        key=drafted.draft.key,
        dag_id=drafted.dag_id,
        config=stamp_version(config, drafted.factory_type.config_version),
        table=table,
        primary_key={drafted.factory_type.table.key_column: drafted.draft.key},
        status=Status.ACTIVE if item.enabled else Status.INACTIVE,
        path=drafted.path,
        place=drafted.place,
    )


def _refused_configs(rows: Sequence[DesiredRow]) -> Iterator[Finding]:
    for row in rows:
        for problem in _problems(row):
            where = ".".join(map(str, problem["loc"])) or "the whole"
            what = f"config_json of {row.key!r}, {where}: {problem['msg']}"
            remedy = f"Factory type {row.factory_type.name!r} refuses its row; mend the item."
            yield row.finding(what, remedy, Rule.REFUSED)


def _problems(row: DesiredRow) -> list[ErrorDetails]:
    try:
        row.factory_type.config.model_validate(row.config)
    except ValidationError as error:
        return error.errors()
    return []


def _twice_made(rows: Sequence[DesiredRow]) -> Iterator[Finding]:
    seen: dict[tuple[RowKind, str, str, str], DesiredRow] = {}
    for row in rows:
        first = seen.setdefault(row.address, row)
        if first is not row:
            what = f"entry {row.key!r} of platform {row.platform_name!r} is made twice"
            remedy = f"Rename one; the other is at {first.place or first.path}."
            yield row.finding(what, remedy, Rule.NAME_CLASH)


def _bad_dag_ids(model: LoadedModel, rows: Sequence[DesiredRow]) -> Iterator[Finding]:
    owners: dict[str, list[DesiredRow]] = defaultdict(list)
    for row in rows:
        owners[row.dag_id].append(row)
        if not is_dag_id(row.dag_id):
            what = f"DAG id {row.dag_id!r} is illegal"
            remedy = "Use letters, digits, '_', '-', '.'; 250 characters at most."
            yield row.finding(what, remedy, Rule.DAG_ID)
    infrastructure = infrastructure_dag_id(model.foundry.foundry)
    for dag_id, sharing in owners.items():
        if len({row.address for row in sharing}) > 1 or dag_id == infrastructure:
            first = sharing[0].place or sharing[0].path
            other = "the infrastructure DAG" if dag_id == infrastructure else f"the one at {first}"
            remedy = f"Rename the item or platform; it clashes with {other}."
            what = f"DAG id {dag_id!r} is made twice"
            yield sharing[-1].finding(what, remedy, Rule.NAME_CLASH)
