"""Commands that take a model: init, validate, plan, merge, bootstrap."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer

from dagfoundry.author import current_author
from dagfoundry.cli.options import (
    AllowOlder,
    AllowPrune,
    AsJson,
    Message,
    ModelPaths,
    open_configured_store,
    read_model,
)
from dagfoundry.cli.output import print_json, print_line
from dagfoundry.cli.plan_file_commands import keep_plan
from dagfoundry.cli.plan_view import show_objections, show_plan
from dagfoundry.credential_check import require_credentials
from dagfoundry.desired import desired_rows
from dagfoundry.errors import SettingInvalidError
from dagfoundry.jobs import JobResult, write_result
from dagfoundry.merge import Guards, create_model_tables, plan_merge
from dagfoundry.merge import merge as merge_model
from dagfoundry.model.starter import write_starter_model
from dagfoundry.plugins import load_plugins
from dagfoundry.store.records import RowKind, Source
from dagfoundry.store.write import Origin

if TYPE_CHECKING:
    from dagfoundry.model import LoadedModel

_CHANGES_FOUND = 2


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to create.")],
) -> None:
    """Write a small model to start from."""
    for path in write_starter_model(folder):
        print_line(f"wrote {path}")
    print_line(f"next: dagfoundry validate {folder}")


def validate(
    model: ModelPaths = None,
    *,
    credentials: Annotated[
        bool, typer.Option("--credentials", help="Also require every credential's variables.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check a model against all rules; the store is not asked."""
    loaded = read_model(model)
    rows = desired_rows(loaded, load_plugins())
    if credentials:
        require_credentials(loaded)
    entries = sum(row.kind is RowKind.ENTRY for row in rows)
    if as_json:
        print_json({"foundry": loaded.foundry.foundry, "entries": entries, "findings": []})
    else:
        print_line(f"{loaded.foundry.foundry}: {entries} entries, no findings")


def plan(
    model: ModelPaths = None,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", help="Keep the plan in this file, for `apply`.")
    ] = None,
    allow_prune: AllowPrune = False,
    allow_older: AllowOlder = False,
    as_json: AsJson = False,
) -> int:
    """Show what a merge would do; exits with 2 when it would change something."""
    loaded = read_model(model)
    made = plan_merge(open_configured_store(), loaded, load_plugins())
    guards = Guards(allow_prune=allow_prune, allow_older=allow_older)
    if out is not None:
        keep_plan(out, made, _origin(loaded), guards, buckets=loaded.foundry.buckets)
    show_plan(made, as_json=as_json)
    if not as_json:
        show_objections(made, guards)
        if out is not None:
            print_line(f"kept in {out}: dagfoundry apply {out}")
    return _CHANGES_FOUND if made.changes else 0


def merge(
    model: ModelPaths = None,
    *,
    message: Message = "",
    allow_prune: AllowPrune = False,
    allow_older: AllowOlder = False,
    as_job: Annotated[
        bool, typer.Option("--as-job", help="Write a job result, as a task's runner expects.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the model's rows to the store as one new revision."""
    loaded = read_model(model)
    store = open_configured_store(to_write=True)
    origin = _origin(loaded, message)
    guards = Guards(allow_prune=allow_prune, allow_older=allow_older)
    result = merge_model(store, loaded, load_plugins(), origin=origin, guards=guards)
    show_plan(result.plan, as_json=as_json, revision=result.head.revision)
    if as_job:
        write_result(JobResult(rows_total=len(result.plan.changes) + result.plan.unchanged))


def _origin(model: LoadedModel, message: str = "") -> Origin:
    return Origin(
        author=current_author(model.files[0].parent),
        message=message,
        source=Source.MERGE,
        model_commit=model.commit,
    )


def bootstrap(
    model: ModelPaths = None,
    *,
    ring: Annotated[int, typer.Option("--ring", help="1 creates the tables.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Create the tables that a model needs; safe to repeat."""
    if ring != 1:
        msg = f"ring {ring} is unknown"
        raise SettingInvalidError(msg, remedy="Use --ring 1, which creates the tables.")
    loaded = read_model(model)
    created = create_model_tables(open_configured_store(to_write=True), loaded, load_plugins())
    if as_json:
        print_json({"created": created})
        return
    for name in created:
        print_line(f"created table {name}")
    print_line(f"{len(created)} tables created")


COMMANDS = {
    "init": init,
    "validate": validate,
    "plan": plan,
    "merge": merge,
    "bootstrap": bootstrap,
}
