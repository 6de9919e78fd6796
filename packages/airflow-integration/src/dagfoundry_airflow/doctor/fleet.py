"""How many DAGs and files Airflow parses for the foundry, and which file is the biggest."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from dagfoundry.names import bucket_file
from dagfoundry_airflow.doctor.loaders import shards_of
from dagfoundry_airflow.doctor.place import place_of
from dagfoundry_airflow.publish import CURRENT
from dagfoundry_airflow.snapshot import read_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dagfoundry.doctor import Subject


@dataclass(frozen=True, kw_only=True, slots=True)
class ParsedFile:
    """What Airflow parses at once: a bucket, or on Airflow 2 a shard of buckets.

    Attributes:
        name: What to call it.
        source: Where its rows were read.
        rows: The rows, as :meth:`RowState.from_json` takes them.
    """

    name: str
    source: str
    rows: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class ParsedFleet:
    """All that Airflow parses for a foundry.

    Attributes:
        dags: Number of DAGs.
        files: Number of files.
        buckets: Number of buckets of the foundry.
        biggest: The file with the most DAGs.
    """

    dags: int
    files: int
    buckets: int
    biggest: ParsedFile


@cache
def parsed_fleet(subject: Subject) -> ParsedFleet | None:
    """Return what Airflow parses, by the snapshot or else the store; None if there is neither."""
    rows, buckets, source, errors = _rows(subject)
    if not rows:
        return None
    shards = _shards(subject)
    groups: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row["bucket"] % shards if shards else row["bucket"]].append(row)
    number = max(groups, key=lambda each: len(groups[each]))
    name = f"shard {number:02x}" if shards else f"bucket {number:02x}"
    files = shards + 1 if shards else len(groups) + errors
    biggest = ParsedFile(name=name, source=source, rows=groups[number])
    return ParsedFleet(dags=len(rows), files=files, buckets=buckets, biggest=biggest)


def _rows(subject: Subject) -> tuple[list[dict[str, Any]], int, str, int]:
    """Return rows, buckets, where they were read, and the number of error files."""
    place = place_of(subject)
    if place and place.state:
        folder, state = place.home / CURRENT, place.state
        sidecars = [folder / name for name in state.files if name.endswith(".json")]
        rows = [row for path in sidecars if path.exists() for row in read_rows(path)]
        stubs = {bucket_file(state.foundry, bucket) for bucket in range(state.buckets)}
        errors = sum(name.endswith(".py") and name not in stubs for name in state.files)
        return rows, state.buckets, "the snapshot", errors
    if subject.fleet is None:
        return [], 0, "", 0
    return _stored(subject.fleet.rows), subject.fleet.head.buckets, "the store", 0


def _stored(rows: Iterable[Any]) -> list[dict[str, Any]]:
    return [row.to_json() for row in rows if row.status.in_bucket]


def _shards(subject: Subject) -> int:
    """Return the number of loader files on Airflow 2, or 0 where a bucket is a file."""
    from dagfoundry_airflow._compat import AIRFLOW_2

    return shards_of(subject.foundry or "") if AIRFLOW_2 else 0
