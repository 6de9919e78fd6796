"""A plan as a table, as one line and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dagfoundry.change_json import change_json
from dagfoundry.cli.change_view import COLUMNS, change_lines
from dagfoundry.cli.output import print_json, print_line, print_table
from dagfoundry.plan import Action
from dagfoundry.renames import renames

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dagfoundry.guards import Guards
    from dagfoundry.plan import Plan


_ANEW: Final = "the one retires, the other begins without its runs and tables"


def show_plan(plan: Plan, *, as_json: bool, revision: int | None = None) -> None:
    """Print a plan; with the revision that it became, once written."""
    if as_json:
        print_json(plan_as_json(plan, revision))
        return
    if plan.changes:
        print_table(COLUMNS, plan_rows(plan))
    for rename in renames(plan):
        print_line(f"{rename.before} becomes {rename.after}: {_ANEW}")
    print_line(plan_summary(plan, revision))


def show_objections(plan: Plan, guards: Guards) -> None:
    """Print what the guards have against a plan, unless they are lifted."""
    for name, what in plan.objections.items():
        if not getattr(guards, name):
            print_line(f"refused without --{name.replace('_', '-')}: {what}")


def plan_rows(plan: Plan) -> Iterator[tuple[str, ...]]:
    """Yield the rows of a plan's table: one per change, one per field of an update."""
    for change in plan.changes:
        whole = change.action is Action.CREATE
        yield from change_lines(change.action.value, change.row, change.fields, whole=whole)


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
    """Return a plan as JSON values; with the revision that it became, once written."""
    value = {
        "foundry": plan.foundry,
        "base_revision": plan.base_revision,
        "unchanged": plan.unchanged,
        "needs": dict(plan.objections),
        "changes": [change_json(c.action.value, c.row, c.fields) for c in plan.changes],
        "renames": [{"before": rename.before, "after": rename.after} for rename in renames(plan)],
    }
    return value if revision is None else {**value, "revision": revision}
