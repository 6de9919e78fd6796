"""Files that several processes read while one of them writes: whole, or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_DRAFT_PREFIX: Final = ".draft-"
_LOCK_POLL_SECONDS: Final = 0.05


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old content or the new one, also after a crash."""
    descriptor, draft = tempfile.mkstemp(prefix=_DRAFT_PREFIX, dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), 0o644)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def share(source: Path, target: Path) -> None:
    """Give a file a second name; copy it where the disk has no hard links."""
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:
        draft = target.with_name(f"{_DRAFT_PREFIX}{os.getpid()}-{target.name}")
        shutil.copy2(source, draft)
        draft.replace(target)


def remove_old_drafts(folder: Path, age_seconds: float = 3600.0) -> None:
    """Remove what a killed process left half-written."""
    limit = time.time() - age_seconds
    for draft in folder.glob(f"{_DRAFT_PREFIX}*"):
        if draft.stat().st_mtime < limit:
            draft.unlink(missing_ok=True)


@contextmanager
def locked(path: Path, wait_seconds: float) -> Iterator[bool]:
    """Hold a lock between processes; the kernel frees it when a process dies.

    Args:
        path: The lock file; stays where it is.
        wait_seconds: How long to wait for another holder.

    Yields:
        Whether the lock was got.
    """
    with path.open("a") as file:
        got = _acquire(file.fileno(), time.monotonic() + wait_seconds)
        try:
            yield got
        finally:
            fcntl.flock(file.fileno(), fcntl.LOCK_UN)  # a fork keeps the file open for longer


def _acquire(descriptor: int, until: float) -> bool:
    while not try_lock(descriptor, fcntl.LOCK_EX):
        if time.monotonic() >= until:
            return False
        time.sleep(_LOCK_POLL_SECONDS)
    return True


def try_lock(descriptor: int, operation: int) -> bool:
    """Take a shared or exclusive ``flock`` if that needs no waiting."""
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
