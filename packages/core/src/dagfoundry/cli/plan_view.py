"""A plan as a table, as one line and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dagfoundry.plan import Action

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dagfoundry.plan import Plan, PlannedChange

_LONGEST_VALUE = 60


def plan_rows(plan: Plan) -> Iterator[tuple[str, str, str, str, str, str]]:
    """Yield the rows of a plan's table: one per change, one per field of an update."""
    for change in plan.changes:
        head = (change.action.value, change.row.kind.value, change.row.dag_id)
        if change.action is Action.CREATE:
            yield (*head, "", "", "")
            continue
        for field in change.fields:
            yield (*head, field.field, short_value(field.before), short_value(field.after))
            head = ("", "", "")


def short_value(value: object) -> str:
    """Return a value as a table's cell, cut off where it is long."""
    if value is None:
        return "-"
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def plan_summary(plan: Plan, revision: int | None = None) -> str:
    """Return a plan in one line, such as ``Quickstart: 5 to create, 0 unchanged``."""
    counts = {action: sum(c.action is action for c in plan.changes) for action in Action}
    verb = "to " if revision is None else ""
    done = {
        action: (action.value if revision is None else f"{action.value.removesuffix('e')}ed")
        for action in Action
    }
    parts = [f"{count} {verb}{done[action]}" for action, count in counts.items() if count]
    parts.append(f"{plan.unchanged} unchanged")
    at = f"base revision {plan.base_revision}" if revision is None else f"revision {revision}"
    return f"{plan.foundry}: {', '.join(parts)} ({at})"


def plan_as_json(plan: Plan, revision: int | None = None) -> dict[str, Any]:
    """Return a plan as JSON values; with the revision that it became, once merged."""
    value = {
        "foundry": plan.foundry,
        "base_revision": plan.base_revision,
        "unchanged": plan.unchanged,
        "changes": [_change_as_json(change) for change in plan.changes],
    }
    return value if revision is None else {**value, "revision": revision}


def _change_as_json(change: PlannedChange) -> dict[str, Any]:
    return {
        "action": change.action.value,
        "kind": change.row.kind.value,
        "dag_id": change.row.dag_id,
        "platform": change.row.platform_name,
        "factory_type": change.row.factory_type,
        "key": change.row.key,
        "fields": [asdict(field) for field in change.fields],
    }
