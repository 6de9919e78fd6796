"""The command that writes rows as a model: export."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path  # noqa: TC003 - typer reads annotations at run time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dagfoundry.cli.options import AsJson, FoundryName, one_foundry, open_configured_store
from dagfoundry.cli.output import print_json, print_line
from dagfoundry.cli.progress import working
from dagfoundry.errors import SettingInvalidError
from dagfoundry.export import export_model
from dagfoundry.model.folder import write_new_folder
from dagfoundry.plugins import load_plugins
from dagfoundry.store.read import read_head, read_revisions
from dagfoundry.store.stored import rows_as_of, stored_rows

if TYPE_CHECKING:
    from dagfoundry.export import Export
    from dagfoundry.plugins import Plugins
    from dagfoundry.store import Store


def export(
    *,
    foundry: FoundryName = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="New or empty folder for the files; stdout by default."),
    ] = None,
    at: Annotated[
        int | None, typer.Option("--at", help="Revision to write; the rows as they are now else.")
    ] = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Write the rest when rows cannot be written.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Write a foundry's rows as a model that merges to no change.

    Rows that no model can say are listed with the reason; without --partial nothing is
    written then, and the command exits with 1.
    """
    store = open_configured_store()
    name = one_foundry(store, foundry)
    with working("reading the rows and trying the model"):
        made = _exported(store, name, at, load_plugins())
    is_refused = bool(made.unexpressed) and not partial
    written = write_new_folder(out, made.files) if out and not is_refused else []
    if as_json:
        print_json(_as_json(made, written, with_model=not (out or is_refused)))
    else:
        _show(made, written, with_model=not (out or is_refused))
    return 1 if is_refused else 0


def _exported(store: Store, foundry: str, at: int | None, plugins: Plugins) -> Export:
    with store.reading() as connection:
        head = read_head(connection, foundry)
        number = head.revision if at is None else at
        revisions = read_revisions(connection, head, revision=number)
        if not revisions:
            msg = f"foundry {foundry!r} has no revision {number}; its newest is {head.revision}"
            raise SettingInvalidError(msg, remedy="Name one from 1 to the newest with --at.")
        types = [installed.type for installed in plugins.types.values()]
        states = (
            stored_rows(connection, head, types) if at is None else rows_as_of(connection, head, at)
        )
    return export_model(head, states, revisions[0], plugins)


def _as_json(made: Export, written: list[Path], *, with_model: bool) -> dict[str, Any]:
    value = {
        "foundry": made.foundry,
        "revision": made.revision,
        "items": made.items,
        "files": [str(path) for path in written],
        "unexpressed": [asdict(row) for row in made.unexpressed],
    }
    return {**value, "model": made.values} if with_model else value


def _show(made: Export, written: list[Path], *, with_model: bool) -> None:
    for row in made.unexpressed:
        subject = repr(row.key) if row.key else "the factory"
        sys.stderr.write(
            f"not in the model: {row.table}: {subject} of platform {row.platform!r}, "
            f"factory type {row.factory_type!r}: {row.reason}\n"
        )
    if with_model:
        sys.stdout.write("\n".join(made.files.values()))
    for path in written:
        print_line(f"wrote {path}")
    if written:
        print_line(f"{made.foundry}: {made.items} items of revision {made.revision}")
    elif not with_model:
        count = len(made.unexpressed)
        sys.stderr.write(
            f"error: {count} rows of foundry {made.foundry!r} cannot be written as a model\n"
            "  Nothing was written; --partial writes the rest.\n"
        )


COMMANDS = {"export": export}
