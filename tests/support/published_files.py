"""What a publisher's folder holds, as the tests look at it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from dagfoundry.names import bucket_of
from dagfoundry_airflow.publish import Pace
from dagfoundry_airflow.snapshot import read_rows, render
from dagfoundry_airflow.trial_start import TrialLimits
from dagfoundry_airflow.versions import rows_of_version

if TYPE_CHECKING:
    from pathlib import Path

    from probe_foundry import Foundry

    from dagfoundry_airflow.publish import Publisher

PACE = Pace(trials=120.0, linger=1000.0, retry=1000.0, limits=TrialLimits(build=6.0))


def content(folder: Path) -> dict[str, bytes]:
    """Return the files that Airflow could look at, by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def fingerprints(folder: Path) -> dict[str, tuple[int, int]]:
    """Return inode and mtime of each file."""
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.iterdir()}


def served(publisher: Publisher) -> dict[str, dict[str, Any]]:
    """Return the rows in the folder, by DAG id."""
    rows = [row for path in publisher.folder.glob("*.json") for row in read_rows(path)]
    return {row["dag_id"]: row for row in rows}


def fresh_render(foundry: Foundry, version: str) -> dict[str, bytes]:
    """Return what the store's history makes of a version."""
    record = foundry.store.version(foundry.name, version)
    rows = rows_of_version(foundry.store, foundry.name, record)
    return render(foundry.name, rows, record.errors, record.placeholders)


def settle(publisher: Publisher) -> None:
    """Refresh until nothing waits for its trial."""
    until = time.monotonic() + 60
    publisher.refresh()
    while publisher.state().pending:
        assert time.monotonic() < until
        publisher.refresh()


def bucket(foundry: Foundry, key: str) -> int:
    """Return the bucket of an entry."""
    return bucket_of(foundry.dag_id(key), foundry.buckets)
