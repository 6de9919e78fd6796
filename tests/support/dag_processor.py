"""A real DAG processor of Airflow 3, and what its database says."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from probe_foundry import Foundry

WAIT_SECONDS = 120


class Processor:
    """A real ``airflow dag-processor`` with a metadata database of its own."""

    def __init__(self, home: Path, foundry: Foundry) -> None:
        self.home = home
        self.database = home / "airflow.db"
        config = [
            {
                "name": "probes",
                "classpath": "dagfoundry_airflow.bundle.DagFoundryBundle",
                "kwargs": {"foundry": foundry.name, "refresh_interval": 1},
            }
        ]
        self.environment = os.environ | {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.database}",
            "AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "0",
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(config),
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(home / "bundles"),
            "AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "1",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",
            "AIRFLOW__DAG_PROCESSOR__STALE_DAG_THRESHOLD": "3",
            "AIRFLOW__SCHEDULER__PARSING_CLEANUP_INTERVAL": "1",
            "DAGFOUNDRY_STORE_URL": foundry.store.url.render_as_string(hide_password=False),
        }
        self.process = None
        self._airflow("db", "migrate").wait()

    def _airflow(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "airflow", *arguments]
        log = (self.home / "log.txt").open("a")
        with closing(log):
            return subprocess.Popen(
                command, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def start(self) -> None:
        """Start it."""
        self.process = self._airflow("dag-processor")

    def stop(self) -> None:
        """End it and all that it started."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(60)

    def rows(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        """Query Airflow's metadata database."""
        with closing(sqlite3.connect(self.database, timeout=30)) as connection:
            return connection.execute(statement, values).fetchall()

    def listed(self) -> set[str]:
        """Return the DAG ids that Airflow lists."""
        return {row[0] for row in self.rows("SELECT dag_id FROM dag WHERE NOT is_stale")}

    def tasks(self, dag_id: str) -> str:
        """Return the serialised form of a DAG as text."""
        query = "SELECT data FROM serialized_dag WHERE dag_id = ? ORDER BY created_at"
        return str(self.rows(query, dag_id)[-1][0])

    def errors(self) -> dict[str, str]:
        """Return import errors by file name; 3.0 stores whole paths."""
        found = self.rows("SELECT filename, stacktrace FROM import_error")
        return {PurePath(path).name: report for path, report in found}

    def wait(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds."""
        until = time.monotonic() + WAIT_SECONDS
        while not condition():
            assert self.process.poll() is None, (self.home / "log.txt").read_text()[-5000:]
            assert time.monotonic() < until, (self.home / "log.txt").read_text()[-5000:]
            time.sleep(0.3)
