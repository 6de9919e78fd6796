"""What is measured of a store, one function for each of its uses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import bare
from databases import counted_statements, empty
from measuring import measure, measure_together
from results import Result, compared, counted, limited
from streams import load, write_model

from dagfoundry.collector import collector_paused
from dagfoundry.desired import desired_rows
from dagfoundry.drift import find_hand_edits
from dagfoundry.merge import Guards, merge
from dagfoundry.plugins import load_plugins
from dagfoundry.rollback import Target, rollback
from dagfoundry.selection import Selection
from dagfoundry.store import Source
from dagfoundry.store.read import read_head
from dagfoundry.store.write import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dagfoundry.desired import DesiredRow
    from dagfoundry.model import LoadedModel
    from dagfoundry.store import Store

FOUNDRY = "Bench"
ENTRY_TABLES = ["live_airflow_dsg"]
ORIGIN = Origin(author="benchmark", message="", source=Source.MERGE)
FEW = 100

_HEAD_AND_ROWS = 2
_AFTER = 8
"""Position of the JSON in what a first refresh reads."""


class Models:
    """The models of one run."""

    def __init__(self, folder: Path, number: int) -> None:
        self.number = number
        self.path = write_model(folder / "all.yaml", number)
        self.all = load(self.path)
        self.one_changed = load(write_model(folder / "one.yaml", number, changed=1))
        self.all_changed = load(write_model(folder / "changed.yaml", number, changed=number))
        self.few = load(write_model(folder / "few.yaml", FEW))
        self.few_changed = load(write_model(folder / "few_changed.yaml", FEW, changed=FEW))


def merged(store: Store, model: LoadedModel, rows: Sequence[DesiredRow] | None = None) -> int:
    """Merge a model, with its rows where they are made already; return the head's revision."""
    guards = Guards(allow_prune=True)
    done = merge(store, model, load_plugins(), origin=ORIGIN, guards=guards, rows=rows)
    return done.head.revision


def loading(models: Models, repeats: int) -> Iterator[Result]:
    """Load a model, and check it as ``validate`` does, beside PyYAML on the same bytes."""
    calls = {
        "load": lambda: load(models.path),
        "check": lambda: rows_of(load(models.path)),
        "bare": lambda: bare.load_yaml(models.path),
    }
    times = measure_together(calls, repeats, lambda: None)
    title = "load / PyYAML CSafeLoader, CPU"
    yield compared(title, times["load"], times["bare"], 2, clock="cpu")
    title = "load and check / PyYAML CSafeLoader, CPU"
    yield compared(title, times["check"], times["bare"], 2, clock="cpu")


def rows_of(model: LoadedModel) -> tuple[DesiredRow, ...]:
    """Return the rows that a model asks for, all rules checked."""
    with collector_paused():
        return desired_rows(model, load_plugins())


def writing(store: Store, models: Models, repeats: int) -> Iterator[Result]:
    """Merge new entries, beside the driver's own bulk insert of the same rows."""
    empty(store)
    merged(store, models.all)
    contents = bare.dump(store, FOUNDRY, ENTRY_TABLES)
    bare.delete_all(store, contents)
    rows = rows_of(models.all)
    calls = {
        "whole": lambda: merged(store, models.all),
        "checked": lambda: merged(store, models.all, rows),
        "ready": lambda: bare.write(store, contents),
    }
    times = measure_together(calls, repeats, lambda: bare.delete_all(store, contents))
    kind = store.url.get_backend_name()
    driver = "execute_values" if kind == "postgresql" else "executemany"
    title = f"{kind}: merge of all new, checked / {driver} of the same rows"
    yield compared(title, times["checked"], times["ready"], 2)
    title = f"{kind}: merge of all new, with checking / {driver} of the same rows"
    yield compared(title, times["whole"], times["ready"], None)


