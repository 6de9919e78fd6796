"""Commands that take a plan file: apply. ``plan --out`` writes one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dagfoundry.apply import apply_plan_file
from dagfoundry.author import current_author
from dagfoundry.cli.options import (
    AllowEnvironment,
    AllowOlder,
    AllowPrune,
    AsJson,
    Message,
    open_configured_store,
)
from dagfoundry.cli.plan_view import show_plan
from dagfoundry.cli.waiting import announce
from dagfoundry.guards import Guards
from dagfoundry.plan_file import plan_to_file, read_plan_file, write_plan_file
from dagfoundry.plugins import load_plugins
from dagfoundry.store.records import Source
from dagfoundry.store.write import Origin, utc_now

if TYPE_CHECKING:
    from dagfoundry.plan import Plan


def apply(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `plan --out` wrote.")],
    *,
    message: Message = "",
    allow_prune: AllowPrune = False,
    allow_older: AllowOlder = False,
    allow_environment: AllowEnvironment = False,
    as_json: AsJson = False,
) -> None:
    """Do exactly what a plan file says, as one new revision, or nothing at all.

    It is refused when the foundry or one of the plan's rows has changed since.
    """
    content = read_plan_file(file)
    origin = Origin(
        author=current_author(Path()),
        message=message,
        source=Source.MERGE,
        model_commit=content.model_commit,
        environment=content.environment,
    )
    guards = Guards(
        allow_prune=allow_prune, allow_older=allow_older, allow_environment=allow_environment
    )
    store = open_configured_store(to_write=True)
    result = apply_plan_file(store, content, load_plugins(), origin=origin, guards=guards)
    announce(store, result.head, since=result.plan.base_revision)
    show_plan(result.plan, as_json=as_json, revision=result.head.revision)


def keep_plan(path: Path, plan: Plan, origin: Origin, guards: Guards, *, buckets: int) -> None:
    """Write a plan to a file, from which it can be applied."""
    at = f"{utc_now().isoformat(timespec='seconds')}+00:00"
    write_plan_file(path, plan_to_file(plan, origin, guards, buckets=buckets, at=at))


COMMANDS = {"apply": apply}
