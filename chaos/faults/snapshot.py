"""Files of the snapshot are damaged."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from chaos.faults.record import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chaos.site import Site


@contextmanager
def files_are_cut_short(site: Site) -> Iterator[None]:
    """Cut half of the files with rows in two, and let Airflow parse them."""
    for path in sorted(site.served.glob("*.json"))[::2]:
        os.truncate(path, path.stat().st_size // 2)
        stub = path.with_suffix(".py")
        stub.touch() if stub.exists() else None
    yield


@contextmanager
def everything_is_scribbled_over(site: Site) -> Iterator[None]:
    """Write zeroes into the state file and all files with rows."""
    for path in [site.airflow.snapshot / "state.json", *sorted(site.served.glob("*.json"))]:
        path.write_bytes(bytes(path.stat().st_size))
    yield


@contextmanager
def snapshot_is_removed(site: Site) -> Iterator[None]:
    """Remove everything that is ours on the disk."""
    for path in site.airflow.snapshot.iterdir():
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()
    yield


FAULTS = (
    Fault(
        name="snapshot: half of its files cut short",
        happens=files_are_cut_short,
        seconds=0,
    ),
    Fault(
        name="snapshot: its state and all rows overwritten",
        happens=everything_is_scribbled_over,
        seconds=0,
    ),
    Fault(name="snapshot: removed", happens=snapshot_is_removed, seconds=0),
)
