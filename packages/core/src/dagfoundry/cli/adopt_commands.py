"""The command that takes over the database of a DataSurface deployment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dagfoundry.adopt import adopt as adopt_foundry
from dagfoundry.author import current_author
from dagfoundry.cli.options import AsJson, open_configured_store
from dagfoundry.cli.output import print_json, print_line
from dagfoundry.cli.waiting import announce
from dagfoundry.model.schema import FoundryModel
from dagfoundry.plugins import load_plugins
from dagfoundry.store.records import RowKind, Source
from dagfoundry.store.write import Origin

if TYPE_CHECKING:
    from dagfoundry.adopt import Adoption


def adopt(
    *,
    foundry: Annotated[
        str, typer.Option("--foundry", help="The deployment's PSP, as its model spells it.")
    ],
    message: Annotated[str, typer.Option("-m", "--message", help="Why; kept for ever.")] = "",
    buckets: Annotated[
        int, typer.Option("--buckets", min=1, max=256, help="Bundle files; fixed for ever.")
    ] = FoundryModel.model_fields["buckets"].default,
    as_json: AsJson = False,
) -> None:
    """Record the rows of a DataSurface database as revision 1; no row is changed.

    Rows that are broken become findings and stop no other; it exits with 1 only when the
    foundry was not adopted.
    """
    origin = Origin(author=current_author(Path.cwd()), message=message, source=Source.ADOPT)
    store = open_configured_store(to_write=True)
    done = adopt_foundry(store, foundry, load_plugins(), origin=origin, buckets=buckets)
    announce(store, done.head, since=0)
    if as_json:
        print_json(_as_json(done))
        return
    for finding in done.findings:
        print_line(f"finding: {finding}")
    print_line(_summary(done))
    if done.needs_upgrade:
        print_line("next: dagfoundry db upgrade, since columns are too narrow for a merge")


def _summary(done: Adoption) -> str:
    factories, entries = done.count(RowKind.FACTORY), done.count(RowKind.ENTRY)
    parts = [f"{factories} factories and {entries} entries adopted"]
    if done.ignored:
        parts.append(f"{done.ignored} ignored as not active")
    parts.append(f"{len(done.findings)} findings" if done.findings else "no findings")
    return f"{done.head.foundry}: {', '.join(parts)} (revision {done.head.revision})"


def _as_json(done: Adoption) -> dict[str, Any]:
    return {
        "foundry": done.head.foundry,
        "revision": done.head.revision,
        "buckets": done.head.buckets,
        "adopted": [
            {
                "dag_id": row.dag_id,
                "kind": row.kind.value,
                "platform": row.platform_name,
                "factory_type": row.factory_type,
                "key": row.key,
            }
            for row in done.rows
        ],
        "ignored": done.ignored,
        "findings": [finding.to_json() for finding in done.findings],
        "needs_upgrade": done.needs_upgrade,
    }


COMMANDS = {"adopt": adopt}
