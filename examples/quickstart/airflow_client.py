"""Airflow's REST API as one user, in 2.x and 3.x."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING, Any, Final

import httpx

if TYPE_CHECKING:
    from collections.abc import Mapping

AIRFLOW_2: Final = importlib.metadata.version("apache-airflow").startswith("2.")

_API_PATH: Final = "/api/v1" if AIRFLOW_2 else "/api/v2"


class AirflowError(RuntimeError):
    """Airflow did not start, or answered a request with an error."""


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
