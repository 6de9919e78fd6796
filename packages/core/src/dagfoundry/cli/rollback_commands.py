"""Commands that go back: rollback, undelete."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dagfoundry.author import current_author
from dagfoundry.cli.options import (
    AllowPrune,
    AsJson,
    Entry,
    FoundryName,
    Message,
    OfEntry,
    OfPlatform,
    one_foundry,
    open_configured_store,
)
from dagfoundry.cli.output import print_json, print_line
from dagfoundry.cli.plan_view import plan_as_json, show_objections, show_plan
from dagfoundry.cli.waiting import announce
from dagfoundry.guards import Guards
from dagfoundry.rollback import NOT_COVERED, Target, plan_rollback
from dagfoundry.rollback import rollback as roll_back
from dagfoundry.rollback import undelete as bring_back
from dagfoundry.selection import Selection
from dagfoundry.store.records import Source
from dagfoundry.store.write import Origin

if TYPE_CHECKING:
    from dagfoundry.plan import Plan


def rollback(
    *,
    to: Annotated[int, typer.Option("--to", metavar="REV", help="The revision to go back to.")],
    foundry: FoundryName = None,
    platform: OfPlatform = None,
    entry: OfEntry = None,
    message: Message = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what it would do; write nothing.")
    ] = False,
    allow_prune: AllowPrune = False,
    as_json: AsJson = False,
) -> None:
    """Write the rows as they were at a revision, as one new revision.

    It covers all rows of the foundry, or those of a platform, or one entry. What did
    not live then is retired; what lived then comes back, also when it was purged. It does
    not cover the model in git: the next merge brings its state again.
    """
    store = open_configured_store(to_write=True)
    name = one_foundry(store, foundry)
    rows = Selection(platform=platform, entry=entry)
    target, guards = Target(revision=to, rows=rows), Guards(allow_prune=allow_prune)
    if dry_run:
        plan, revision = plan_rollback(store, name, target), None
    else:
        why = message or f"rollback of {rows} to revision {to}"
        done = roll_back(store, name, target, origin=_origin(why), guards=guards)
        announce(store, done.head, since=done.plan.base_revision)
        plan, revision = done.plan, done.head.revision
    if as_json:
        print_json(plan_as_json(plan, revision) | _coverage(plan, target))
        return
    show_plan(plan, as_json=False, revision=revision)
    _say_coverage(plan, target)
    if dry_run:
        show_objections(plan, guards)


def undelete(
    entry: Entry, *, foundry: FoundryName = None, message: Message = "", as_json: AsJson = False
) -> None:
    """Bring a removed entry back as it last was, as one new revision.

    The entry may be retiring, retired or purged. One that lives stays as it is.
    """
    store = open_configured_store(to_write=True)
    origin = _origin(message or f"undelete {entry}")
    done = bring_back(store, one_foundry(store, foundry), entry, origin=origin)
    announce(store, done.head, since=done.plan.base_revision)
    show_plan(done.plan, as_json=as_json, revision=done.head.revision)
    if as_json:
        return
    if done.plan.changes:
        print_line("not covered: the model in git; write the entry into it, or a merge removes it")
    else:
        print_line(f"nothing to bring back: {entry} is as it last lived")


def _origin(message: str) -> Origin:
    return Origin(author=current_author(Path()), message=message, source=Source.ROLLBACK)


def _covered_rows(plan: Plan) -> int:
    return plan.unchanged + len(plan.changes)


def _coverage(plan: Plan, target: Target) -> dict[str, object]:
    return {
        "to": target.revision,
        "covers": str(target.rows),
        "covered_rows": _covered_rows(plan),
        "not_covered": list(NOT_COVERED),
    }


def _say_coverage(plan: Plan, target: Target) -> None:
    count = _covered_rows(plan)
    rows = "1 row" if count == 1 else f"{count} rows"
    what = f"{target.rows}" if target.rows else f"all of foundry {plan.foundry!r}"
    print_line(f"covered: {what}, {rows}, as of revision {target.revision}")
    print_line(f"not covered: {'; '.join(NOT_COVERED)}")


COMMANDS = {"rollback": rollback, "undelete": undelete}
