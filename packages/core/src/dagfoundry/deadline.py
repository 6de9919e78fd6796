"""A limit of time for code that is not ours, such as a plugin's."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_SOON_SECONDS = 0.001


class _TooLate(BaseException):
    """Passes an ``except Exception`` of the code that is limited."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise TimeoutError out of a block that takes longer, with the line it stood at.

    A timer that runs already goes on: Airflow limits the parse of a file with the same
    signal (2.10 to 3.3). There is no limit outside of a process's main thread, to which
    Python hands its signals, nor in code that never comes back to the interpreter.

    Args:
        seconds: How long the block may take.

    Raises:
        TimeoutError: It took longer.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    where = ""

    def stop(_signal: int, frame: FrameType | None) -> None:
        nonlocal where
        where = f" at {frame.f_code.co_filename}:{frame.f_lineno}" if frame else ""
        raise _TooLate

    with _timer(seconds, stop):
        try:
            yield
        except _TooLate:
            msg = f"not done after {seconds:g} s{where}"
            raise TimeoutError(msg) from None


@contextmanager
def _timer(seconds: float, stop: signal._HANDLER) -> Iterator[None]:
    began = time.monotonic()
    handler = signal.signal(signal.SIGALRM, stop)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            rest = left - (time.monotonic() - began)
            signal.setitimer(signal.ITIMER_REAL, max(rest, _SOON_SECONDS), interval)
