"""Which hand edits cannot be recorded, and which will not run once they are.

A row with broken JSON, or one that its factory type refuses, is recorded all the same:
Airflow then shows its error while its last good definition runs on. A row is held back
where recording it would take a name from somebody, say something that history cannot
say, or retire a large share of a foundry.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError
from sqlalchemy import inspect, select

from dagfoundry.errors import ConfigTooNewError, UpcastFailedError
from dagfoundry.factories import LIVING, Status
from dagfoundry.guards import is_large_share
from dagfoundry.names import is_dag_id
from dagfoundry.store.records import RowKind, row_key
from dagfoundry.store.tables import DAGS, PLATFORMS
from dagfoundry.upcast import upcast_config

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy.engine import Connection

    from dagfoundry.drift.edits import HandEdit
    from dagfoundry.plugins import Plugins
    from dagfoundry.store.live import LiveRow
    from dagfoundry.store.recorded import RecordedRow
    from dagfoundry.store.records import Head

_STATUSES: Final = tuple(status.value for status in Status if status is not Status.PURGED)

Owner = tuple[str, str, str]
"""Foundry, table and row key that a DAG id belongs to."""


def check_edits(
    connection: Connection,
    head: Head,
    edits: Sequence[HandEdit],
    *,
    plugins: Plugins,
    recorded: Sequence[RecordedRow],
    allow_prune: bool,
) -> Iterator[HandEdit]:
    """Yield the edits with what is wrong with each.

    Args:
        connection: An open connection.
        head: The foundry.
        edits: What was found.
        plugins: The installed factory types.
        recorded: All rows that were compared.
        allow_prune: Whether however many entries may leave.
    """
    names = _Names(connection, head, edits)
    leaving = {} if allow_prune else _leaving_factories(edits, recorded)
    for edit in edits:
        if edit.live is None:
            reason = names.missing_table(edit) or _leaves(edit, leaving)
            yield replace(edit, held_back=reason)
            continue
        reason = _bad_status(edit.live) or names.taken(edit) or _leaves(edit, leaving)
        yield replace(edit, held_back=reason, problem=_problem(edit.live, plugins))


class _Names:
    """Who owns which name in the store; asked only when a row is new or gone."""

    def __init__(self, connection: Connection, head: Head, edits: Sequence[HandEdit]) -> None:
        self._foundry = head.foundry
        fresh = [edit.live for edit in edits if edit.live and edit.recorded is None]
        gone = any(edit.live is None for edit in edits)
        self._owners = _owners(connection) if fresh else {}
        self._platforms = _own_platforms(connection, head) if fresh else set()
        self._tables = set(inspect(connection).get_table_names()) if gone else set()

    def missing_table(self, edit: HandEdit) -> str:
        """Return why a row is gone with its whole table; empty when its table is there."""
        table = edit.recorded.table_name if edit.recorded else ""
        if table in self._tables:
            return ""
        return f"its table {table!r} does not exist. A merge creates it again."

    def taken(self, edit: HandEdit) -> str:
        """Return whose name a new row takes, or why its own is none; empty when it may have it."""
        row = edit.live
        if row is None or edit.recorded is not None:
            return ""
        if not is_dag_id(row.dag_id):
            return (
                f"DAG id {row.dag_id!r} is illegal. Give it a key of letters, digits, '_', '-', '.'"
                " that leaves the DAG id within 250 characters."
            )
        if row.platform_name not in self._platforms:
            return f"platform {row.platform_name!r} is not in the model. Add it there and merge."
        mine = _owner(self._foundry, row)
        owner = self._owners.setdefault(row.dag_id, mine)
        if owner == mine:
            return ""
        return (
            f"DAG id {row.dag_id!r} belongs to foundry {owner[0]!r}, "
            f"row {owner[2]!r} of table {owner[1]!r}. Give the row another key."
        )


def _owner(foundry: str, row: LiveRow) -> Owner:
    key = row_key(row.kind, row.platform_name, row.factory_type, row.key)
    return foundry, row.table.name, key


def _owners(connection: Connection) -> dict[str, Owner]:
    rows = connection.execute(select(DAGS))
    return {row.dag_id: (row.foundry, row.table_name, row.row_key) for row in rows}


def _own_platforms(connection: Connection, head: Head) -> set[str]:
    statement = select(PLATFORMS.c.name).where(PLATFORMS.c.foundry == head.foundry)
    return set(connection.execute(statement).scalars())


def _bad_status(row: LiveRow) -> str:
    if row.status in _STATUSES:
        return ""
    if row.status == Status.PURGED.value:
        return "status 'purged' is that of a row which is gone. Delete the row, or write 'retired'."
    return f"status {row.status!r} is unknown, so the row is ignored. Use {', '.join(_STATUSES)}."


def _problem(row: LiveRow, plugins: Plugins) -> str:
    try:
        value = json.loads(row.config_json or "")
    except ValueError as error:
        return f"config_json is no JSON: {error}" if row.config_json else "config_json is empty"
    if not isinstance(value, dict):
        return f"config_json holds {type(value).__name__}, not an object"
    return _refusal(value, row, plugins) if row.kind is RowKind.ENTRY else ""


def _refusal(config: Mapping[str, Any], row: LiveRow, plugins: Plugins) -> str:
    factory_type = plugins.type(row.factory_type)
    try:
        current = upcast_config(config, factory_type, owner=plugins.owner(row.factory_type))
        factory_type.config.model_validate(current)
    except (ConfigTooNewError, UpcastFailedError) as error:
        return error.what
    except ValidationError as error:
        return "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'config_json'}: {problem['msg']}"
            for problem in error.errors(include_url=False)
        )
    return ""


def _leaves(edit: HandEdit, leaving: Mapping[tuple[str, str], str]) -> str:
    if not is_leaving(edit):
        return ""
    return leaving.get((edit.row.platform_name, edit.row.factory_type), "")


def _leaving_factories(
    edits: Iterable[HandEdit], recorded: Iterable[RecordedRow]
) -> dict[tuple[str, str], str]:
    """Return why entries may not leave, by factory, where many of them would at once."""
    gone = Counter((e.row.platform_name, e.row.factory_type) for e in edits if is_leaving(e))
    if not gone:
        return {}
    living = Counter((r.platform_name, r.factory_type) for r in recorded if _is_living_entry(r))
    remedy = "If it is meant, record it with `dagfoundry drift --record --allow-prune`."
    held = {
        factory: f"all {count} entries of factory {factory[1]!r} of platform {factory[0]!r} "
        f"would leave Airflow. {remedy}"
        for factory, count in gone.items()
        if count == living[factory] > 1
    }
    total, all_living = sum(gone.values()), sum(living.values())
    if is_large_share(total, all_living):
        reason = f"{total} of {all_living} entries would leave Airflow. {remedy}"
        held |= dict.fromkeys(gone, reason)
    return held


def is_leaving(edit: HandEdit) -> bool:
    """Return whether an entry that lived was deleted, or set to retiring or retired."""
    if edit.recorded is None or not _is_living_entry(edit.recorded):
        return False
    return edit.live is None or edit.live.status in (Status.RETIRING.value, Status.RETIRED.value)


def _is_living_entry(row: RecordedRow) -> bool:
    return row.kind is RowKind.ENTRY and row.state["status"] in LIVING
