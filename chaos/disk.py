"""A small disk for our files, which can be filled without harm to anything else."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SIZE: Final = "32m"


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """Mount a small disk at a folder, if this user may; yield whether it is there."""
    folder.mkdir(parents=True)
    if not mount("-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", str(folder)):
        yield False
        return
    try:
        yield True
    finally:
        unmount(folder)


def mount(*arguments: str) -> bool:
    """Run ``mount`` and return whether it was allowed."""
    try:
        done = subprocess.run(["mount", *arguments], check=False, capture_output=True)
    except FileNotFoundError:
        return False
    return done.returncode == 0


def unmount(folder: Path) -> None:
    """Take the newest mount at a folder away, also while files in it are open."""
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
