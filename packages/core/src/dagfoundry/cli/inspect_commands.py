"""Commands that look: plugins, list, show, render."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dagfoundry.cli.options import AsJson, FoundryName, one_foundry, open_configured_store
from dagfoundry.cli.output import print_json, print_line, print_table
from dagfoundry.errors import EntryMissingError
from dagfoundry.factories import Status
from dagfoundry.plugins import load_plugins

if TYPE_CHECKING:
    from dagfoundry.store import RowState, Store

Entry = Annotated[str, typer.Argument(metavar="ENTRY", help="A DAG id, or an entry's key.")]


def plugins(*, as_json: AsJson = False) -> int:
    """Show the installed factory types and the plugins that failed; exits with 1 then."""
    loaded = load_plugins()
    types = [
        {
            "factory_type": name,
            "section": installed.type.section,
            "distribution": installed.distribution,
            "version": installed.version,
            "summary": installed.type.summary,
        }
        for name, installed in sorted(loaded.types.items())
    ]
    failures = [
        {
            "distribution": failure.distribution,
            "version": failure.version,
            "entry_point": failure.entry_point,
            "error": str(failure.error),
        }
        for failure in loaded.failures
    ]
    if as_json:
        print_json({"types": types, "failures": failures})
    else:
        print_table(
            ("factory type", "section", "distribution", "version", "summary"),
            [tuple(row.values()) for row in types],
        )
        for failure in failures:
            print_line(
                "failed: {distribution} {version} ({entry_point}): {error}".format(**failure)
            )
    return 1 if failures else 0


def list_entries(
    *,
    foundry: FoundryName = None,
    all_statuses: Annotated[bool, typer.Option("--all", help="Also the retired entries.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show every DAG of a foundry."""
    store = open_configured_store()
    rows = [
        row
        for row in _rows(store, foundry)
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


def show(entry: Entry, *, foundry: FoundryName = None, as_json: AsJson = False) -> None:
    """Show one entry: its row, who changed it last, and why."""
    row = _one_row(open_configured_store(), foundry, entry)
    if as_json:
        print_json({**_summary(row), "config": _config(row)})
        return
    details = {**_summary(row), "changed": row.created_at, "author": row.author}
    details["message"] = row.message
    config = {f"config.{key}": value for key, value in _config(row).items()}
    print_table(("field", "value"), [(key, value) for key, value in (details | config).items()])


def _config(row: RowState) -> dict[str, object]:
    """Return a row's config; of one that a hand edit broke, the text and what is wrong."""
    try:
        return row.config()
    except ValueError as error:
        return {"broken": str(error), "text": row.config_json}


def render(entry: Entry, *, foundry: FoundryName = None) -> None:
    """Print the definition that Airflow is given for one entry, as JSON."""
    print_json(_one_row(open_configured_store(), foundry, entry).to_json())


def _rows(store: Store, foundry: str | None) -> list[RowState]:
    name = one_foundry(store, foundry)
    return store.rows_at(name, store.head(name).revision)


def _one_row(store: Store, foundry: str | None, entry: str) -> RowState:
    rows = _rows(store, foundry)
    found = [row for row in rows if entry == row.dag_id] or [r for r in rows if entry == r.key]
    if len(found) == 1:
        return found[0]
    if found:
        msg = f"{len(found)} entries have the key {entry!r}"
        names = ", ".join(row.dag_id for row in found)
        raise EntryMissingError(msg, remedy=f"Name one of their DAG ids: {names}.")
    msg = f"no entry has the key or DAG id {entry!r}"
    raise EntryMissingError(msg, remedy="`dagfoundry list` shows them all.")


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
    "plugins": plugins,
    "list": list_entries,
    "show": show,
    "render": render,
}
