"""How a trial process comes up: as a new interpreter, or as a fork of one that has all loaded.

Airflow 3's manager lives for long and must never load a plugin, so its trial process is a
new interpreter that it keeps. A parse of Airflow 2 lives for a second and has loaded Airflow
and the plugins already: a fork saves the second and a half that loading them again takes.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import subprocess
import sys
import traceback
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, NoReturn

from dagfoundry_airflow import trial_child

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

_NO_DATABASE: Final = "sqlite://"
_KEPT_FROM_CHILD: Final = (
    "AIRFLOW__CELERY__RESULT_BACKEND",
    "AIRFLOW__CORE__SQL_ALCHEMY_CONN",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC",
)
_OWN_SIGNALS: Final = (signal.SIGALRM, signal.SIGINT, signal.SIGTERM)
_DESCRIPTORS: Final = Path("/dev/fd")
_STDOUT: Final = 1
_STDERR: Final = 2


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Child:
    """A trial process, seen from its parent.

    Attributes:
        pid: Its process id.
        requests: Where it reads requests from.
        answers: Where it writes answers to.
        trace: Where it writes a traceback when it hangs or crashes.
        kill: Ends it at once.
        wait: Waits for its end and returns its exit code, negative for a signal.
    """

    pid: int
    requests: int
    answers: int
    trace: int
    kill: Callable[[], None]
    wait: Callable[[], int]


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return a process environment in which Airflow has an empty database of its own."""
    kept = {name: value for name, value in environment.items() if name not in _KEPT_FROM_CHILD}
    return kept | {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": _NO_DATABASE}


def new_interpreter(limits: TrialLimits) -> Child:
    """Start a trial process that loads Airflow and the plugins by itself.

    Raises:
        OSError: It cannot be started.
    """
    with ExitStack() as opened:
        trace, theirs = _pipe(opened)
        command = [sys.executable, "-m", trial_child.__name__, "--trace", str(theirs)]
        for name in ("start", "deadline", "idle"):
            command += [f"--{name}", str(_seconds(limits)[name])]
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=child_environment(os.environ),
            pass_fds=(theirs,),
        )
        opened.pop_all()
    os.close(theirs)
    return Child(
        pid=process.pid,
        requests=_own(process.stdin),
        answers=_own(process.stdout),
        trace=trace,
        kill=process.kill,
        wait=process.wait,
    )


def _seconds(limits: TrialLimits) -> dict[str, float]:
    return {"start": limits.start, "deadline": limits.build, "idle": limits.idle}


def _pipe(opened: ExitStack) -> tuple[int, int]:
    """Open a pipe that is closed again unless all else succeeds."""
    ends = os.pipe()
    for end in ends:
        opened.callback(os.close, end)
    return ends


def _own(stream: IO[bytes] | None) -> int:
    """Return a descriptor that does not end with the stream's Python object."""
    if stream is None:
        raise ValueError("the process was started without this pipe")
    with stream:
        return os.dup(stream.fileno())


def fork(limits: TrialLimits) -> Child:
    """Start a trial process that finds loaded what this process has loaded.

    Raises:
        OSError: It cannot be started.
    """
    with ExitStack() as opened:
        (asked, requests), (answers, said) = _pipe(opened), _pipe(opened)
        trace, traced = _pipe(opened)
        pid = os.fork()
        if pid == 0:
            _serve(asked, said, traced, limits)
        opened.pop_all()
    for descriptor in (asked, said, traced):
        os.close(descriptor)
    return Child(
        pid=pid,
        requests=requests,
        answers=answers,
        trace=trace,
        kill=lambda: _kill(pid),
        wait=lambda: _wait(pid),
    )


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):  # it has just ended
        os.kill(pid, signal.SIGKILL)


def _wait(pid: int) -> int:
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except ChildProcessError:  # somebody ignores SIGCHLD, and the kernel keeps no exit code then
        return 0


def _serve(requests: int, answers: int, trace: int, limits: TrialLimits) -> NoReturn:
    """Be the trial process, and never return into what the parent was doing."""
    code = 1
    try:
        gc.freeze()  # what is the parent's must not end here, its connections least of all
        _part_from_parent({requests, answers, trace})
        code = trial_child.serve(
            requests=requests, answers=answers, trace=trace, **_seconds(limits)
        )
    except BaseException:  # noqa: BLE001 - whatever it is, this process ends here
        with suppress(BaseException):  # the terminal may be gone
            traceback.print_exc()
    finally:
        os._exit(code)


def _part_from_parent(own: Collection[int]) -> None:
    """Let go of the parent's files, locks, output, signal handlers and databases."""
    from dagfoundry_airflow._compat import forget_metadata_database

    for number in _OWN_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    _leave_descriptors(own)
    sys.stdout = sys.stderr = open(  # noqa: SIM115 - it is open until this process ends
        _STDERR, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False
    )
    logging.basicConfig(stream=sys.stderr, level=logging.root.level, force=True)
    environment = child_environment(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    forget_metadata_database()


def _leave_descriptors(own: Collection[int]) -> None:
    """Put nothing in the place of every file that the parent has open, but for its errors.

    So a lock ends with the parent, and nobody waits for a pipe that only we keep open.
    They are not closed: a number that is free would be another file's next.
    """
    nothing = os.open(os.devnull, os.O_RDWR)
    for entry in list(_DESCRIPTORS.iterdir()):
        descriptor = int(entry.name)
        if descriptor not in {*own, _STDOUT, _STDERR, nothing}:
            with suppress(OSError):  # that of the listing itself is closed by now
                os.fstat(descriptor)
                os.dup2(nothing, descriptor)
    os.dup2(_STDERR, _STDOUT)
