"""What DAG processors use until they show all DAGs for the first time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fleet.airflows import AIRFLOW
from fleet.fleets import HandwrittenFleet, OurFleet
from fleet.foundry import new_foundry
from measuring import Sample
from results import Result

from dagfoundry_airflow.doctor.recommended import buckets_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fleet.database import Server
    from fleet.sizes import Size

_CPU: Final = "CPU-s"


def first_passes(server: Server, folder: Path, entries: int, size: Size) -> Iterator[Result]:
    """Measure first passes of a number of entries, ours and hand-written ones in turn."""
    written = new_foundry(server, folder / "written", entries, buckets_for(entries))
    written.merge()
    ours, theirs, memory, their_memory = [], [], [], []
    for number in range(size.passes):
        home = folder / f"handwritten-{number}"
        with HandwrittenFleet(server, home, written) as handwritten:
            theirs.append(handwritten.first_pass())
        their_memory.append(handwritten.processor.largest_child_mb())
        home = folder / f"ours-{number}"
        foundry = new_foundry(server, home, entries, buckets_for(entries))
        with OurFleet(server, home, foundry) as fleet:
            ours.append(fleet.first_pass())
        memory.append(fleet.processor.largest_child_mb())
    yield Result(
        name="first pass, trial builds included / hand-written files",
        ours=Sample.of([spent.cpu for spent in ours]),
        reference=Sample.of([spent.cpu for spent in theirs]),
        unit=_CPU,
        budget=2.0,
        entries=entries,
        airflow=AIRFLOW,
    )
    yield Result(
        name="first pass until all DAGs are listed / hand-written files",
        ours=Sample.of([spent.wall for spent in ours]),
        reference=Sample.of([spent.wall for spent in theirs]),
        unit="s",
        entries=entries,
        airflow=AIRFLOW,
    )
    yield Result(
        name="peak memory of a parse child / hand-written files",
        ours=Sample.of(memory),
        reference=Sample.of(their_memory),
        unit="MB",
        budget=1.3,
        entries=entries,
        airflow=AIRFLOW,
    )
