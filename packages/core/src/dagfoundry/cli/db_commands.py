"""Commands for the store's tables: db upgrade, db current, db check."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from dagfoundry.cli.options import AsJson, open_configured_store
from dagfoundry.cli.output import print_json, print_line, print_table
from dagfoundry.store.schema_version import require_current
from dagfoundry.store.upgrade import upgrade_store

if TYPE_CHECKING:
    from dagfoundry.store.schema_version import ScopeVersion

app = typer.Typer(help="The store's tables.", no_args_is_help=True)

_NO_TABLES = "the store has no tables yet; dagfoundry merge creates them"


@app.command()
def upgrade(*, as_json: AsJson = False) -> None:
    """Migrate all tables to what this version needs; safe to repeat and to run twice at once."""
    store = open_configured_store(to_write=True)
    store.refuse_unadopted()
    done = upgrade_store(store)
    if as_json:
        values = [{**_values(each.after), "from": each.before.migration} for each in done]
        print_json({"scopes": values})
    elif not done:
        print_line(_NO_TABLES)
    for each in () if as_json else done:
        moved = each.before.migration != each.after.migration
        start = each.before.migration or "no migration"
        change = f"{start} -> {each.after.migration}" if moved else f"{start}, nothing to do"
        print_line(f"{each.after.scope.name}: {change}")


@app.command()
def current(*, as_json: AsJson = False) -> None:
    """Show at which migration the tables are: those of the store, and of each foundry."""
    _show(_versions(), as_json=as_json)


@app.command()
def check(*, as_json: AsJson = False) -> None:
    """Exit with 1 when tables are older or newer than this version needs."""
    versions = _versions()
    require_current(versions)
    _show(versions, as_json=as_json)


def _versions() -> list[ScopeVersion]:
    store = open_configured_store()
    store.refuse_unadopted()
    return store.schema_versions()


def _show(versions: list[ScopeVersion], *, as_json: bool) -> None:
    if as_json:
        print_json({"scopes": [_values(version) for version in versions]})
    elif not versions:
        print_line(_NO_TABLES)
    else:
        columns = ("scope", "migration", "newest", "state", "platforms")
        rows = [(*list(_values(v).values())[:4], ", ".join(v.platforms)) for v in versions]
        print_table(columns, rows)


def _values(version: ScopeVersion) -> dict[str, object]:
    return {
        "scope": version.scope.name,
        "migration": version.migration,
        "newest": version.head,
        "state": version.state.value,
        "foundry": version.scope.foundry,
        "platforms": list(version.platforms),
    }
