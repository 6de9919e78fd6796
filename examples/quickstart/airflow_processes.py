"""A real Airflow of one's own: its processes, its address, its REST API.

Runs the Airflow that is installed beside this Python, 2.x or 3.x, in a home folder
that it fills itself, on one port of the loopback interface. Each process writes to
``<home>/processes/<name>.log``. ``stop`` leaves no process behind, tasks included.

Example::

    with AirflowProcesses(Path("/tmp/airflow"), free_port(), {}) as airflow:
        airflow.wait_healthy()
        print(airflow.api.get("/dags")["total_entries"])
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

import httpx
import psutil
from airflow_client import AIRFLOW_2, AirflowError, Api
from airflow_environment import USER, defaults, inherited

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

COMPONENTS: Final = (
    ("webserver", "scheduler") if AIRFLOW_2 else ("api-server", "scheduler", "dag-processor")
)

_HEALTH_PATH: Final = "/health" if AIRFLOW_2 else "/api/v2/monitor/health"
_STOP_SECONDS: Final = 15.0


class AirflowProcesses:
    """The processes of one Airflow.

    Args:
        home: ``AIRFLOW_HOME``; made if it is missing.
        port: Port of the API server (of the web server in 2.x).
        environment: Variables besides the defaults, such as the bundle's
            configuration. 2.x needs ``AIRFLOW__DATABASE__SQL_ALCHEMY_CONN``, since its
            LocalExecutor refuses SQLite. The caller's own ``AIRFLOW*`` variables are not
            passed on.

    Attributes:
        components: Names of the processes.
        environment: All variables that the processes get. Among them is the
            connection ``dagfoundry_airflow``, which the factory DAGs need in 3.x.
        password: Password of the user ``admin``.
        url: Where a browser finds it.
    """

    def __init__(self, home: Path, port: int, environment: Mapping[str, str]) -> None:
        self.home = home
        self.components = COMPONENTS
        self.port = port
        self.password = secrets.token_hex(16)  # no dash, which a command takes for an option
        self.url = f"http://127.0.0.1:{port}"
        self.environment = inherited() | defaults(home, port, self.password) | dict(environment)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._api: Api | None = None

    @property
    def api(self) -> Api:
        """The REST API, logged in as ``admin``."""
        if self._api is None:
            self._api = Api(self.url, USER, self.password)
        return self._api

    def __enter__(self) -> Self:
        """Start all processes."""
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop all processes."""
        self.stop()

    def start(self) -> None:
        """Make the metadata database and start every process; does not wait for them."""
        for folder in ("dags", "processes", "plugins"):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        passwords = self.home / "passwords.json"
        passwords.touch(mode=0o600)
        passwords.write_text(json.dumps({USER: self.password}), encoding="utf-8")
        self.run("db", "migrate")
        if AIRFLOW_2:
            self._create_user()
        for name in COMPONENTS:
            self.start_component(name)

    def start_component(self, name: str) -> None:
        """Start one process, such as ``scheduler``."""
        with self.log_file(name).open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", "airflow", name],
                env=self.environment,
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop_component(self, name: str, number: signal.Signals = signal.SIGTERM) -> None:
        """Stop one process and all that it started."""
        process = self._processes.pop(name, None)
        if process is not None:
            _stop_trees([process], number)

    def log_file(self, name: str) -> Path:
        """Return where a process writes its output."""
        return self.home / "processes" / f"{name}.log"

    def run(self, *arguments: str, timeout: float = 300) -> str:
        """Run an ``airflow`` command in this Airflow and return its output.

        Raises:
            AirflowError: It failed.
        """
        done = subprocess.run(
            [sys.executable, "-m", "airflow", *arguments],
            env=self.environment,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        if done.returncode:
            shown = " ".join(arguments[:2])
            raise AirflowError(f"`airflow {shown}` exited with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def wait_healthy(self, timeout: float = 180) -> None:
        """Wait until database, scheduler and DAG processor say that they are healthy.

        Args:
            timeout: Seconds to wait.

        Raises:
            AirflowError: A process ended, or time is up.
        """
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            self.check_alive()
            if self._healthy():
                return
            time.sleep(0.5)
        raise AirflowError(f"Airflow was not healthy within {timeout:.0f} s:\n{self._tails()}")

    def check_alive(self) -> None:
        """Raise if one of the processes has ended.

        Raises:
            AirflowError: Its name, exit code and last lines.
        """
        for name, process in self._processes.items():
            if process.poll() is not None:
                raise AirflowError(
                    f"airflow {name} exited with {process.returncode}:\n{self._tail(name)}"
                )

    def ended(self) -> list[str]:
        """Return the names of processes that were started and have ended by themselves."""
        return [name for name, process in self._processes.items() if process.poll() is not None]

    def pid(self, name: str) -> int:
        """Return the process id of a process that was started."""
        return self._processes[name].pid

    def stop(self) -> None:
        """Stop all processes and whatever they started; harmless when none runs."""
        if self._api is not None:
            self._api.close()
            self._api = None
        processes = list(self._processes.values())
        self._processes.clear()
        _stop_trees(processes, signal.SIGTERM)

    def _healthy(self) -> bool:
        try:
            answer = httpx.get(f"{self.url}{_HEALTH_PATH}", timeout=5)
        except httpx.TransportError:
            return False
        if answer.status_code != httpx.codes.OK:
            return False
        health = answer.json()
        needed = ["metadatabase", "scheduler"]
        if "dag-processor" in COMPONENTS:
            needed.append("dag_processor")
        return all((health.get(part) or {}).get("status") == "healthy" for part in needed)

    def _create_user(self) -> None:
        person = ("--firstname", "A", "--lastname", "Admin", "--email", "admin@example.org")
        login = ("--username", USER, "--password", self.password, "--role", "Admin")
        self.run("users", "create", *login, *person)

    def _tail(self, name: str) -> str:
        lines = self.log_file(name).read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-30:])

    def _tails(self) -> str:
        return "\n".join(f"--- {name}\n{self._tail(name)}" for name in self._processes)


def _stop_trees(roots: list[subprocess.Popen[bytes]], number: signal.Signals) -> None:
    """Signal processes and their groups, then kill what is left of their descendants."""
    members = [member for root in roots for member in _tree(root.pid)]
    for root in roots:
        if root.poll() is None:
            os.killpg(root.pid, number)
    deadline = time.monotonic() + _STOP_SECONDS
    while (alive := _running(roots, members)) and time.monotonic() < deadline:
        time.sleep(0.1)
    for member in {*alive, *(child for left in alive for child in _tree(left.pid))}:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    for root in roots:
        root.wait()


def _running(
    roots: list[subprocess.Popen[bytes]], members: list[psutil.Process]
) -> list[psutil.Process]:
    """Return the members that still run; a container may keep the zombies of the others."""
    for root in roots:
        root.poll()
    running = []
    for member in members:
        with contextlib.suppress(psutil.NoSuchProcess):
            if member.status() != psutil.STATUS_ZOMBIE:
                running.append(member)
    return running


def _tree(pid: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
