"""Commands that compare: drift."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dagfoundry.author import current_author
from dagfoundry.cli.change_view import short
from dagfoundry.cli.options import (
    AsJson,
    EnvironmentName,
    FoundryName,
    ModelPaths,
    one_foundry,
    open_configured_store,
    read_model,
)
from dagfoundry.cli.output import print_json, print_line, print_table
from dagfoundry.cli.waiting import announce
from dagfoundry.desired import desired_rows
from dagfoundry.drift import (
    find_hand_edits,
    hand_edit_differences,
    model_differences,
    record_hand_edits,
    served_views,
)
from dagfoundry.errors import SettingInvalidError
from dagfoundry.plugins import load_plugins
from dagfoundry.settings import MODEL_VARIABLE, read_settings
from dagfoundry.store.read import read_head

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dagfoundry.drift import Difference, HandEdit, Recording
    from dagfoundry.model import LoadedModel
    from dagfoundry.store import Store
    from dagfoundry.store.live import LiveRow

_DIFFERENCES_FOUND = 2


def drift(
    model: ModelPaths = None,
    *,
    environment: EnvironmentName = None,
    foundry: FoundryName = None,
    record: Annotated[
        bool, typer.Option("--record", help="Record rows edited in the database as a revision.")
    ] = False,
    message: Annotated[
        str, typer.Option("-m", "--message", help="Why they were edited; kept for ever.")
    ] = "",
    allow_prune: Annotated[
        bool, typer.Option("--allow-prune", help="Record however many entries are gone.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Compare model, tables and Airflow with what is recorded; exits with 2 when they differ."""
    loaded = _model(model, environment, foundry)
    store = open_configured_store(to_write=record)
    name = one_foundry(store, loaded.foundry.foundry if loaded else foundry)
    if record:
        folder = loaded.files[0].parent if loaded else Path()
        recording = record_hand_edits(
            store,
            name,
            load_plugins(),
            recorder=current_author(folder),
            message=message,
            allow_prune=allow_prune,
        )
        if recording.recorded:
            announce(store, recording.head, since=recording.head.revision - 1)
        return _show_recording(recording, as_json=as_json)
    return _show_drift(store, name, loaded, as_json=as_json, allow_prune=allow_prune)


def _model(
    paths: list[Path] | None, environment: str | None, foundry: str | None
) -> LoadedModel | None:
    """Return the model to compare, or None when none is named or it is another foundry's."""
    if not paths and read_settings().model is None:
        return None
    loaded = read_model(paths, environment)
    if foundry is None or foundry.lower() == loaded.foundry.foundry.lower():
        return loaded
    if not paths:
        return None
    msg = f"the model is that of foundry {loaded.foundry.foundry!r}, not of {foundry!r}"
    raise SettingInvalidError(msg, remedy="Leave --foundry off, or name the other model.")


def _show_drift(
    store: Store, foundry: str, model: LoadedModel | None, *, as_json: bool, allow_prune: bool
) -> int:
    plugins = load_plugins()
    desired = desired_rows(model, plugins) if model else ()
    with store.reading() as connection:
        head = read_head(connection, foundry)
        found = find_hand_edits(connection, head, plugins, allow_prune=allow_prune)
    differences = list(hand_edit_differences(found.edits))
    notes = _edit_notes(found.edits) + _type_notes(found.not_installed)
    notes += [_ignored(row) for row in found.ignored]
    if model is None:
        notes.append(_no_model())
    differences += model_differences(found, desired) if model else []
    for view in served_views(store, head.foundry):
        differences += view.differences
        if view.not_asked:
            notes.append(f"{view.where} was not asked: {view.not_asked}")
    facts = {"foundry": head.foundry, "revision": head.revision}
    _print(facts, differences, notes, as_json=as_json)
    return _DIFFERENCES_FOUND if differences else 0


def _show_recording(recording: Recording, *, as_json: bool) -> int:
    head = recording.head
    edits = [*recording.recorded, *recording.held_back]
    recorded = head.revision if recording.recorded else None
    facts = {
        "foundry": head.foundry,
        "revision": head.revision,
        "recorded": recorded,
        "rows_recorded": len(recording.recorded),
    }
    notes = _edit_notes(edits, recorded=True) + _type_notes(recording.not_installed)
    _print(facts, list(hand_edit_differences(edits)), notes, as_json=as_json)
    return _DIFFERENCES_FOUND if recording.held_back else 0


def _edit_notes(edits: Sequence[HandEdit], *, recorded: bool = False) -> list[str]:
    held = "not recorded" if recorded else "would not be recorded"
    notes = [f"{held}: {edit.row.dag_id}: {edit.held_back}" for edit in edits if edit.held_back]
    broken = [edit for edit in edits if edit.problem and not edit.held_back]
    return notes + [
        f"broken: {edit.row.dag_id}: {edit.problem}. Its last good definition runs on."
        for edit in broken
    ]


def _type_notes(not_installed: Sequence[str]) -> list[str]:
    return [
        f"rows of factory type {name!r} were left alone: it is not installed"
        for name in not_installed
    ]


def _ignored(row: LiveRow) -> str:
    return f"ignored: {row.dag_id} was never recorded, and its status is {row.status!r}, not active"


def _no_model() -> str:
    return f"no model was compared: none is named, or {MODEL_VARIABLE} is not that of the foundry"


def _print(
    facts: dict[str, Any], differences: Sequence[Difference], notes: list[str], *, as_json: bool
) -> None:
    if as_json:
        print_json({**facts, "differences": [asdict(d) for d in differences], "notes": notes})
        return
    if differences:
        columns = ("where", "row", "field", "recorded", "found")
        print_table(columns, _cells(differences))
    for note in notes:
        print_line(note)
    print_line(_summary(facts, differences))


def _cells(differences: Sequence[Difference]) -> list[tuple[str, str, str, str, str]]:
    return [(d.where, d.dag_id, d.field, short(d.recorded), short(d.found)) for d in differences]


def _summary(facts: dict[str, Any], differences: Sequence[Difference]) -> str:
    rows = len({(d.where, d.dag_id) for d in differences})
    differ = "1 row differs" if rows == 1 else f"{rows} rows differ"
    text = differ if rows else "no drift"
    if "recorded" in facts:
        text = f"{facts['rows_recorded']} of {rows} rows recorded" if rows else "nothing to record"
    return f"{facts['foundry']}: {text} (revision {facts['revision']})"


COMMANDS = {"drift": drift}
