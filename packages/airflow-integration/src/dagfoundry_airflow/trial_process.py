"""The parent's end of one trial process: pipes that never block, and what became of it."""

from __future__ import annotations

import fcntl
import json
import os
import re
import select
import signal
from typing import TYPE_CHECKING, Any, Final

from dagfoundry_airflow.problem import short_place
from dagfoundry_airflow.trial_child import IDLE_EXIT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dagfoundry_airflow.trial_start import Child, TrialLimits

_PIPE_BYTES: Final = 1 << 20
"""Room for some 500 rows, which the process works off while nobody waits for it."""

_READ_BYTES: Final = 1 << 16
_THREAD: Final = "(most recent call first)"
"""What stands above each thread's frames; the main thread, which builds, is the last one."""

_FRAME: Final = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+) in (?P<function>\S+)')


class TrialProcess:
    """A running trial process.

    Args:
        limits: How long it may take.
        start: Starts it; see :mod:`dagfoundry_airflow.trial_start`.
    """

    def __init__(self, limits: TrialLimits, start: Callable[[TrialLimits], Child]) -> None:
        self._limits = limits
        self._child = start(limits)
        self._outgoing, self._incoming = bytearray(), b""
        for descriptor in (self._child.requests, self._child.answers):
            os.set_blocking(descriptor, False)
            _widen(descriptor)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    @property
    def backlog(self) -> int:
        """Bytes that wait for room in the pipe."""
        return len(self._outgoing)

    def ask(self, key: str, row: Mapping[str, Any]) -> None:
        """Queue a request; :meth:`exchange` sends it."""
        self._outgoing += json.dumps({"key": key, "row": row}).encode() + b"\n"

    def exchange(self, wait_seconds: float) -> list[dict[str, Any]] | None:
        """Send and receive what is possible now.

        Args:
            wait_seconds: How long to wait when neither is possible.

        Returns:
            The answers that came; None when the process has ended and all were read.
        """
        senders = [self._child.requests] if self._outgoing else []
        readable, writable, _ = select.select(
            [self._child.answers], senders, [], max(0, wait_seconds)
        )
        if writable:
            self._write()
        return self._read() if readable else []

    def _write(self) -> None:
        try:
            sent = os.write(self._child.requests, self._outgoing[:_PIPE_BYTES])
        except BlockingIOError:
            return
        except BrokenPipeError:
            sent = len(self._outgoing)  # it has ended; reading will say so
        del self._outgoing[:sent]

    def _read(self) -> list[dict[str, Any]] | None:
        chunk = os.read(self._child.answers, _READ_BYTES)
        if not chunk:
            return None
        *lines, self._incoming = (self._incoming + chunk).split(b"\n")
        return [json.loads(line) for line in lines]

    def end(self, *, kill: bool = False) -> str | None:
        """Wait for a process whose answers ended, or end it.

        Returns:
            Why it ended; None when it had nothing to do for too long.
        """
        os.close(self._child.requests)
        os.close(self._child.answers)
        if kill:
            self._child.kill()
        code = self._child.wait()
        trace = _read_all(self._child.trace)
        return None if code == IDLE_EXIT else _reason(code, trace, self._limits)


def _widen(descriptor: int) -> None:
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    except (AttributeError, OSError):
        return  # not Linux, or its limit is lower: the process only waits for us more often


def _read_all(descriptor: int) -> str:
    with os.fdopen(descriptor, "rb") as pipe:
        os.set_blocking(descriptor, False)
        return (pipe.read() or b"").decode(errors="replace")


def _reason(code: int, trace: str, limits: TrialLimits) -> str:
    frame = _FRAME.search(trace.rpartition(_THREAD)[2])
    where = f", at {short_place(frame['file'], frame['line'], frame['function'])}" if frame else ""
    if trace.startswith("Timeout"):
        return f"building it took longer than {limits.build:g} s{where}"
    if code < 0:
        return f"building it ended the process with {signal.Signals(-code).name}{where}"
    return f"building it ended the process with exit code {code}{where}"
