"""The folder in which Airflow looks: what is in it, what is written, what is touched again.

Only files whose content differs are written; every other one keeps its inode and mtime,
since Airflow parses a file again when its mtime moves.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dagfoundry_airflow.folder import try_lock, write_whole
from dagfoundry_airflow.snapshot import checksum, sidecar_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

_SOON_SECONDS: Final = 10.0

Touches = Mapping[str, tuple[float, ...]]
"""Stub to the times at which to touch it, in seconds since the epoch."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """The time of a refresh, in seconds since the epoch, and what is counted from it."""

    now: float
    linger: float

    def is_due(self, time: float) -> bool:
        """Return whether a time has come; one that is far off was set by another clock."""
        return not self.now < time < self.now + 3 * self.linger


def checksums_on_disk(folder: Path) -> dict[str, str]:
    """Return the checksums of what we wrote to a folder, by file name."""
    found = [path for path in folder.glob("dagfoundry_*") if path.suffix in (".py", ".json")]
    return {path.name: checksum(path.read_bytes()) for path in found}


Looks = Mapping[str, tuple[int, int, int]]
"""File name to inode, size in bytes and mtime in nanoseconds: what a write changes."""


def looks_of(folder: Path) -> Looks:
    """Return what the files of a folder look like, without reading them."""
    try:
        with os.scandir(folder) as entries:
            found = {entry.name: entry.stat() for entry in entries}
    except FileNotFoundError:
        return {}
    return {name: (stat.st_ino, stat.st_size, stat.st_mtime_ns) for name, stat in found.items()}


def write_files(folder: Path, changed: Mapping[str, bytes], removed: Collection[str]) -> None:
    """Write and remove files in the order in which a reader never misses one.

    Raises:
        OSError: The disk is full or read-only; the next refresh mends what is left.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in sorted(changed):  # .json before .py: a stub never lacks its sidecar
        write_whole(folder / name, changed[name])
    for name in sorted(removed, reverse=True):
        (folder / name).unlink(missing_ok=True)


def is_being_parsed(folder: Path, stub: str) -> bool:
    """Return whether a parse of this stub has begun and not ended: it locks the sidecar."""
    try:
        with (folder / sidecar_name(stub)).open("rb") as sidecar:
            return not try_lock(sidecar.fileno(), fcntl.LOCK_EX)
    except OSError:
        return False


def touches_after(
    folder: Path,
    touches: Touches,
    *,
    rewritten: Iterable[str],
    lossy: Collection[str],
    clock: Clock,
) -> dict[str, tuple[float, ...]]:
    """Touch the stubs whose time has come, and plan the touches of those to be rewritten.

    Args:
        folder: Where the stubs are.
        touches: Stub to the times planned so far.
        rewritten: Stubs that will be written now.
        lossy: Those of them that lose a DAG.
        clock: The time, and how much later a file has to be parsed again.
    """
    planned = {stub: list(times) for stub, times in _touch_due(folder, touches, clock).items()}
    for stub in rewritten:
        parsed = is_being_parsed(folder, stub)
        planned.setdefault(stub, []).extend(touch_times(clock, lost=stub in lossy, parsed=parsed))
    return {stub: tuple(sorted(set(times))) for stub, times in planned.items() if times}


def touch_times(clock: Clock, *, lost: bool, parsed: bool) -> list[float]:
    """Return when a stub that is written now has to be touched again.

    Args:
        clock: The time.
        lost: Whether the bucket loses a DAG. Airflow notices only in a parse that ends
            more than ``stale_dag_threshold`` after the DAG's last one (2.10 to 3.3).
        parsed: Whether a parse of the old content is under way. When it ends, Airflow
            takes the file for parsed, since the end is later than the file's mtime.
    """
    times = [clock.now + clock.linger] if lost or parsed else []
    if parsed:
        times.append(clock.now + _SOON_SECONDS)
    if lost and parsed:
        times.append(clock.now + 2 * clock.linger)
    return times


def _touch_due(folder: Path, touches: Touches, clock: Clock) -> dict[str, tuple[float, ...]]:
    left: dict[str, tuple[float, ...]] = {}
    for stub, times in touches.items():
        left[stub] = tuple(time for time in times if not clock.is_due(time))
        if len(left[stub]) < len(times) and (folder / stub).exists():
            os.utime(folder / stub)
    return left
