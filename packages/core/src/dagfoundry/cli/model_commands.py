"""Commands that take a model: init, validate, plan, merge, bootstrap."""

from __future__ import annotations

from enum import Enum
from pathlib import Path  # noqa: TC003 - typer reads annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer

from dagfoundry.author import current_author
from dagfoundry.cli.options import (
    AllowEnvironment,
    AllowOlder,
    AllowPrune,
    AsJson,
    EnvironmentName,
    Message,
    ModelPaths,
    open_configured_store,
    read_model,
)
from dagfoundry.cli.output import print_error, print_json, print_line
from dagfoundry.cli.plan_file_commands import keep_plan
from dagfoundry.cli.plan_view import plan_as_json, show_objections, show_plan
from dagfoundry.cli.sarif import sarif_log
from dagfoundry.cli.waiting import DEFAULT_TIMEOUT_SECONDS, Timeout, announce, wait_for
from dagfoundry.credential_check import require_credentials
from dagfoundry.desired import desired_rows
from dagfoundry.errors import ModelInvalidError, SettingInvalidError
from dagfoundry.jobs import JobResult, write_result
from dagfoundry.merge import Guards, create_model_tables, plan_merge
from dagfoundry.merge import merge as merge_model
from dagfoundry.model.starter import write_starter_model
from dagfoundry.plugins import load_plugins
from dagfoundry.store.records import RowKind, Source
from dagfoundry.store.write import Origin

if TYPE_CHECKING:
    from dagfoundry.merge import MergeResult
    from dagfoundry.model import LoadedModel
    from dagfoundry.store import Store

_CHANGES_FOUND = 2


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to create.")],
) -> None:
    """Write a small model to start from."""
    for path in write_starter_model(folder):
        print_line(f"wrote {path}")
    print_line(f"next: dagfoundry validate {folder}")


class Format(str, Enum):
    """How ``validate`` prints what it finds."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


def validate(
    model: ModelPaths = None,
    *,
    environment: EnvironmentName = None,
    credentials: Annotated[
        bool, typer.Option("--credentials", help="Also require every credential's variables.")
    ] = False,
    output: Annotated[
        Format, typer.Option("--format", help="sarif is SARIF 2.1.0, which code hosts read.")
    ] = Format.TEXT,
    as_json: AsJson = False,
) -> int:
    """Check a model against all rules; the store is not asked."""
    form = Format.JSON if as_json else output
    try:
        loaded = read_model(model, environment)
        rows = desired_rows(loaded, load_plugins())
        if credentials:
            require_credentials(loaded)
    except ModelInvalidError as error:
        if form is Format.SARIF:
            print_json(sarif_log(error.findings))
        else:
            print_error(error, as_json=form is Format.JSON)
        return 1
    _show_valid(loaded, sum(row.kind is RowKind.ENTRY for row in rows), form)
    return 0


def _show_valid(loaded: LoadedModel, entries: int, form: Format) -> None:
    name, environment = loaded.foundry.foundry, loaded.environment
    if form is Format.SARIF:
        print_json(sarif_log(()))
    elif form is Format.JSON:
        print_json(
            {"foundry": name, "environment": environment, "entries": entries, "findings": []}
        )
    else:
        where = f" in environment {environment}" if environment else ""
        print_line(f"{name}{where}: {entries} entries, no findings")


def plan(
    model: ModelPaths = None,
    *,
    environment: EnvironmentName = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Keep the plan in this file, for `apply`.")
    ] = None,
    allow_prune: AllowPrune = False,
    allow_older: AllowOlder = False,
    allow_environment: AllowEnvironment = False,
    as_json: AsJson = False,
) -> int:
    """Show what a merge would do; exits with 2 when it would change something."""
    loaded = read_model(model, environment)
    made = plan_merge(open_configured_store(), loaded, load_plugins())
    guards = Guards(
        allow_prune=allow_prune, allow_older=allow_older, allow_environment=allow_environment
    )
    if out is not None:
        keep_plan(out, made, _origin(loaded), guards, buckets=loaded.foundry.buckets)
    show_plan(made, as_json=as_json)
    if not as_json:
        show_objections(made, guards)
        if out is not None:
            print_line(f"kept in {out}: dagfoundry apply {out}")
    return _CHANGES_FOUND if made.changes else 0


def merge(  # noqa: PLR0913 - each is an option of the command
    model: ModelPaths = None,
    *,
    environment: EnvironmentName = None,
    message: Message = "",
    allow_prune: AllowPrune = False,
    allow_older: AllowOlder = False,
    allow_environment: AllowEnvironment = False,
    as_job: Annotated[
        bool, typer.Option("--as-job", help="Write a job result, as a task's runner expects.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until Airflow serves it, as `wait --ready` does.")
    ] = False,
    timeout: Timeout = DEFAULT_TIMEOUT_SECONDS,
    as_json: AsJson = False,
) -> int:
    """Write the model's rows to the store as one new revision.

    Airflow is told of it where the environment holds its connection
    (AIRFLOW_CONN_DAGFOUNDRY_AIRFLOW), so that the DAGs show at once.
    """
    loaded = read_model(model, environment)
    store = open_configured_store(to_write=True)
    origin = _origin(loaded, message)
    guards = Guards(
        allow_prune=allow_prune, allow_older=allow_older, allow_environment=allow_environment
    )
    result = merge_model(store, loaded, load_plugins(), origin=origin, guards=guards)
    announce(store, result.head, since=result.plan.base_revision)
    if as_job:
        write_result(JobResult(rows_total=len(result.plan.changes) + result.plan.unchanged))
    if wait:
        return _show_served(store, result, timeout, as_json=as_json)
    show_plan(result.plan, as_json=as_json, revision=result.head.revision)
    return 0


def _show_served(store: Store, result: MergeResult, timeout: float, *, as_json: bool) -> int:
    """Wait for what was merged and print both; the exit code is that of the wait."""
    revision = result.head.revision
    if not as_json:
        show_plan(result.plan, as_json=False, revision=revision)
    waited = wait_for(store, result.head.foundry, revision, timeout=timeout)
    if as_json:
        print_json({**plan_as_json(result.plan, revision), "served": waited.as_json()})
    else:
        waited.show()
    return waited.exit_code


def _origin(model: LoadedModel, message: str = "") -> Origin:
    return Origin(
        author=current_author(model.files[0].parent),
        message=message,
        source=Source.MERGE,
        model_commit=model.commit,
        environment=model.environment,
    )


def bootstrap(
    model: ModelPaths = None,
    *,
    environment: EnvironmentName = None,
    ring: Annotated[int, typer.Option("--ring", help="1 creates the tables.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Create the tables that a model needs; safe to repeat."""
    if ring != 1:
        msg = f"ring {ring} is unknown"
        raise SettingInvalidError(msg, remedy="Use --ring 1, which creates the tables.")
    loaded = read_model(model, environment)
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
