"""Runs a job as a process of this machine, under the contract of :mod:`dagfoundry.jobs`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.jobs import RESULT_VARIABLE, SPEC_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_AIRFLOW_ONLY: Final = ("AIRFLOW__", "_AIRFLOW_", "AIRFLOW_CONN_DAGFOUNDRY_AIRFLOW")
"""Prefixes of variables that a job never sees: Airflow's configuration with its metadata
database and keys, the parsing context (which would filter the DAGs that a child process
loads), and the login of the factory DAGs."""

_GRACE_SECONDS: Final = 3.0
"""Airflow 3 kills a task 5 s after its SIGTERM (``supervisor.kill``, escalation_delay)."""

_ERROR_PREFIX: Final = "error: "
_RESULT_CODE: Final = "DATASURFACE_RESULT_CODE="


@dataclass(frozen=True, kw_only=True, slots=True)
class JobOutcome:
    """How a job ended.

    Attributes:
        exit_code: Its exit code; negative for the signal that ended it.
        error: The line of its output that says what went wrong, if it failed.
        result: The text of its result file; None when it wrote none.
    """

    exit_code: int
    error: str
    result: str | None


class LocalJob:
    """One job and all processes that it starts.

    Args:
        command: Arguments of the Python interpreter.
        spec: What the job is to do.
    """

    def __init__(self, command: Sequence[str], spec: Mapping[str, Any]) -> None:
        self._command = [sys.executable, *command]
        self._spec = spec
        self._process: subprocess.Popen[str] | None = None

    def run(self, on_line: Callable[[str], None]) -> JobOutcome:
        """Run the job to its end.

        However this is left, by a timeout or a signal too, nothing keeps running.

        Args:
            on_line: Called with each line of the output as it comes.
        """
        with TemporaryDirectory(prefix="dagfoundry-job-") as folder:
            spec_file, result_file = Path(folder, "spec.json"), Path(folder, "result.json")
            spec_file.write_text(json.dumps(self._spec), encoding="utf-8")
            environment = job_environment(os.environ, spec_file, result_file)
            with self._start(environment) as process:
                try:
                    error = _follow(process.stdout or (), on_line)
                    exit_code = process.wait()
                finally:
                    self.stop()
            result = result_file.read_text(encoding="utf-8") if result_file.exists() else None
        return JobOutcome(exit_code=exit_code, error=error, result=result)

    def stop(self) -> None:
        """End the job's processes: SIGTERM, and SIGKILL for what is left after 3 s."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        deadline = time.monotonic() + _GRACE_SECONDS
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.poll()

    def _start(self, environment: Mapping[str, str]) -> subprocess.Popen[str]:
        self._process = subprocess.Popen(
            self._command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        return self._process


def job_environment(
    environment: Mapping[str, str], spec_file: Path, result_file: Path
) -> dict[str, str]:
    """Return the variables of a job: those of the task without what is Airflow's alone."""
    kept = {k: v for k, v in environment.items() if not k.startswith(_AIRFLOW_ONLY)}
    return kept | {
        SPEC_VARIABLE: str(spec_file),
        RESULT_VARIABLE: str(result_file),
        "PYTHONUNBUFFERED": "1",
    }


def _follow(lines: Iterable[str], on_line: Callable[[str], None]) -> str:
    """Pass on each line; return the last one that tells of an error, or just the last."""
    error = last = ""
    for raw in lines:
        line = raw.rstrip()
        on_line(line)
        if line.startswith(_ERROR_PREFIX):
            error = line.removeprefix(_ERROR_PREFIX)
        if line and not line.startswith(_RESULT_CODE):
            last = line
    return error or last.strip()
