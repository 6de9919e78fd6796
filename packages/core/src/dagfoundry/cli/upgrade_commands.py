"""The command that looks whether an upgrade of plugins can go live: upgrade."""

from __future__ import annotations

from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from dagfoundry.cli.options import AsJson, open_configured_store
from dagfoundry.cli.output import print_json, print_line, print_table
from dagfoundry.cli.progress import watched
from dagfoundry.errors import FoundryMissingError, SettingInvalidError
from dagfoundry.plugins import load_plugins
from dagfoundry.store.read import read_head
from dagfoundry.store.stored import stored_rows
from dagfoundry.upgrade import check_rows

if TYPE_CHECKING:
    from dagfoundry.plugins import Plugins
    from dagfoundry.store import Store
    from dagfoundry.store.stored import StoredRow
    from dagfoundry.upgrade import RowProblem, UpgradeReport


def upgrade(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Read every row as the installed plugins would.")
    ] = False,
    foundry: Annotated[
        str | None, typer.Option("--foundry", help="Only this foundry; all of them by default.")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Check every stored row against the installed plugins; exits with 1 if one is bad.

    Nothing is written: rows are upgraded as they are read, and a merge writes only those
    that the model changes.
    """
    if not check:
        msg = "an upgrade has nothing to write: rows are upgraded as they are read"
        raise SettingInvalidError(msg, remedy="Use `dagfoundry upgrade --check`.")
    plugins = load_plugins()
    states = _states(open_configured_store(), foundry, plugins)
    report = check_rows(watched(states, "checking rows"), plugins)
    if as_json:
        print_json(_as_json(report, plugins))
    else:
        _show(report, plugins)
    return 0 if report.is_good else 1


def _states(store: Store, foundry: str | None, plugins: Plugins) -> list[StoredRow]:
    names = [store.head(foundry).foundry] if foundry else store.foundries()
    if not names:
        msg = "the store holds no foundry"
        raise FoundryMissingError(msg, remedy="Create one with `dagfoundry merge MODEL`.")
    types = [installed.type for installed in plugins.types.values()]
    states: list[StoredRow] = []
    for name in names:
        with store.reading() as connection:
            states += stored_rows(connection, read_head(connection, name), types)
    return states


def _as_json(report: UpgradeReport, plugins: Plugins) -> dict[str, object]:
    return {
        "rows": report.rows,
        "types": [asdict(each) for each in report.types],
        "missing_types": [each.factory_type for each in report.missing],
        "plugin_failures": [failure.headline for failure in plugins.failures],
        "problems": [asdict(problem) for problem in report.problems],
    }


def _show(report: UpgradeReport, plugins: Plugins) -> None:
    print_table(
        ("factory type", "distribution", "reads version", "rows", "stored versions"),
        [
            (
                each.factory_type,
                each.owner or "not installed",
                each.config_version or "-",
                each.rows,
                ", ".join(f"{n} of {version}" for version, n in each.by_version.items()) or "-",
            )
            for each in report.types
        ],
    )
    for row, problems in groupby(report.problems, key=_row_text):
        print_line(row)
        for problem in problems:
            print_line(f"  {problem.field}: {problem.value}: {problem.why} [{problem.rule}]")
            print_line(f"    {problem.remedy}")
    for each in report.missing:
        print_line(
            f"factory type {each.factory_type!r} is not installed: {each.rows} rows\n"
            f"  Install or mend the distribution that offers it. {plugins.summary()}"
        )
    print_line(_summary(report))


def _row_text(problem: RowProblem) -> str:
    who = f"revision {problem.revision} by {problem.author}" if problem.revision else "not recorded"
    edited = ", edited by hand since" if problem.edited and problem.revision else ""
    row = repr(problem.key) if problem.key else "the factory"
    return (
        f"{problem.foundry}: {problem.table}: {row} of platform {problem.platform!r}, factory type "
        f"{problem.factory_type!r} ({problem.status}; {who}{edited}):"
    )


def _summary(report: UpgradeReport) -> str:
    bad = {(p.table, p.platform, p.factory_type, p.key, p.edited) for p in report.problems}
    unread = sum(each.rows for each in report.missing)
    return f"{report.rows} rows checked: {len(bad)} bad, {unread} of types that are not installed"


COMMANDS = {"upgrade": upgrade}
