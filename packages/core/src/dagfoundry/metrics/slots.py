"""Slot files: how many short-lived processes share one set of numbers.

A parse process lives for about a second. One file that two processes write corrupts,
one file per process id grows without end. So a process takes the lowest free slot of
the metrics folder by ``flock`` and continues the numbers it finds there; the kernel
frees the slot when the process ends, however it ends. There are never more slots than
processes that lived at the same time.

The files are those of prometheus_client's multi-process mode, so that its collector
adds them up. Its own ``MultiProcessValue`` is not used: an environment variable switches
it on for the whole process, and that variable belongs to Airflow and its other plugins.
"""

from __future__ import annotations

import fcntl
import os
import struct
import threading
from functools import cache
from itertools import count
from pathlib import Path
from typing import Final

from prometheus_client.mmap_dict import MmapedDict

from dagfoundry.logs import get_logger

_FILE_BYTES: Final = 1 << 16
"""Size that prometheus_client gives a new file."""

_log = get_logger(__name__)


class SlotFolder:
    """A metrics folder, and the slot that this process holds in it.

    The slot is taken at the first number. A forked child takes its own.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._slot: _Slot | None = None
        self._mutex = threading.Lock()
        os.register_at_fork(after_in_child=self._leave_to_parent)

    def _leave_to_parent(self) -> None:
        self._mutex = threading.Lock()  # another thread of the parent may hold the old one
        slot, self._slot = self._slot, None
        if slot is not None:
            slot.close()

    def _file(self, kind: str) -> MmapedDict:
        if self._slot is None:
            self._slot = _Slot(self._path)
        return self._slot.file(kind)

    def add(self, kind: str, key: str, amount: float) -> None:
        """Add to a number.

        Args:
            kind: Kind of metric, as prometheus_client names its files: ``counter``.
            key: Name and labels, as ``mmap_key`` writes them.
            amount: What to add.

        Raises:
            OSError: The folder cannot be written.
        """
        with self._mutex:
            file = self._file(kind)
            file.write_value(key, file.read_value(key)[0] + amount, 0.0)

    def put(self, kind: str, key: str, value: float, timestamp: float) -> None:
        """Set a number, and the time by which the newest of all slots is found.

        Raises:
            OSError: The folder cannot be written.
        """
        with self._mutex:
            self._file(kind).write_value(key, value, timestamp)


@cache
def slot_folder(path: str) -> SlotFolder:
    """Return this process's share of a metrics folder; nothing is opened yet."""
    return SlotFolder(Path(path))


class _Slot:
    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._lock, self._number = _take_lowest_free(folder)
        self._files: dict[str, MmapedDict] = {}

    def file(self, kind: str) -> MmapedDict:
        if kind not in self._files:
            self._files[kind] = _open(self._folder / f"{kind}_{self._number}.db")
        return self._files[kind]

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        os.close(self._lock)  # no LOCK_UN: it would free the slot of the parent as well


def _take_lowest_free(folder: Path) -> tuple[int, int]:
    numbers = count()
    while True:
        number = next(numbers)
        lock = os.open(folder / f"slot_{number}.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            return lock, number


def _open(path: Path) -> MmapedDict:
    _reserve(path)
    try:
        _check_length(path)
        return MmapedDict(str(path))
    except (RuntimeError, ValueError, struct.error) as error:
        kept = path.with_suffix(".damaged")
        path.replace(kept)
        _log.warning("metrics file is damaged, a new one is begun", kept=str(kept), reason=error)
        _reserve(path)
        return MmapedDict(str(path))


def _check_length(path: Path) -> None:
    with path.open("rb") as file:
        (used,) = struct.unpack("i", file.read(4))
    if not 0 <= used <= path.stat().st_size:
        msg = f"{used} bytes in use of {path.stat().st_size}"
        raise ValueError(msg)


def _reserve(path: Path) -> None:
    # Room on the disk first: when it is full, a write to a mapped file ends the process.
    # Renamed into place: a scrape must not meet an empty file.
    if path.exists():
        return
    draft = path.with_suffix(".new")
    with draft.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, _FILE_BYTES)
    draft.replace(path)
