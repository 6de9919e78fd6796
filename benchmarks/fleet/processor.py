"""A real ``airflow dag-processor``, what it uses and what it has shown so far."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from airflow_environment import defaults, free_port, inherited
from fleet.airflows import AIRFLOW_2
from fleet.database import Metadata
from fleet.usage import cpu_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fleet.database import Server
    from typing_extensions import Self

_LAUNCHER: Final = Path(__file__).with_name("launch.py")
_LISTED: Final = "is_active" if AIRFLOW_2 else "NOT is_stale"
_QUIET_SECONDS: Final = 3.0
_QUIET_SHARE: Final = 0.1
"""Part of one core below which a processor has nothing to do (idle, it uses 0.01 to 0.03)."""

_QUIET_PATIENCE: Final = 300.0
_POLL_SECONDS: Final = 0.5
_STOP_SECONDS: Final = 30.0


class NotInTimeError(RuntimeError):
    """A DAG processor did not do in time what was waited for."""


class DagProcessor:
    """A DAG processor with a metadata database of its own.

    Args:
        server: Where its database is made.
        home: ``AIRFLOW_HOME``.
        settings: Airflow's configuration besides what every Airflow here has.

    Attributes:
        environment: The variables of all its processes.
        port: For an API server beside it.
        password: Password of the API's user.
    """

    def __init__(self, server: Server, home: Path, settings: Mapping[str, str]) -> None:
        self.home = home
        self.port = free_port()
        self.password = "benchmark"  # noqa: S105 - of an Airflow that lives for minutes
        own = defaults(home, self.port, self.password) | dict(settings)
        own["AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT"] = "30.0"  # Airflow's default
        self.environment = inherited() | own
        (home / "dags").mkdir(parents=True, exist_ok=True)
        url = server.new_metadata(self.environment)
        self.environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = url
        self._metadata = Metadata(url)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(_LAUNCHER), str(self._usage), "dag-processor"],
                env=self.environment,
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    def __exit__(self, *_error: object) -> None:
        """End it and all that it started."""
        self.stop()
        self._metadata.close()

    def stop(self) -> None:
        """End it and all that it started; harmless when it has ended."""
        if self._process is None:
            return
        group = self._process.pid
        if self._process.poll() is None:
            self._process.terminate()
        with suppress(subprocess.TimeoutExpired):  # the group is killed below
            self._process.wait(_STOP_SECONDS)
        with suppress(ProcessLookupError):  # nothing was left
            os.killpg(group, signal.SIGKILL)
        self._process.wait()
        self._process = None

    @property
    def log(self) -> Path:
        """Where it writes its output."""
        return self.home / "dag-processor.log"

    @property
    def _usage(self) -> Path:
        return self.home / "usage.json"

    def cpu(self) -> float:
        """Return the CPU seconds that it and its children have used."""
        assert self._process is not None  # noqa: S101 - a mistake of the benchmark
        return cpu_seconds(self._process.pid)

    def largest_child_mb(self) -> float:
        """Return the peak memory of its largest child, once it has ended."""
        used = json.loads(self._usage.read_text(encoding="ascii"))
        return int(used["largest_child_kb"]) / 1024

    def listed(self) -> int:
        """Return the number of DAGs that Airflow lists and could schedule."""
        return self._metadata.number(
            f"SELECT count(DISTINCT dag_id) FROM dag JOIN serialized_dag USING (dag_id)"  # noqa: S608 - our own words
            f" WHERE {_LISTED}"
        )

    def parsed_since(self, moment: float) -> int:
        """Return the number of DAGs that were parsed after a moment (seconds since the epoch)."""
        return self._metadata.number(
            "SELECT count(*) FROM dag WHERE last_parsed_time > to_timestamp(%s)", moment
        )

    def import_errors(self) -> int:
        """Return the number of import errors."""
        return self._metadata.number("SELECT count(*) FROM import_error")

    def wait(self, condition: Callable[[], bool], seconds: float) -> float:
        """Wait until a condition holds and return how long that took.

        Raises:
            NotInTimeError: Time is up, or the processor has ended.
        """
        began = time.monotonic()
        while not condition():
            if self._process is None or self._process.poll() is not None:
                raise NotInTimeError(f"the DAG processor has ended:\n{self._tail()}")
            if time.monotonic() - began > seconds:
                raise NotInTimeError(f"not within {seconds:.0f} s:\n{self._tail()}")
            time.sleep(_POLL_SECONDS)
        return time.monotonic() - began

    def wait_up(self) -> None:
        """Wait until it has parsed a first file, which has an import error, and is quiet."""
        self.wait(lambda: self.import_errors() > 0, 120)
        self.wait_quiet()

    def wait_quiet(self) -> None:
        """Wait until it has nothing to do."""
        self.wait(self.is_quiet, _QUIET_PATIENCE)

    def is_quiet(self) -> bool:
        """Look for some seconds whether it has nothing to do."""
        before = self.cpu()
        time.sleep(_QUIET_SECONDS)
        return self.cpu() - before < _QUIET_SHARE * _QUIET_SECONDS

    def _tail(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-20:])
