"""Which rows of a plan are a pipeline under another name.

A row is known by its platform, type and key, so a changed name is one row that retires and
another that begins: with no runs, and with tables of its own. That is said before it is done.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.factories import OWN_KEY
from dagfoundry.fields import flat_config, parsed_config
from dagfoundry.lineage import LINEAGE_KEYS
from dagfoundry.names import k8s_name
from dagfoundry.plan import Action
from dagfoundry.row_config import MODEL_PATHS
from dagfoundry.store.records import RowKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dagfoundry.fields import State
    from dagfoundry.plan import Plan
    from dagfoundry.store.write import RowChange

_OF_PLATFORM: Final = tuple(
    f"{OWN_KEY}.{name}" for name in ("merge_store", "milestoning", "runner")
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rename:
    """An entry that retires and the one that begins in its place.

    Attributes:
        before: DAG id of the entry that retires.
        after: DAG id of the entry that begins.
    """

    before: str
    after: str


def renames(plan: Plan) -> tuple[Rename, ...]:
    """Return the renames and moves in a plan, by the DAG id that begins.

    Two entries are taken for one when they are of one type and differ in nothing but their
    own names and what their platforms say. Of several that are alike, only those that keep
    their key are: they moved to another platform.
    """
    if not (plan.count(Action.RETIRE) and plan.count(Action.CREATE)):
        return ()
    leaving = _alike(plan, Action.RETIRE)
    found = [
        Rename(before=old.dag_id, after=new.dag_id)
        for signature, created in _alike(plan, Action.CREATE).items()
        for old, new in _pairs(leaving.get(signature, ()), created)
    ]
    return tuple(sorted(found, key=lambda rename: rename.after))


def _alike(plan: Plan, action: Action) -> dict[str, list[RowChange]]:
    """Return the entries that an action is done with, by what they are but for their names."""
    alike: dict[str, list[RowChange]] = defaultdict(list)
    for change in plan.changes:
        if change.action is action and change.row.kind is RowKind.ENTRY:
            state = change.row.before if action is Action.RETIRE else change.row.after
            alike[_signature(change.row, state)].append(change.row)
    return alike


def _pairs(
    retired: Sequence[RowChange], created: Sequence[RowChange]
) -> Iterator[tuple[RowChange, RowChange]]:
    if len(retired) == len(created) == 1:
        yield retired[0], created[0]
        return
    by_key = {row.key: row for row in retired}
    if len(by_key) == len(retired):
        yield from ((by_key[row.key], row) for row in created if row.key in by_key)


def _signature(row: RowChange, state: State | None) -> str:
    own = (row.key, row.platform_name, k8s_name(row.platform_name))
    fields = _own_fields(parsed_config(state))
    rest = {name: value for name, value in fields if not _is_name(value, own)}
    return json.dumps([row.factory_type, rest], sort_keys=True)


def _own_fields(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the fields that are neither the platform's nor follow from other entries."""
    for name, value in flat_config(config):
        outer = name.split(".", 1)[0]
        if outer not in MODEL_PATHS.keys() | LINEAGE_KEYS and not name.startswith(_OF_PLATFORM):
            yield name, value


def _is_name(value: object, own: Sequence[str]) -> bool:
    return isinstance(value, str) and any(value in name for name in own)
