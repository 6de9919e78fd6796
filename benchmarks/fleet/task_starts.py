"""One task's start: from the bundle's initialisation to the task object."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from fleet import contenders
from fleet.airflows import AIRFLOW, AIRFLOW_2
from fleet.forked import forked
from fleet.foundry import BenchFoundry
from fleet.start import Start
from measuring import Sample
from results import Result

from dagfoundry_airflow.doctor.recommended import buckets_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from fleet.database import Server
    from fleet.sizes import Size

_BUDGET: Final = 1.2
_MEMORY_BUDGET: Final = 1.3


def task_starts(server: Server, folder: Path, entries: int, size: Size) -> Iterator[Result]:
    """Measure task starts in forks in which everything is imported, as workers are."""
    many = _published(server, folder, entries, "Bench")
    one = _published(server, folder, 1, "One")
    starts = {"one": Start.of(one, folder), "many": Start.of(many, folder)}
    starts["one"].import_all()
    taken = _timed(starts, size.starts)
    yield _result(
        "task start / with one entry", entries, taken["many"], taken["one"], budget=_BUDGET
    )
    yield _from_table(many, folder, taken["many"], size)
    if not AIRFLOW_2:
        versions = contenders.our_home(folder, many) / "versions"
        empty = _timed({"empty": starts["many"]}, size.starts, gone=versions)["empty"]
        name = "task start on an empty disk / with the files there"
        yield _result(name, entries, empty, taken["many"])
    peaks = {name: [start.peak_mb() for _ in range(3)] for name, start in starts.items()}
    yield Result(
        name="peak memory of a task's process / with one entry",
        ours=Sample.of(peaks["many"]),
        reference=Sample.of(peaks["one"]),
        unit="MB",
        budget=_MEMORY_BUDGET,
        entries=entries,
        airflow=AIRFLOW,
    )


def _published(server: Server, folder: Path, entries: int, name: str) -> BenchFoundry:
    store, buckets = server.new_store(), buckets_for(entries)
    foundry = BenchFoundry(store, folder, entries, buckets, name=name)
    foundry.merge()
    contenders.publish_here(foundry, folder)
    return foundry


def _from_table(foundry: BenchFoundry, folder: Path, ours: list[float], size: Size) -> Result:
    """Return a start beside that from the one file that reads all rows and builds all DAGs."""
    file = contenders.write_reference_pattern(foundry, folder / "table")
    start = Start(dag_id=foundry.dag_id(foundry.entries // 2), file=str(file))
    taken = _timed({"table": start}, size.build_repeats(foundry.entries))["table"]
    return _result("task start / one file from the table", foundry.entries, ours, taken)


def _timed(
    starts: Mapping[str, Start], repeats: int, *, gone: Path | None = None
) -> dict[str, list[float]]:
    """Return the seconds of starts, made in turn.

    Args:
        starts: The starts, by name.
        repeats: How often each is made; once more before, unmeasured.
        gone: A folder that is removed before each.
    """
    taken: dict[str, list[float]] = {name: [] for name in starts}
    for number in range(repeats + 1):
        for name, start in starts.items():
            if gone is not None:
                shutil.rmtree(gone, ignore_errors=True)
            seconds = forked(start.run).wall
            if number:
                taken[name].append(seconds)
    return taken


def _result(
    name: str, entries: int, ours: list[float], theirs: list[float], *, budget: float | None = None
) -> Result:
    return Result(
        name=name,
        ours=Sample.of(ours, 1000),
        reference=Sample.of(theirs, 1000),
        unit="ms",
        budget=budget,
        entries=entries,
        airflow=AIRFLOW,
    )
