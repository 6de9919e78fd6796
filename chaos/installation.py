"""One real Airflow with the store behind a proxy, and what brings its dead processes back."""

from __future__ import annotations

import importlib.metadata
import json
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import psutil
from airflow_client import AIRFLOW_2
from airflow_environment import free_port
from airflow_processes import AirflowProcesses

from chaos.fleet import BUCKETS, FOUNDRY

if TYPE_CHECKING:
    import signal
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from typing_extensions import Self

AIRFLOW: Final = importlib.metadata.version("apache-airflow")
PROCESSOR: Final = "dag-processor"

_BUNDLE: Final = f"{FOUNDRY.lower()}_dags"
_SECTION: Final = "SCHEDULER" if AIRFLOW_2 else "DAG_PROCESSOR"
_RESTART_SECONDS: Final = 1.0
_POLL_SECONDS: Final = 0.5


def settings(store: str, metadata: str, merge_url: str) -> dict[str, str]:
    """Return Airflow's configuration: recommended, but faster to take a DAG for gone."""
    common = {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata,
        "AIRFLOW__SCHEDULER__PARSING_CLEANUP_INTERVAL": "5",
        f"AIRFLOW__{_SECTION}__STALE_DAG_THRESHOLD": "10",
        f"AIRFLOW__{_SECTION}__MIN_FILE_PROCESS_INTERVAL": "20",
        "DAGFOUNDRY_STORE_URL": store,
        "PROBING_MERGE_URL": merge_url,
    }
    return common | (_settings_2() if AIRFLOW_2 else _settings_3())


def _settings_2() -> dict[str, str]:
    return {
        "AIRFLOW__SCHEDULER__STANDALONE_DAG_PROCESSOR": "True",
        "AIRFLOW__SCHEDULER__SCHEDULER_ZOMBIE_TASK_THRESHOLD": "30",
        "AIRFLOW__SCHEDULER__ZOMBIE_DETECTION_INTERVAL": "5",
    }


def _settings_3() -> dict[str, str]:
    bundle = {
        "name": _BUNDLE,
        "classpath": "dagfoundry_airflow.bundle.DagFoundryBundle",
        "kwargs": {"foundry": FOUNDRY, "refresh_interval": 5},
    }
    return {
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    }


def snapshot_home(airflow_home: Path) -> Path:
    """Return the folder of all that is ours on the disk."""
    if AIRFLOW_2:
        return airflow_home / "dagfoundry" / FOUNDRY.lower()
    return airflow_home / "bundles" / _BUNDLE


class Installation:
    """An Airflow whose ended processes are started again, as systemd or Kubernetes does.

    Args:
        home: ``AIRFLOW_HOME``.
        environment: From :func:`settings`.

    Attributes:
        processes: The processes.
        restarts: Name of each process that was started again, in order.
    """

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        self.processes = AirflowProcesses(home, free_port(), environment)
        self.home = home
        self.snapshot = snapshot_home(home)
        self.restarts: list[str] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="supervisor", daemon=True)

    def __enter__(self) -> Self:
        """Start everything and wait until it is healthy."""
        (self.home / "dags").mkdir(parents=True)
        if AIRFLOW_2:
            from dagfoundry_airflow.airflow2 import install

            install(self.home / "dags", FOUNDRY, BUCKETS // 2)
        try:
            self.processes.start()
            if AIRFLOW_2:
                self.processes.start_component(PROCESSOR)
            self.processes.wait_healthy()
        except BaseException:
            self.processes.stop()
            raise
        self._keeper.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop everything."""
        self._over.set()
        self._keeper.join()
        self.processes.stop()

    def _keep(self) -> None:
        while not self._over.wait(_POLL_SECONDS):
            with self._lock:
                for name in self.processes.ended():
                    time.sleep(_RESTART_SECONDS)
                    self.restarts.append(name)
                    self.processes.stop_component(name)  # what it left behind
                    self.processes.start_component(name)

    def restart(self, name: str, **variables: str) -> None:
        """Stop a process and start it again, with variables of its own."""
        with self._lock:
            self.processes.stop_component(name)
            before = dict(self.processes.environment)
            self.processes.environment |= variables
            self.processes.start_component(name)
            self.processes.environment = before

    def stop(self, name: str, number: signal.Signals) -> None:
        """Stop a process that nobody starts again."""
        with self._lock:
            self.processes.stop_component(name, number)

    def start(self, name: str) -> None:
        """Start a process that was stopped."""
        with self._lock:
            self.processes.start_component(name)

    def process(self, name: str) -> psutil.Process:
        """Return the process of a name."""
        return psutil.Process(self.processes.pid(name))

    def talking_to(self, port: int, name: str) -> list[psutil.Process]:
        """Return a process and its descendants, those only that are connected to a port."""
        with suppress(psutil.NoSuchProcess, KeyError):
            root = self.process(name)
            family = [root, *root.children(recursive=True)]
            return [process for process in family if port in _ports(process)]
        return []


def _ports(process: psutil.Process) -> Iterator[int]:
    with suppress(psutil.Error):
        for connection in process.net_connections("tcp"):
            if connection.raddr:
                yield connection.raddr.port
