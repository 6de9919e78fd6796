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

import base64
import contextlib
import importlib.metadata
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Final

import httpx
import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

AIRFLOW_2: Final = importlib.metadata.version("apache-airflow").startswith("2.")
COMPONENTS: Final = (
    ("webserver", "scheduler") if AIRFLOW_2 else ("api-server", "scheduler", "dag-processor")
)
CONNECTION_VARIABLE: Final = "AIRFLOW_CONN_DAGFOUNDRY_AIRFLOW"
USER: Final = "admin"

_HEALTH_PATH: Final = "/health" if AIRFLOW_2 else "/api/v2/monitor/health"
_API_PATH: Final = "/api/v1" if AIRFLOW_2 else "/api/v2"
_STOP_SECONDS: Final = 15.0


class AirflowError(RuntimeError):
    """Airflow did not start, or answered a request with an error."""


def free_port() -> int:
    """Return a TCP port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


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
        self.password = secrets.token_urlsafe(16)
        self.url = f"http://127.0.0.1:{port}"
        self.environment = _inherited() | _defaults(home, port, self.password) | dict(environment)
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


class Api:
    """Airflow's REST API as one user; paths are those below ``/api/v2`` (``/api/v1`` in 2.x).

    Args:
        url: Where Airflow is.
        user: Who logs in.
        password: The user's password.
    """

    def __init__(self, url: str, user: str, password: str) -> None:
        self._login = {"username": user, "password": password}
        basic = (user, password) if AIRFLOW_2 else None
        self._client = httpx.Client(base_url=url, auth=basic, timeout=30)

    def get(self, path: str, **query: object) -> Any:  # noqa: ANN401 - JSON
        """Return the JSON at a path."""
        return self.request("GET", path, query=query)

    def post(self, path: str, body: object | None = None) -> Any:  # noqa: ANN401 - JSON
        """Post JSON and return the answer."""
        return self.request("POST", path, body=body)

    def patch(self, path: str, body: object) -> Any:  # noqa: ANN401 - JSON
        """Change what a path names and return it."""
        return self.request("PATCH", path, body=body)

    def put(self, path: str, body: object | None = None) -> Any:  # noqa: ANN401 - JSON
        """Put JSON at a path and return the answer."""
        return self.request("PUT", path, body=body)

    def delete(self, path: str) -> None:
        """Delete what a path names."""
        self.request("DELETE", path)

    def trigger(self, dag_id: str, run_id: str | None = None) -> str:
        """Start a run of a DAG and return its id."""
        body: dict[str, Any] = {"dag_run_id": run_id} if run_id else {}
        if not AIRFLOW_2:
            body["logical_date"] = None
        answer: dict[str, Any] = self.post(f"/dags/{dag_id}/dagRuns", body)
        return str(answer["dag_run_id"])

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: object | None = None,
    ) -> Any:  # noqa: ANN401 - JSON
        """Send a request; log in first where that is needed.

        Raises:
            AirflowError: The answer is an error.
        """
        answer = self._send(method, path, query, body)
        if answer.status_code == httpx.codes.UNAUTHORIZED and not AIRFLOW_2:
            self._client.headers["Authorization"] = f"Bearer {self.token()}"
            answer = self._send(method, path, query, body)
        if answer.is_error:
            raise AirflowError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    def token(self) -> str:
        """Log in and return a token (3.x).

        Raises:
            AirflowError: The user or password is wrong.
        """
        answer = self._client.post("/auth/token", json=self._login)
        if answer.is_error:
            raise AirflowError(f"POST /auth/token: {answer.status_code} {answer.text}")
        return str(answer.json()["access_token"])

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _send(
        self, method: str, path: str, query: Mapping[str, object] | None, body: object | None
    ) -> httpx.Response:
        parameters: Any = dict(query or {})
        return self._client.request(method, f"{_API_PATH}{path}", params=parameters, json=body)


def _inherited() -> dict[str, str]:
    """Return the caller's environment without its Airflow; byte code must be on (5 s a start)."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIRFLOW", "_AIRFLOW")) and name != "PYTHONDONTWRITEBYTECODE"
    }


def _defaults(home: Path, port: int, password: str) -> dict[str, str]:
    connection = {
        "conn_type": "http",
        "host": "127.0.0.1",
        "port": port,
        "login": USER,
        "password": password,
    }
    common = {
        "AIRFLOW_HOME": str(home),
        CONNECTION_VARIABLE: json.dumps(connection),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "0",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    return common | (_airflow2(port) if AIRFLOW_2 else _airflow3(home, port))


def _airflow3(home: Path, port: int) -> dict[str, str]:
    return {
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(home / "bundles"),
    }


def _airflow2(port: int) -> dict[str, str]:
    return {
        "AIRFLOW__API__AUTH_BACKENDS": "airflow.api.auth.backend.basic_auth",
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "60",
        "AIRFLOW__WEBSERVER__SECRET_KEY": secrets.token_hex(32),
        "AIRFLOW__WEBSERVER__WEB_SERVER_HOST": "127.0.0.1",
        "AIRFLOW__WEBSERVER__WEB_SERVER_PORT": str(port),
        "AIRFLOW__WEBSERVER__WORKERS": "1",
    }


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
