"""Measures what the store costs, as ratios in one run: ``python benchmarks/run.py``.

Exits with 1 when a budget is missed. Every figure is the median of several repeats;
what is compared is measured in turn, so that a busy machine slows both sides.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import bare
from databases import KINDS, counted_statements, empty, opened_store
from measuring import measure, measure_together
from streams import load, write_model

from dagfoundry.drift import find_hand_edits
from dagfoundry.merge import Guards, merge
from dagfoundry.plugins import load_plugins
from dagfoundry.store import Source
from dagfoundry.store.read import read_head
from dagfoundry.store.write import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dagfoundry.model import LoadedModel
    from dagfoundry.store import Store

FOUNDRY = "Bench"
ENTRY_TABLES = ["live_airflow_dsg"]
ORIGIN = Origin(author="benchmark", message="", source=Source.MERGE)
FEW = 100
_AFTER = 8
"""Position of the JSON in what a first refresh reads."""


@dataclass(frozen=True)
class Result:
    """One figure beside its budget."""

    name: str
    figure: str
    budget: str
    kept: bool | None

    def __str__(self) -> str:
        """Return a row of a Markdown table."""
        word = {True: "yes", False: "NO", None: "-"}[self.kept]
        return f"| {self.name} | {self.figure} | {self.budget} | {word} |"


def ratio(name: str, ours: float, theirs: float, budget: float, detail: str) -> Result:
    """Return a ratio beside its budget."""
    value = ours / theirs
    return Result(name, f"{value:.2f} ({detail})", f"<= {budget:g}", value <= budget)


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


def merged(store: Store, model: LoadedModel) -> int:
    """Merge a model and return the head's revision."""
    guards = Guards(allow_prune=True)
    return merge(store, model, load_plugins(), origin=ORIGIN, guards=guards).head.revision


def loading(models: Models, repeats: int) -> Iterator[Result]:
    """Load a model, beside PyYAML on the same bytes."""
    calls = {"ours": lambda: load(models.path), "bare": lambda: bare.load_yaml(models.path)}
    times = measure_together(calls, repeats, lambda: None)
    ours, theirs = times["ours"], times["bare"]
    detail = f"{ours} / {theirs}"
    yield ratio("load / PyYAML CSafeLoader, CPU", ours.cpu, theirs.cpu, 2, detail)


def writing(store: Store, models: Models, repeats: int) -> Iterator[Result]:
    """Merge new entries, beside the driver's own bulk insert of the same rows."""
    kind = store.url.get_backend_name()
    empty(store)
    merged(store, models.all)
    contents = bare.dump(store, FOUNDRY, ENTRY_TABLES)
    calls = {
        "ours": lambda: merged(store, models.all),
        "bare": lambda: bare.write(store, contents),
    }
    times = measure_together(calls, repeats, lambda: bare.delete_all(store, contents))
    ours, theirs = times["ours"], times["bare"]
    name = "execute_values" if kind == "postgresql" else "executemany"
    yield ratio(
        f"{kind}: merge of all new / {name}", ours.wall, theirs.wall, 2, f"{ours} / {theirs}"
    )


def unchanged(store: Store, models: Models, repeats: int) -> Iterator[Result]:
    """Merge what is there already, then with one change."""
    kind = store.url.get_backend_name()
    empty(store)
    merged(store, models.all)
    same = measure(lambda: merged(store, models.all), repeats)
    yield Result(f"{kind}: merge, nothing changed", str(same), "<= 1.5 s CPU", same.cpu <= 1.5)
    turn = [models.all, models.one_changed]

    def merge_one() -> None:
        turn.reverse()
        merged(store, turn[0])

    calls = {"one": merge_one, "none": lambda: merged(store, turn[0])}
    times = measure_together(calls, repeats, lambda: None)
    one, none = times["one"], times["none"]
    yield ratio(f"{kind}: merge, one changed / none", one.cpu, none.cpu, 1.2, f"{one} / {none}")


def statements(store: Store, models: Models) -> Iterator[Result]:
    """Count the statements of merges and of a drift, for few entries and for all."""
    kind = store.url.get_backend_name()
    pairs = {FEW: (models.few, models.few_changed), models.number: (models.all, models.all_changed)}
    counts: dict[str, list[int]] = {}
    for model, changed in pairs.values():
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
    for name, (few, many) in counts.items():
        figure = f"{few} and {many}"
        title = f"{kind}: statements, {name}, {FEW} and {models.number:,} entries"
        limited = name != "all changed"
        yield Result(title, figure, "the same" if limited else "", few == many if limited else None)


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
    none = measure(lambda: drift(store), repeats)
    yield Result(f"{kind}: drift, none found", str(none), "<= 1 s CPU", none.cpu <= 1)


def reading(store: Store, models: Models, repeats: int) -> Iterator[Result]:
    """Read all rows as a first refresh does, beside a bare SELECT of the same bytes."""
    kind = store.url.get_backend_name()
    empty(store)
    head = merged(store, models.all)
    with counted_statements(store) as listed:
        store.rows_at(FOUNDRY, head)
    number = len(listed)
    yield Result(f"{kind}: statements, first refresh", str(number), "<= 2", number <= 2)
    calls = {
        "ours": lambda: store.rows_at(FOUNDRY, head),
        "bare": lambda: bare.read(store, *listed[-1], _AFTER),
    }
    times = measure_together(calls, repeats, lambda: None)
    ours, theirs = times["ours"], times["bare"]
    title = f"{kind}: first refresh reads all / SELECT and JSON"
    yield ratio(title, ours.wall, theirs.wall, 1.3, f"{ours} / {theirs}")


def rolling_back(store: Store, models: Models, repeats: int) -> Iterator[Result]:
    """Go back over a merge that changed all entries, beside that merge."""
    kind = store.url.get_backend_name()
    name = f"{kind}: rollback of all / merge of them"
    try:
        module = importlib.import_module("dagfoundry.rollback")
    except ModuleNotFoundError:
        yield Result(name, "not installed", "<= 2", None)
        return
    empty(store)
    merged(store, models.all)

    def roll_back() -> None:
        module.rollback(store, FOUNDRY, load_plugins(), to=1, author="benchmark", message="")

    calls = {"merge": lambda: merged(store, models.all_changed), "back": roll_back}
    times = measure_together(calls, repeats, lambda: None)
    back, forth = times["back"], times["merge"]
    yield ratio(name, back.wall, forth.wall, 2, f"{back} / {forth}")


def results(kinds: list[str], number: int, repeats: int) -> Iterator[Result]:
    """Measure everything."""
    with tempfile.TemporaryDirectory(prefix="dagfoundry-models-") as folder:
        models = Models(Path(folder), number)
        yield from loading(models, repeats)
        for kind in kinds:
            with opened_store(kind) as store:
                yield from writing(store, models, repeats)
                yield from unchanged(store, models, repeats)
                yield from reading(store, models, repeats)
                yield from drifting(store, models, repeats)
                yield from statements(store, models)
                yield from rolling_back(store, models, repeats)


def main() -> int:
    """Print a table of all results and return 1 when a budget is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=10_000, help="streams of the model")
    parser.add_argument("--repeats", type=int, default=5, help="measurements of each figure")
    parser.add_argument("--database", choices=KINDS, action="append", help="only this one")
    arguments = parser.parse_args()
    print("| what | measured | budget | kept |\n|---|---|---|---|", flush=True)
    missed = 0
    for result in results(arguments.database or list(KINDS), arguments.entries, arguments.repeats):
        print(result, flush=True)
        missed += result.kept is False
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
