"""Which plugins hung when they were imported: noted for the processes that come after.

A parse and a task start are processes of their own, and each would wait for the time limit
anew. A note holds for one state of a distribution, and for some minutes only: what hung on a
network that was away may work again.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from dagfoundry.plugins_discovery import InstalledPlugin

NOTE_SECONDS: Final = 600.0
"""How long a plugin that hung is not tried again."""


def hung_before(plugin: InstalledPlugin) -> str:
    """Return what was noted of a plugin that hung; empty where it may be tried."""
    with suppress(OSError):
        file = _folder() / _name(plugin)
        if time.time() - file.stat().st_mtime < NOTE_SECONDS:
            return file.read_text(encoding="utf-8")
    return ""


def note_hung(plugin: InstalledPlugin, reason: str) -> None:
    """Note that a plugin hung; without a folder for it, the next process waits again."""
    with suppress(OSError):
        file = _folder() / _name(plugin)
        file.write_text(reason, encoding="utf-8")


def _name(plugin: InstalledPlugin) -> str:
    state = (plugin.distribution, plugin.version, plugin.entry_point, plugin.state)
    return hashlib.sha256(repr(state).encode()).hexdigest()[:32]


def _folder() -> Path:
    """Return a folder that only this user may write.

    Raises:
        OSError: It cannot be made, or is somebody else's.
    """
    folder = Path(tempfile.gettempdir(), f"dagfoundry-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        msg = f"{folder} is not a folder of this user"
        raise PermissionError(msg)
    return folder
