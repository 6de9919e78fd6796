"""How a trial process comes up: as a new interpreter, or as a fork of one that has all loaded.

Airflow 3's manager lives for long and must never load a plugin, so its trial process is a
new interpreter that it keeps. A parse of Airflow 2 lives for a second and has loaded Airflow
and the plugins already: a fork saves the second and a half that loading them again takes.
"""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

from dagfoundry_airflow import trial_child

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NO_DATABASE: Final = "sqlite://"
_KEPT_FROM_CHILD: Final = (
    "AIRFLOW__CELERY__RESULT_BACKEND",
    "AIRFLOW__CORE__SQL_ALCHEMY_CONN",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC",
    "DAGFOUNDRY_METRICS_DIR",
)
_OWN_SIGNALS: Final = (signal.SIGALRM, signal.SIGINT, signal.SIGTERM)
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
    trace, theirs = os.pipe()
    command = [sys.executable, "-m", trial_child.__name__, "--trace", str(theirs)]
    command += ["--deadline", str(limits.build), "--idle", str(limits.idle)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=child_environment(os.environ),
        pass_fds=(theirs,),
    )
    os.close(theirs)
    requests, answers = (_own(process.stdin), _own(process.stdout))
    return Child(
        pid=process.pid,
        requests=requests,
        answers=answers,
        trace=trace,
        kill=process.kill,
        wait=process.wait,
    )


def _own(stream: object) -> int:
    """Return a descriptor that does not end with the stream's Python object."""
    descriptor = os.dup(stream.fileno())  # type: ignore[attr-defined]
    stream.close()  # type: ignore[attr-defined]
    return descriptor


def fork(limits: TrialLimits) -> Child:
    """Start a trial process that finds loaded what this process has loaded.

    Raises:
        OSError: It cannot be started.
    """
    (asked, requests), (answers, said), (trace, traced) = os.pipe(), os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        for descriptor in (requests, answers, trace):
            os.close(descriptor)
        _serve(asked, said, traced, limits)
    for descriptor in (asked, said, traced):
        os.close(descriptor)
    return Child(
        pid=pid,
        requests=requests,
        answers=answers,
        trace=trace,
        kill=lambda: os.kill(pid, signal.SIGKILL),
        wait=lambda: os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]),
    )


def _serve(requests: int, answers: int, trace: int, limits: TrialLimits) -> NoReturn:
    """Be the trial process, and never return into what the parent was doing."""
    try:
        gc.freeze()  # what is the parent's must not end here, its connections least of all
        _part_from_parent()
        code = trial_child.serve(
            requests=requests,
            answers=answers,
            trace=trace,
            deadline=limits.build,
            idle=limits.idle,
        )
    except BaseException:  # noqa: BLE001 - whatever it is, this process ends here
        traceback.print_exc()
        code = 1
    os._exit(code)


def _part_from_parent() -> None:
    """Let go of the parent's signal handlers, output and databases."""
    from dagfoundry_airflow._compat import forget_metadata_database

    for number in _OWN_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    sys.stdout = sys.stderr = os.fdopen(os.dup(_STDERR), "w", buffering=1)
    environment = child_environment(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    forget_metadata_database()
