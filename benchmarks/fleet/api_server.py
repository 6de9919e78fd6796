"""The REST API beside a DAG processor: what a user sees, and what a merge is announced to."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

import httpx
from airflow_client import AIRFLOW_2, Api
from airflow_environment import USER
from airflow_processes import AirflowProcesses

if TYPE_CHECKING:
    from fleet.processor import DagProcessor
    from typing_extensions import Self

_NAME: Final = "webserver" if AIRFLOW_2 else "api-server"
_START_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 0.05


class ApiServer:
    """An API server on a DAG processor's metadata database."""

    def __init__(self, processor: DagProcessor) -> None:
        self._url = f"http://127.0.0.1:{processor.port}"
        self._processes = AirflowProcesses(processor.home, processor.port, processor.environment)
        self._processes.environment |= processor.environment
        self._password = processor.password
        self.api = Api(self._url, USER, self._password)

    def __enter__(self) -> Self:
        """Start it and wait until it answers."""
        (self._processes.home / "processes").mkdir(exist_ok=True)
        self._create_user()
        self._processes.start_component(_NAME)
        until = time.monotonic() + _START_SECONDS
        while not self._answers():
            self._processes.check_alive()
            if time.monotonic() > until:
                self._processes.stop()
                raise TimeoutError(f"no API server within {_START_SECONDS:.0f} s")
            time.sleep(0.5)
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop it."""
        self.api.close()
        self._processes.stop()

    def _create_user(self) -> None:
        if AIRFLOW_2:
            person = ("--firstname", "A", "--lastname", "Admin", "--email", "admin@example.org")
            login = ("--username", USER, "--password", self._password, "--role", "Admin")
            self._processes.run("users", "create", *login, *person)
            return
        passwords = self._processes.home / "passwords.json"
        passwords.write_text(json.dumps({USER: self._password}), encoding="utf-8")

    def _answers(self) -> bool:
        try:
            self.api.get("/version")
        except httpx.TransportError:
            return False
        return True

    def dag(self, dag_id: str) -> dict[str, Any]:
        """Return a DAG as Airflow lists it."""
        found: dict[str, Any] = self.api.get(f"/dags/{dag_id}")
        return found

    def wait_for(self, dag_id: str, text: str, seconds: float) -> float:
        """Wait until a DAG's description says something and return how long that took.

        Raises:
            TimeoutError: It does not in time.
        """
        began = time.monotonic()
        while text not in (self.dag(dag_id)["description"] or ""):
            if time.monotonic() - began > seconds:
                raise TimeoutError(f"{dag_id} does not say {text!r} within {seconds:.0f} s")
            time.sleep(_POLL_SECONDS)
        return time.monotonic() - began
