"""What a DAG processor uses that shows all DAGs: unchanged minutes, single changes."""

from __future__ import annotations

import math
import os
import time
from typing import TYPE_CHECKING, Final

from airflow_environment import CONNECTION_VARIABLE
from fleet import settings
from fleet.airflows import AIRFLOW
from fleet.api_server import ApiServer
from fleet.fleets import OurFleet, TableFleet
from fleet.foundry import new_foundry
from fleet.processor import NotInTimeError
from measuring import Sample
from results import Result

from dagfoundry_airflow.doctor.recommended import buckets_for, interval_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fleet.database import Server
    from fleet.fleets import Spent
    from fleet.sizes import Size

_CPU: Final = "CPU-s"
_VISIBLE_SECONDS: Final = 120.0
_RIVAL_PATIENCE: Final = 240.0
_HOUR_MINUTES: Final = 60.0


def serving(server: Server, folder: Path, entries: int, size: Size) -> Iterator[Result]:
    """Measure a fleet that is up, beside one file for all DAGs."""
    foundry = new_foundry(server, folder / "ours", entries, buckets_for(entries))
    with OurFleet(server, folder / "ours", foundry) as fleet:
        fleet.first_pass()
        measured = list(_serving(fleet, size))
    with TableFleet(server, folder / "table", foundry) as table:
        rival = Rival(table, size.rival_seconds)
    yield from _beside(measured, rival)


class Rival:
    """What one file for all costs.

    Attributes:
        minute: CPU seconds a minute, unchanged.
        change: CPU seconds after one change: all is parsed again.
        note: What a reader has to know.
    """

    def __init__(self, table: TableFleet, seconds: float) -> None:
        self.note = f"reference at Airflow's own interval of {settings.DEFAULT_INTERVAL} s"
        self.change: float | None = None
        try:
            table.first_pass(_RIVAL_PATIENCE)
        except NotInTimeError:
            shown, wanted = table.processor.listed(), table.foundry.entries
            self.note = f"reference shows {shown} of {wanted:,} DAGs; its parse is ended"
        else:
            self.change = table.full_pass().cpu
        watched = table.window(seconds)
        self.minute = 60 * watched.cpu / watched.wall


def _beside(measured: list[Result], rival: Rival) -> Iterator[Result]:
    from dataclasses import replace

    sides = {_MINUTE: rival.minute, _CHANGE: rival.change}
    for result in measured:
        side = sides.get(result.name)
        if side is None:
            yield result
        else:
            note = "; ".join(filter(None, [result.note, rival.note]))
            yield replace(result, reference=Sample.of([side]), note=note)


_MINUTE: Final = "an unchanged minute, averaged over an hour / one file from the table"
_CHANGE: Final = "one change / one file from the table"


def _serving(fleet: OurFleet, size: Size) -> Iterator[Result]:
    """Measure a fleet that is up: minutes without a change, then changes one by one."""
    idle = fleet.window(size.idle_seconds)
    full = [fleet.full_pass() for _ in range(max(1, size.passes))]
    yield from _unchanged(fleet, idle, full)
    os.environ[CONNECTION_VARIABLE] = fleet.processor.environment[CONNECTION_VARIABLE]
    with ApiServer(fleet.processor) as server:
        changes = [_change(fleet, server, number + 1) for number in range(size.changes)]
    yield from _changes(fleet, changes)


def _unchanged(fleet: OurFleet, idle: Spent, full: list[Spent]) -> Iterator[Result]:
    """Return an unchanged minute: idle ones, and each interval one pass over all files."""
    entries = fleet.foundry.entries
    interval = interval_for(entries, fleet.foundry.buckets)
    passes_a_minute, minute = 60 / interval, 60 * idle.cpu / idle.wall
    yield Result(
        name=_MINUTE,
        ours=Sample.of([minute + passes_a_minute * spent.cpu for spent in full]),
        unit=_CPU,
        budget=3.0,
        budget_of="ours",
        entries=entries,
        airflow=AIRFLOW,
        note=f"interval {interval} s; idle {minute:.2f} CPU-s a minute",
    )
    yield Result(
        name="one pass over all files, unchanged",
        ours=Sample.of([spent.cpu for spent in full]),
        unit=_CPU,
        entries=entries,
        airflow=AIRFLOW,
    )


def _change(fleet: OurFleet, server: ApiServer, number: int) -> tuple[Spent, float]:
    """Change one entry and return what it took, and after how many seconds it was visible."""
    dag_id = fleet.foundry.dag_id(number - 1)
    seconds = 0.0

    def change() -> None:
        nonlocal seconds
        revision = fleet.foundry.merge(changed=number)
        began = time.monotonic()
        fleet.foundry.announce()
        server.wait_for(dag_id, f"revision: {revision}", _VISIBLE_SECONDS)
        seconds = time.monotonic() - began

    return fleet.spent(change, lambda: True), seconds


def _changes(fleet: OurFleet, changes: list[tuple[Spent, float]]) -> Iterator[Result]:
    entries = fleet.foundry.entries
    yield Result(
        name=_CHANGE,
        ours=Sample.of([spent.cpu for spent, _ in changes]),
        unit=_CPU,
        budget=3.0,
        budget_of="ours",
        entries=entries,
        airflow=AIRFLOW,
    )
    seconds = sorted(seconds for _, seconds in changes)
    for percent, budget in ((50, None), (95, 3.0)):
        value = seconds[math.ceil(percent / 100 * len(seconds)) - 1]
        yield Result(
            name=f"merge to visible in the REST API, p{percent} of {len(seconds)}",
            ours=Sample(value, seconds[0], seconds[-1]),
            unit="s",
            budget=budget,
            budget_of="ours",
            entries=entries,
            airflow=AIRFLOW,
        )
