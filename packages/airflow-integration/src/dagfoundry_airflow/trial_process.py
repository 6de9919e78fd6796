"""The parent's end of one trial process: pipes that never block, and what became of it."""

from __future__ import annotations

import fcntl
import json
import os
import re
import select
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dagfoundry_airflow.problem import short_place
from dagfoundry_airflow.trial_child import IDLE_EXIT

if TYPE_CHECKING:
    from collections.abc import Mapping

_MODULE: Final = "dagfoundry_airflow.trial_child"
_PIPE_BYTES: Final = 1 << 20
"""Room for some 500 rows, which the process works off while nobody waits for it."""

_READ_BYTES: Final = 1 << 16
_NO_DATABASE: Final = "sqlite://"
_KEPT_FROM_CHILD: Final = (
    "AIRFLOW__CELERY__RESULT_BACKEND",
    "AIRFLOW__CORE__SQL_ALCHEMY_CONN",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC",
    "DAGFOUNDRY_METRICS_DIR",
)
_FRAME: Final = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+) in (?P<function>\S+)')


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialLimits:
    """How long a trial process may take, in seconds.

    Attributes:
        start: To import Airflow and the plugins.
        build: To build one row.
        idle: Without a request, before it ends by itself.
    """

    start: float = 120.0
    build: float = 10.0
    idle: float = 900.0


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return a process environment in which Airflow has an empty database of its own."""
    kept = {name: value for name, value in environment.items() if name not in _KEPT_FROM_CHILD}
    return kept | {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": _NO_DATABASE}


class TrialProcess:
    """A running trial process."""

    def __init__(self, limits: TrialLimits, environment: Mapping[str, str]) -> None:
        self._limits = limits
        trace, theirs = os.pipe()
        command = [sys.executable, "-m", _MODULE, "--trace", str(theirs)]
        command += ["--deadline", str(limits.build), "--idle", str(limits.idle)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=child_environment(environment),
            pass_fds=(theirs,),
        )
        os.close(theirs)
        self._trace = trace
        self._outgoing, self._incoming = bytearray(), b""
        self._requests, self._answers = self._pipes()

    def _pipes(self) -> tuple[int, int]:
        ends = []
        for stream in (self._process.stdin, self._process.stdout):
            descriptor = os.dup(stream.fileno()) if stream else -1
            if stream:
                stream.close()
            os.set_blocking(descriptor, False)
            _widen(descriptor)
            ends.append(descriptor)
        return ends[0], ends[1]

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
        senders = [self._requests] if self._outgoing else []
        readable, writable, _ = select.select([self._answers], senders, [], max(0, wait_seconds))
        if writable:
            self._write()
        return self._read() if readable else []

    def _write(self) -> None:
        try:
            sent = os.write(self._requests, self._outgoing[:_PIPE_BYTES])
        except BlockingIOError:
            return
        except BrokenPipeError:
            sent = len(self._outgoing)  # it has ended; reading will say so
        del self._outgoing[:sent]

    def _read(self) -> list[dict[str, Any]] | None:
        chunk = os.read(self._answers, _READ_BYTES)
        if not chunk:
            return None
        *lines, self._incoming = (self._incoming + chunk).split(b"\n")
        return [json.loads(line) for line in lines]

    def end(self, *, kill: bool = False) -> str | None:
        """Wait for a process whose answers ended, or end it.

        Returns:
            Why it ended; None when it had nothing to do for too long.
        """
        os.close(self._requests)
        os.close(self._answers)
        if kill:
            self._process.kill()
        code = self._process.wait()
        trace = _read_all(self._trace)
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
    frame = _FRAME.search(trace)
    where = f", at {short_place(frame['file'], frame['line'], frame['function'])}" if frame else ""
    if trace.startswith("Timeout"):
        return f"building it took longer than {limits.build:g} s{where}"
    if code < 0:
        return f"building it ended the process with {signal.Signals(-code).name}{where}"
    return f"building it ended the process with exit code {code}{where}"
