"""Differences as a table shows them: where, which row, which field, recorded, found."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dagfoundry.drift.edits import Deed
from dagfoundry.fields import config_changes
from dagfoundry.plan import Action, make_plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dagfoundry.desired import DesiredRow
    from dagfoundry.drift.edits import HandEdit, HandEdits


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One field that some place has otherwise than the store has recorded it.

    Attributes:
        where: ``store``, ``model``, or who serves it, such as ``airflow``.
        dag_id: DAG id of the row.
        field: What differs.
        recorded: What the last revision says; None where it says nothing.
        found: What stands there; None where nothing does.
    """

    where: str
    dag_id: str
    field: str
    recorded: Any
    found: Any


def hand_edit_differences(edits: Sequence[HandEdit]) -> Iterator[Difference]:
    """Yield what hand edits changed, field by field."""
    for edit in edits:
        for field, recorded, found in _fields(edit):
            yield Difference(
                where="store",
                dag_id=edit.row.dag_id,
                field=field,
                recorded=recorded,
                found=found,
            )


def _fields(edit: HandEdit) -> Iterator[tuple[str, Any, Any]]:
    if edit.recorded is None or edit.live is None or edit.deed is not Deed.EDITED:
        yield "row", _standing(edit), edit.deed.value
        return
    state = edit.recorded.state
    if state["status"] != edit.live.status:
        yield "status", state["status"], edit.live.status
    before, after = state["config_json"] or "", edit.live.config_json or ""
    if before != after:
        yield from _config_fields(before, after)


def _standing(edit: HandEdit) -> str | None:
    if edit.recorded is None or edit.recorded.is_gone:
        return None
    return edit.recorded.state["status"]


def _config_fields(before: str, after: str) -> Iterator[tuple[str, Any, Any]]:
    old, new = _object(before), _object(after)
    fields = [] if old is None or new is None else list(config_changes(old, new))
    if fields:
        yield from ((change.field, change.before, change.after) for change in fields)
    elif old is None or new is None:
        yield "config_json", before, after
    else:
        yield "config_json", "the same values", "written otherwise"


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def model_differences(found: HandEdits, desired: Sequence[DesiredRow]) -> Iterator[Difference]:
    """Yield what a model wants otherwise than it is recorded."""
    recorded = [row.as_live() for row in found.recorded if not row.is_gone]
    for change in make_plan(found.head, desired, recorded).changes:
        dag_id = change.row.dag_id
        if change.action is Action.CREATE:
            yield Difference(
                where="model", dag_id=dag_id, field="row", recorded=None, found="in the model"
            )
        elif change.action is Action.RETIRE:
            status = change.fields[0].before
            yield Difference(
                where="model", dag_id=dag_id, field="row", recorded=status, found="not in the model"
            )
        else:
            for field in change.fields:
                yield Difference(
                    where="model",
                    dag_id=dag_id,
                    field=field.field,
                    recorded=field.before,
                    found=field.after,
                )
