"""Moves the clock of a Python process by the seconds in a file, and again when it changes.

Python runs this when it starts, where the folder is in ``PYTHONPATH``. Sleeps and
monotonic clocks stay as they are, as they do when a host's clock is set.
"""

from __future__ import annotations

import os
import threading
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import time_machine

if TYPE_CHECKING:
    from time_machine import Coordinates

_POLL_SECONDS = 0.2
_pause = threading.Event().wait  # unlike `time.sleep`, nothing that a clock has a part in
_mtime = os.path.getmtime


class _Clock:
    """The moved clock; files written while it is moved have its time, as on a real host."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._moves: list[tuple[float, float]] = [(0.0, 0.0)]
        travel = time_machine.travel(datetime.now(timezone.utc), tick=True)
        self._coordinates: Coordinates = travel.start()
        self._start()
        os.register_at_fork(after_in_child=self._start)  # a fork has none of the threads

    def _start(self) -> None:
        self._follow()
        threading.Thread(target=self._watch, name="moved-clock", daemon=True).start()

    def _watch(self) -> None:
        while True:
            _pause(_POLL_SECONDS)
            self._follow()

    def _follow(self) -> None:
        try:
            offset = float(self._file.read_text() or 0)
            since = _mtime(self._file)
        except (OSError, ValueError):
            return
        if offset != self._moves[-1][1]:
            self._coordinates.shift(offset - self._moves[-1][1])
            self._moves.append((since, offset))

    def mtime(self, path: str) -> float:
        """Return a file's time as it would be, had the host's clock been moved."""
        real = _mtime(path)
        return real + next(offset for since, offset in reversed(self._moves) if since <= real)


if os.environ.get("CHAOS_CLOCK"):
    os.path.getmtime = _Clock(Path(os.environ["CHAOS_CLOCK"])).mtime  # type: ignore[assignment]
