"""Commands that look at rows: list, show, render."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dagfoundry.cli.config_view import config_view
from dagfoundry.cli.options import (
    AsJson,
    AtRevision,
    Entry,
    FoundryName,
    one_foundry,
    open_configured_store,
)
from dagfoundry.cli.output import print_json, print_table
from dagfoundry.factories import Status
from dagfoundry.plugins import load_plugins
from dagfoundry.selection import Selection
from dagfoundry.store.read import require_revision

if TYPE_CHECKING:
    from dagfoundry.store import RowState, Store


def list_entries(
    *,
    foundry: FoundryName = None,
    at: AtRevision = None,
    all_statuses: Annotated[bool, typer.Option("--all", help="Also the retired entries.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show every DAG of a foundry."""
    store = open_configured_store()
    rows = [
        row
        for row in _rows(store, foundry, at)
        if all_statuses or row.status not in (Status.RETIRED, Status.PURGED)
    ]
    if as_json:
        print_json([_summary(row) for row in rows])
        return
    columns = ("DAG", "kind", "platform", "type", "status", "revision")
    print_table(
        columns,
        [
            (r.dag_id, r.kind.value, r.platform_name, r.factory_type, r.status.value, r.revision)
            for r in rows
        ],
    )


def show(
    entry: Entry,
    *,
    foundry: FoundryName = None,
    at: AtRevision = None,
    as_json: AsJson = False,
) -> None:
    """Show one entry: its row, who changed it last, and why."""
    row = _one_row(entry, foundry, at)
    if as_json:
        print_json({**_summary(row), **config_view(row, load_plugins())})
        return
    details = {**_summary(row), "changed": row.created_at, "author": row.author}
    details["message"] = row.message
    view = config_view(row, load_plugins())
    config = {f"config.{key}": value for key, value in view.pop("config").items()}
    details |= view
    print_table(("field", "value"), [(key, value) for key, value in (details | config).items()])


def render(entry: Entry, *, foundry: FoundryName = None, at: AtRevision = None) -> None:
    """Print the definition that Airflow is given for one entry, as JSON."""
    print_json(_one_row(entry, foundry, at).to_json())


def _rows(store: Store, foundry: str | None, at: int | None) -> list[RowState]:
    head = store.head(one_foundry(store, foundry))
    if at is not None:
        require_revision(head, at)
    return store.rows_at(head.foundry, head.revision if at is None else at)


def _one_row(entry: str, foundry: str | None, at: int | None) -> RowState:
    return Selection(entry=entry).one_of(_rows(open_configured_store(), foundry, at))


def _summary(row: RowState) -> dict[str, object]:
    return {
        "dag_id": row.dag_id,
        "kind": row.kind.value,
        "platform": row.platform_name,
        "factory_type": row.factory_type,
        "key": row.key,
        "status": row.status.value,
        "revision": row.revision,
    }


COMMANDS = {
    "list": list_entries,
    "show": show,
    "render": render,
}
