"""Commands that look back: history, diff, blame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from dagfoundry.change_json import change_json, changes_json, log_json, revision_json
from dagfoundry.cli.change_view import COLUMNS, change_lines, short
from dagfoundry.cli.options import (
    AsJson,
    Entry,
    FoundryName,
    OfEntry,
    OfPlatform,
    OfType,
    one_foundry,
    open_configured_store,
)
from dagfoundry.cli.output import print_json, print_line, print_table
from dagfoundry.fields import state_changes
from dagfoundry.history import ABSENT, count_deeds, deed, differences, read_history
from dagfoundry.history import blame as read_blame
from dagfoundry.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dagfoundry.history import RowDifference
    from dagfoundry.store.history import RevisionLog
    from dagfoundry.store.records import RevisionRecord

_COMMIT: Final = 12
"""Characters of a commit that a table shows."""

_BY: Final = ("revision", "when (UTC)", "who", "source")

_CHANGE: Final = ("action", "DAG", "field", "before", "after")

_WHOLE: Final = ("created", ABSENT)
"""What happens to whole rows, so that a list of their fields says nothing."""


def history(
    *,
    foundry: FoundryName = None,
    platform: OfPlatform = None,
    factory_type: OfType = None,
    entry: OfEntry = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show the revisions, newest first: who, when, why; with --entry also each field."""
    store = open_configured_store()
    selection = Selection(platform=platform, factory_type=factory_type, entry=entry)
    found = read_history(store, one_foundry(store, foundry), selection, limit=limit + 1)
    log, fields = found[:limit], entry is not None
    if as_json:
        print_json([_log_json(each, fields=fields) for each in log])
        return
    if fields:
        lines = [line for each in log for line in _entry_lines(each)]
        print_table((*_BY, *_CHANGE, "message"), lines)
    else:
        print_table((*_BY, "rows", "message", "from"), [_log_line(each) for each in log])
    if len(found) > limit:
        print_line("there are older ones: see --limit")


def diff(
    old: Annotated[int, typer.Argument(metavar="REV", help="A revision.")],
    new: Annotated[int, typer.Argument(metavar="REV", help="Another one, older or newer.")],
    *,
    foundry: FoundryName = None,
    platform: OfPlatform = None,
    factory_type: OfType = None,
    entry: OfEntry = None,
    as_json: AsJson = False,
) -> None:
    """Show what differs between two revisions, from the first to the second."""
    store = open_configured_store()
    selection = Selection(platform=platform, factory_type=factory_type, entry=entry)
    found = differences(store, one_foundry(store, foundry), (old, new), selection)
    if as_json:
        print_json([change_json(each.deed, each.row, each.fields) for each in found])
        return
    if found:
        print_table(COLUMNS, [line for each in found for line in _difference_lines(each)])
    count = "1 row differs" if len(found) == 1 else f"{len(found)} rows differ"
    print_line(f"{count} between revision {old} and revision {new}")


def blame(entry: Entry, *, foundry: FoundryName = None, as_json: AsJson = False) -> None:
    """Show who set each field of an entry last, when and why."""
    store = open_configured_store()
    found = read_blame(store, one_foundry(store, foundry), entry)
    if as_json:
        fields = [{"field": f.field, "value": f.value, **revision_json(f.revision)} for f in found]
        print_json(fields)
        return
    columns = ("field", "value", "revision", "when (UTC)", "who", "message")
    rows = [
        (f.field, short(f.value), f.revision.revision, *_when_who(f.revision), _why(f.revision))
        for f in found
    ]
    print_table(columns, rows)


def _log_line(log: RevisionLog) -> tuple[object, ...]:
    by = log.revision
    counts = ", ".join(f"{count} {word}" for word, count in count_deeds(log.rows).items())
    origin = " ".join(filter(None, (_short_commit(by.model_commit), by.environment)))
    return (by.revision, *_when_who(by), by.source.value, counts, _why(by), origin or "-")


def _entry_lines(log: RevisionLog) -> Iterator[tuple[object, ...]]:
    by = log.revision
    head: tuple[object, ...] = (by.revision, *_when_who(by), by.source.value)
    why = _why(by)
    for row in log.rows:
        word, fields = deed(row.before, row.after), state_changes(row.before, row.after)
        for action, _, *rest in change_lines(word, row, fields, whole=word in _WHOLE):
            yield (*head, action, *rest, why)
            head, why = ("",) * len(head), ""


def _difference_lines(found: RowDifference) -> Iterator[tuple[str, ...]]:
    return change_lines(found.deed, found.row, found.fields, whole=found.deed in _WHOLE)


def _when_who(by: RevisionRecord) -> tuple[str, str]:
    name = by.author.partition(" <")[0]
    return by.created_at.isoformat(sep=" ", timespec="seconds"), short(name)


def _why(by: RevisionRecord) -> str:
    return short(by.message or None)


def _short_commit(commit: str | None) -> str:
    name, dash, dirty = (commit or "").partition("-")
    return f"{name[:_COMMIT]}{dash}{dirty}"


def _log_json(log: RevisionLog, *, fields: bool) -> dict[str, Any]:
    return log_json(log) | ({"changes": changes_json(log)} if fields else {})


COMMANDS = {"history": history, "diff": diff, "blame": blame}