def unchanged(store: Store, models: Models, repeats: int) -> Iterator[Result]:
    """Merge what is there already, then with one change."""
    kind = store.url.get_backend_name()
    empty(store)
    merged(store, models.all)
    turn = [models.all, models.one_changed]

    def merge_one() -> None:
        turn.reverse()
        merged(store, turn[0])

    calls = {"one": merge_one, "none": lambda: merged(store, turn[0])}
    times = measure_together(calls, repeats, lambda: None)
    yield limited(f"{kind}: merge, nothing changed", times["none"], 1.5)
    title = f"{kind}: merge, one changed / none, CPU"
    yield compared(title, times["one"], times["none"], 1.2, clock="cpu")


def updating(store: Store, models: Models, repeats: int) -> Iterator[Result]:
    """Change all entries, beside creating them."""
    kind = store.url.get_backend_name()
    empty(store)
    merged(store, models.all)
    contents = bare.dump(store, FOUNDRY, ENTRY_TABLES)
    turn = [models.all, models.all_changed]

    def change_all() -> None:
        turn.reverse()
        merged(store, turn[0])

    changed = measure(change_all, repeats)
    created = measure(
        lambda: merged(store, models.all), repeats, lambda: bare.delete_all(store, contents)
    )
    yield compared(f"{kind}: merge of all changed / of all new", changed, created, None)


def reading(store: Store, models: Models, repeats: int) -> Iterator[Result]:
    """Read all rows as a first refresh does, beside the driver alone with the same bytes."""
    kind = store.url.get_backend_name()
    empty(store)
    head = merged(store, models.all)
    with counted_statements(store) as listed:
        store.rows_at(FOUNDRY, head)
    yield counted(f"{kind}: statements, first refresh", [len(listed)], _HEAD_AND_ROWS)
    calls = {
        "ours": lambda: store.rows_at(FOUNDRY, head),
        "bare": lambda: bare.read(store, *listed[-1], _AFTER),
    }
    times = measure_together(calls, repeats, lambda: None)
    title = f"{kind}: first refresh reads all / SELECT and JSON"
    yield compared(title, times["ours"], times["bare"], 1.3)


def drift(store: Store) -> int:
    """Compare tables and history, and return the number of differences."""
    with store.reading() as connection:
        head = read_head(connection, FOUNDRY)
        return len(find_hand_edits(connection, head, load_plugins()).edits)


def drifting(store: Store, models: Models, repeats: int) -> Iterator[Result]:
    """Look for hand edits where there are none."""
    kind = store.url.get_backend_name()
    empty(store)
    merged(store, models.all)
    yield limited(f"{kind}: drift, none found", measure(lambda: drift(store), repeats), 1)


def statements(store: Store, models: Models, _repeats: int) -> Iterator[Result]:
    """Count the statements of merges and of a drift, for few entries and for all."""
    counts: dict[str, list[int]] = {}
    for model, changed in ((models.few, models.few_changed), (models.all, models.all_changed)):
        empty(store)
        merged(store, model)
        steps = {
            "nothing changed": lambda model=model: merged(store, model),
            "drift": lambda: drift(store),
            "all changed": lambda changed=changed: merged(store, changed),
        }
        for name, step in steps.items():
            with counted_statements(store) as listed:
                step()
            counts.setdefault(name, []).append(len(listed))
    kind = store.url.get_backend_name()
    for name, (few, many) in counts.items():
        title = f"{kind}: statements, {name} / of {FEW} entries"
        yield counted(title, [few, many], None if name == "all changed" else few)


def rolling_back(store: Store, models: Models, repeats: int) -> Iterator[Result]:
    """Go back over a merge that changed all entries, beside that merge."""
    empty(store)
    merged(store, models.all)
    target = Target(revision=1, rows=Selection())
    origin = replace(ORIGIN, source=Source.ROLLBACK)
    guards = Guards(allow_prune=True)
    calls = {
        "merge": lambda: merged(store, models.all_changed),
        "back": lambda: rollback(store, FOUNDRY, target, origin=origin, guards=guards),
    }
    times = measure_together(calls, repeats, lambda: None)
    name = f"{store.url.get_backend_name()}: rollback of all / merge of them"
    yield compared(name, times["back"], times["merge"], 2)


STORE_CASES = (writing, updating, unchanged, reading, drifting, statements, rolling_back)
