"""Compares what stands in the merge store, read by SQL, with what the source files add up to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from source import Figures
from sqlalchemy import column, func, select, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy.engine import Connection

TABLES: Final[Mapping[str, str]] = {
    "airlines": "yellowlive_reference_airlines_merge",
    "airports": "yellowlive_reference_airports_merge",
    "planes": "yellowlive_reference_planes_merge",
    "weather": "yellowlive_operations_weather_merge",
    "flights": "yellowlive_operations_flights_merge",
}
"""Dataset to its merge table."""

CARRIER_DELAYS: Final = "yellowlive_carrierdelays_carrier_delays_merge"
WEATHER_IMPACT: Final = "yellowlive_weatherimpact_weather_impact_merge"

_BATCHES: Final = "yellowlive_batch_metrics"
_STREAMS: Final[Mapping[str, tuple[str, ...]]] = {
    "Reference": ("airlines", "airports", "planes"),
    "Operations#weather": ("weather",),
    "Operations#flights": ("flights",),
}
"""Key of a stream in the batch tables to its datasets."""


def read_figures(connection: Connection, name: str, like: Figures) -> Figures:
    """Return what a table adds up to, by SQL.

    Args:
        connection: The database.
        name: The table.
        like: Figures whose columns to ask for.
    """
    counts = [func.count(column(c)) for c in like.counts]
    sums: list[Any] = [func.sum(column(c)) for c in like.sums]
    query = select(func.count(), *counts, *sums).select_from(table(name))
    rows, *numbers = connection.execute(query).one()
    return Figures(
        rows=rows,
        counts=dict(zip(like.counts, numbers[: len(counts)], strict=True)),
        sums={c: float(s or 0) for c, s in zip(like.sums, numbers[len(counts) :], strict=True)},
    )


def differences(expected: Figures, found: Figures) -> Iterator[str]:
    """Yield in words what differs."""
    if found.rows != expected.rows:
        yield f"{found.rows:,} rows, not {expected.rows:,}"
    for name, count in expected.counts.items():
        if found.counts[name] != count:
            yield f"{name}: {found.counts[name]:,} values, not {count:,}"
    yield from sum_differences(expected.sums, found.sums)


def sum_differences(expected: Mapping[str, float], found: Mapping[str, float]) -> Iterator[str]:
    """Yield in words which sums differ; that of real numbers may do so in the ninth digit."""
    for name, total in expected.items():
        if not math.isclose(found[name], total, rel_tol=1e-9):
            yield f"{name}: sum {found[name]:,}, not {total:,}"


def carrier_delays(flights: Figures) -> dict[str, float]:
    """Return the sums that the transformer CarrierDelays must come to, from its flights."""
    return {
        "flights": flights.rows,
        "cancelled": flights.rows - flights.counts["dep_time"],
        "dep_delay_minutes": flights.sums["dep_delay"],
        "arr_delay_minutes": flights.sums["arr_delay"],
    }


def read_batches(connection: Connection) -> dict[str, tuple[int, int, int]]:
    """Return each stream's rows inserted, updated and deleted over all of its batches."""
    names = ("records_inserted", "records_updated", "records_deleted")
    sums: list[Any] = [func.coalesce(func.sum(column(name)), 0) for name in names]
    query = select(column("key"), *sums).select_from(table(_BATCHES)).group_by(column("key"))
    return {key: (int(i), int(u), int(d)) for key, i, u, d in connection.execute(query)}


def expected_batches(files: Mapping[str, Figures]) -> dict[str, tuple[int, int, int]]:
    """Return what the batches of each stream must add up to, however many there were."""
    return {
        key: (sum(files[dataset].rows for dataset in datasets), 0, 0)
        for key, datasets in _STREAMS.items()
    }
